"""Do transformed copies help? CIFAR-10's features with and without, in the settings of three reports at once."""

from typing import TYPE_CHECKING

from chainrule.studies.cifar10.material import EXTRACTOR, SETS, material
from chainrule.studies.cifar10.networks import RATE, Found, interval, trained
from chainrule.studies.comparison.conclusion import points
from chainrule.studies.lab import Lab
from chainrule.studies.study import Declared, Study

if TYPE_CHECKING:
    from chainrule.reports.document import Cell, Item, Report, Section


def _run(lab: Lab) -> "Report":
    from chainrule.reports import Report
    from chainrule.studies.cifar10.published import published_rows

    found = trained(lab, material(lab))
    lab.publish(*published_rows(found))
    return Report(STUDY.title, _answer(found), _sections(lab, found))


def _sections(lab: Lab, found: Found) -> list["Section"]:
    from chainrule.reports import Section, items
    from chainrule.studies.cifar10.tables import by_class, classes, differences, results

    one = found.longest["original"]
    last = found.marks[-1]
    return [
        Section(
            "What was done",
            [
                items.network("network", one, title="The network, 512–64–10"),
                items.settings_table("settings", one),
                items.data_table("data", found.longest["augmented"]),
                _features(),
            ],
        ),
        Section(
            "Loss and accuracy by epoch",
            [
                _curves("curves-120", found, found.marks[0]),
                items.curves(
                    "curves-3000",
                    {name: [run] for name, run in found.longest.items()},
                    title=f"{last:,} epochs, rate {RATE:g}, one run each",
                ),
            ],
        ),
        Section("Results", [results(found), differences(found), classes(found)], intro=_RESULTS),
        Section(f"Classes after {last:,} epochs, rate {RATE:g}", by_class(found)),
        Section("Published numbers", [items.published("published", lab.published)], intro=_PUBLISHED),
        Section("The notebook", [_notebook(lab, found)]),
        Section(
            "Derivation",
            [items.derivation("derivation", one, layout="column")],
            intro="In the reports' convention, a column a sample; every formula was compared with finite differences.",
        ),
    ]


_RESULTS = (
    "The augmented set is twice as large, so that an epoch has twice the updates: it is compared after as many epochs "
    "and after as many updates, which is half the epochs. The 600 images are a fixed draw of the 10,000. All were "
    "opened once, when training was over, and nothing was chosen by them."
)
_PUBLISHED = (
    "The features are other ones, so that only directions and differences between the two sets can be compared with "
    "the reports; see above."
)


def _features() -> "Item":
    from chainrule.reports import Prose

    return Prose(
        [
            "The reports resize every image to 224 × 224 and take the 512 numbers before the last layer of a ResNet-18 "
            "that was trained on the 1.3 million labelled photographs of ImageNet. Its weights do not come with this "
            f"program. In their place stand the 512 numbers of {EXTRACTOR}, which are learned from the training images "
            "alone, without any label: 64 patterns of 8 × 8 pixels, how strongly each occurs, in both signs, in each "
            "quarter of the image.",
            "A network that has seen ImageNet knows much more of dogs and ships than 64 patterns can say. Its features "
            "bring the reports to about 80 %, these bring a network of the same size to about 68 %. That is the "
            "difference between published numbers and ours, and no property of the networks or of their training.",
            "An ONNX file of the ResNet-18 can be used instead: the setting data.features takes onnx:FILE#OUTPUT.",
        ],
        id="features",
        title="Features, and why they are not the reports'",
    )


def _curves(id: str, found: Found, epochs: int) -> "Item":
    from chainrule.figures import seed_curves
    from chainrule.reports import Figure

    histories = {
        name: [[row for row in run.history() if row["epoch"] <= epochs] for run in found.runs[name, RATE]]
        for name in SETS
    }
    figure = seed_curves(histories, baseline=found.longest[SETS[0]].evaluations()["train"].baseline)
    return Figure(id, f"{epochs:,} epochs, rate {RATE:g}", figure)


