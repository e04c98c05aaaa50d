"""What goes on inside a network: its hidden layers, weights, sizes, decisions and mistakes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule import figures
from chainrule.errors import unknown_name
from chainrule.network import Network
from chainrule.reports.document import Figure, Item
from chainrule.reports.embedding import FEWEST, PERPLEXITY, SEED, embed, hidden_outputs
from chainrule.reports.items.derivations import as_network
from chainrule.reports.items.missing import missing, setting
from chainrule.runs import Drawn, Run
from chainrule.runs import load as load_model

_GRID = 160  # places a side of a decision surface
_RIM = 0.12  # of the range of the points, around them


def embeddings(
    id: str,
    run: Run,
    *,
    models: Mapping[str, Path] | None = None,
    layers: Sequence[int] | None = None,
    title: str = "Hidden layers in the plane (t-SNE)",
    caption: str = "",
) -> Item:
    """t-SNE of the outputs of every hidden layer, or of those with the numbers `layers`, for samples that `run` kept.

    A panel a layer, with the same samples in all. `models` are other model files than the run's own, such as its
    snapshots, by the name that their panels bear.
    """
    samples = run.samples()
    if samples is None or not len(samples.drawn):
        return missing(id, title, f"The run kept no samples to embed. {setting('training.record_samples', 500)} does.")
    drawn, net = samples.drawn, load_model(run.model)
    if net.output.task == "regression" or drawn.y.ndim != 1:
        return missing(id, title, "There is no t-SNE: samples have no single class each.")
    if len(net.layers) < 3:
        return missing(id, title, "There is no t-SNE: the network has no hidden layer.")
    if len(drawn) < FEWEST:
        return missing(id, title, f"There is no t-SNE: the run kept {len(drawn)} samples, and it needs {FEWEST}.")
    panels, alike = {}, []
    for label, model in ({label: load_model(path) for label, path in models.items()} if models else {"": net}).items():
        outputs = hidden_outputs(model, drawn.inputs(model))
        for layer in layers or range(1, len(outputs) + 1):
            if f"A{layer}" not in outputs:
                raise unknown_name("hidden layer", layer, map(str, range(1, len(outputs) + 1)))
            found = embed(outputs[f"A{layer}"])
            panel = ", ".join(filter(None, (label, _layer_in_words(model, layer))))
            panels[panel] = found.places
            if found.perplexity is None:
                alike.append(panel)
    words = [
        caption,
        f"t-SNE of scikit-learn, perplexity {min(PERPLEXITY, len(drawn) / 5):g}, begun at the principal components, "
        f"seed {SEED}; the same {len(drawn)} samples of the {drawn.part} part in every panel. "
        "Sizes of groups and distances between them mean little in such a picture.",
        *(f"{panel}: all outputs are the same, so that there is nothing to tell apart." for panel in alike),
    ]
    figure = figures.embedding_panels(panels, drawn.y, _classes(net))
    return Figure(id, title, figure, caption=" ".join(filter(None, words)))


def surfaces(
    id: str,
    runs: Mapping[str, Run],
    *,
    title: str = "Decision surface",
    caption: str = "",
) -> Item:
    """Which class each place of the plane is given, with samples of the training part; a panel a run."""
    panels = []
    classes: list[str] = []
    for label, run in runs.items():
        samples, net = run.samples(), load_model(run.model)
        if net.layers[0] != 2:
            return missing(
                id, title, f"There is no decision surface: the data have {net.layers[0]:,} columns, not two."
            )
        if net.output.task == "regression":
            return missing(id, title, "There is no decision surface: the task is a regression.")
        if samples is None or samples.points is None:
            return missing(id, title, f"The run kept no points. {setting('training.record_samples', 500)} does.")
        panels.append(_surface(label, net, samples.points))
        classes = _classes(net)
    return Figure(id, title, figures.decision_surfaces(panels, classes), caption=caption)


def _surface(label: str, net: Network, points: Drawn) -> Any:
    x, y = (
        np.linspace(low - _RIM * (high - low), high + _RIM * (high - low), _GRID)
        for low, high in zip(points.x.min(axis=0), points.x.max(axis=0), strict=True)
    )
    grid = np.stack(np.meshgrid(x, y), axis=-1)
    shares = net.predict_proba(grid.reshape(-1, 2).astype(net.dtype))
    if shares.shape[1] == 1:
        shares = np.concatenate([1 - shares, shares], axis=1)
    return figures.Surface(label, x, y, shares.reshape(_GRID, _GRID, -1), points.x, points.y)


def weights(id: str, of: Run | Network | Path, *, title: str = "Weights of the first layer", caption: str = "") -> Item:
    """What each unit of the first layer looks for, as an image."""
    net = as_network(of)
    shape = None if net.spec is None else net.spec.image_shape
    if not shape or int(np.prod(shape)) != net.layers[0]:
        return missing(id, title, "They are not shown as images: the inputs of the network are none.")
    return Figure(id, title, figures.weight_images(net.parameters()["W1"], shape), caption=caption)


def layer_sizes(
    id: str, run: Run, *, title: str = "Activations, deltas, gradients and updates by layer", caption: str = ""
) -> Item:
    """How large they are over the epochs, a line a layer."""
    rows = run.history()
    if not any("layers" in row for row in rows):
        return missing(id, title, f"The run did not record them. {setting('training.record_layers')} does.")
    return Figure(id, title, figures.layer_sizes(rows), caption=caption)


def batch_losses(id: str, run: Run, *, title: str = "", caption: str = "") -> Item:
    """The loss of every batch before its update, or of every instance where batches have one sample."""
    size = run.config().training.batch_size
    title = title or f"Loss of every {'instance' if size == 1 else 'batch'}"
    losses = run.batch_losses()
    if losses is None:
        return missing(id, title, f"The run did not record them. {setting('training.record_batches')} does.")
    result = run.evaluations()["train"]
    figure = figures.batch_losses(
        losses,
        loss_name=result.loss_name,
        baseline=result.baseline.get("loss"),
        batch_size=size if isinstance(size, int) else result.samples,
    )
    return Figure(id, title, figure, caption=caption)


def mistakes(id: str, run: Run, *, title: str = "Wrong predictions worth seeing", caption: str = "") -> Item:
    """The wrong predictions in which the network is surest, with the true and the predicted class."""
    samples = run.samples()
    if samples is None:
        return missing(id, title, f"The run kept no samples. {setting('training.record_samples', 500)} does.")
    wrong, net = samples.mistakes, load_model(run.model)
    if net.output.task == "regression" or wrong.y.ndim != 1:
        return missing(id, title, "There are none: samples have no single class each.")
    if not len(wrong):
        return missing(id, title, f"There are none: every sample of the {wrong.part} part is decided rightly.")
    predicted = net.output.decide(wrong.probabilities)
    figure = figures.mistakes_sheet(wrong.x, wrong.y, predicted, _confidence(wrong.probabilities), _classes(net))
    words = f"Of the {wrong.part} part, the {len(wrong)} in which the network is surest of a wrong class."
    return Figure(id, title, figure, caption=" ".join(filter(None, (caption, words))))


def _confidence(probabilities: NDArray[Any]) -> NDArray[Any]:
    """The probability of the class that is decided for."""
    one = probabilities[:, 0]
    surest: NDArray[Any] = probabilities.max(axis=1) if probabilities.shape[1] > 1 else np.maximum(one, 1 - one)
    return surest


def _classes(net: Network) -> list[str]:
    known = () if net.spec is None else net.spec.classes
    return [str(name) for name in known] or [str(k) for k in range(max(2, net.layers[-1]))]


def _layer_in_words(net: Network, number: int) -> str:
    layer = net.structure.layers[number - 1]
    rule = "" if layer.activation is None else f" {layer.activation.name}"
    return f"layer {number}: {layer.width}{rule}"
