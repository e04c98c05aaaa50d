"""Transforms from transforms: one of several for each image, or several one after the other."""

from dataclasses import dataclass

import numpy as np

from chainrule.images.transforms.rules import Floats, Pixels, Shape, Transform


@dataclass(frozen=True)
class OneOf:
    """For each image one of `options`, all equally likely.

    The first parameter is the place of the option, then come those of all options; what was not drawn is NaN.
    """

    names: tuple[str, ...]
    options: tuple[Transform, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return ("transform", *_joined(self.names, self.options))

    @property
    def numbers(self) -> int:
        return 1 + max(option.numbers for option in self.options)

    def draw(self, u: Floats, shape: Shape) -> Floats:
        chosen = np.floor(u[:, 0] * len(self.options))
        parameters = np.full((len(u), len(self.columns)), np.nan)
        parameters[:, 0] = chosen
        for k, (option, columns) in enumerate(_spans(self.options, 1)):
            rows = chosen == k
            parameters[rows, columns] = option.draw(u[rows, 1 : 1 + option.numbers], shape)
        return parameters

    def into(self, images: Pixels, parameters: Floats, out: Pixels) -> None:
        for k, (option, columns) in enumerate(_spans(self.options, 1)):
            rows = np.flatnonzero(parameters[:, 0] == k)
            changed = np.empty((len(rows), *images.shape[1:]), np.uint8)
            option.into(images[rows], parameters[rows, columns], changed)
            out[rows] = changed


@dataclass(frozen=True)
class Chain:
    """All of `steps`, one after the other; the parameters are those of all steps."""

    names: tuple[str, ...]
    steps: tuple[Transform, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return _joined(self.names, self.steps)

    @property
    def numbers(self) -> int:
        return sum(step.numbers for step in self.steps)

    def draw(self, u: Floats, shape: Shape) -> Floats:
        ends = np.cumsum([step.numbers for step in self.steps])
        parts = [step.draw(u[:, end - step.numbers : end], shape) for step, end in zip(self.steps, ends, strict=True)]
        return np.concatenate(parts, axis=1)

    def into(self, images: Pixels, parameters: Floats, out: Pixels) -> None:
        for k, (step, columns) in enumerate(_spans(self.steps, 0)):
            last = k == len(self.steps) - 1
            changed = out if last else np.empty_like(out)
            step.into(images, parameters[:, columns], changed)
            images = changed


def _joined(names: tuple[str, ...], transforms: tuple[Transform, ...]) -> tuple[str, ...]:
    return tuple(f"{name}.{c}" for name, transform in zip(names, transforms, strict=True) for c in transform.columns)


def _spans(transforms: tuple[Transform, ...], start: int) -> list[tuple[Transform, slice]]:
    """Each transform with the columns that are its own."""
    spans = []
    for transform in transforms:
        end = start + len(transform.columns)
        spans.append((transform, slice(start, end)))
        start = end
    return spans
