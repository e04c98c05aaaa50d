"""Report 004, questions 4 and 5: MNIST with 784–300–10, one update an image, and what its mistakes explain."""

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.runs import Run, RunConfig
from chainrule.runs.config import DataSettings, NetworkSettings, TrainingSettings
from chainrule.statistics import mean_interval
from chainrule.studies.lab import Lab, by_variant
from chainrule.studies.mnist_mistakes import (
    HELD_OUT,
    MEASURED,
    PRINTED_FINAL,
    PRINTED_RATE,
    PRINTED_RATES,
    QUICK_SAMPLES,
    RATES,
    Finals,
    Planted,
    final_verdict,
    last,
    planted_by_rate,
    planted_finals,
    planted_sections,
    rates_verdict,
)
from chainrule.studies.study import OTHER_SOLUTION, Declared, Published, Study
from chainrule.studies.wording import counted, difference, mean_sd

if TYPE_CHECKING:
    from chainrule.reports import Report, Table
    from chainrule.reports.document import Cell, Item

RUNS_RATE = 0.001  # of the report's three runs
EPOCHS, FINAL_EPOCHS, LONGER = 5, 20, 60
OTHERS = {0.001: (92.66, 0.28), 0.003: (94.59, 0.17), 0.01: (95.98, 0.26), 0.03: (96.67, 0.23)}  # from U(−1, 1)
OTHER_START = "start U(−1, 1), another solution's"

ITEMS = (
    Declared("program", "the passes as they run here", ("004 figure 4",)),
    Declared("training-validation", "training against validation at 0.0001", ("004 figure 5", "004 claim 5")),
    Declared("runs", "mean and standard deviation of the runs at 0.001", ("004 figure 6", "004 claim 6")),
    Declared("rates", "curves of six rates", ("004 figure 7", "004 claim 7")),
    Declared("rates-table", "validation results by rate, with intervals"),
    Declared("final", "60,000 and 10,000 images, printed and best rate", ("004 figure 8",)),
    Declared("final-table", "their results after 20 epochs"),
    Declared("bars", "training against test accuracy"),
    Declared("other-seeds", "every seed of the final runs"),
    Declared("longer", "60 epochs", ("004 claim 8",)),
    Declared("confusions", "confusion matrices of the final run at the best rate"),
    Declared("classification", "its classification report"),
    Declared("wrong", "its wrong predictions"),
    Declared("weights", "its first layer as images"),
    Declared("mistakes-list", "the printed mistakes, and how each is planted"),
    Declared("mistakes", "what each planted mistake does to the comparison of rates"),
    Declared("mistakes-reading", "which rate each reading of the curves would choose"),
    Declared("rates-as-printed", "the comparison of rates as the printed program reports it"),
    Declared("reported-losses", "the losses of one and the same network as each formula reports them"),
    Declared("final-mistakes", "the final run with each mistake planted, beside the printed accuracies"),
    Declared("network", "the network"),
    Declared("derivation", "its gradients"),
    Declared("settings", "settings of the final run at the best rate"),
    Declared("data", "its data"),
    Declared(
        "published",
        "published numbers beside ours",
        ("004 number 6", "004 number 7", "004 number 8", "004 number 9"),
    ),
)


