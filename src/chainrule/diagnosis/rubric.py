"""A rubric: how many points each quantity is worth, read from a small TOML file."""

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from chainrule.diagnosis.findings import HINTS
from chainrule.errors import DataError, InputError, shown, unknown_name

PARTS = {
    "forward": "the forward pass has no mistake",
    "loss": "there is a loss, and the gradients are its own",
    "training": "there is a training loop without a mistake",
    "right": "everything is right",
}
SHARES = ("up-to-scale", "consequence")
_GRADIENT = re.compile(r"d[Wb][1-9]\d?")


@dataclass(frozen=True)
class Rubric:
    """Points for quantities.

    points       of "dW1", "db1", …, and of the parts "forward", "loss", "training" and "right"
    up_to_scale  share of a gradient's points where no loss is stated and all gradients are off by one constant factor
    consequence  share of a gradient's points where it is wrong only because of an earlier mistake
    hints        how much the student is told: verdict, where, what or how
    """

    points: Mapping[str, float]
    up_to_scale: float = 1.0
    consequence: float = 0.0
    hints: str = "how"
    name: str = field(default="the rubric", compare=False)

    def __post_init__(self) -> None:
        if not self.points:
            raise InputError(f"{self.name} gives no points", 'Write some: [points] and then dW1 = 2, "right" = 1, …')
        for quantity, points in self.points.items():
            if quantity not in PARTS and not _GRADIENT.fullmatch(quantity):
                raise unknown_name(f"quantity in {self.name}", quantity, ["dW1", "db1", "dW2", "db2", *PARTS])
            _number(points, f"points of {quantity} in {self.name}", math.inf)
        _number(self.up_to_scale, f"share up-to-scale in {self.name}", 1.0)
        _number(self.consequence, f"share consequence in {self.name}", 1.0)
        if self.hints not in HINTS:
            raise unknown_name(f"hint level in {self.name}", self.hints, HINTS)


def read_rubric(path: Path) -> Rubric:
    """The rubric in a TOML file: a table [points], and if wanted a table [share] and a line `hints = "what"`.

    Raises DataError where the file cannot be read, InputError where it has an unknown key or a value out of range.
    """
    try:
        with path.open("rb") as file:
            content = tomllib.load(file)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", "Name a TOML file with a table [points].") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is no TOML: {error}", "Write [points] and below it lines such as dW1 = 2.") from None
    for key in content:
        if key not in ("points", "share", "hints"):
            raise unknown_name(f"key in {path}", key, ("points", "share", "hints"))
    share = _table(path, content, "share")
    for key in share:
        if key not in SHARES:
            raise unknown_name(f"share in {path}", key, SHARES)
    settings = {key.replace("-", "_"): value for key, value in share.items()}
    settings |= {"hints": content["hints"]} if "hints" in content else {}
    return Rubric(_table(path, content, "points"), name=str(path), **settings)


def _table(path: Path, content: Mapping[str, Any], key: str) -> dict[str, Any]:
    table = content.get(key, {})
    if not isinstance(table, dict):
        raise InputError(f"{key} in {path} is {shown(table)}", f"Write a table: [{key}], and lines below it.")
    return cast(dict[str, Any], table)


def _number(value: object, what: str, most: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most or math.isinf(value):
        span = f"a number from 0 to {most:.0f}" if math.isfinite(most) else "a number from 0 on"
        raise InputError(f"the {what} is {shown(value)}", f"Take {span}.")
