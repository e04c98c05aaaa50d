"""What is said of one file: what was recognised, the verdict, the mistakes, and every quantity in a table."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from textwrap import fill
from typing import Any, Literal

from chainrule.diagnosis.findings import HINTS, Finding
from chainrule.diagnosis.observation import Intake
from chainrule.errors import unknown_name

Verdict = Literal["right", "right up to scale", "wrong", "not run"]

WORDS = {
    "right": "The gradients are RIGHT.",
    "right up to scale": "The gradients are right UP TO SCALE.",
    "wrong": "WRONG",
    "not run": "NOT RUN",
}
VERSION = 1


@dataclass(frozen=True)
class Quantity:
    """One row of the table.

    quantity   in our names, `name` in the user's
    status     "right", "wrong", "consequence" of a mistake above it, or "not seen" where no variable holds it
    off        the deviation from the right quantity at each point, relative to its greatest entry
    """

    quantity: str
    name: str
    status: str
    off: tuple[float, ...] = ()
    line: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """The diagnosis of one file; true where its gradients are right.

    verdict    "right"; "right up to scale": no loss, and all gradients are one multiple of those of the mean loss;
               "wrong"; "not run", for `reason`
    findings   the mistakes, the first one nearest to the output
    remarks    what is worth a word, but no mistake
    table      all quantities from the output down
    loss, forward   what these were recognised as
    """

    intake: Intake
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    remarks: tuple[str, ...] = ()
    table: tuple[Quantity, ...] = ()
    loss: str = ""
    forward: str = ""
    reason: str = ""

    @property
    def ok(self) -> bool:
        return self.verdict in ("right", "right up to scale")

    def __bool__(self) -> bool:
        return self.ok

    @property
    def exit_code(self) -> int:
        """0 right, 1 wrong, 2 could not be run."""
        return 0 if self.ok else 1 if self.verdict == "wrong" else 2

    @property
    def quantities(self) -> dict[str, bool]:
        """By gradient in our names ("dW1", "db1", …), whether it is right."""
        return {row.quantity: row.status == "right" for row in self.table if row.quantity[:2] in ("dW", "db")}

    @property
    def summary(self) -> str:
        """The verdict in one line."""
        if self.verdict == "not run":
            return f"{WORDS['not run']}: {self.reason}"
        if self.verdict != "wrong":
            return WORDS[self.verdict]
        count = len([finding for finding in self.findings if finding.grave])
        if not count:
            return f"{WORDS['wrong']}: the gradients are not those of the loss; the cause was not recognised."
        rest = "" if self.explained else "; another cause was not recognised"
        return f"{WORDS['wrong']}: {count} {'mistake' if count == 1 else 'mistakes'}{rest}."

    @property
    def explained(self) -> bool:
        """Whether every wrong quantity is a mistake that was found, or its consequence."""
        guilty = {finding.quantity for finding in self.findings}
        return not any(row.status == "wrong" and row.quantity not in guilty for row in self.table)

    def text(self, hints: str = "how") -> str:
        level = _level(hints)
        parts = []
        if self.intake.interface is not None:
            lines = [self.intake.interface.words()]
            lines += [f"{'network':<10} {self.forward}"] if self.forward else []
            lines += [f"{'objective':<10} {self.loss}"] if self.loss else []
            parts.append("\n".join(lines))
        parts.append(self.summary)
        if level >= 1 and self.findings:
            parts.append("\n".join(_finding_text(i, f, level) for i, f in enumerate(self.findings, 1)))
        if level >= 1 and self.table:
            parts.append(_table_text(self._rows(level)))
        if level >= 2 and self.remarks:
            parts.append(
                "\n".join(fill(f"Remark: {r.rstrip('.')}.", 100, subsequent_indent="  ") for r in self.remarks)
            )
        return "\n\n".join(parts)

    def __str__(self) -> str:
        return self.text()

    def html(self, hints: str = "how") -> str:
        level = _level(hints)
        parts = [f"<p><b>{escape(self.summary)}</b></p>"]
        if self.intake.interface is not None:
            words = [self.intake.interface.words(), *([f"network    {self.forward}"] if self.forward else [])]
            words += [f"objective  {self.loss}"] if self.loss else []
            parts.insert(0, f"<pre>{escape(chr(10).join(words))}</pre>")
        if level >= 1 and self.findings:
            parts.append(f"<ol>{''.join(_finding_html(f, level) for f in self.findings)}</ol>")
        if level >= 1 and self.table:
            rows = self._rows(level)
            head = "".join(f"<th>{escape(cell)}</th>" for cell in rows[0])
            body = "".join(f"<tr>{''.join(f'<td>{escape(c)}</td>' for c in row)}</tr>" for row in rows[1:])
            parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
        if level >= 2:
            parts += [f"<p>Remark: {escape(r.rstrip('.'))}.</p>" for r in self.remarks]
        return "".join(parts)

    def _repr_html_(self) -> str:
        return self.html()

    def to_json(self, hints: str = "how") -> dict[str, Any]:
        """Plain data of a stable form; what the hint level does not tell is left out.

        version, verdict, ok, summary, file, recognised {style, layout, targets, weights, bias, update, functions,
        forward, loss}; from "where" on quantities [{quantity, name, status, off, line, note}] and findings [{quantity,
        name, line, function}]; from "what" on in each finding kind, sentence, parameter, evidence, also and grave, and
        remarks; from "how" on in each finding equation.
        """
        level = _level(hints)
        data: dict[str, Any] = {"version": VERSION, "verdict": self.verdict, "ok": self.ok, "summary": self.summary}
        data["file"] = str(self.intake.path) if self.intake.path is not None else None
        interface = self.intake.interface
        if interface is not None:
            data["recognised"] = {
                "style": interface.style,
                "layout": interface.layout,
                "targets": interface.targets,
                "weights": interface.weights,
                "bias": interface.bias,
                "update": interface.update,
                "functions": {role: list(where) for role, where in interface.functions.items()},
                "forward": self.forward,
                "loss": self.loss,
            }
        if level >= 1:
            data["quantities"] = [{**vars(row), "off": [_plain(x) for x in row.off]} for row in self.table]
            data["findings"] = [_finite(finding.to_json(hints)) for finding in self.findings]
        if level >= 2:
            data["remarks"] = list(self.remarks)
        return data

    def _rows(self, level: int) -> list[tuple[str, ...]]:
        points = [len(o.point.X) for o in self.intake.observations]
        head = ("quantity", "here", "", *(f"off at m = {m}" for m in points), "line", "")
        if level < 2:
            return [(*head[:3], "line"), *((r.quantity, r.name, r.status, _line(r.line)) for r in self.table)]
        rows = [(r.quantity, r.name, r.status, *_offs(r.off, len(points)), _line(r.line), r.note) for r in self.table]
        return [head, *rows]


def _level(hints: str) -> int:
    if hints not in HINTS:
        raise unknown_name("hint level", hints, HINTS)
    return HINTS.index(hints)


def _sentence(finding: Finding) -> str:
    """With a capital, unless it begins with one of the user's names."""
    words = finding.sentence
    return words[:1].upper() + words[1:] if words.startswith(("a ", "an ", "after ", "the ")) else words