def run(lab: Lab) -> "Report":
    """Runs by rate, final runs at the rate of the report and at the best, and the planted programs."""
    from chainrule.reports import Report, Section, items

    lab.data("mnist", validation=HELD_OUT)  # where it is missing, that is said before anything is trained
    seeds = lab.seed_count(full=3, quick=2)
    epochs = lab.choose(full=EPOCHS, quick=1)
    rates = _by_rate(lab, epochs, seeds)
    if lab.quick:
        lab.notes.append(f"The planted programs saw {QUICK_SAMPLES:,} images, the trainings of the page all of them.")
    best = max(rates, key=lambda rate: np.mean(_accuracies(rates[rate], "validation")))
    final, marks = _final_runs(lab, best, lab.choose(full=seeds, quick=1))
    planted = planted_by_rate(lab, lab.choose(full=EPOCHS, quick=2), lab.choose(full=seeds, quick=1))
    finals = planted_finals(lab, marks[0])
    _publish(lab, rates, final, finals, planted, marks)
    shown = final[best][0]
    labels = {f"rate {rate:g}": runs for rate, runs in final.items()}
    return Report(
        STUDY.title,
        _summary(rates, final, finals, planted, best, marks),
        [
            Section(
                "The program",
                [_program()],
                "These are the passes that the planted programs below run; tests hold "
                "them equal to the network's, and the trainings of this page run in compiled kernels that equal both.",
            ),
            Section(
                "Training against validation, runs, rates",
                [
                    items.curves(
                        "training-validation",
                        {f"rate {PRINTED_RATE:g}": rates[PRINTED_RATE]},
                        title=f"Training against validation at {PRINTED_RATE:g}",
                        caption="Both at the fixed weights of an epoch's end. The gap of the report's picture is for a "
                        "part one of measurement: its training loss is a running mean, its accuracy that of the end "
                        "(F30).",
                    ),
                    items.curves(
                        "runs", {f"rate {RUNS_RATE:g}": rates[RUNS_RATE]}, title=f"{seeds} runs at {RUNS_RATE:g}"
                    ),
                    items.curves(
                        "rates", {f"rate {rate:g}": rates[rate] for rate in RATES}, together=True, title="Six rates"
                    ),
                    _rates_table(rates),
                ],
                f"55,000 training images, the last {HELD_OUT:,} for validation, batches of one, {counted(epochs)}, "
                f"Xavier's start, reshuffled every epoch; training curves on {MEASURED:,} of the training images.",
            ),
            Section(
                "The final runs",
                [
                    items.curves("final", labels, title="60,000 and 10,000 images"),
                    _marked_table("final-table", final, marks[0]),
                    items.part_bars("bars", labels, parts=("train", "test")),
                    _seeds_table(final, marks),
                    _marked_table("longer", final, marks[1]),
                    items.confusions("confusions", shown),
                    items.classification("classification", shown),
                    items.mistakes("wrong", shown),
                    items.weights("weights", shown),
                ],
                f"The rate of the report, {PRINTED_RATE:g}, and {best:g}, the best on validation data. Test curves "
                "were read along, as the report printed some; nothing is chosen by them.",
            ),
            *planted_sections(lab, planted, finals),
            Section(
                "What was trained",
                [
                    items.network("network", shown),
                    items.derivation("derivation", shown),
                    items.settings_table("settings", shown),
                    items.data_table("data", shown),
                ],
            ),
            Section("Published beside ours", [items.published("published", lab.published)]),
        ],
    )


def _config(name: str, validation: int, epochs: int, **training: Any) -> RunConfig:
    """784–300–10, sigmoid, one update an image."""
    return RunConfig(
        data=DataSettings(source="mnist", validation=validation, split_seed=0),
        network=NetworkSettings(hidden=(300,), activation=("sigmoid",), init=("xavier",)),
        training=TrainingSettings(epochs=epochs, batch_size=1, curve_samples=MEASURED, **training),
        name=name,
    )


def _by_rate(lab: Lab, epochs: int, seeds: int) -> dict[float, list[Run]]:
    from chainrule.sweeps import Sweep

    sweep = Sweep(_config("rates", HELD_OUT, epochs), {"training.learning_rate": RATES}, seeds=seeds, name="rates")
    return by_variant(lab.sweep(sweep), RATES)


def _final_runs(lab: Lab, best: float, seeds: int) -> tuple[dict[float, list[Run]], tuple[int, int]]:
    """The runs on all training images at both rates, and the two epochs at which they are looked at."""
    from chainrule.sweeps import Sweep

    marks = lab.choose(full=(FINAL_EPOCHS, LONGER), quick=(1, 2))
    rates = tuple(dict.fromkeys((PRINTED_RATE, best)))
    base = _config(
        "final", 0, marks[1], monitor_test=True, snapshots=(1, marks[0])[marks[0] == 1 :], record_samples=500
    )
    sweep = Sweep(base, {"training.learning_rate": rates}, seeds=seeds, name="final")
    return by_variant(lab.sweep(sweep), rates), marks


def _accuracies(runs: Sequence[Run], part: str) -> list[float]:
    """In per cent, at the end."""
    return [100 * (run.evaluations()[part].accuracy or 0.0) for run in runs]


def _program() -> "Item":
    from chainrule.reports import Text
    from chainrule.studies import printed

    kernels = (printed.forward, printed.backward, printed.step, printed.descend)
    return Text(
        "program", "Passes, update and loop", "\n".join(inspect.getsource(kernel.py_func) for kernel in kernels)
    )


