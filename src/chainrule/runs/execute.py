"""From settings to a finished run folder: load, train, evaluate, draw; or go on where a killed run stopped."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from chainrule import storage
from chainrule.data import DataSet, load_data, source_names
from chainrule.errors import DivergedError, InputError, RunError
from chainrule.evaluation import Evaluation, evaluate
from chainrule.images.features import Extractor
from chainrule.kernels import accelerate
from chainrule.network import Network
from chainrule.optimizers import optimizer
from chainrule.runs.config import NetworkSettings, RunConfig
from chainrule.runs.folder import Run
from chainrule.runs.models import fingerprint as fingerprint_of_weights
from chainrule.runs.models import load as load_model
from chainrule.runs.models import save
from chainrule.runs.samples import DEFAULT, pick, write_samples
from chainrule.specs import whole
from chainrule.training import History, Moment, refuse_unfit, train
from chainrule.training.engines import choose, numpy_seconds
from chainrule.training.loop import CHECKPOINT_SECONDS
from chainrule.training.order import rows_a_batch
from chainrule.training.state import restore_weights, weights

Announce = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What became of a run: its folder, whether it was trained now or found finished, and why training ended."""

    run: Run
    stopped: str
    found: bool = False


@dataclass(frozen=True)
class _Manner:
    """What decides nothing about the results of a run."""

    progress: bool
    announce: Announce
    checkpoint_seconds: float = CHECKPOINT_SECONDS
    draw: bool = True


def execute(
    config: RunConfig,
    *,
    runs_dir: Path,
    data_dir: Path | None = None,
    force: bool = False,
    progress: bool = False,
    announce: Announce = lambda line: None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    data: DataSet | None = None,
    draw: bool = True,
) -> Outcome:
    """Train what `config` says in a folder of its own under `runs_dir`, or report the run that did so before.

    An unfinished run of the same settings goes on from its last checkpoint and ends with the same bits; `force`
    begins anew. `data`: what `load` gave for this `config`, where it is at hand. `draw`: make the figures.
    Raises InputError for settings that do not fit, DivergedError where training did (the last good weights are in the
    folder), StorageError where the folder cannot be written.
    """
    if data is None:
        data = load(config, data_dir, progress)
    _announce(data, announce)
    config = resolved(config, data)
    run = Run(runs_dir / f"{config.name}-{config.identity()}")
    if run.finished() and not force:
        return Outcome(run, run.results()["stopped"], found=True)
    net = _built(config, data)
    how = _Manner(progress, announce, checkpoint_seconds, draw)
    with run.locked():
        if force:
            run.clear()
        if not run.has_checkpoint():
            run.write_start(config, data.provenance)
        with run.own_threads():
            return _trained(run, config, data, net, how)


def resume(
    run: Run, *, data_dir: Path | None = None, progress: bool = False, announce: Announce = lambda line: None
) -> Outcome:
    """Go on with an unfinished run; a finished one is reported."""
    config = run.config()
    if run.finished():
        return Outcome(run, run.results()["stopped"], found=True)
    data = load(config, data_dir, progress)
    _announce(data, announce)
    config = resolved(config, data)
    begun = replace(config.network, start=None) if run.has_checkpoint() else config.network  # it has the weights
    net = _built(replace(config, network=begun), data)
    with run.locked(), run.own_threads():
        return _trained(run, config, data, net, _Manner(progress, announce))


def _announce(data: DataSet, announce: Announce) -> None:
    announce(repr(data))
    for note in data.provenance["notes"]:
        announce(f"Note: {note}")


def load(
    config: RunConfig,
    data_dir: Path | None,
    progress: bool = False,
    extractor: Extractor | None = None,
    cache: Path | None = None,
) -> DataSet:
    """The data that `config` asks for; raises RunError where their fingerprint is another than the saved one.

    extractor: one that has learned, in place of what the features of `config` would learn anew.
    cache: folder in which features are kept, see `images.places.cache_folder`.
    """
    settings = config.with_seeds().data
    if not settings.source:
        raise InputError("no data set is named", "Name one: digits needs no download; `chainrule data list` shows all.")
    given = {
        name: value
        for name, value in vars(settings).items()
        if value is not None and name not in ("source", "split_seed", "sha256", "validation", "test")
    }
    for part in ("validation", "test"):
        size = getattr(settings, part)
        if size is not None:
            given[part] = int(size) if np.isfinite(size) and size == int(size) else size
    if extractor is not None:
        given["features"] = extractor
    given |= {"data_dir": data_dir, "cache": cache}
    data = load_data(settings.source, seed=settings.split_seed or 0, progress=progress, **given)
    if settings.sha256 not in (None, data.provenance["sha256"]):
        raise RunError(
            f"the data of {settings.source} are not those of the run: "
            f"fingerprint {data.provenance['sha256'][:12]}…, not {str(settings.sha256)[:12]}…",
            "Restore the original data, or train a new run.",
        )
    return data


