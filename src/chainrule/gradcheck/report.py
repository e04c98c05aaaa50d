"""What a gradient check found: for each parameter its worst entry, in a table that a person can read."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

HEADINGS = ("", "parameter", "shape", "worst", "analytic", "numeric", "absolute", "relative", "step", "passed by")
COARSE = 1e-2  # share of a gradient's greatest entry from which an error that is not seen is worth a word


@dataclass(frozen=True)
class Row:
    """One parameter in one mode of the network, with the numbers of its worst entry.

    mode       "training" or "inference" where these differ, else ""
    index      of the worst entry: the one that takes most of what it is allowed
    absolute   |analytic − numeric|; relative: that over the greater of the two
    excess     the gap as a multiple of what is allowed; above 1 where the entry is wrong
    step       h of the differences that judged it
    rule       "relative": the two agree to one part in a million; "rounding": they agree as closely as the rounding of
               the loss lets differences see; "": neither
    wrong      entries found wrong; left_out: entries that nothing could judge, for a kink lies between the points
    judged     entries judged one by one; the others agree along random directions
    greatest   the greatest |analytic| of the parameter
    unseen     the greatest error of a single entry that might have passed, because the loss rounds
    note       what else is wrong, such as another shape
    unjudged   why nothing could be said
    """

    name: str
    mode: str
    shape: tuple[int, ...]
    index: tuple[int, ...] | None = None
    analytic: float = float("nan")
    numeric: float = float("nan")
    absolute: float = float("nan")
    relative: float = float("nan")
    excess: float = float("nan")
    step: float = float("nan")
    rule: str = ""
    wrong: int = 0
    left_out: int = 0
    judged: int = 0
    greatest: float = 0.0
    unseen: float = 0.0
    note: str = ""
    unjudged: str = ""

    @property
    def ok(self) -> bool:
        """Whether the gradient was judged and nothing was wrong."""
        return self.right and not self.unjudged

    @property
    def right(self) -> bool:
        """Whether nothing was wrong, be it that nothing could be judged."""
        return not self.wrong and not self.note

    @property
    def place(self) -> str:
        """The worst entry as one writes it: W1[3,5]."""
        return f"{self.name}[{','.join(map(str, self.index))}]" if self.index else self.name

    def cells(self) -> tuple[str, ...]:
        """As HEADINGS."""
        named = f"{self.name} ({self.mode})" if self.mode else self.name
        mark = "ok" if self.ok else "??" if self.right else "NO"
        shape = "×".join(map(str, self.shape)) or "number"
        if self.index is None:
            return (mark, named, shape, "", "", "", "", "", "", "")
        numbers = (f"{self.analytic:.8g}", f"{self.numeric:.8g}", f"{self.absolute:.1e}", f"{self.relative:.1e}")
        return (mark, named, shape, self.place, *numbers, f"{self.step:.0e}", self.rule or "none")

    def remarks(self) -> list[str]:
        """Notes, wrong entries and entries left out, in words."""
        named = f"{self.name} in {self.mode}" if self.mode else self.name
        remarks = [f"{named}: {self.note}"] if self.note else []
        if self.unjudged:
            remarks.append(f"{named}: nothing could be judged: {self.unjudged}")
        elif self.right and self.unseen > COARSE * self.greatest > 0:
            remarks.append(
                f"{named}: the loss rounds, so that an error of {self.unseen:.0e} in a single entry would not be seen;"
                f" the greatest entry is {self.greatest:.0e}"
            )
        if self.wrong:
            remarks.append(f"{named}: {self.wrong} of the {self.judged} entries looked at one by one are wrong")
        if self.left_out:
            remarks.append(f"{named}: {self.left_out} entries left out, for a kink lies beside them")
        return remarks


@dataclass(frozen=True)
class GradientReport:
    """The outcome of a gradient check; true where every gradient was judged and is right.

    rows       one a parameter (and a mode)
    problems   what is wrong beyond single parameters, in words
    evaluations  how often the loss was computed
    """

    rows: Sequence[Row]
    problems: Sequence[str] = field(default=())
    evaluations: int = 0

    @property
    def ok(self) -> bool:
        return not self.problems and all(row.ok for row in self.rows)

    def __bool__(self) -> bool:
        return self.ok

    @property
    def worst(self) -> Row:
        """The row that is most wrong, or takes most of what it is allowed."""
        return max(self.rows, key=lambda row: (not row.right, not row.ok, row.index is None, row.excess))

    @property
    def verdict(self) -> str:
        entries = sum(_size(row.shape) for row in self.rows)
        left_out = sum(row.left_out for row in self.rows)
        kinks = f", {left_out} left out at kinks" if left_out else ""
        counts = f"{len(self.rows)} gradients of {entries:,} entries{kinks}"
        if self.ok:
            return f"The gradients are right: {counts}, held against central differences."
        wrong = [row.cells()[1] for row in self.rows if not row.right]
        unjudged = [row.cells()[1] for row in self.rows if row.right and row.unjudged]
        if not wrong and not self.problems:
            return f"Nothing is wrong, but NOT JUDGED is {', '.join(unjudged)}: {counts}."
        return f"The gradients are WRONG in {', '.join(wrong) or 'ways told below'}: {counts}."

    def __str__(self) -> str:
        table = [HEADINGS, *(row.cells() for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        numeric = range(4, 9)
        lines = [
            "  ".join(
                cell.rjust(w) if i in numeric else cell.ljust(w)
                for i, (cell, w) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in table
        ]
        return "\n".join([self.verdict, "", *lines, *([""] if self._remarks() else []), *self._remarks()])

    def to_json(self) -> dict[str, object]:
        """Plain data; what is no number is None."""
        rows = [{**{key: _plain(value) for key, value in vars(row).items()}, "ok": row.ok} for row in self.rows]
        return {"ok": self.ok, "problems": list(self.problems), "evaluations": self.evaluations, "rows": rows}

    def _repr_html_(self) -> str:
        def line(tag: str, cells: Sequence[str]) -> str:
            return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"

        body = "".join(line("td", row.cells()) for row in self.rows)
        remarks = "".join(f"<p>{escape(remark)}</p>" for remark in self._remarks())
        verdict = f"<p><b>{escape(self.verdict)}</b></p>"
        return f"{verdict}<table><thead>{line('th', HEADINGS)}</thead><tbody>{body}</tbody></table>{remarks}"

    def _remarks(self) -> list[str]:
        return [*self.problems, *(remark for row in self.rows for remark in row.remarks())]


def _plain(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _size(shape: tuple[int, ...]) -> int:
    return math.prod(shape)
