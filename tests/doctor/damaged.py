"""Files that no teacher wants to meet: the corpus damaged in every way that comes to mind, and unrelated files.

Nothing here deletes: what is drawn is run, and one file may hold several of these lines.
"""

import json
import random
import re
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from doctor.corpus import Style, runnable, styles

# Statements that end, stop, flood or spoil the process that they run in.
EVIL = (
    "while True: pass",
    "import time; time.sleep(10**6)",
    "import os; os._exit(3)",
    "import os; os._exit(0)",
    "import os; os.abort()",
    "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
    "raise SystemExit(0)",
    "raise SystemExit('goodbye')",
    "raise KeyboardInterrupt",
    "raise GeneratorExit",
    "raise BaseException('all of them')",
    "raise RecursionError",
    "raise MemoryError",
    "1 / 0",
    "import a_module_that_nobody_has",
    "from __future__ import braces",
    "name = input('name? ')",
    "import sys; sys.stdin.read()",
    "memory = bytearray(10**12)",
    "memory = []\nwhile True: memory.append(bytearray(10**7))",
    "numbers = __import__('numpy').ones((10**6, 10**6))",
    "print('x' * 10**7)",
    "for i in range(10**5): print(i)",
    "import sys; sys.stderr.write('y' * 10**7)",
    "import sys; sys.stdout.close()",
    "import os; os.close(0); os.close(1); os.close(2)",
    "import os; os.closerange(3, 64)",
    "import builtins; builtins.len = None",
    "import builtins; builtins.print = 3",
    "import numpy; numpy.dot = numpy.exp = None",
    "import numpy; numpy.array = lambda *a, **k: 7",
    "import numpy; numpy.random.seed = lambda *a: 1 / 0",
    "import numpy; numpy.seterr(all='raise')",
    "import sys; sys.setrecursionlimit(10**8)\ndef f(): return f()\nf()",
    "def f(): return f()\nf()",
    "import sys; sys.settrace(None); sys.setprofile(None)",
    "import sys; sys.modules.clear()",
    "import sys; sys.exit = sys.stdout = sys.path = None",
    "globals().clear()",
    "import threading; threading.Thread(target=lambda: [None for _ in iter(int, 1)]).start()",
    "import threading, time; threading.Thread(target=time.sleep, args=(10**6,), daemon=False).start()",
    "import subprocess; subprocess.run(['sleep', '1000'])",
    "import multiprocessing; multiprocessing.Process(target=print).start()",
    "import os; os.fork()",
    "import socket; socket.create_connection(('127.0.0.1', 9), timeout=1)",
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/')",
    "open('/dev/zero', 'rb').read()",
    "open('big', 'wb').write(bytes(10**8))",
    "import os; os.chdir('/')",
    "from signal import *\nsignal(SIGTERM, SIG_IGN)\nsignal(SIGALRM, SIG_IGN)\nwhile True: pass",
    "import warnings; warnings.simplefilter('error'); warnings.warn('stop')",
    "import atexit, time; atexit.register(time.sleep, 10**6)",
    "import gc; gc.collect(); [o.clear() for o in gc.get_objects() if isinstance(o, list)]",
    "import ctypes; ctypes.string_at(0)",
    "class M(type):\n    def __getattr__(self, name): raise RuntimeError(name)\nclass Forward(metaclass=M): pass",
    "class Odd:\n    def __init__(self, *a): del self.x\n    def forward(self, X): return X\n    backward = forward",
    "class No:\n    def __array__(self): return 1 / 0\n    def forward(self, X): return self\n    backward = forward",
    "def forward(X, params): return forward\ndef backward(*a): return backward",
    "def forward(X, params): return X, params\ndef backward(X, params): return None",
    "def forward(*args, **kwargs): return args\ndef backward(*args, **kwargs): return kwargs",
    "def forward(X, W1, b1): yield X\ndef backward(X): yield X",
    "async def forward(X, W1, b1): return X\nasync def backward(X): return X",
    "forward = backward = loss = 3",
    "def forward(X, W1, b1, W2, b2): return float('nan')\ndef backward(X, y): return {'dW1': float('nan')}",
    "def forward(X, W1, b1, W2, b2): return 'text'\ndef backward(X, y): return {'dW1': 'text'}",
    "def forward(X, W1, b1, W2, b2): return X * 1j\ndef backward(X, y): return {'dW1': X * 1j}",
)
# Files that are no Python, or hardly.
CONTENTS = (
    b"",
    b"\n\n\n",
    b"\x00" * 1000,
    b"\xff\xfe" + "print(1)".encode("utf-16-le"),
    b"# -*- coding: latin-1 -*-\nname = '\xe9'\n",
    b"# -*- coding: no-such-code -*-\n",
    b"name = '\xe9'\n",
    b"\xef\xbb\xbfimport numpy as np\n",
    b"def f(:\n",
    b"print 'python 2'\n",
    b"x = " + b"(" * 5000 + b")" * 5000,
    b"x = " + b"-" * 50000 + b"1",
    b"x = " + b"1 + " * 50000 + b"1",
    b"if 1:\n" * 300,
    b"x = 1\r" * 100,
    b"\tif True:\n        x = 1\n\ty = 2\n",
    b"<html><body>not found</body></html>",
    b"%PDF-1.7 \x93\x8c\x8b",
    b"PK\x03\x04" + bytes(range(256)),
    b"{}",
    b"x" * 3_000_000,
    "смысл = 1\ndef вперёд(X, параметры): return X\n".encode(),
)
NOTEBOOKS = (
    "",
    "[]",
    "{}",
    "null",
    '{"cells": null}',
    '{"cells": 3}',
    '{"cells": [3, null, "text"]}',
    '{"cells": [{"cell_type": "code"}]}',
    '{"cells": [{"cell_type": "code", "source": 7}]}',
    '{"cells": [{"cell_type": "code", "source": [1, null]}]}',
    '{"cells": [{"cell_type": "code", "source": "def f(:"}, {"cell_type": "code", "source": ["%%bash\\n", "rm x"]}]}',
    '{"cells": [], "nbformat": 4}',
    '{"worksheets": [{"cells": [{"cell_type": "code", "input": ["x = 1"]}]}], "nbformat": 3}',
    '{"cells": [' + '{"cell_type": "code", "source": "x = 1"},' * 2000 + "{}]}",
    "[" * 20000,
)
# Of the standard library: code that is in order and has nothing to do with gradients.
LIBRARY = """
    argparse ast base64 bisect calendar cmd code codecs colorsys configparser contextlib copy csv dataclasses decimal
    difflib dis enum filecmp fnmatch fractions functools getopt gettext glob graphlib gzip hashlib heapq hmac inspect
    ipaddress keyword linecache locale mimetypes numbers optparse pickletools pprint queue random reprlib sched secrets
    shlex statistics string stringprep struct tabnanny tempfile textwrap timeit tokenize traceback types typing uuid
    weakref zipfile
"""
OPERATORS = (
    "+",
    "-",
    "*",
    "/",
    "@",
    ".T",
    "**2",
    "axis=0",
    "axis=1",
    "np.",
    "self.",
    "[0]",
    "not ",
    " > 0",
    "0",
    "1",
    "X",
    "Y",
    "m",
)


