"""Loss and accuracy over epochs."""

from collections.abc import Mapping, Sequence

from chainrule import figures
from chainrule.reports.document import Figure, Item
from chainrule.reports.items.missing import missing, setting
from chainrule.runs import Run

Runs = Mapping[str, Sequence[Run]]


def curves(
    id: str,
    runs: Runs,
    *,
    title: str = "Loss and accuracy by epoch",
    caption: str = "",
) -> Item:
    """Training and validation curves, a column of panels an entry of `runs`: mean, ± sd, each run faint behind."""
    histories = {label: [run.history() for run in group] for label, group in runs.items()}
    rows = [row for group in histories.values() for rows in group for row in rows]
    if not any("train_loss" in row for row in rows):
        return missing(id, title, f"There are no curves: the run measured none. {setting('training.curves')} does.")
    return Figure(id, title, figures.seed_curves(histories), caption=caption)
