"""How large activations, gradients and steps are in every layer while training runs, one panel a quantity."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from chainrule.errors import InputError
from chainrule.figures.curves import make_logarithmic, name_axes
from chainrule.figures.page import finish_flowing
from chainrule.figures.style import COLOURS, PAGE_WIDTH, house_style, marker

Values = Callable[[Mapping[str, Any], int], Any]

_MARKS = 5  # of a line
_COLUMNS = 3

# Of each panel: its name, the value of a layer in a record, and whether its axis is logarithmic.
_PANELS: tuple[tuple[str, Values, bool], ...] = (
    ("activations A: mean (band: ± sd)", lambda record, l: record[f"A{l}"]["mean"], False),
    ("saturated values, share", lambda record, l: record[f"A{l}"]["saturated"], False),
    ("dead units, share", lambda record, l: record[f"A{l}"]["dead"], False),
    ("deltas dZ of a sample, rms", lambda record, l: record[f"dZ{l}"], True),
    ("gradients dW, rms", lambda record, l: record[f"W{l}"]["gradient"], True),
    ("weights W, rms", lambda record, l: record[f"W{l}"]["weights"], True),
    ("step / weights, rms", lambda record, l: _ratio(record[f"W{l}"]), True),
)


@house_style()
def layer_sizes(rows: Sequence[Mapping[str, Any]], *, title: str = "", note: str = "") -> Figure:
    """A panel for each quantity that the `rows` of a history hold in "layers", a line for each layer.

    Rows without it are passed over; None is a gap. Sizes of deltas, gradients and weights have logarithmic axes.
    Raises InputError where no row has it.
    """
    records = [(int(row["epoch"]), row["layers"]) for row in rows if row.get("layers")]
    if not records:
        raise InputError("no row of the history has the sizes of layers", "Train with record_layers.")
    epochs = np.array([epoch for epoch, _ in records])
    layers = sorted({int(name[1:]) for _, record in records for name in record if name[0] == "W"})
    panels = []
    for name, value, logarithmic in _PANELS:
        lines = {l: found for l in layers if (found := _line(records, value, l)) is not None}
        if lines:
            panels.append((name, lines, logarithmic))
    looks = {l: (_colour(place, len(layers)), marker(place)) for place, l in enumerate(layers)}
    columns = min(len(panels), _COLUMNS)
    height = -(-len(panels) // columns)
    figure = Figure(figsize=(PAGE_WIDTH, 1.9 * height))
    drawn = figure.subplots(height, columns, squeeze=False).ravel()
    for axes, (name, lines, logarithmic) in zip(drawn, panels, strict=False):
        for l, values in lines.items():
            _draw(axes, epochs, values, *looks[l])
        if name.startswith("activations"):
            for l in lines:
                _band(axes, epochs, lines[l], _line(records, lambda record, l: record[f"A{l}"]["sd"], l), looks[l][0])
        name_axes(axes, "loss", epochs, "")
        axes.set_ylabel("")
        axes.set_title(name, loc="left")
        if logarithmic and any((values > 0).any() for values in lines.values()):
            make_logarithmic(axes, np.concatenate(list(lines.values())))
    for axes in drawn[len(panels) :]:
        axes.remove()
    for axes in drawn[: max(0, len(panels) - columns)]:
        axes.set_xlabel("")
    keys = [Line2D([], [], color=looks[l][0], marker=looks[l][1], markersize=3, label=f"layer {l}") for l in layers]
    words = (
        "rms: root mean square over samples and units; on a fixed draw of training samples, no unit dropped; "
        "step: what the optimiser would do with their gradient"
    )
    ends = [f"{name}, layer {l}: {values[-1]:.3g}" for name, lines, _ in panels for l, values in lines.items()]
    return finish_flowing(
        figure,
        title,
        [" · ".join(text for text in (words, note) if text)],
        f"sizes by layer at {len(records)} epochs from {epochs[0]} to {epochs[-1]}; at the end {'; '.join(ends)}",
        keys,
    )


def _line(records: Sequence[tuple[int, Mapping[str, Any]]], value: Values, l: int) -> NDArray[np.float64] | None:
    """A quantity of layer `l` at every record; None where it has none."""
    found = []
    for _, record in records:
        try:
            found.append(value(record, l))
        except KeyError:
            return None
    values = np.array(found, dtype=np.float64)  # None becomes NaN
    return values if np.isfinite(values).any() else None


def _ratio(sizes: Mapping[str, Any]) -> float | None:
    if sizes["update"] is None or not sizes["weights"]:
        return None
    return float(sizes["update"] / sizes["weights"])


def _colour(place: int, count: int) -> str:
    """Few layers have the colours of the house, many a scale from the first to the last."""
    return COLOURS[place] if count <= len(COLOURS) else to_hex(colormaps["viridis"](0.9 * place / (count - 1)))


def _draw(axes: Axes, epochs: NDArray[np.int64], values: NDArray[np.float64], colour: str, shape: str) -> None:
    every = max(1, len(epochs) // _MARKS)
    axes.plot(epochs, values, color=colour, marker=shape, markersize=2.5, markevery=every, linewidth=1.0)


def _band(
    axes: Axes, epochs: NDArray[np.int64], mean: NDArray[np.float64], sd: NDArray[np.float64] | None, colour: str
) -> None:
    if sd is not None:
        axes.fill_between(epochs, mean - sd, mean + sd, color=colour, alpha=0.12, linewidth=0)
