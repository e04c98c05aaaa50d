"""The page docs/benchmarks.md: machine, marks, a table for each row, and how it was measured."""

from math import isnan
from textwrap import dedent
from typing import Any

import tables
from marks import MARKS
from tables import OTHER_ORDER, SAME_ORDER, Row
from works import FITS, TRAININGS, Work

PREDICTIONS = {
    "predict": "`net.predict` of 50,000 × 512 by 512–64–10",
    "predict-one": "One sample by the same network, from a NumPy row to its label",
}

METHOD = f"""
    - Every peer lives in a process of its own and is asked in turn, round after round, each round beginning with
      another one. Between turns there is a pause in which threads that spin after their work fall asleep; the waiting
      processes together used WAITING of a processor.
    - All have the same data, first weights, number of threads (the variables of OpenMP, MKL, OpenBLAS and Numba;
      processor affinity) and float32; plain gradient descent at a constant rate, softmax and cross-entropy, no L2.
    - A new order in every epoch is everybody's duty but for the full batch. It is drawn by NumPy's generator, inside
      the time, and is the same for all but scikit-learn, which shuffles by itself.
    - Each reading begins with the same first weights. The one before the first, with its compilation, is not counted;
      the loss shown is that after it, computed by `Network.loss` for all. It must be chainrule's to {SAME_ORDER:g}
      relative, for scikit-learn in its own order to {OTHER_ORDER:g}. Two classes have one logistic output there: less
      work and other steps.
    - chainrule: `cr.train(engine="compiled", curves=False)`, the check of its input included. NumPy: a loop by hand,
      all arrays allocated once; as it comes, and with `OPENBLAS_CORETYPE` set to the fastest of a short trial; the
      kernels that ran stand in parentheses. scikit-learn: `fit` with warm starts, without its check for finite input.
      PyTorch: tensors loaded before, `index_select`, `torch.optim.SGD(fused=True)`. torch.compile: the whole step as
      one graph. JAX: `lax.scan` over the batches in one jitted call, parameters donated.
    - The ceiling is the greatest reading of independent chains of fused multiply-adds in vector registers, the
      bandwidth that of summing 256 MiB; both have their turns among the peers. The floor of a row is the greater of
      its two times, by the readings of the same row. Activations, updates and drawing the order are not in it.
"""


def page(stored: dict[str, Any]) -> str:
    """Markdown; a row that was not measured is said to be missing."""
    rows = stored["rows"]
    lines = ["# Benchmarks", "", *_introduction(rows), "", "## What it must show", "", *_summary(rows)]
    for work in TRAININGS:
        if work.name in rows:
            row = rows[work.name]
            lines += ["", f"## {work.title}", "", *tables.training(Work(**row["work"]), row)]
    for name, title in PREDICTIONS.items():
        if name in rows:
            lines += ["", f"## {title}", "", *tables.prediction(name, rows[name])]
    if fits := [work for work in FITS if work.name in rows]:
        lines += ["", "## `MLPClassifier(...).fit` against scikit-learn's", "", *tables.fits(fits, rows), "", FITTED]
    if "scaling" in rows:
        lines += ["", "## How the time grows", "", *_scaling(rows["scaling"])]
    return "\n".join([*lines, "", "## How it was measured", "", *_method(rows), ""])


FITTED = (
    "Adam, batch 200, rate 0.001, `tol=0`, `max_iter` the epochs, all else as both libraries have it; the time is that "
    "of the whole `fit`. The losses are `loss_`, from the same first weights and in the same orders."
)


def _introduction(rows: dict[str, Row]) -> list[str]:
    """Versions, machine, and what the machine could do in these runs."""
    lines = []
    for text in dict.fromkeys(_environment(row["environment"]) for row in rows.values()):
        names = [name for name, row in rows.items() if _environment(row["environment"]) == text]
        which = f": {', '.join(names)}" if len(names) < len(rows) else ""
        lines.append(f"Written by `make bench` ({text}){which}.")
    lines.append(
        "Settings stand in `benchmarks/works.py`, all readings in `docs/benchmarks.json`. A time is the median of "
        f"{_readings(rows)} readings, the spread their lower and upper quartile, a ratio that of two medians."
    )
    machine = [row["machine"] for row in rows.values() if "machine" in row]
    if not machine:
        return lines
    best = {name: max(max(readings[name]) for readings in machine) for name in machine[0]}
    return [
        *lines,
        "",
        "| measured in the same runs | one thread | all threads |",
        "|---|---|---|",
        f"| fused multiply-adds in float32 | {best['gflops_one']:.0f} GFLOP/s | {best['gflops_all']:.0f} GFLOP/s |",
        f"| reading from memory | {best['gbytes_one']:.1f} GB/s | {best['gbytes_all']:.1f} GB/s |",
    ]


def _environment(environment: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in environment["versions"].items())
    threads = f"{environment['threads']} thread{'s' * (environment['threads'] != 1)}"
    return f"{environment['processor']}, {environment['cores']} cores, {threads}; {versions}"


def _readings(rows: dict[str, Row]) -> str:
    return " or ".join(str(count) for count in sorted({row["readings"] for row in rows.values()}))


def _summary(rows: dict[str, Row]) -> list[str]:
    titles = {work.name: work.title for work in TRAININGS} | PREDICTIONS
    titles |= {work.name: f"`MLPClassifier.fit`, {work.title}" for work in FITS}
    lines = ["| work | to reach | reached |", "|---|---|---|"]
    for mark in MARKS:
        verdict = ": ".join(tables.judged(mark, rows[mark.row])) if mark.row in rows else "not measured"
        lines.append(f"| {titles[mark.row]} | {mark} | {verdict} |")
    return lines


def _scaling(row: Row) -> list[str]:
    return [
        "![Time of an epoch against samples, width, depth and batch size, log–log](benchmarks-scaling.svg)",
        "",
        "Around 8,192 × 128, 128–128–128–10 relu, batch 128, one quantity at a time; readings last at least 0.1 s.",
        *tables.left_out(row),
    ]


def _method(rows: dict[str, Row]) -> list[str]:
    known = [row["waiting"] for row in rows.values() if not isnan(row["waiting"])]
    waiting = f"at most {max(known):.1%}" if known else "an unknown share"
    lines = [dedent(METHOD).strip().replace("WAITING", waiting)]
    if any(row["work"]["source"] == "mnist" and not row["real"] for row in rows.values() if "work" in row):
        lines.append("- MNIST was not there: its rows have synthetic inputs with as many zeros (81 %).")
    if any(row["quick"] for row in rows.values()):
        lines.append("- **Tried out with `--quick`: fewer samples, epochs and readings. These numbers say nothing.**")
    return lines
