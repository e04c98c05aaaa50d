"""Widths, depths and activations of a network for MNIST, one thing changed at a time."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.runs import Run
from chainrule.studies.lab import Lab, by_variant
from chainrule.studies.mnist_task import SOURCE, config, differences, paired
from chainrule.studies.study import OTHER_SOLUTION, Declared, Published, Study
from chainrule.studies.wording import counted, mean_sd

if TYPE_CHECKING:
    from chainrule.reports.document import Cell, Item, Report, Table

WIDTHS = (4, 8, 16, 32, 64, 128, 256, 512)
WIDTH_ACTIVATIONS = ("sigmoid", "relu")
DEPTHS: tuple[tuple[int, ...], ...] = ((), (64,), (64, 64), (64, 64, 64), (64, 64, 64, 64))
ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "swish")

Labelled = Mapping[str, Sequence[Run]]


def _run(lab: Lab) -> "Report":
    from chainrule.reports import Report, Section, items

    widths, depths, activations = _widths(lab), _depths(lab), _activations(lab)
    one = next(iter(activations.values()))[0]
    lab.publish(_ten_units(widths["sigmoid"]))
    epochs, seeds = one.config().training.epochs, len(next(iter(activations.values())))
    return Report(
        STUDY.title,
        [
            _best("activation", activations, epochs, seeds),
            _best("depth", depths, epochs, seeds),
            "Nothing was chosen by the test set: all settings were fixed before.",
        ],
        [
            Section("What was done", [items.settings_table("settings", one), items.data_table("data", one)]),
            Section(
                "Number of hidden units",
                [
                    _width_curve(widths),
                    items.results_table("widths-table", _flat(widths), parts=("train", "test"), title="By width"),
                ],
                intro=f"One hidden layer; {epochs} epochs at rate 0.1; {seeds} seeds.",
            ),
            Section(
                "Depth",
                [
                    items.results_table("depth", depths, title="By depth"),
                    items.curves(
                        "depth-curves", depths, parts=("validation",), together=True, title="Validation curves by depth"
                    ),
                    items.layer_sizes("depth-layers", list(depths.values())[-1][0], title="Sizes by layer, four deep"),
                ],
                intro="Hidden layers of 64 sigmoid units.",
            ),
            Section(
                "Activations",
                [
                    items.curves(
                        "activations",
                        activations,
                        parts=("validation",),
                        together=True,
                        title="Validation curves by activation",
                    ),
                    items.results_table("activations-table", activations, title="By activation"),
                    _differences(activations),
                    *(
                        items.layer_sizes(f"layers-{name}", activations[name][0], title=f"Sizes by layer, {name}")
                        for name in ("sigmoid", "relu")
                    ),
                ],
                intro="784–128–64–10. Why they differ is in the sizes by layer: the sigmoid's slope is at most a "
                "quarter, so that every layer makes the gradient of the one before it smaller.",
            ),
            Section("Published beside ours", [items.published("published", lab.published)]),
        ],
    )


def _base(lab: Lab, name: str, **settings: Any) -> Any:
    return config(name, start="auto", epochs=lab.choose(full=30, quick=2), **settings)


def _widths(lab: Lab) -> dict[str, dict[int, list[Run]]]:
    """The runs by activation and width."""
    from chainrule.sweeps import Sweep

    chosen = lab.choose(full=WIDTHS, quick=(4, 16, 64))
    grid = {"network.activation": WIDTH_ACTIVATIONS, "network.hidden": [[width] for width in chosen]}
    seeds = lab.seed_count(full=3, quick=1)
    result = lab.sweep(Sweep(_base(lab, "widths", hidden=(4,)), grid=grid, seeds=seeds, name="widths"))
    runs = by_variant(result, [(activation, width) for activation in WIDTH_ACTIVATIONS for width in chosen])
    return {activation: {width: runs[activation, width] for width in chosen} for activation in WIDTH_ACTIVATIONS}


def _depths(lab: Lab) -> dict[str, list[Run]]:
    from chainrule.sweeps import Sweep

    base = _base(lab, "depths", record_layers=True)
    grid = {"network.hidden": [list(hidden) for hidden in DEPTHS]}
    result = lab.sweep(Sweep(base, grid=grid, seeds=lab.seed_count(full=3, quick=1), name="depths"))
    return by_variant(result, [f"{len(hidden)} hidden" if hidden else "none" for hidden in DEPTHS])


def _activations(lab: Lab) -> dict[str, list[Run]]:
    from chainrule.sweeps import Sweep

    base = _base(lab, "activations", record_layers=True)
    seeds = lab.seed_count(full=3, quick=1)
    result = lab.sweep(Sweep(base, grid={"network.activation": ACTIVATIONS}, seeds=seeds, name="activations"))
    return by_variant(result, ACTIVATIONS)


def _flat(widths: Mapping[str, Mapping[int, Sequence[Run]]]) -> dict[str, Sequence[Run]]:
    return {f"{activation}, {width}": runs for activation, own in widths.items() for width, runs in own.items()}


def _width_curve(widths: Mapping[str, Mapping[int, Sequence[Run]]]) -> "Item":
    from chainrule.figures import width_curve
    from chainrule.reports import Figure

    series = {
        activation: [(width, _accuracies(runs)) for width, runs in own.items()] for activation, own in widths.items()
    }
    majority = next(iter(next(iter(widths.values())).values()))[0].evaluations()["test"].baseline["accuracy"]
    return Figure("widths", "Test accuracy against number of hidden units", width_curve(series, baseline=majority))


def _ten_units(widths: Mapping[int, Sequence[Run]]) -> Published:
    """Another public solution with ten hidden units, beside the nearest widths."""
    nearest = (max(width for width in widths if width <= 10), min(width for width in widths if width >= 10))
    epochs = widths[nearest[0]][0].config().training.epochs
    ours = (f"{width} units {mean_sd([100 * a for a in _accuracies(widths[width])])} %" for width in nearest)
    return Published(
        OTHER_SOLUTION,
        "sheikhma3",
        "test accuracy of 784–10–10, batches of 1, rate 0.01, 10 epochs",
        "93.19 %",
        f"{'; '.join(ours)} (n = {len(widths[nearest[0]])})",
        "–",
        f"not comparable: another width, and ours has batches of 100, rate 0.1 and {counted(epochs)}",
    )


def _accuracies(runs: Sequence[Run]) -> list[float]:
    return [run.evaluations()["test"].accuracy or 0.0 for run in runs]


def _differences(activations: Labelled) -> "Table":
    """Each activation against the sigmoid, seed by seed."""
    from chainrule.reports import Table

    rows: list[list[Cell]] = [
        [name, *paired(differences(runs, activations["sigmoid"]))]
        for name, runs in activations.items()
        if name != "sigmoid"
    ]
    head = ["activation", "test accuracy minus sigmoid's, points", "95 % interval", "pairs"]
    return Table("activations-differences", "Against the sigmoid", head, rows, "Student's t over the pairs of runs.")


def _best(what: str, runs: Labelled, epochs: int, seeds: int) -> str:
    means = {name: 100 * float(np.mean(_accuracies(own))) for name, own in runs.items()}
    told = ", ".join(f"{name} {mean:.2f} %" for name, mean in means.items())
    return f"Test accuracy by {what} after {epochs} epoch{'s' if epochs > 1 else ''}, mean of {seeds} seeds: {told}."


STUDY = Study(
    name="mnist-architectures",
    title="Width, depth and activation",
    source=SOURCE,
    summary="Accuracy against the number of hidden units (4 to 512, sigmoid and ReLU), against depth (none to four "
    "hidden layers) and by activation, three seeds each, one thing changed at a time.",
    items=(
        Declared("settings", "settings of one run"),
        Declared("data", "counts, split and provenance"),
        Declared("widths", "test accuracy against number of hidden units"),
        Declared("widths-table", "the same in a table"),
        Declared("depth", "loss and accuracy by depth", ("003 claim 10",)),
        Declared("depth-curves", "loss and accuracy by epoch and depth"),
        Declared("depth-layers", "sizes by layer of the deepest"),
        Declared("activations", "loss and accuracy by epoch and activation"),
        Declared("activations-table", "loss and accuracy of every part"),
        Declared("activations-differences", "each activation against the sigmoid"),
        Declared("layers-sigmoid", "sizes by layer, sigmoid"),
        Declared("layers-relu", "sizes by layer, ReLU"),
        Declared("published", "another public solution's number beside ours"),
    ),
    run=_run,
)
