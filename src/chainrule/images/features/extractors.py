"""A feature extractor is written by its name; it learns from training images, and then turns images into numbers."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import ChainruleError, DataError, InputError, unknown_name
from chainrule.images.features.backbones import RESNET18, Backbone, BackboneFeatures
from chainrule.images.features.checks import checked_images, state_shape
from chainrule.images.features.patches import Patches, PatchFeatures
from chainrule.specs import parse

Floats = NDArray[np.float32]
State = tuple[dict[str, Any], dict[str, NDArray[Any]]]


class Extractor(Protocol):
    """Images (m, *image_shape), uint8 → features (m, width), float32; the same bits in any company.

    to_state  settings for JSON and arrays, from which `from_state` makes the same extractor again.
    Raises DataError for images of another shape or type.
    """

    @property
    def name(self) -> str: ...
    @property
    def width(self) -> int: ...
    @property
    def image_shape(self) -> tuple[int, ...]: ...
    def __call__(self, images: NDArray[Any]) -> Floats: ...
    def to_state(self) -> State: ...


@runtime_checkable
class Recipe(Protocol):
    """What can be learned: `fit` on training images, uint8, (m, h, w) or (m, h, w, c), gives the extractor."""

    @property
    def name(self) -> str: ...
    def fit(self, images: NDArray[Any]) -> Extractor: ...


@dataclass(frozen=True)
class Pixels:
    """The pixels as they are, 0 … 255; nothing is learned."""

    name: str = "pixels"

    def fit(self, images: NDArray[Any]) -> "PixelFeatures":
        checked_images(images)
        return PixelFeatures(tuple(images.shape[1:]))


@dataclass(frozen=True)
class PixelFeatures:
    """(m, h, w, c) → (m, h·w·c)."""

    image_shape: tuple[int, ...]
    name: str = "pixels"

    @property
    def width(self) -> int:
        return int(np.prod(self.image_shape))

    def __call__(self, images: NDArray[Any]) -> Floats:
        return checked_images(images, self.image_shape).reshape(len(images), -1).astype(np.float32)

    def to_state(self) -> State:
        return {"kind": "pixels", "image_shape": list(self.image_shape)}, {}

    @classmethod
    def from_state(cls, settings: Mapping[str, Any], _: Mapping[str, NDArray[Any]]) -> "PixelFeatures":
        return cls(state_shape(settings))


PRESETS: dict[str, Recipe] = {
    "pixels": Pixels(),
    "patches": Patches(),
    "patches-512": Patches(atoms=64, size=8),
    "patches-large": Patches(atoms=1600),
    "resnet18": RESNET18,
}
KINDS: dict[str, Callable[[Mapping[str, Any], Mapping[str, NDArray[Any]]], Extractor]] = {
    "pixels": PixelFeatures.from_state,
    "patches": PatchFeatures.from_state,
    "onnx": BackboneFeatures.from_state,
}


def recipe(text: str) -> Recipe:
    """The recipe that is written

    pixels                                   the pixels themselves
    patches-512, patches-large               see PRESETS and `Patches`
    patches(atoms=1600, dictionary=sampled)  the same with settings of one's own
    onnx:FILE#OUTPUT                         a tensor of an ONNX graph, inner ones included
    onnx(file="net.onnx", output="pool", mean="0.485, 0.456, 0.406", std="0.229, 0.224, 0.225")   see `Backbone`
    resnet18                                 ImageNet's ResNet-18 up to its 512 pooled numbers

    Raises UnknownNameError for another name or setting, InputError for a setting that cannot be.
    """
    text = str(text).strip()
    if text in PRESETS:
        return replace(PRESETS[text], name=text)  # type: ignore[type-var]
    if text.startswith("onnx:"):
        file, _, output = text.removeprefix("onnx:").rpartition("#")
        if not file or not output:
            raise InputError(
                f"{text!r} does not name a file and one of its tensors",
                "Write onnx:FILE#OUTPUT, for example onnx:net.onnx#pool.",
            )
        return Backbone(file, output, name=text)
    if "(" not in text:
        raise unknown_name("feature extractor", text, [*PRESETS, "onnx:FILE#OUTPUT"])
    spec = parse(text)
    makers: dict[str, Any] = {"patches": Patches, "onnx": Backbone}
    if spec.name not in makers:
        raise unknown_name("feature extractor with settings", spec.name, makers)
    if spec.args:
        raise InputError(f"{text} has a setting without a name", f"Write {spec.name}(setting=value, …).")
    maker = makers[spec.name]
    valid = [f.name for f in fields(maker) if f.name != "name"]
    for key in spec.kwargs:
        if key not in valid:
            raise unknown_name(f"setting of {spec.name}", key, valid)
    try:
        return maker(**spec.kwargs, name=text)  # type: ignore[no-any-return]
    except TypeError:
        raise InputError(f"{text} lacks a setting", f"Settings of {spec.name}: {', '.join(valid)}.") from None


def from_state(settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Extractor:
    """The extractor that `to_state` described; raises DataError for anything else, since files come from strangers."""
    try:
        kind = KINDS.get(settings["kind"])
        if kind is None:
            raise DataError(f"its kind is {str(settings['kind'])[:60]!r}", "It was written by a newer version.")
        return kind(settings, arrays)
    except ChainruleError as error:
        raise DataError(f"the description of the features is malformed: {error.problem}", error.remedy) from None
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise DataError(
            f"the description of the features is malformed: {error!r}"[:200], "The file was edited."
        ) from None


def fingerprint_of(extractor: Extractor) -> str:
    """SHA-256 of all that decides what the extractor computes; what it is called and where a file lies is left out."""
    settings, arrays = extractor.to_state()
    if "recipe" in settings:
        settings["recipe"] = {key: value for key, value in settings["recipe"].items() if key not in ("name", "file")}
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype.str} {arrays[name].shape}\n".encode())
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()