def _place(finding: Finding) -> str:
    return f", line {finding.line}" if finding.line is not None else ""


def _finding_text(i: int, finding: Finding, level: int) -> str:
    if level < 2:
        return f"{i}. The mistake is in {finding.name}{_place(finding)}."
    lines = [fill(f"{i}. {_sentence(finding)}.", 100, subsequent_indent="   ")]
    lines.append(f"   [{finding.kind}{_place(finding)}]")
    if finding.also:
        lines.append(f"   The same numbers would come from: {', '.join(finding.also)}.")
    if level >= 3 and finding.equation:
        lines.append(f"   Right: {finding.equation}")
    if finding.evidence:
        lines.append(f"   {_proof(finding)}")
    return "\n".join(lines)


def _finding_html(finding: Finding, level: int) -> str:
    if level < 2:
        return f"<li>The mistake is in {escape(finding.name)}{escape(_place(finding))}.</li>"
    parts = [f"{escape(_sentence(finding))}. <small>[{escape(finding.kind)}{escape(_place(finding))}]</small>"]
    if finding.also:
        parts.append(f"The same numbers would come from: {escape(', '.join(finding.also))}.")
    if level >= 3 and finding.equation:
        parts.append(f"Right: <code>{escape(finding.equation)}</code>")
    if finding.evidence:
        parts.append(escape(_proof(finding)))
    return f"<li>{'<br>'.join(parts)}</li>"


def _proof(finding: Finding) -> str:
    shown = finding.evidence[0]["shown"]
    before = ", ".join(f"{e['before']:.1e} at m = {e['m']}" for e in finding.evidence)
    after = max(e["after"] for e in finding.evidence)
    return f"{shown} is off by {before} (of its greatest entry); the mistakes explain all of it but {after:.0e}."


def _table_text(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows)


def _offs(off: Sequence[float], points: int) -> tuple[str, ...]:
    shown = [f"{x:.1e}" if math.isfinite(x) else "" for x in off]
    return tuple([*shown, *[""] * points][:points])


def _line(line: int | None) -> str:
    return "" if line is None else str(line)


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _finite(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    return [_finite(value) for value in data] if isinstance(data, list) else _plain(data)