@dataclass(frozen=True)
class Damaged:
    """A file; for damaged code the style it comes from, and its functions alone, for those who can judge them."""

    name: str
    content: bytes
    style: Style | None = None
    code: str = ""

    def write(self, folder: Path) -> Path:
        path = folder / self.name
        path.write_bytes(self.content)
        return path


def damaged(number: int) -> Damaged:
    """The file of this number, always the same: one in five is no such code at all, the others are damaged code."""
    draw = random.Random(number)
    if number % 5 == 0:
        return _unrelated(number // 5, number)
    style = draw.choice(list(styles().values()))
    text = style.source()
    if style.notebook:
        return _damaged_notebook(style, text, number, draw)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        text = draw.choice(MUTATIONS)(text, draw)
    content = text.encode("utf-8", "replace")
    if draw.random() < 0.05:
        content = _bytes(content, draw)
        text = ""
    return Damaged(f"damaged_{number}.py", content, style, _functions(text))


def _damaged_notebook(style: Style, text: str, number: int, draw: random.Random) -> Damaged:
    if draw.random() < 0.3:
        content = _bytes(text.encode(), draw)
        return Damaged(f"damaged_{number}.ipynb", content, style, _functions(content.decode("utf-8", "replace")))
    book = json.loads(text)
    cell = draw.choice([cell for cell in book["cells"] if cell["cell_type"] == "code"])
    cell["source"] = draw.choice(MUTATIONS)("".join(cell["source"]), draw)
    text = json.dumps(book)
    return Damaged(f"damaged_{number}.ipynb", text.encode(), style, _functions(text))


def _functions(text: str) -> str:
    try:
        return runnable(text)
    except (SyntaxError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return ""


def _unrelated(place: int, number: int) -> Damaged:
    kinds = len(EVIL) + len(CONTENTS) + len(NOTEBOOKS) + len(_library())
    place %= kinds
    if place < len(EVIL):
        return Damaged(f"evil_{number}.py", EVIL[place].encode())
    place -= len(EVIL)
    if place < len(CONTENTS):
        return Damaged(f"content_{number}.py", CONTENTS[place])
    place -= len(CONTENTS)
    if place < len(NOTEBOOKS):
        return Damaged(f"notebook_{number}.ipynb", NOTEBOOKS[place].encode())
    name = _library()[place - len(NOTEBOOKS)]
    path = Path(sysconfig.get_paths()["stdlib"]) / f"{name}.py"
    return Damaged(f"library_{number}.py", path.read_bytes() if path.exists() else b"")


def _library() -> list[str]:
    return LIBRARY.split()


def delete(text: str, draw: random.Random) -> str:
    lines = text.splitlines()
    first = draw.randrange(max(1, len(lines)))
    del lines[first : first + draw.choice((1, 1, 1, 2, 5))]
    return "\n".join(lines) + "\n"


def duplicate(text: str, draw: random.Random) -> str:
    lines = text.splitlines()
    lines.insert(draw.randrange(len(lines) + 1), draw.choice(lines or [""]))
    return "\n".join(lines) + "\n"


def swap_lines(text: str, draw: random.Random) -> str:
    lines = text.splitlines()
    i, j = draw.randrange(max(1, len(lines))), draw.randrange(max(1, len(lines)))
    if lines:
        lines[i], lines[j] = lines[j], lines[i]
    return "\n".join(lines) + "\n"


def swap_tokens(text: str, draw: random.Random) -> str:
    tokens = re.split(r"(\W)", text)
    words = [i for i, token in enumerate(tokens) if token.strip()]
    if len(words) > 1:
        i = draw.choice(words)
        j = draw.choice([k for k in words if abs(k - i) < 30])
        tokens[i], tokens[j] = tokens[j], tokens[i]
    return "".join(tokens)


def replace_token(text: str, draw: random.Random) -> str:
    tokens = re.split(r"(\W)", text)
    words = [i for i, token in enumerate(tokens) if token.strip()]
    if words:
        tokens[draw.choice(words)] = draw.choice(OPERATORS)
    return "".join(tokens)


def rename(text: str, draw: random.Random) -> str:
    names = sorted(set(re.findall(r"\b[A-Za-z_]\w+\b", text)))
    return (
        re.sub(rf"\b{draw.choice(names)}\b", draw.choice(("foo", "np", "x", "self", "forward")), text)
        if names
        else text
    )


def truncate(text: str, draw: random.Random) -> str:
    return text[: draw.randrange(len(text) + 1)]


def indent(text: str, draw: random.Random) -> str:
    lines = text.splitlines()
    if lines:
        i = draw.randrange(len(lines))
        lines[i] = draw.choice((" ", "    ", "\t")) + lines[i] if draw.random() < 0.5 else lines[i].lstrip()
    return "\n".join(lines) + "\n"


def insert_evil(text: str, draw: random.Random) -> str:
    lines = text.splitlines()
    place = draw.randrange(len(lines) + 1)
    margin = re.match(r"\s*", lines[place - 1]).group() if place else ""  # type: ignore[union-attr]
    lines[place:place] = [margin + line for line in draw.choice(EVIL).splitlines()]
    return "\n".join(lines) + "\n"


def _bytes(content: bytes, draw: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.choice((1, 3, 20))):
        if changed:
            changed[draw.randrange(len(changed))] = draw.randrange(256)
    return bytes(changed)


MUTATIONS = (
    delete, delete, duplicate, swap_lines, swap_tokens, swap_tokens, replace_token, replace_token, rename, truncate,
    indent, insert_evil,
)  # fmt: skip
