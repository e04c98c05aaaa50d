"""Report 003, task 2: two circles and three hidden units, with sigmoid, tanh and ReLU, over many starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.runs import Run, RunConfig
from chainrule.runs.config import DataSettings, NetworkSettings, TrainingSettings
from chainrule.statistics import Interval, share_interval
from chainrule.studies.lab import Lab, by_variant
from chainrule.studies.study import OTHER_SOLUTION, Declared, Published, Study
from chainrule.studies.wording import difference, mean_sd

if TYPE_CHECKING:
    from chainrule.reports import Report, Section, Table
    from chainrule.reports.document import Cell

RATE = 0.1
EPOCHS = {"sigmoid": 10_000, "tanh": 4_000, "relu": 2_000}  # as the report trains them
RATES = (1.0, 0.1, 0.01)
UNITS = (2, 3, 5)
STARTS = {"symmetric": "auto", "U[0, 1)": "uniform(0, 1)"}
EVERY = 10  # epochs between two measurements
PRINTED = {"sigmoid": "100 % at about 10,000 epochs", "tanh": "100 % at 4,000", "relu": "below 100 % at 2,000"}

ITEMS = (
    *(
        Declared(
            f"curves-{name}",
            f"{name}: loss and accuracy over {epochs:,} epochs",
            (f"003 figure {n}", f"003 figure {n + 1}"),
        )
        for (name, epochs), n in zip(EPOCHS.items(), (3, 5, 7), strict=True)
    ),
    Declared("bars", "training against test accuracy", ("003 figure 9", "003 figure 10", "003 figure 11")),
    Declared("results", "loss and accuracy of every part beside the baselines"),
    Declared("surfaces", "decision surfaces of runs that succeed and of one that does not"),
    Declared("seeds", "share of the seeds that reach 100 %, and when", ("003 claim 1", "003 claim 2", "003 claim 3")),
    Declared("rates", "rates 1, 0.1 and 0.01: speed and smoothness", ("003 claim 4",)),
    *(Declared(f"rates-{name}", f"{name}: curves at the three rates") for name in EPOCHS),
    Declared("units", "2, 3 and 5 hidden units"),
    Declared("starts", "a start in U[0, 1) against a symmetric one", ("003 claim 5",)),
    Declared("network", "the network"),
    Declared("derivation", "its gradients"),
    Declared("settings", "settings of one run"),
    Declared("data", "the data of one run"),
    Declared("published", "what was published beside ours"),
)


@dataclass(frozen=True)
class Outcome:
    """What a group of runs that differ in their seeds came to.

    reached   of each run the first measured epoch at which validation accuracy is 100 %; None where it never is
    ended     accuracy on validation data at the end
    tested    accuracy on test data, after the last epoch
    rises     share of measured steps at which the training loss rises
    falls     share of measured steps at which validation accuracy falls
    """

    reached: tuple[int | None, ...]
    ended: tuple[float, ...]
    tested: tuple[float, ...]
    rises: tuple[float, ...]
    falls: tuple[float, ...]

    @classmethod
    def of(cls, runs: Sequence[Run]) -> "Outcome":
        """From the histories and evaluations of the runs."""
        losses, accuracies = (_columns(runs, name) for name in ("train_loss", "validation_accuracy"))
        epochs = [row["epoch"] for row in runs[0].history()]
        reached = [next((e for e, a in zip(epochs, run, strict=True) if a == 1), None) for run in accuracies]
        return cls(
            tuple(reached),
            tuple(accuracies[:, -1].tolist()),
            tuple(run.evaluations()["test"].accuracy or 0.0 for run in runs),
            tuple((np.diff(losses) > 0).mean(axis=1).tolist()),
            tuple((np.diff(accuracies) < 0).mean(axis=1).tolist()),
        )

    @property
    def there(self) -> list[int]:
        """The epochs of those that reach 100 %."""
        return [epoch for epoch in self.reached if epoch is not None]

    @property
    def share(self) -> Interval:
        """Share of the runs that reach 100 % on validation data, with Wilson's interval."""
        return share_interval(len(self.there), len(self.reached))


