"""Features from somebody else's network: any tensor of an ONNX graph, inner ones included, computed by onnxruntime.

ResNet-18 (He et al. 2015, trained on ImageNet) is the file that the ONNX model zoo publishes; its SHA-256 and the name
of its pooled tensor are those of the zoo's manifest (ONNX_HUB_MANIFEST.json).
"""

import difflib
import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError, InputError
from chainrule.images.features.checks import checked_images, state_shape
from chainrule.images.places import cache_folder
from chainrule.specs import whole
from chainrule.storage import storage_errors

Floats = NDArray[np.float32]

LAYOUTS = ("auto", "nchw", "nhwc")
IMAGES_AT_ONCE = 16  # given to a graph whose batch size is open

PUBLISHED = {
    "resnet18-v1-7.onnx": (
        "https://github.com/onnx/models/raw/main/validated/vision/classification/resnet/model/resnet18-v1-7.onnx",
        "4e8f8653e7a2222b3904cc3fe8e304cd8b339ce1d05fd24688162f86fb6df52c",
    )
}


@dataclass(frozen=True)
class Backbone:
    """What to compute. An image becomes (pixel / 255 − mean) / std, resized (bicubic) to the graph's input size.

    file    an ONNX file; a name of PUBLISHED is looked for in the cache folder and fetched where it is missing
    output  name of the tensor, an output of the graph or an inner one; all its numbers are taken, flattened
    mean, std  a number, or one for each channel in a text: "0.485, 0.456, 0.406"
    size    side of the input, where the graph leaves it open
    layout  of the input: "nchw", "nhwc", or "auto", by where its 3 (or 1) channels stand
    sha256  of the file, where it must be a certain one
    """

    file: str
    output: str
    mean: float | str = 0.0
    std: float | str = 1.0
    size: int | None = None
    layout: str = "auto"
    sha256: str = ""
    name: str = "onnx"

    def __post_init__(self) -> None:
        if self.layout not in LAYOUTS:
            raise InputError(f"onnx: layout is {self.layout!r}", f"Valid: {', '.join(LAYOUTS)}.")
        if self.size is not None:
            whole("onnx: size", self.size, 1)
        if min(_numbers("std", self.std)) <= 0:
            raise InputError(f"onnx: std is {self.std!r}", "Give numbers above 0.")
        _numbers("mean", self.mean)

    def fit(self, images: NDArray[Any]) -> "BackboneFeatures":
        """Nothing is learned: find the file and read the form of its input and of the tensor."""
        checked_images(images)
        path = located(self.file, self.sha256)
        here = replace(self, file=str(path.resolve()))  # a model finds it from any folder
        one = BackboneFeatures(here, tuple(images.shape[1:]), _sha256(path), 0)(images[:1])
        return BackboneFeatures(here, tuple(images.shape[1:]), _sha256(path), one.shape[1])


