"""The command `chainrule`: a thin module a command, imported only when it is called."""

import difflib
import os
import sys
from importlib import import_module

from chainrule import __version__

COMMANDS = {
    "train": "train a network on a data set, evaluate it and leave a run folder",
    "predict": "labels and probabilities for a table, an array file, an image or a folder",
    "verify": "compute a run's results again and compare them with the stored ones",
    "derive": "derivatives of equations or of a network, step by step and verified; or a formula put to the test",
    "check": "hold every gradient of a network against central differences",
    "explain": "the chain of products behind one gradient, with its numbers",
    "data": "list, fetch and show data sets",
    "study": "the experiments of five reports, done again with several seeds; a page each",
    "sweep": "many runs: every combination of settings with every seed, resumable",
    "runs": "list, compare and export many runs",
    "report": "one self-contained HTML page about a run, several runs or a sweep",
    "images": "augmented sets and features of images",
}

HELP = f"""\
chainrule {__version__}: neural networks whose passes are written by hand, shown, proven and fast

usage: chainrule COMMAND [options]

{chr(10).join(f"  {name:<9} {text}" for name, text in COMMANDS.items())}

examples:
  chainrule train digits
  chainrule train mnist --hidden 300 --activation sigmoid --batch-size 1 --learning-rate 0.03 --epochs 5
  chainrule predict runs/digits-… image.png
  chainrule verify runs/digits-…
  chainrule derive examples/derive/residual.txt --wrt x
  chainrule check 784-300-10 --activation sigmoid
  chainrule explain runs/digits-… --of "W1[3,5]" --sample 0
  chainrule report runs/digits-…

`chainrule COMMAND --help` tells the options of a command.
"""


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code is 0 for success, 1 for a failed check, 2 for bad input, 130 on interrupt."""
    try:
        code = _run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(HELP, end="")
        return 0 if arguments else 2
    if arguments[0] == "--version":
        print(f"chainrule {__version__}")
        return 0
    name, rest = arguments[0], arguments[1:]
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        complain(f"unknown command {name!r}", f"Did you mean {near[0]}?" if near else f"Valid: {', '.join(COMMANDS)}.")
        return 2
    return _guarded(name, rest)


def _guarded(name: str, arguments: list[str]) -> int:
    from chainrule.errors import ChainruleError, DivergedError

    try:
        return int(import_module(f"chainrule.cli.{name}").main(arguments))
    except ChainruleError as error:
        complain(error.problem, error.remedy)
        return 1 if isinstance(error, DivergedError) else 2
    except KeyboardInterrupt:
        complain("interrupted", "")
        return 130
    except MemoryError:
        complain("this does not fit into memory", "Use fewer samples, a smaller batch or a smaller network.")
        return 2


def complain(problem: str, remedy: str) -> None:
    """What is wrong, and how to mend it, on standard error."""
    print(f"chainrule: {problem}", file=sys.stderr)
    if remedy:
        print(remedy, file=sys.stderr)
