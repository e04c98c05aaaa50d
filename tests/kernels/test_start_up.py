"""What it costs to begin: nothing until kernels are asked for, one compilation, and threads that may be interrupted."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from chainrule.kernels.loading import load

pytestmark = pytest.mark.xdist_group("kernels")

# `python -c TRAINING dtype …`: a training for each dtype on the compiled engine; standard output: what became of it.
TRAINING = """
import hashlib, json, sys
import numpy as np
import chainrule as cr

ended = {}
for dtype in sys.argv[1:]:
    net = cr.Network([5, 20, 3], activation="tanh", dropout=0.2, dtype=dtype, seed=1)
    x = np.linspace(-1, 1, 5 * 90).reshape(90, 5) ** 2
    cr.train(net, (x, np.arange(90) % 3), engine="compiled", epochs=3, batch_size=16)
    ended[dtype] = [P.tolist() for P in net.parameters().values()]
print(json.dumps(ended))
"""


def process(code, *arguments, **variables):
    """A fresh process that ran `code`."""
    environment = {**os.environ, **variables}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done


def test_neither_the_package_nor_the_room_of_the_kernels_imports_numba():
    for name in ("chainrule", "chainrule.kernels", "chainrule.training"):
        code = f"import sys, {name}\nsys.exit(any('numba' in loaded for loaded in sys.modules))"
        process(code)


def test_training_that_stays_in_numpy_does_not_import_numba():
    process(
        "import sys, numpy as np, chainrule as cr\n"
        "h = cr.train(cr.Network([2, 3, 2]), (np.ones((4, 2)), [0, 1, 0, 1]), epochs=3, batch_size=2)\n"
        "sys.exit(h.engine != 'reference' or 'numba' in sys.modules)"
    )


def test_the_first_process_says_that_it_compiles_and_the_next_one_finds_the_code(tmp_path):
    """This compiles the kernels anew, for one dtype, and takes as long: nothing else shows that it is said."""
    cache = {"NUMBA_CACHE_DIR": str(tmp_path)}
    first = process(TRAINING, "float32", **cache)
    assert "compiling the kernels for float32, once on this machine" in first.stderr
    (code,) = tmp_path.rglob("*.nbc")
    compiled = code.read_bytes(), code.stat().st_mtime_ns
    second = process(TRAINING, "float32", **cache)
    assert "compiling" not in second.stderr
    assert list(tmp_path.rglob("*.nbc")) == [code]
    assert (code.read_bytes(), code.stat().st_mtime_ns) == compiled
    assert second.stdout == first.stdout


def test_both_precisions_from_the_cache_in_one_process_do_their_own_work():
    """Types that were named by a number were once taken for each other, when both came from the cache."""
    for dtype in ("float32", "float64"):
        load(np.dtype(dtype))  # so that they lie in the cache
    both = [process(TRAINING, *order) for order in (("float32", "float64"), ("float64", "float32"))]
    assert all("compiling" not in done.stderr for done in both)
    first, second = (json.loads(done.stdout) for done in both)
    assert first == second
    for single, double in zip(first["float32"], first["float64"], strict=True):
        np.testing.assert_allclose(single, double, atol=1e-4)
        assert single != double


# What goes wrong while three threads are started must leave none of them computing, or waiting where it computes, and
# the next call must be as good as any. In a process of its own, since a thread that is left can never be stopped.
STARTING = """
import faulthandler, sys, threading, time
import numpy as np
import chainrule as cr
from chainrule.kernels import inference, threads

faulthandler.dump_traceback_later(60, exit=True)
inference.threads_for = lambda *_: 3
net = cr.Network([9, 20, 3])
x = np.ones((100, 9), np.float32)
expected = inference.predict(net, x, False)[0]

def check(when):
    time.sleep(0.02)
    began = time.process_time()
    time.sleep(0.05)
    if time.process_time() - began > 0.025:
        sys.exit(f"a thread computes on after {when}")
    if not np.array_equal(inference.predict(net, x, False)[0], expected):
        sys.exit(f"wrong results after {when}")
"""

# Ctrl-C at the n-th line of `together`, as a tracer can, and just after the n-th thread began.
INTERRUPTED = (
    STARTING
    + """
def interrupted_at(n):
    count = 0

    def lines(frame, event, argument):
        nonlocal count
        count += event == "line"
        if count == n:
            count += 1
            raise KeyboardInterrupt
        return lines

    sys.settrace(lambda frame, event, argument: lines if frame.f_code is threads.together.__code__ else None)
    try:
        inference.predict(net, x, False)[0]
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(None)
    return False

start = threading.Thread.start
for n in (1, 2):
    begun = []

    def interrupted(self):
        start(self)
        begun.append(self)
        if len(begun) == n:
            raise KeyboardInterrupt

    threading.Thread.start = interrupted
    try:
        inference.predict(net, x, False)[0]
    except KeyboardInterrupt:
        pass
    threading.Thread.start = start
    check(f"an interrupt when thread {n} had been started")

line = 1
while interrupted_at(line):
    check(f"an interrupt at line {line} of starting threads")
    line += 1
print(line)
"""
)

# There is no room for a second thread.
NO_ROOM = (
    STARTING
    + """
start, begun = threading.Thread.start, []

def failing(self):
    begun.append(self)
    if len(begun) == 2:
        raise RuntimeError("can't start new thread")
    start(self)

threading.Thread.start = failing
try:
    inference.predict(net, x, False)[0]
except RuntimeError:
    pass
threading.Thread.start = start
check("a thread could not be started")
"""
)


def test_an_interrupt_while_threads_are_started_leaves_none_of_them_waiting_for_the_others():
    load(np.dtype("float32"))
    assert int(process(INTERRUPTED).stdout) > 5, "some lines were interrupted"


def test_a_thread_that_cannot_be_started_leaves_none_of_the_others_waiting_for_it():
    load(np.dtype("float32"))
    process(NO_ROOM)