@dataclass(frozen=True)
class BackboneFeatures:
    """A tensor of a graph, for images (m, *image_shape). A model keeps the file's SHA-256, not the file."""

    recipe: Backbone
    image_shape: tuple[int, ...]
    sha256: str
    width: int

    @property
    def name(self) -> str:
        return self.recipe.name

    def __call__(self, images: NDArray[Any]) -> Floats:
        """(m, h, w) or (m, h, w, c), uint8 → (m, width); batches are filled up, so that company changes nothing."""
        pixels = checked_images(images, self.image_shape)
        session, batch = self._session, self._form.batch
        found = []
        for start in range(0, len(pixels), batch):
            x = self._prepared(pixels[start : start + batch])
            rows = len(x)
            if rows < batch:
                x = np.concatenate([x, np.zeros((batch - rows, *x.shape[1:]), np.float32)])
            y = np.asarray(session.run([self.recipe.output], {self._form.name: x})[0], np.float32)
            if y.ndim < 2 or len(y) != batch:
                raise DataError(
                    f"tensor {self.recipe.output!r} has shape {y.shape} for {batch} images",
                    "Its first axis must be that of the images; name another tensor.",
                )
            found.append(y[:rows].reshape(rows, -1))
        out = np.concatenate(found)
        if self.width and out.shape[1] != self.width:
            raise DataError(f"{self.name} gave {out.shape[1]} numbers, not {self.width}", "The file was changed.")
        return out

    @cached_property
    def _session(self) -> Any:
        path = located(self.recipe.file, self.sha256)
        return _opened(path, self.recipe.output)

    @cached_property
    def _form(self) -> "_Input":
        return _input_of(self._session, self.recipe)

    def _prepared(self, pixels: NDArray[np.uint8]) -> Floats:
        """(m, h, w, c) → what the graph takes, (m, c, h′, w′) or (m, h′, w′, c), float32."""
        from PIL import Image

        form = self._form
        if pixels.shape[3] == 1 and form.channels == 3:
            pixels = np.repeat(pixels, 3, axis=3)
        if pixels.shape[3] != form.channels:
            raise DataError(
                f"images of {pixels.shape[3]} channels, but {self.recipe.file} takes {form.channels}",
                "Make the images grey or colour, as the network was trained.",
            )
        x = np.empty((len(pixels), form.height, form.width, form.channels), np.float32)
        for i, image in enumerate(pixels):
            if image.shape[:2] != (form.height, form.width):
                picture = Image.fromarray(image if form.channels > 1 else image[:, :, 0])
                resized = picture.resize((form.width, form.height), Image.Resampling.BICUBIC)
                image = np.asarray(resized).reshape(form.height, form.width, form.channels)
            x[i] = image
        mean, std = (np.array(_numbers(key, getattr(self.recipe, key)), np.float32) for key in ("mean", "std"))
        x = (x / np.float32(255) - mean) / std
        return np.ascontiguousarray(x.transpose(0, 3, 1, 2)) if form.layout == "nchw" else x

    def to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        settings = {"kind": "onnx", "image_shape": list(self.image_shape), "recipe": asdict(self.recipe)}
        return {**settings, "sha256": self.sha256, "width": self.width}, {}

    @classmethod
    def from_state(cls, settings: Mapping[str, Any], _: Mapping[str, NDArray[Any]]) -> "BackboneFeatures":
        given, sha256, width = settings["recipe"], settings["sha256"], settings["width"]
        if not isinstance(given, dict) or given.keys() != {f.name for f in fields(Backbone)}:
            raise DataError("its settings are not those of an ONNX file", "The file was edited.")
        if not isinstance(sha256, str) or len(sha256) != 64 or type(width) is not int or width < 1:
            raise DataError("it names no ONNX file", "The file was edited.")
        return cls(Backbone(**given), state_shape(settings), sha256, width)


def located(file: str, sha256: str = "") -> Path:
    """The ONNX file where it is named, else in the cache folder, else, if it is of PUBLISHED, fetched to there.

    Raises DataError where it is not to be had, or is another than `sha256` says.
    """
    name = Path(file).name
    folder = cache_folder() / "backbones"
    path = next((p for p in (Path(file).expanduser(), folder / name) if p.is_file()), None)
    if path is None and file in PUBLISHED:
        path = _fetched(file, folder)
    if path is None:
        raise DataError(f"there is no ONNX file {file}", f"Check the path, or put the file into {folder}.")
    if sha256 and _sha256(path) != sha256:
        raise DataError(
            f"{path} is not the file that the features were taken with: its SHA-256 is {_sha256(path)[:12]}…, "
            f"not {sha256[:12]}…",
            "Restore the file; features of another network mean something else.",
        )
    return path