def run(lab: Lab) -> "Report":
    """Four sweeps over the same seeds; each seed draws its own points, split and start."""
    from chainrule.reports import Report, Section, items

    seeds = lab.seed_count(full=20, quick=3)
    shown = _config("circles", record_samples=500)
    main = _trained(lab, "activations", shown, [{}], seeds)[0]
    slow, quick = _trained(lab, "rates", _config("rates"), [{"training.learning_rate": r} for r in (1.0, 0.01)], seeds)
    rates = {1.0: slow, 0.1: main, 0.01: quick}
    two, five = _trained(lab, "units", _config("units"), [{"network.hidden": (h,)} for h in (2, 5)], seeds)
    units = {2: two, 3: main, 5: five}
    positive = _trained(lab, "starts", _config("starts"), [{"network.init": (STARTS["U[0, 1)"],)}], seeds)[0]
    starts = {"symmetric": main, "U[0, 1)": positive}
    outcomes = {name: Outcome.of(runs) for name, runs in main.items()}
    _publish(lab, outcomes, units)
    first = main["tanh"][0]
    return Report(
        STUDY.title,
        _summary(outcomes),
        [
            Section(
                "Loss and accuracy",
                [
                    *(
                        items.curves(
                            f"curves-{name}", {name: runs}, title=f"{name}, {EPOCHS[name]:,} epochs, rate {RATE:g}"
                        )
                        for name, runs in main.items()
                    ),
                    items.part_bars("bars", main, parts=("train", "validation", "test")),
                    items.results_table("results", main),
                    items.surfaces("surfaces", _to_show(main), title="Decision surfaces, best and worst seed"),
                ],
                f"2–3–1, full batch, rate {RATE:g}; 1,000 points split 70/15/15. Every seed has points, a split and a "
                f"start of its own. Curves are measured every {EVERY} epochs, so that epochs are told to {EVERY}.",
            ),
            Section(
                "How many starts get there",
                [
                    _table(
                        "seeds",
                        "Share that reaches 100 % on validation data, and when",
                        {(name,): outcome for name, outcome in outcomes.items()},
                        ("activation",),
                    )
                ],
                "The report shows one start of each.",
            ),
            _rates_section(rates),
            Section(
                "Hidden units and starts",
                [
                    _table(
                        "units",
                        "Number of hidden units",
                        {(name, str(h)): Outcome.of(units[h][name]) for name in EPOCHS for h in UNITS},
                        ("activation", "units"),
                    ),
                    _table(
                        "starts",
                        "Start of the weights",
                        {(name, start): Outcome.of(runs[name]) for name in EPOCHS for start, runs in starts.items()},
                        ("activation", "start"),
                        "Symmetric: uniform about 0, after Glorot and Bengio for sigmoid and tanh; normal, after He, "
                        "for ReLU. U[0, 1): every weight positive.",
                    ),
                ],
                "A closed curve around the inner circle takes at least three straight lines: two units cannot do it.",
            ),
            Section(
                "What was trained",
                [
                    items.network("network", first),
                    items.derivation("derivation", first),
                    items.settings_table("settings", first),
                    items.data_table("data", first),
                ],
                f"Of the run with tanh and seed {first.config().seed}.",
            ),
            Section("Published beside ours", [items.published("published", lab.published)]),
        ],
    )


def _config(name: str, **training: Any) -> RunConfig:
    """2–3–1 on circles, full batch."""
    return RunConfig(
        data=DataSettings(source="circles"),
        network=NetworkSettings(hidden=(3,), output="sigmoid"),
        training=TrainingSettings(batch_size="full", learning_rate=RATE, curve_every=EVERY, **training),
        name=name,
    )


def _trained(
    lab: Lab, name: str, base: RunConfig, changes: Sequence[Mapping[str, Any]], seeds: int
) -> list[dict[str, list[Run]]]:
    """For each of `changes` the runs of every activation, through the report's epochs."""
    from chainrule.sweeps import Sweep

    variants = [
        {"network.activation": (activation,), "training.epochs": epochs, **change}
        for change in changes
        for activation, epochs in EPOCHS.items()
    ]
    keys = [(i, activation) for i in range(len(changes)) for activation in EPOCHS]
    found = by_variant(lab.sweep(Sweep(base, changes=variants, seeds=seeds, name=name)), keys)
    return [{activation: found[i, activation] for activation in EPOCHS} for i in range(len(changes))]


def _rates_section(rates: Mapping[float, Mapping[str, Sequence[Run]]]) -> "Section":
    """Speed and smoothness at three rates."""
    from chainrule.reports import Section, items

    figures = [
        items.curves(
            f"rates-{name}", {f"rate {rate:g}": rates[rate][name] for rate in RATES}, title=f"{name} at three rates"
        )
        for name in EPOCHS
    ]
    table = _table(
        "rates",
        "Speed and smoothness",
        {(name, f"{rate:g}"): Outcome.of(rates[rate][name]) for name in EPOCHS for rate in RATES},
        ("activation", "rate"),
        f"Smoothness: share of the steps of {EVERY} epochs at which the training loss rises, and at which validation "
        "accuracy falls; mean over the seeds.",
        smoothness=True,
    )
    return Section("Learning rates", [table, *figures], "As many epochs as above at every rate.")