def _notebook(lab: Lab, found: Found) -> "Item":
    from chainrule.reports import Link, Table
    from chainrule.studies.notebook import NAME, write_notebook

    made = found.material
    write_notebook(
        lab.folder / "notebook",
        "CIFAR-10 with and without transformed copies: inference again",
        "Loads the stored networks, the features of the test images and the classification reports that were stored "
        "when training was over, infers again, and shows both reports side by side. All files lie beside it.",
        {name: run.model for name, run in found.longest.items()},
        made.x,
        made.y,
        {name: run.evaluations()["test"].report for name, run in found.longest.items()},
    )
    files = {
        NAME: "loads, infers again, shows the stored report and the new one side by side",
        **{f"{name}.safetensors": f"network, {name} set" for name in SETS},
        "test.npz": f"features and labels of {len(made.y):,} test images",
        "reports.json": "the classification reports as they were stored",
    }
    rows: list[list[Cell]] = [[Link(file, f"notebook/{file}"), what] for file, what in files.items()]
    caption = "Open it with Jupyter in its own folder, in an environment that has chainrule."
    return Table("notebook", "Files to hand in", ["file", "what it holds"], rows, caption)


def _answer(found: Found) -> list[str]:
    def told(epochs: int, held: str) -> str:
        first = found.looks("original", RATE, epochs)
        second = found.looks("augmented", RATE, epochs if held == "epochs" else epochs // 2)
        one = interval(first, second, slice(None))
        return f"{points(one.estimate)} ({points(one.low)} to {points(one.high)}) at equal {held}"

    several = "; ".join(
        f"after {epochs:,} epochs {told(epochs, 'epochs')} and {told(epochs, 'updates')}" for epochs in found.marks[:3]
    )
    return [
        f"Test accuracy, augmented minus original set, in points with 95 % intervals, rate {RATE:g}, {found.seeds} "
        f"pairs of runs: {several}.",
        "Three reports asked this with one run each and gave three answers. What is held equal decides much of it, and "
        "one run on 600 images decides little.",
    ]


STUDY = Study(
    name="cifar10-augmentation",
    title="CIFAR-10 with and without transformed copies",
    source="reports 000 to 002",
    summary="512–64–10 on features of CIFAR-10's images, with and without a transformed copy of each, in the settings "
    "of three reports: rates 0.01 and 0.008, batches of 500, 120, 400, 800 and 3,000 epochs, 600 and 10,000 images.",
    items=(
        Declared("network", "diagram of the network", ("000 figure 1", "001 architecture", "002 architecture")),
        Declared("settings", "settings of one run"),
        Declared("data", "counts and provenance"),
        Declared("features", "the features, and why they are not the reports'"),
        Declared("curves-120", "loss and accuracy, 120 epochs", ("001 plots",)),
        Declared("curves-3000", "loss and accuracy, 3,000 epochs", ("000 figure 2", "000 claim 1")),
        Declared("results", "losses and accuracies of all settings", ("001 table 1", "001 claim 1")),
        Declared("difference", "augmented minus original, by what is held equal", ("000 claim 2", "002 claim 1")),
        Declared("classes", "recall by class", ("000 claim 3",)),
        Declared("confusion-600", "confusion on 600 test images", ("000 figure 3", "000 figure 4")),
        Declared("confusion-10000", "confusion on all test images"),
        Declared("report-600-augmented", "classification report beside the printed one", ("000 table 1",)),
        Declared("report-600-original", "classification report beside the printed one", ("000 table 2",)),
        Declared("report-10000-original", "stored and recomputed classification report"),
        Declared("report-10000-augmented", "stored and recomputed classification report"),
        Declared(
            "published",
            "published numbers beside ours",
            (
                *(f"000 number {n}" for n in (1, 2)),
                *(f"001 number {n}" for n in range(1, 9)),
                *(f"002 number {n}" for n in (1, 2)),
            ),
        ),
        Declared("notebook", "a notebook that infers again", ("000 notebook",)),
        Declared("derivation", "every gradient and update", ("000 equations", "001 equations", "002 equations")),
    ),
    run=_run,
)