def resolved(config: RunConfig, data: DataSet) -> RunConfig:
    """`config` with everything filled in that was left open."""
    config = config.with_seeds()
    training = config.training
    rate = optimizer(training.optimizer, training.learning_rate).learning_rate
    output = config.network.output or ("softmax" if data.spec.task == "classification" else "identity")
    source = config.data.source
    if source not in source_names():
        source = str(Path(source).expanduser().resolve())  # a run can be verified from any folder
    config = replace(
        config,
        name=_checked_name(config.name or Path(source).stem),
        data=replace(
            config.data,
            source=source,
            preprocessing=data.spec.preprocessing.names,
            sha256=data.provenance["sha256"],
        ),
        network=_with_start(replace(config.network, output=output)),
        training=replace(
            training,
            learning_rate=rate,
            snapshots=tuple(sorted(set(training.snapshots))),
            record_samples=whole(
                "record_samples", DEFAULT if training.record_samples is None else training.record_samples
            ),
        ),
    )
    return replace(config, training=replace(config.training, engine=_engine(config, data)))


def _with_start(settings: NetworkSettings) -> NetworkSettings:
    """`settings` with the full path of the first weights' file, and their fingerprint."""
    if settings.start is None or settings.start_sha256 is not None:
        return settings
    path = Path(settings.start).expanduser().resolve()
    return replace(settings, start=str(path), start_sha256=fingerprint_of_weights(load_model(path)))


def _started(net: Network, settings: NetworkSettings) -> Network:
    """`net` with the weights and running statistics of the file that `settings` name."""
    if settings.start is None:
        return net
    first = load_model(settings.start)
    if settings.start_sha256 not in (None, fingerprint_of_weights(first)):
        raise RunError(
            f"the weights of {settings.start} are not those that the run began with",
            "Restore the file, or train a new run.",
        )
    given = {name: array.shape for name, array in weights(first).items()}
    wanted = {name: array.shape for name, array in weights(net).items()}
    if given != wanted:
        raise InputError(
            f"the first weights are of layers {first.layers} with {', '.join(given)}; "
            f"the network has {net.layers} with {', '.join(wanted)}",
            "Begin with a model of the same layers.",
        )
    restore_weights(net, weights(first))
    return net