def _table(
    id: str,
    title: str,
    outcomes: Mapping[tuple[str, ...], Outcome],
    names: tuple[str, ...],
    caption: str = "",
    *,
    smoothness: bool = False,
) -> "Table":
    """One row a group: share with its interval, epochs with median and range, accuracy at the end."""
    from chainrule.reports import Table

    head = [*names, "n", "at 100 %", "share, % (95 %)", "first epoch (range)"]
    head += ["loss rises, %", "accuracy falls, %"] if smoothness else ["test, %", "lowest", "test 100 %"]
    rows: list[list[Cell]] = []
    for key, outcome in outcomes.items():
        share, there = outcome.share, outcome.there
        row: list[Cell] = [*key, len(outcome.reached), len(there)]
        row.append(f"{100 * share.estimate:.0f} ({100 * share.low:.0f}–{100 * share.high:.0f})")
        row.append(_when(there) if there else "–")
        if smoothness:
            row += [f"{100 * np.mean(values):.1f}" for values in (outcome.rises, outcome.falls)]
        else:
            hits = sum(a == 1 for a in outcome.tested)
            row += [_percent(outcome.tested), f"{100 * min(outcome.tested):.1f}", hits]
        rows.append(row)
    words = (
        "At 100 %: on validation data; share with Wilson's interval; first epoch there, median and range. "
        "Majority share: 50 %."
    )
    return Table(id, title, head, rows, " ".join(filter(None, (caption, words))))


def _when(there: Sequence[int]) -> str:
    """Median and range of epochs."""
    return f"{np.median(there):,.0f} ({min(there):,}–{max(there):,})"


def _percent(shares: Sequence[float]) -> str:
    return mean_sd([100 * share for share in shares], 1)


def _columns(runs: Sequence[Run], name: str) -> Any:
    """One column of the histories (runs, rows)."""
    return np.array([[row[name] for row in run.history()] for run in runs])


def _to_show(main: Mapping[str, Sequence[Run]]) -> dict[str, Run]:
    """Of each activation the runs with the lowest and the highest training loss."""
    chosen: dict[str, Run] = {}
    for name, runs in main.items():
        ordered = sorted(runs, key=lambda run: run.evaluations()["train"].loss)
        for found in dict.fromkeys((ordered[0], ordered[-1])):
            accuracy = found.evaluations()["test"].accuracy or 0.0
            chosen[f"{name}, seed {found.config().seed}: {100 * accuracy:.1f} %"] = found
    return chosen


def _summary(outcomes: Mapping[str, Outcome]) -> list[str]:
    words = []
    for name, outcome in outcomes.items():
        there = outcome.there
        when = f", first at epoch {_when(there)}" if there else ""
        words.append(f"{name}: {len(there)} of {len(outcome.reached)} starts reach 100 % on validation data{when}.")
    lost = [name for name, outcome in outcomes.items() if len(outcome.there) < len(outcome.reached)]
    luck = (
        f"With {' and '.join(lost)} it is the start that decides: three units are just enough, and where one of them "
        "is lost the rest cannot close the curve around the inner circle."
    )
    return [" ".join(words), *([luck] if lost else [])]


def _publish(lab: Lab, outcomes: Mapping[str, Outcome], units: Mapping[int, Mapping[str, Sequence[Run]]]) -> None:
    """The report's three sentences, and the shares of another public solution."""
    for name, outcome in outcomes.items():
        there, n = outcome.there, len(outcome.reached)
        when = f"; first at epoch {_when(there)}" if there else ""
        lowest = f", lowest {100 * min(outcome.tested):.1f} %"
        lab.publish(
            Published(
                "003",
                "task 2, analysis",
                f"{name}: accuracy, {EPOCHS[name]:,} epochs at rate {RATE:g}",
                PRINTED[name],
                f"100 % on validation data in {len(there)} of {n} seeds{when}; "
                f"test {_percent(outcome.tested)} %{lowest}",
                "–",
                _explained(name, outcome),
            )
        )
    for h, printed in zip(UNITS, ("75", "100", "100"), strict=True):
        tested = {name: Outcome.of(runs).tested for name, runs in units[h].items()}
        ours = "; ".join(f"{name} {_percent(shares)} %" for name, shares in tested.items())
        gaps = (f"{name} {difference(100 * float(np.mean(a)), float(printed), 1)}" for name, a in tested.items())
        lab.publish(
            Published(
                OTHER_SOLUTION,
                "mmuneeburahman/bscs-dl",
                f"test accuracy of 2–{h}–1",
                f"{printed} %",
                ours,
                f"{'; '.join(gaps)} points",
                "one start each, activation not told" if h > 2 else "two lines cut off a strip, not a disc",
            )
        )


def _explained(name: str, outcome: Outcome) -> str:
    """Why the printed sentence and the seeds differ, as far as they show it."""
    n, there = len(outcome.reached), outcome.there
    if name == "relu":
        return (
            f"F15: one seed. {n - len(there)} of {n} starts stay below 100 %, so that a single one of them says "
            "little; a unit that no sample reaches has no gradient and stays lost"
        )
    if not there:
        return "none of these seeds gets there; the start of the report is not known"
    return (
        f"F15: one seed. The epoch differs by a factor of {max(there) / min(there):.1f} between starts; "
        "the report's start is not known"
    )


STUDY = Study(
    "circles-activations",
    "Two circles: sigmoid, tanh and ReLU, and what the start decides",
    "report 003, task 2",
    "Trains 2–3–1 as the report did, with twenty starts in place of one, at three rates, with two to five units and "
    "with two kinds of start: how many get to 100 %, when, and how smooth the way is.",
    ITEMS,
    run,
)
