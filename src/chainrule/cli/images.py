"""`chainrule images`: work on the images of a data set; a module a sub-command, imported when it is called."""

import difflib
from importlib import import_module

from chainrule.errors import InputError

COMMANDS = {
    "augment": "write the augmented set: the originals and a transformed copy of each",
    "features": "compute features of a data set's images, once, for all that train on them",
}

HELP = f"""\
usage: chainrule images COMMAND [options]

{chr(10).join(f"  {name:<9} {text}" for name, text in COMMANDS.items())}

`chainrule images COMMAND --help` tells the options of a command.
"""


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(HELP, end="")
        return 0 if arguments else 2
    name, rest = arguments[0], arguments[1:]
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Valid: {', '.join(COMMANDS)}."
        raise InputError(f"unknown command {f'images {name}'!r}", hint)
    return int(import_module(f"chainrule.cli.{name}").main(rest))
