"""The parts of a data set have the same colour, line and name in every figure."""

from dataclasses import dataclass

from chainrule.figures.style import COLOURS, LineStyle


@dataclass(frozen=True)
class PartLook:
    """How a part is drawn; `curve` is its name where it was measured while training ran, `result` where at the end."""

    result: str
    curve: str
    colour: str
    line: LineStyle


PARTS = {
    "train": PartLook("training", "training", COLOURS[1], "-"),  # red
    "validation": PartLook("validation", "validation", COLOURS[0], "--"),  # blue
    "test": PartLook("test", "test (monitored)", COLOURS[2], "-."),
}