def _fetched(name: str, folder: Path) -> Path:
    import pooch
    import requests

    url, sha256 = PUBLISHED[name]
    pooch.get_logger().setLevel("WARNING")
    with storage_errors(folder / name):
        try:
            return Path(pooch.retrieve(url, known_hash=f"sha256:{sha256}", fname=name, path=folder))
        except (requests.RequestException, ValueError):  # the network's faults, and a wrong checksum
            raise DataError(
                f"{name} is not on this machine and could not be downloaded from {url}",
                f"Put it into {folder}; its SHA-256 is {sha256}. `patches-512` needs no files.",
            ) from None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _opened(path: Path, output: str) -> Any:
    """A session whose one output is the named tensor."""
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise DataError(
            f"features of an ONNX file need {error.name}, which is not installed",
            "Install it: pip install 'chainrule[onnx]'",
        ) from None
    try:
        model = onnx.load(path, load_external_data=False)
        outside = any(onnx.external_data_helper.uses_external_data(weights) for weights in model.graph.initializer)
        if not outside:
            onnx.checker.check_model(model)
    except Exception as error:  # protobuf and the checker have no common base
        problem = f"{path} is no ONNX file: {str(error).partition(chr(10))[0][:120]}"
        raise DataError(problem, "Export the network again.") from None
    if outside:
        raise DataError(f"{path} keeps weights in other files", "Export the network with its weights in the file.")
    graph = model.graph
    tensors = [name for node in graph.node for name in node.output if name]
    if output not in tensors:
        near = difflib.get_close_matches(output, tensors, n=5, cutoff=0.3) or tensors[-5:]
        raise DataError(f"{path} has no tensor {output!r}", f"Near it, or near its end: {', '.join(near)}.")
    del graph.output[:]  # so that nothing is computed that is not asked for
    graph.output.append(onnx.ValueInfoProto(name=output))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            model.SerializeToString(), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's errors have no common base either
        raise DataError(
            f"onnxruntime cannot run {path}: {str(error).partition(chr(10))[0][:160]}",
            "Export it for a lower opset, with its weights in the file.",
        ) from None


@dataclass(frozen=True)
class _Input:
    name: str
    batch: int
    channels: int
    height: int
    width: int
    layout: str


def _input_of(session: Any, recipe: Backbone) -> _Input:
    """What the graph takes; sizes that it leaves open come from the recipe."""
    inputs = session.get_inputs()
    if len(inputs) != 1:
        raise DataError(f"{recipe.file} takes {len(inputs)} inputs", "Features need a network of images alone.")
    name, shape, kind = inputs[0].name, inputs[0].shape, inputs[0].type
    if len(shape) != 4 or kind != "tensor(float)":
        raise DataError(
            f"{recipe.file} takes {name!r} of shape {shape} and type {kind}, not float images",
            "It must have four axes: (N, C, H, W) or (N, H, W, C).",
        )
    sizes = [size if isinstance(size, int) and size > 0 else None for size in shape]
    layout = recipe.layout
    if layout == "auto":
        layout = "nhwc" if sizes[3] in (1, 3) and sizes[1] not in (1, 3) else "nchw"
    places = (1, 2, 3) if layout == "nchw" else (3, 1, 2)
    channels, height, width = (sizes[place] for place in places)
    if recipe.size is not None and {height, width} - {recipe.size, None}:
        raise DataError(f"{recipe.file} takes images of {height} × {width}, not {recipe.size}", "Leave size= out.")
    height, width = height or recipe.size, width or recipe.size
    if height is None or width is None:
        raise DataError(
            f"{recipe.file} leaves the size of its images open: {shape}",
            f'Say it: onnx(file="{recipe.file}", output="{recipe.output}", size=224)',
        )
    return _Input(name, sizes[0] or IMAGES_AT_ONCE, channels or 3, height, width, layout)


def _numbers(key: str, value: float | str) -> tuple[float, ...]:
    """One number, or one a channel, of a setting."""
    try:
        found = tuple(float(part) for part in value.split(",")) if isinstance(value, str) else (float(value),)
    except (TypeError, ValueError):
        found = ()
    if len(found) not in (1, 3) or not np.isfinite(found).all():
        raise InputError(f"onnx: {key} is {value!r}", 'Give a number, or three in a text: "0.485, 0.456, 0.406".')
    return found


RESNET18 = Backbone(
    "resnet18-v1-7.onnx",
    "resnetv15_pool1_fwd",
    mean="0.485, 0.456, 0.406",
    std="0.229, 0.224, 0.225",
    size=224,
    sha256=PUBLISHED["resnet18-v1-7.onnx"][1],
    name="resnet18",
)
