"""`chainrule verify`: stored and newly computed results side by side."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tyro.conf import Positional, arg

from chainrule.runs import Run, verify


@dataclass(frozen=True)
class Verify:
    """Compute the results of a finished run again and print them beside the stored ones; exits 1 where they differ.

    example:
      chainrule verify runs/digits-0123456789
    """

    run: Annotated[Positional[Path], arg(metavar="RUN")]
    """the folder of the run"""
    data_dir: Path | None = None
    """folder of the data sets; CHAINRULE_DATA or the user's cache folder by default"""


def main(arguments: list[str]) -> int:
    command = tyro.cli(Verify, prog="chainrule verify", args=arguments)
    result = verify(Run(command.run), data_dir=command.data_dir)
    for part in result.computed:
        print(f"{part} part, n = {result.computed[part].samples}")
        print(f"  stored    {result.stored[part].summary()}\n  computed  {result.computed[part].summary()}")
    print(f"\n{result.side_by_side(list(result.computed)[-1])}\n")
    rule = "every number" if result.exact else "decisions, and losses to 1e-5 (other machine or versions)"
    if result.ok:
        print(f"The run is verified: equal in {rule}.")
        return 0
    print(f"The run is NOT verified; compared {rule}:")
    for difference in result.differences:
        print(f"  {difference}")
    return 1