def _rates_table(rates: Mapping[float, Sequence[Run]]) -> "Table":
    """Validation loss and accuracy by rate with t intervals."""
    from chainrule.reports import Table

    rows: list[list[Cell]] = []
    for rate, runs in rates.items():
        results = [run.evaluations()["validation"] for run in runs]
        accuracies = _accuracies(runs, "validation")
        row: list[Cell] = [
            f"{rate:g}",
            len(runs),
            mean_sd([result.loss for result in results], 4),
            mean_sd(accuracies),
        ]
        if len(runs) > 1:
            interval = mean_interval(accuracies)
            row.append(f"{interval.low:.2f}–{interval.high:.2f}")
        else:
            row.append("–")
        rows.append([*row, mean_sd(_accuracies(runs, "train"))])
    known = next(iter(rates.values()))[0].evaluations()["validation"].baseline
    caption = (
        "Mean ± standard deviation (n − 1); Student's interval of the mean. "
        f"Entropy of the prior {known['loss']:.4f}, majority share {100 * known['accuracy']:.2f} %."
    )
    head = ["rate", "n", "validation loss", "validation, %", "95 % interval", "training, %"]
    return Table("rates-table", "After the last epoch", head, rows, caption)


def _at(run: Run, epoch: int) -> Mapping[str, Any]:
    """The evaluations of a run after an epoch of which it kept the model, or after its last."""
    return run.snapshot_evaluations().get(epoch) or run.evaluations()


def _marked_table(id: str, final: Mapping[float, Sequence[Run]], epoch: int) -> "Table":
    """Loss and accuracy of the final runs after an epoch."""
    from chainrule.reports import Table

    rows: list[list[Cell]] = []
    for rate, runs in final.items():
        for part in ("train", "test"):
            found = [_at(run, epoch)[part] for run in runs]
            row: list[Cell] = [f"{rate:g}", {"train": "training"}.get(part, part), len(found), found[0].samples]
            row += [mean_sd([result.loss for result in found], 4), f"{found[0].baseline['loss']:.4f}"]
            row += [mean_sd([100 * (result.accuracy or 0) for result in found])]
            rows.append([*row, f"{100 * found[0].baseline['accuracy']:.2f}"])
    head = ["rate", "part", "n", "samples", "loss", "prior", "accuracy, %", "majority"]
    return Table(id, f"After {counted(epoch)}", head, rows)


def _seeds_table(final: Mapping[float, Sequence[Run]], marks: tuple[int, int]) -> "Table":
    """Test accuracy of every seed."""
    from chainrule.reports import Table

    rows: list[list[Cell]] = [
        [
            f"{rate:g}",
            run.config().seed,
            *(f"{100 * (_at(run, epoch)['test'].accuracy or 0):.2f}" for epoch in dict.fromkeys((1, *marks))),
        ]
        for rate, runs in final.items()
        for run in runs
    ]
    head = ["rate", "seed", *(f"test after {epoch}, %" for epoch in dict.fromkeys((1, *marks)))]
    return Table("other-seeds", "Every seed", head, rows, "Start and order of the samples follow from the seed.")


def _summary(
    rates: Mapping[float, Sequence[Run]],
    final: Mapping[float, Sequence[Run]],
    finals: Finals,
    planted: Planted,
    best: float,
    marks: tuple[int, int],
) -> list[str]:
    low, high = (mean_sd(_accuracies(rates[rate], "validation")) for rate in (PRINTED_RATE, best))
    tested = {rate: [100 * (_at(run, marks[0])["test"].accuracy or 0) for run in runs] for rate, runs in final.items()}
    return [
        f"Validation accuracy is {low} % at the report's rate of {PRINTED_RATE:g} and {high} % at {best:g}, the best "
        f"of six. On the canonical test set, after {counted(marks[0])}: "
        + "; ".join(f"{mean_sd(values)} % at {rate:g}" for rate, values in tested.items())
        + ". The report has 84.61 %.",
        f"'A lower rate is better': {rates_verdict(planted)}",
        f"The final accuracies: {final_verdict(finals)}",
    ]