def _engine(config: RunConfig, data: DataSet) -> str:
    """The engine that "auto" stands for."""
    training, m = config.training, len(data.train)
    if training.engine != "auto":
        return training.engine
    batches = -(-m // rows_a_batch(m, training.batch_size))
    net = build(config, data)
    seconds = training.epochs * numpy_seconds(net, m, batches)
    return choose("auto", net, optimizer(training.optimizer), seconds, every_batch=False)


def _checked_name(name: str) -> str:
    """A name may come from another person's file; it must not lead out of the folder of runs."""
    if name != Path(name).name or name in ("", ".", "..") or "\\" in name:
        raise InputError(f"{name!r} cannot name a run", "Give a name without / or \\; --runs-dir says where runs lie.")
    return name


def build(config: RunConfig, data: DataSet) -> Network:
    """The network of a resolved `config` between the columns and the classes of `data`."""
    settings = config.network
    y = data.train.y
    outputs = len(data.classes) if data.classes else (1 if y.ndim == 1 else y.shape[1])
    if settings.output == "sigmoid" and outputs == 2:
        outputs = 1
    net = Network(
        [data.train.x.shape[1], *settings.hidden, outputs],
        activation=_one_or_each(settings.activation),
        output=settings.output or "softmax",
        init=_one_or_each(settings.init),
        dropout=_one_or_each(settings.dropout),
        batch_norm=_one_or_each(settings.batch_norm),
        dtype=settings.dtype,
        seed=settings.init_seed or 0,
    )
    return _started(net, settings)


def _built(config: RunConfig, data: DataSet) -> Network:
    """The network, after making sure that training can begin: what cannot be leaves no folder behind."""
    net = build(config, data)
    refuse_unfit(net, data, **_arguments(config))
    return net


def _arguments(config: RunConfig) -> dict[str, Any]:
    """The training settings as arguments of `train`."""
    others = ("order_seed", "record_samples")
    settings = {name: value for name, value in vars(config.training).items() if name not in others}
    return {**settings, "seed": config.training.order_seed or 0}


def evaluate_parts(net: Network, data: DataSet) -> dict[str, Evaluation]:
    """The evaluation of every part there is, by name; this is the one time that the test part is opened."""
    return {name: evaluate(net, part) for name, part in data.parts.items()}


def evaluate_snapshots(run: Run, data: DataSet, engine: str) -> dict[int, dict[str, Evaluation]]:
    """The evaluations of the models of earlier epochs, which belong to the same opening of the test part."""
    found = {}
    for epoch, file in run.snapshots().items():
        net = load_model(file)
        found[epoch] = evaluate_parts(accelerate(net) if engine == "compiled" else net, data)
    return found


def _to_json(results: Mapping[str, Evaluation]) -> dict[str, Any]:
    return {part: result.to_json() for part, result in results.items()}


def _trained(
    run: Run,
    config: RunConfig,
    data: DataSet,
    net: Network,
    how: _Manner,
) -> Outcome:
    state = run.read_checkpoint()
    if state is not None:
        how.announce(f"Going on after epoch {state.epoch} of {config.training.epochs}.")
        run.rewrite_epochs(state.numbers["rows"], state.numbers["seconds"])
    else:
        run.rewrite_epochs([], [])

    examples = (data.validation or data.train).x

    def append(moment: Moment) -> None:
        run.append_epoch(moment.history.rows[-1], moment.history.seconds[-1])

    def keep(moment: Moment) -> None:
        save(moment.net, run.snapshot(moment.epoch), examples=examples)

    try:
        history = train(
            net,
            data,
            **_arguments(config),
            callbacks={"epoch_end": append, "snapshot": keep},
            progress=how.progress,
            checkpoint=run.write_checkpoint,
            checkpoint_seconds=how.checkpoint_seconds,
            state=state,
        )
    except DivergedError as error:
        save(net, run.model)
        error.remedy += f"\nThey are in {run.model}."
        raise
    save(net, run.model, examples=examples)
    if history.stopped == "interrupted":
        return Outcome(run, "interrupted")
    try:
        _conclude(run, config, net, data, history, how.draw)
    except KeyboardInterrupt:
        return Outcome(run, "interrupted")
    return Outcome(run, history.stopped)


def _conclude(run: Run, config: RunConfig, net: Network, data: DataSet, history: History, with_figures: bool) -> None:
    """Evaluate, draw, and close the folder: evaluation.json is what makes it a finished run."""
    results = evaluate_parts(net, data)
    snapshots = evaluate_snapshots(run, data, history.engine)
    if config.training.record_samples:
        write_samples(run.path / "samples.safetensors", pick(net, data, config.training.record_samples))
    if history.batch_losses:
        buffer = io.BytesIO()
        np.save(buffer, np.array(history.batch_losses))
        storage.write_bytes(run.path / "batch_losses.npy", buffer.getvalue())
    if with_figures:
        draw(run, config, net, history.rows, results)
    monitored = sum("test_loss" in row for row in history.rows)
    stored: dict[str, Any] = {
        "identity": config.identity(),
        "stopped": history.stopped,
        "engine": history.engine,
        "epochs": len(history),
        "best_epoch": history.best_epoch,
        "history_sha256": run.history_digest(),
        "test_opened": monitored + (data.test is not None),
        **({"test_monitored": True} if monitored else {}),
        **_to_json(results),
        **({"snapshots": {str(epoch): _to_json(found) for epoch, found in snapshots.items()}} if snapshots else {}),
    }
    storage.write_json(run.path / "evaluation.json", stored)
    run.drop_checkpoint()


def draw(run: Run, config: RunConfig, net: Network, rows: list[dict[str, Any]], results: dict[str, Evaluation]) -> None:
    """The figures of a run: learning curves, confusion matrix of the last part, diagram of the network."""
    from chainrule import figures

    name = f"{config.name}: {'–'.join(map(str, net.layers))}"
    last = list(results)[-1]
    losses = [value for row in rows for name, value in row.items() if name.endswith("_loss")]
    if losses:
        figure = figures.learning_curves(
            rows,
            title=name,
            baseline=results["train"].baseline,
            loss_name=net.output.loss_name,
            n=results["train"].samples,
            seed=config.seed,
            log_loss=min(losses) > 0 and max(losses) > 100 * min(losses),  # else the end is a flat line
        )
        figures.save(figure, run.figures / "curves.svg", description=f"Loss and accuracy by epoch of {name}")
        figures.save(figure, run.figures / "curves.png", description=f"Loss and accuracy by epoch of {name}")
    confusion = results[last].confusion
    if confusion is not None:
        figure = figures.confusion_matrix(confusion, results[last].classes, title=f"{name}, {last} part")
        figures.save(figure, run.figures / "confusion.png", description=f"Confusion matrix of the {last} part")
    figure = figures.network_diagram(net.table(), title=name, total=sum(row["count"] for row in net.table()))
    figures.save(figure, run.figures / "network.png", description=f"Layers, shapes and parameters of {name}")


def _one_or_each(values: tuple[Any, ...]) -> Any:
    return values[0] if len(values) == 1 else values
