"""The report of one run: what was done, what came out, how it got there, and what is inside the network."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from chainrule.errors import ChainruleError
from chainrule.network import Network
from chainrule.reports import items
from chainrule.reports.document import Item, Report, Section
from chainrule.reports.evidence import problems
from chainrule.reports.items.results import PART_NAMES
from chainrule.runs import Run, Verification
from chainrule.runs import load as load_model

Found = TypeVar("Found")

THIS = "this run"


def report_of_run(run: Run, *, verified: Verification | None = None) -> Report:
    """What the folder of `run` holds; `verified` is inference done again (`chainrule.runs.verify`).

    What cannot be read is named in the notes and in its place, and the rest is shown. Raises RunError where the folder
    is none of a run.
    """
    notes = problems(run)
    if verified is not None:
        notes += [f"Verification: {difference}" for difference in verified.differences]
    net = _network(run)
    sections = [
        Section("What was done", list(_done(run))),
        Section("Results", list(_results(run, verified))),
        Section("Training", list(_training(run))),
        Section("Inside the network", list(_inside(run, net))),
        Section("Derivation", list(_derived(run))),
    ]
    return Report(_title(run, net), _summary(run, net), sections, notes)


def attempted(build: Callable[[], Item], id: str, title: str) -> Item:
    """The item, or in its place why it cannot be shown."""
    try:
        return build()
    except ChainruleError as error:
        return items.missing(id, title, f"This cannot be shown: {error.problem}.")
    except (KeyError, TypeError, ValueError, IndexError) as error:
        return items.missing(
            id, title, f"This cannot be shown: a file of the run is not as it was written ({error!r})."
        )


def _done(run: Run) -> Iterator[Item]:
    yield attempted(lambda: items.settings_table("settings", run), "settings", "Settings")
    yield attempted(lambda: items.data_table("data", run), "data", "Data")
    yield attempted(lambda: items.environment_table("environment", run), "environment", "Versions, machine and time")


def _results(run: Run, verified: Verification | None) -> Iterator[Item]:
    yield attempted(lambda: items.results_table("results", {THIS: [run]}), "results", "Results")
    if _quietly(run.snapshot_evaluations):
        yield attempted(lambda: items.snapshots_table("snapshots", run), "snapshots", "Results at earlier epochs")
    evaluations = _quietly(run.evaluations)
    if evaluations and all(result.accuracy is None for result in evaluations.values()):
        return  # a regression, of which the rest has nothing to show
    yield attempted(lambda: items.part_bars("accuracy-by-part", {THIS: [run]}), "accuracy-by-part", "Accuracy")
    yield attempted(lambda: items.confusions("confusion-matrices", run), "confusion-matrices", "Confusion matrices")
    for part in evaluations or ():
        id, title = f"classification-{part}", f"Classification report, {PART_NAMES[part]} part"
        yield attempted(
            lambda part=part, id=id: items.classification(id, run, part, verified=verified),  # type: ignore[misc]
            id,
            title,
        )
    yield attempted(lambda: items.mistakes("mistakes", run), "mistakes", "Wrong predictions worth seeing")


def _training(run: Run) -> Iterator[Item]:
    yield attempted(lambda: items.curves("loss-and-accuracy", {THIS: [run]}), "loss-and-accuracy", "Loss and accuracy")
    yield attempted(lambda: items.batch_losses("batch-losses", run), "batch-losses", "Loss of every batch")
    yield attempted(lambda: items.layer_sizes("layer-sizes", run), "layer-sizes", "Sizes by layer")


def _inside(run: Run, net: Network | None) -> Iterator[Item]:
    yield attempted(lambda: items.network("network", run), "network", "The network")
    yield attempted(lambda: items.layers_table("layers", run), "layers", "Layers")
    if net is None or net.spec is None or net.spec.kind == "image":
        yield attempted(lambda: items.weights("weights", run), "weights", "Weights of the first layer")
    if net is None or (len(net.layers) > 2 and net.output.task == "classification"):
        yield attempted(lambda: items.embeddings("embeddings", run), "embeddings", "Hidden layers in the plane")
    if net is not None and net.layers[0] == 2 and net.output.task == "classification":
        yield attempted(lambda: items.surfaces("surface", {THIS: run}), "surface", "Decision surface")


def _derived(run: Run) -> Iterator[Item]:
    yield attempted(lambda: items.graph("graph", run), "graph", "The graph of the computation")
    yield attempted(lambda: items.derivation("derivation", run), "derivation", "Derivation of the gradients")


def _network(run: Run) -> Network | None:
    return _quietly(lambda: load_model(run.model))


def _title(run: Run, net: Network | None) -> str:
    widths = "" if net is None else f" ({'–'.join(map(str, net.layers))})"
    return f"Run {run.path.name}{widths}"


def _summary(run: Run, net: Network | None) -> list[str]:
    """What the run is, in a sentence or two, as far as its files tell."""
    config, results = _quietly(run.config), _quietly(run.results)
    evaluations = _quietly(run.evaluations)
    sentences = []
    if config is not None and net is not None:
        training = config.training
        size = "the full batch" if training.batch_size == "full" else f"batches of {training.batch_size}"
        sentences.append(
            f"A network of {'–'.join(map(str, net.layers))} units ({_rules(net)}) was trained on "
            f"{Path(config.data.source).name} by {training.optimizer} at rate {training.learning_rate:g} on {size}"
            + (f" for {results['epochs']:,} epochs." if results is not None else ".")
        )
    if evaluations:
        part, result = list(evaluations.items())[-1]
        sentences.append(f"On the {PART_NAMES[part]} part it reaches {result.summary()}. This is one run, of one seed.")
    if results is not None:
        sentences.append(opened(results))
    return [" ".join(sentences)] if sentences else ["The files of this run do not tell what it was."]


def opened(results: dict[str, object]) -> str:
    """How often the test part was looked at, and why."""
    count = results.get("test_opened", 0)
    if results.get("test_monitored"):
        return f"The test part was evaluated {count} times: its curve was monitored. Nothing was selected by it."
    if not count:
        return "There is no test part."
    return f"The test part was opened {'once, at the end' if count == 1 else f'{count} times'}."


def _rules(net: Network) -> str:
    names = [layer.activation.name for layer in net.structure.layers if layer.activation is not None]
    return ", ".join([*dict.fromkeys(names), net.output.name])


def _quietly(read: Callable[[], Found]) -> Found | None:
    """What `read` gives; None where a file is missing or damaged, which the notes of the report say."""
    try:
        return read()
    except (ChainruleError, KeyError, TypeError, ValueError, IndexError):
        return None
