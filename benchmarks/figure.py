"""Time of an epoch against samples, width, depth and batch size: four log–log panels, one line a peer."""

from typing import Any

from marks import medians
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator
from works import SCALING

from chainrule.figures.page import finish_flowing
from chainrule.figures.style import PAGE_WIDTH, QUIET, colour, house_style, marker


@house_style()
def scaling_figure(row: dict[str, Any]) -> Figure:
    """`row` has readings by axis and value: row["axes"]["width"]["128"]["peers"]["chainrule"]["seconds"]."""
    figure = Figure(figsize=(PAGE_WIDTH, 5.0))
    panels = figure.subplots(2, 2)
    names = list(next(iter(row["axes"]["samples"].values()))["peers"])
    looks = {name: {"color": colour(i), "marker": marker(i)} for i, name in enumerate(names)}
    for panel, (axis, (label, _)) in zip(panels.flat, SCALING.items(), strict=True):
        points = {int(value): medians(point) for value, point in row["axes"][axis].items()}
        for name in names:
            measured = [(value, 1e3 * seconds[name]) for value, seconds in points.items() if name in seconds]
            panel.plot(*zip(*measured, strict=True), **looks[name])
        panel.set(xscale="log", yscale="log", xlabel=label, ylabel="time of an epoch (ms)")
        panel.xaxis.set(major_locator=FixedLocator(_few(list(points))), minor_locator=NullLocator())
        panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        panel.yaxis.set(major_locator=LogLocator(numticks=12), minor_locator=NullLocator())
        panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
        panel.grid(True, axis="y")
    keys = [Line2D([], [], label=name, **looks[name]) for name in names]
    notes = [
        f"Around 8,192 × 128, 128–128–128–10 relu, batch 128. Medians of {row['readings']} readings; "
        f"{row['environment']['processor']}, {row['threads']} threads, float32."
    ]
    for panel in panels.flat:
        panel.tick_params(colors=QUIET)
    return finish_flowing(figure, "Time of an epoch", notes, "against samples, width, depth and batch size", keys)


def _few(values: list[int]) -> list[int]:
    """At most five of them, so that their numbers stand apart."""
    return values[:: -(-len(values) // 5)]
