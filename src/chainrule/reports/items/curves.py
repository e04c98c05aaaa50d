"""Loss and accuracy over epochs."""

from collections.abc import Mapping, Sequence

from chainrule import figures
from chainrule.reports.document import Figure, Item
from chainrule.reports.items.missing import missing, setting
from chainrule.runs import Run
from chainrule.runs.folder import PARTS

Runs = Mapping[str, Sequence[Run]]
_SPREAD = 100  # from this ratio of losses on, a straight axis shows their end as a flat line


def curves(
    id: str,
    runs: Runs,
    *,
    parts: Sequence[str] | None = None,
    together: bool = False,
    title: str = "Loss and accuracy by epoch",
    caption: str = "",
) -> Item:
    """Curves of `parts`, by default of all that were measured: mean, ± sd, each run faint behind.

    Each entry of `runs` has panels of its own, or, `together`, a colour in the same ones. Guessing is a dotted line.
    """
    histories = {label: [run.history() for run in group] for label, group in runs.items()}
    rows = [row for group in histories.values() for rows in group for row in rows]
    drawn = [part for part in PARTS if part in (parts or PARTS) and any(f"{part}_loss" in row for row in rows)]
    if not drawn:
        return missing(id, title, f"There are no curves: the run measured none. {setting('training.curves')} does.")
    losses = [row[f"{part}_loss"] for row in rows for part in drawn if row.get(f"{part}_loss") is not None]
    first = next(run for group in runs.values() for run in group)
    known = first.evaluations()["train"] if first.finished() else None
    figure = figures.seed_curves(
        histories,
        parts=drawn,
        together=together,
        baseline=None if known is None else known.baseline,
        loss_name="cross-entropy" if known is None else known.loss_name,
        log_loss=min(losses) > 0 and max(losses) > _SPREAD * min(losses),
    )
    return Figure(id, title, figure, caption=caption)
