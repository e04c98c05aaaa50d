"""What one raw sample looks like and how it becomes a row of X: all that prediction needs to know of the data."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chainrule.data.preprocessing import Preprocessing, step_names
from chainrule.data.samples import checked_samples
from chainrule.errors import DataError, InputError
from chainrule.images.features import Extractor, from_state

KINDS = ("image", "table", "points")
TASKS = ("classification", "regression")


@dataclass(frozen=True, eq=False)
class DataSpec:
    """The form of the samples of a data set; stored with a model.

    kind: "image", "table" or "points" (synthetic). task: "classification" or "regression".
    classes: names in label order, () for regression. image_shape: (h, w) grey or (h, w, 3), None for others.
    columns: names of the feature columns of a table, () where there are none.
    label: name of the label column, its position where the table has no header, "" where there is none;
    several target columns are joined by ",".
    white: for images, the number that white has in the raw samples: 255 where they are 8-bit.
    preprocessing: fitted on the training part.
    extractor: what turns images into features before they are preprocessed; None where X is of the samples themselves.
    """

    kind: str
    task: str
    classes: tuple[str, ...]
    image_shape: tuple[int, ...] | None
    columns: tuple[str, ...]
    label: str
    preprocessing: Preprocessing
    white: float = 255.0
    extractor: Extractor | None = None

    @property
    def features(self) -> int:
        """d, the columns of X."""
        return int(self.preprocessing.shift.size)

    def prepare(self, raw: ArrayLike) -> NDArray[np.float32]:
        """Raw samples (m, …), as read from their files, → X (m, d) float32, C-contiguous.

        Images may be (m, h, w), (m, h, w, 3) or flat (m, d). Raises DataError, in words, for another shape, for what
        is no number, for NaN and infinity, and for numbers so far outside the training data that they overflow.
        """
        array = checked_samples(raw, "the input", self.columns)
        shape = self.image_shape or (self.features,)
        if array.shape[1:] not in (shape, (math.prod(shape),)):
            wanted = " × ".join(map(str, shape))
            raise DataError(
                f"a sample has shape {array.shape[1:]}, but the model was trained on {wanted} numbers",
                "Give samples of the form of the training data, one a row.",
            )
        if self.extractor is not None:
            array = self.extractor(_as_bytes(array.reshape(-1, *shape)))
        x = self.preprocessing(array)
        if not np.isfinite(x).all():
            sample, column = (int(i) for i in np.argwhere(~np.isfinite(x))[0])
            raise DataError(
                f"sample {sample}, column {column} overflows when it is preprocessed ({self.preprocessing.names})",
                "It lies far outside the training data; check its units.",
            )
        return x

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """A dict for JSON, and named arrays: float64, and the extractor's own."""
        settings: dict[str, Any] = {
            "kind": self.kind,
            "task": self.task,
            "classes": list(self.classes),
            "image_shape": None if self.image_shape is None else list(self.image_shape),
            "columns": list(self.columns),
            "label": self.label,
            "preprocessing": self.preprocessing.names,
            "white": self.white,
        }
        arrays: dict[str, NDArray[Any]] = {"shift": self.preprocessing.shift, "scale": self.preprocessing.scale}
        if self.extractor is not None:
            settings["extractor"], learned = self.extractor.to_state()
            arrays |= {f"extractor/{name}": array for name, array in learned.items()}
        return settings, arrays

    @classmethod
    def from_state(cls, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> "DataSpec":
        """What `to_state` gave; raises DataError for anything else, because it comes from files of strangers."""
        shape = _field(settings, "image_shape", list, type(None))
        spec = cls(
            kind=_choice(settings, "kind", KINDS),
            task=_choice(settings, "task", TASKS),
            classes=_texts(settings, "classes"),
            image_shape=None if shape is None else tuple(shape),
            columns=_texts(settings, "columns"),
            label=_field(settings, "label", str),
            preprocessing=Preprocessing(
                _field(settings, "preprocessing", str), _array(arrays, "shift"), _array(arrays, "scale")
            ),
            white=float(_field(settings, "white", int, float)),
            extractor=_extractor(settings, arrays),
        )
        _check_agreement(spec)
        return spec


def _malformed(what: str) -> DataError:
    return DataError(f"the description of the data is malformed: {what}", "The file was damaged or edited.")


def _field(settings: Mapping[str, Any], key: str, *kinds: type) -> Any:
    if not isinstance(settings, Mapping) or key not in settings:
        raise _malformed(f"{key!r} is missing")
    if not isinstance(settings[key], kinds):
        raise _malformed(f"{key!r} is {str(settings[key])[:60]!r}")
    return settings[key]


def _choice(settings: Mapping[str, Any], key: str, valid: tuple[str, ...]) -> str:
    value = str(_field(settings, key, str))
    if value not in valid:
        raise _malformed(f"{key!r} is {value[:60]!r}, none of {', '.join(valid)}")
    return value


def _texts(settings: Mapping[str, Any], key: str) -> tuple[str, ...]:
    values = tuple(_field(settings, key, list))
    if not all(isinstance(value, str) for value in values) or len(set(values)) < len(values):
        raise _malformed(f"{key!r} is no list of different words")
    return values


def _array(arrays: Mapping[str, NDArray[Any]], key: str) -> NDArray[np.float64]:
    value = arrays.get(key)
    if not isinstance(value, np.ndarray) or value.ndim != 1 or value.dtype.kind != "f" or not value.size:
        raise _malformed(f"{key!r} is no axis of numbers")
    array = value.astype(np.float64)
    if not np.isfinite(array).all():
        raise _malformed(f"{key!r} holds a value that is not finite")
    return array


def _extractor(settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Extractor | None:
    if "extractor" not in settings:
        return None
    own = {name.removeprefix("extractor/"): array for name, array in arrays.items() if name.startswith("extractor/")}
    return from_state(_field(settings, "extractor", dict), own)


def _as_bytes(images: NDArray[Any]) -> NDArray[np.uint8]:
    """Images that hold whole numbers from 0 to 255, as such."""
    if images.dtype == np.uint8:
        return images
    pixels = images.clip(0, 255).astype(np.uint8)
    if not (pixels == images).all():
        raise DataError(
            f"features are taken of 8-bit images, but these hold {images.dtype} that are no whole numbers 0 … 255",
            "Give the pixels as they come from their files.",
        )
    return pixels


def _check_agreement(spec: DataSpec) -> None:
    preprocessing = spec.preprocessing
    try:
        step_names(preprocessing.names)
    except InputError as error:
        raise _malformed(error.problem) from None
    if preprocessing.scale.shape != preprocessing.shift.shape or not (preprocessing.scale > 0).all():
        raise _malformed("shift and scale do not fit together")
    if not 0 < spec.white < math.inf:
        raise _malformed(f"'white' is {spec.white}")
    if (len(spec.classes) >= 2) != (spec.task == "classification"):
        raise _malformed(f"{len(spec.classes)} classes for a {spec.task}")
    if spec.columns and len(spec.columns) != spec.features:
        raise _malformed(f"{len(spec.columns)} column names for {spec.features} features")
    if spec.image_shape is not None:
        whole = all(type(n) is int and n > 0 for n in spec.image_shape)
        grey_or_colour = len(spec.image_shape) == 2 or (len(spec.image_shape) == 3 and spec.image_shape[2] == 3)
        numbers = math.prod(spec.image_shape) if whole and spec.extractor is None else spec.features
        if not (whole and grey_or_colour and numbers == spec.features):
            raise _malformed(f"image shape {str(spec.image_shape)[:60]} for {spec.features} features")
    if spec.extractor is not None and (
        spec.extractor.image_shape != spec.image_shape or spec.extractor.width != spec.features
    ):
        raise _malformed(
            f"{spec.extractor.width} features of images of {spec.extractor.image_shape} do not fit the rest"
        )
    if (spec.kind == "image") != (spec.image_shape is not None):
        raise _malformed(f"kind {spec.kind!r} with image shape {spec.image_shape}")