def _publish(
    lab: Lab,
    rates: Mapping[float, Sequence[Run]],
    final: Mapping[float, Sequence[Run]],
    finals: Finals,
    planted: Planted,
    marks: tuple[int, int],
) -> None:
    """The report's four accuracies, its sentence on rates, and the numbers of three other solutions."""
    verdict = final_verdict(finals).partition(". ")[2]
    for part, printed in PRINTED_FINAL.items():
        for at, epoch in enumerate((1, marks[0])):
            ours = [100.0 * (_at(run, epoch)[part].accuracy or 0) for run in final[PRINTED_RATE]]
            lab.publish(
                Published(
                    "004",
                    "Q5 (d), text",
                    f"{'training' if part == 'train' else 'test'} accuracy after epoch {(1, FINAL_EPOCHS)[at]}"
                    + (f", ours after {epoch}" if epoch != (1, FINAL_EPOCHS)[at] else ""),
                    f"{printed[at]:.2f} %",
                    f"{mean_sd(ours)} % (n = {len(ours)})",
                    f"{difference(float(np.mean(ours)), printed[at])} points",
                    verdict,
                )
            )
            verdict = "as above"  # it speaks of all four
    order = ", ".join(f"{rate:g}: {mean_sd(_accuracies(rates[rate], 'validation'))} %" for rate in PRINTED_RATES)
    lab.publish(
        Published("004", "Q5 (c), text", "which rate is best", "a lower one", order, "–", rates_verdict(planted))
    )
    _publish_others(lab, rates, planted)


def _publish_others(lab: Lab, rates: Mapping[float, Sequence[Run]], planted: Planted) -> None:
    """Three other public solutions of the same question, one update an image but for the last."""
    epochs = rates[RUNS_RATE][0].config().training.epochs
    told = "5 epochs" + (f", ours after {epochs}" if epochs != EPOCHS else "")

    def publish(where: str, what: str, printed: str, theirs: float, ours: Sequence[float], part: str, why: str) -> None:
        words = f"{mean_sd(ours)} % ({part}, n = {len(ours)})"
        gap = f"{difference(float(np.mean(ours)), theirs)} points"
        lab.publish(Published(OTHER_SOLUTION, where, what, printed, words, gap, why))

    faber, feucht = "Max-Faber/Deep-Learning-VU", "MaxFeucht/VU-Deep-Learning"
    for rate, (mean, sd) in OTHERS.items():
        start = [100 * value for value in last(planted[OTHER_START][rate], "validation_accuracy")]
        why = f"its start, U(−1, 1), planted here gives {mean_sd(start)} %; its inputs are scaled otherwise, too"
        ours = _accuracies(rates[rate], "validation")
        publish(
            faber,
            f"validation accuracy, rate {rate:g}, {told}",
            f"{mean} ± {sd} % (n = 5)",
            mean,
            ours,
            "validation",
            why,
        )
    ours = _accuracies(rates[0.03], "test")
    why = "as on validation data; ours has seen 55,000 images"
    publish(faber, f"test accuracy, rate 0.03, {told}", "97.1 %", 97.1, ours, "test", why)
    wide = [course for course in planted["F28 start N(0, 1)"][0.05] if course]
    for theirs, when, at, part, ours in (
        (91.5, "epoch 1", 0, "validation", [100 * run.history()[0]["validation_accuracy"] for run in rates[0.05]]),
        (95.3, told, -1, "test", _accuracies(rates[0.05], "test")),
    ):
        start = [100 * course[at]["validation_accuracy"] for course in wide]
        why = f"its start planted here gives {mean_sd(start)} % on validation data"
        publish(feucht, f"rate 0.05, start N(0, 1), {when}", f"{theirs} % (test)", theirs, ours, part, why)
    ours = _accuracies(rates[0.01], "test")
    lab.publish(
        Published(
            OTHER_SOLUTION,
            "QingheGao/Deep_Learning",
            f"test accuracy, batches of 120, rate 0.01, {told}",
            "93.14 %",
            f"{mean_sd(ours)} % (batches of 1, n = {len(ours)})",
            "–",
            "not comparable: batches of 120 are 120 times fewer updates than ours",
        )
    )


STUDY = Study(
    "mnist-sgd",
    "MNIST, one update an image: rates, runs, and what the printed mistakes explain",
    "report 004, Q4–Q5",
    "Trains 784–300–10 with batches of one at six rates and several seeds, then on all 60,000 images at the printed "
    "and at the best rate, and plants the printed mistakes one by one, to see which of the report's numbers they "
    "explain.",
    ITEMS,
    run,
)
