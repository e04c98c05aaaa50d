"""Report 003's third task: its network and its data, once, so that its five studies share settings and runs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.runs import Run, RunConfig
from chainrule.runs.config import DataSettings, NetworkSettings, TrainingSettings
from chainrule.statistics import mean_interval
from chainrule.studies.lab import Lab

SOURCE = "report 003, task 3"
BATCH = 100
VALIDATION = 10_000
PRINTED_RATE = 0.1
EFFECTIVE_RATE = PRINTED_RATE / BATCH  # the report's gradient is divided by the batch size twice
MEAN, AS_READ = "scale+mean-image", "scale"
UNIFORM, SYMMETRIC = "uniform(0, 1)", "xavier"
MARKS = (100, 500, 1000, 2000)  # epochs after which the report looks at its network
QUICK_MARKS = (2, 3, 4, 6)
TWO_READINGS = (
    "The report prints a rate of 0.1, but its gradient is divided by the batch size of 100 twice, so that its program "
    "steps as an honest one does at 0.001. Both readings are trained."
)


def config(
    name: str,
    *,
    hidden: Sequence[int] = (128, 64),
    activation: str = "sigmoid",
    start: str = SYMMETRIC,
    preprocessing: str = MEAN,
    learning_rate: float = PRINTED_RATE,
    epochs: int = 100,
    **training: Any,
) -> RunConfig:
    """784–128–64–10, batches of 100, 50,000 training and 10,000 validation images, unless said otherwise.

    All seeds share one split. Training curves are measured on 10,000 of the training images, a fixed draw.
    """
    settings = {"batch_size": BATCH, "curve_samples": 10_000} | training
    return RunConfig(
        data=DataSettings(
            source="mnist", validation=VALIDATION, split="stratified", preprocessing=preprocessing, split_seed=0
        ),
        network=NetworkSettings(hidden=tuple(hidden), activation=(activation,), init=(start,)),
        training=TrainingSettings(epochs=epochs, learning_rate=learning_rate, **settings),
        name=name,
    )


def long_run(
    lab: Lab,
    *,
    learning_rate: float,
    start: str = SYMMETRIC,
    preprocessing: str = MEAN,
    hidden: Sequence[int] = (128, 64),
    marks: Sequence[int] | None = None,
) -> RunConfig:
    """As `config`, up to the last of `marks`, the model kept at each; studies that ask for the same share the run."""
    marks = lab.choose(full=MARKS, quick=QUICK_MARKS) if marks is None else marks
    parts = {
        "mnist": "-".join(map(str, hidden)),
        "": "mean" if preprocessing == MEAN else "as-read",
        "start": "uniform" if start == UNIFORM else "symmetric",
        "rate": f"{learning_rate:g}",
    }
    return config(
        "-".join(text for pair in parts.items() for text in pair if text),
        hidden=hidden,
        start=start,
        preprocessing=preprocessing,
        learning_rate=learning_rate,
        epochs=marks[-1],
        curve_every=lab.choose(full=4, quick=1),
        record_samples=lab.choose(full=500, quick=200),
        snapshots=tuple(marks[:-1]),
    )


def differences(runs: Sequence[Run], less: Sequence[Run]) -> list[float]:
    """Test accuracy of `runs` minus that of `less` in points, for the seeds that both have."""
    one, other = ({run.config().seed: run.evaluations()["test"].accuracy or 0.0 for run in own} for own in (runs, less))
    return [100 * (one[seed] - other[seed]) for seed in one if seed in other]


def paired(points: Sequence[float]) -> tuple[str, str, int]:
    """Mean of differences between pairs of runs, its 95 % interval (Student's t) and their number, as cells."""
    limits = "–"
    if len(points) > 1:
        interval = mean_interval(points)
        limits = f"{interval.low:+.2f} to {interval.high:+.2f}"
    return f"{np.mean(points):+.2f}".replace("-", "−"), limits.replace("-", "−"), len(points)


def percent(share: float) -> str:
    return f"{100 * share:.2f}"


def up_to(rows: Sequence[Mapping[str, Any]], epochs: int) -> list[Mapping[str, Any]]:
    """The rows of a history that belong to its first `epochs`."""
    return [row for row in rows if row["epoch"] <= epochs]
