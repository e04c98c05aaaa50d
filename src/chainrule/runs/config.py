"""All settings of a run as plain frozen data: from defaults, a file and flags, in this order, to one identity."""

import hashlib
import json
import tomllib
import types
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from tyro.conf import Suppress

from chainrule.errors import InputError, shown, unknown_name

Settings = TypeVar("Settings")

# Settings that joined later, with what they are when off: runs from before keep their identity.
LATER: dict[str, dict[str, Any]] = {
    "data": {"features": None},
    "network": {"start": None, "start_sha256": None},
    "training": {
        "augment": None,
        "curve_every": 1,
        "monitor_test": False,
        "record_layers": False,
        "snapshots": [],
    },
}


@dataclass(frozen=True)
class DataSettings:
    """Where the data come from and how they are split and prepared; None leaves it to the source's own habit."""

    source: Annotated[str, Suppress] = ""
    """a data set (digits, mnist, circles, …), a table (.csv, .tsv), arrays (.npy, .npz) or a folder of images"""
    validation: float | None = None
    """validation part: a share below 1, or a number of samples"""
    test: float | None = None
    """test part: a share below 1, or a number of samples"""
    split: str | None = None
    """how parts are drawn: stratified, random, or last (the last samples in file order)"""
    preprocessing: str | None = None
    """none, scale, mean-image, standardise, min-max, or several joined by +"""
    samples: int | None = None
    """synthetic data: number of samples"""
    noise: float | None = None
    """synthetic data: amount of noise"""
    edition: int | None = None
    """synth: 2020 (hyperbola) or 2021 (ellipse)"""
    label: str | int | None = None
    """tables: label column, by name or position"""
    header: bool | None = None
    """tables: whether the first line holds names; found out by default"""
    task: str | None = None
    """tables and arrays: classification or regression; by the kind of the labels where not given"""
    image_size: tuple[int, int] | None = None
    """image folders: height and width to resize to"""
    grey: bool | None = None
    """image folders: convert to grey"""
    split_seed: int | None = None
    """seed of the split and of synthetic data; the run's seed by default"""
    features: str | None = None
    """of images, in place of pixels: patches-512, patches-large, "patches(atoms=400)", onnx:FILE#OUTPUT, resnet18"""
    sha256: Annotated[str | None, Suppress] = None
    """fingerprint that the data must have; set in the saved configuration"""


@dataclass(frozen=True)
class NetworkSettings:
    """The network between input and output, whose widths follow from the data."""

    hidden: tuple[int, ...] = (32,)
    """widths of the hidden layers; none for a single layer"""
    activation: tuple[str, ...] = ("relu",)
    """one for all hidden layers, or one each: identity sigmoid tanh relu leaky_relu elu swish gelu softplus"""
    output: str | None = None
    """softmax, sigmoid or identity; by default softmax for classes and identity for numbers"""
    init: tuple[str, ...] = ("auto",)
    """one for all layers, or one each: zeros, normal(0.1), uniform(-1, 1), xavier, he, fan_out, orthogonal, …"""
    dropout: tuple[float, ...] = (0.0,)
    """share left out of each hidden layer: one for all, or one each"""
    batch_norm: tuple[bool, ...] = (False,)
    """batch normalisation of the hidden layers: one for all, or one each"""
    dtype: str = "float32"
    """float32 or float64"""
    init_seed: int | None = None
    """seed of the first weights; the run's seed by default"""
    start: str | None = None
    """begin with the weights of this model file or run"""
    start_sha256: Annotated[str | None, Suppress] = None
    """fingerprint that those weights must have; set in the saved configuration"""


@dataclass(frozen=True)
class TrainingSettings:
    """How the network is trained; the arguments of `chainrule.train`."""

    epochs: int = 30
    """passes over the training data"""
    batch_size: int | str = 32
    """samples a step: 1, a number, or full"""
    learning_rate: float | None = None
    """rate of the optimiser; its own default where not given (sgd 0.1, adam 0.001)"""
    optimizer: str = "sgd"
    """sgd, momentum, nesterov, rmsprop, adam, adamw; settings in parentheses: "adam(beta1=0.8)" """
    schedule: str = "constant"
    """constant, "step(every=10, factor=0.1)", "exponential(decay=0.95)", "cosine(warmup=2)" """
    l2: float = 0.0
    """λ of the penalty λ/2 Σ‖W‖²"""
    clip: float | None = None
    """greatest norm of the gradient"""
    shuffle: bool = True
    """a new order every epoch; otherwise file order"""
    augment: str | None = None
    """images: a transform that is drawn anew for every epoch: "crop(4)+flip", "rotation(15)", …"""
    early_stopping: int | None = None
    """stop after so many epochs without a lower validation loss"""
    curves: bool = True
    """measure loss and accuracy after every epoch"""
    curve_samples: int | None = None
    """measure the training curve on a fixed draw of so many samples"""
    curve_every: int = 1
    """measure after every so many epochs only, and after the last"""
    monitor_test: bool = False
    """measure the curves of the test part too; nothing is selected by them"""
    record_batches: bool = False
    """keep the loss of every batch"""
    record_layers: bool = False
    """keep the sizes of activations, gradients and updates by layer, at some 200 epochs"""
    record_samples: int | None = None
    """keep so many samples of the last part with their predictions; 500 by default, 0 for none"""
    snapshots: tuple[int, ...] = ()
    """keep the model after these epochs too"""
    engine: str = "auto"
    """auto, reference or compiled"""
    order_seed: int | None = None
    """seed of the sample order, dropout and augmentation; the run's seed by default"""


@dataclass(frozen=True)
class RunConfig:
    """A whole run."""

    data: DataSettings = field(default_factory=DataSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    name: str | None = None
    """name of the run; that of the data by default"""
    seed: int = 0
    """seed of everything that has none of its own"""

    def with_seeds(self) -> "RunConfig":
        """The same with the seeds that were left open filled in from `seed`."""
        return replace(
            self,
            data=replace(self.data, split_seed=_either(self.data.split_seed, self.seed)),
            network=replace(self.network, init_seed=_either(self.network.init_seed, self.seed)),
            training=replace(self.training, order_seed=_either(self.training.order_seed, self.seed)),
        )

    def with_open_seeds(self) -> "RunConfig":
        """The same with the seeds that equal `seed` left open again, so that a new `seed` reaches them."""
        return replace(
            self,
            data=replace(self.data, split_seed=_unless(self.data.split_seed, self.seed)),
            network=replace(self.network, init_seed=_unless(self.network.init_seed, self.seed)),
            training=replace(self.training, order_seed=_unless(self.training.order_seed, self.seed)),
        )

    def to_json(self) -> dict[str, Any]:
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]

    def identity(self) -> str:
        """A hash of all that decides the results; paths, the name and the samples that are kept are left out.

        Data and first weights from a file count by their fingerprint, not by where they lie.
        """
        content = self.to_json()
        del content["name"], content["seed"]  # the seed counts by what was filled in from it
        del content["training"]["record_samples"]
        for section, later in LATER.items():
            for setting, off in later.items():
                if content[section][setting] == off:
                    del content[section][setting]
        if self.data.sha256 is not None:
            content["data"]["source"] = ""
        if self.network.start_sha256 is not None:
            content["network"]["start"] = ""
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:10]


def read_config(path: Path) -> RunConfig:
    """Settings from a TOML file, or from the config.json of a run; raises InputError in words for anything wrong."""
    try:
        text = path.read_bytes().decode()
        content = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except FileNotFoundError:
        raise InputError(f"there is no settings file {path}", "Check the path.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "Check the path.") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is no text in UTF-8", "Save it as UTF-8.") from None
    except (ValueError, RecursionError) as error:
        language = "JSON" if path.suffix == ".json" else "TOML"
        raise InputError(f"{path} is not valid {language}: {str(error)[:200]}", "Mend the line it names.") from None
    try:
        return from_mapping(RunConfig, content)
    except InputError as error:
        raise type(error)(f"{path}: {error.problem}", error.remedy) from None


def from_mapping(kind: type[Settings], content: Any, section: str = "") -> Settings:
    """A settings dataclass from a mapping; unknown keys and values of a wrong type are refused by name."""
    if not isinstance(content, Mapping):
        raise InputError(
            f"[{section}] is {shown(content)}, not a table of settings", "Write [section] and key = value."
        )
    hints = get_type_hints(kind)
    names = [f.name for f in fields(kind)]  # type: ignore[arg-type]
    values = {}
    for key, value in content.items():
        where = f"{section}.{key}" if section else key
        if key not in names:
            raise unknown_name(f"key of [{section}]" if section else "key", key, names)
        inner = hints[key]
        nested = isinstance(inner, type) and is_dataclass(inner)
        values[key] = from_mapping(inner, value, where) if nested else _converted(where, value, inner)
    return kind(**values)


def _converted(where: str, value: Any, kind: Any) -> Any:
    """`value` as the annotation `kind` wants it; a single value serves where several are possible."""
    for option in get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,):
        if get_origin(option) is tuple:
            items = value if isinstance(value, list) else [value]
            inner = get_args(option)
            many = inner[-1] is Ellipsis
            if value is not None and (many or len(items) == len(inner)) and all(_fits(v, inner[0]) for v in items):
                return tuple(inner[0](v) for v in items)
        elif _fits(value, option):
            return None if value is None else option(value)
    raise InputError(f"{where} is {shown(value)}, which is no {_in_words(kind)}", "See `chainrule train --help`.")


def _fits(value: Any, kind: Any) -> bool:
    if kind is type(None):
        return value is None
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 10**300
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    return isinstance(value, kind)


def _in_words(kind: Any) -> str:
    options = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    words = {int: "whole number", float: "number", str: "text", bool: "true or false"}
    named = (words[get_args(o)[0]] + "s" if get_origin(o) is tuple else words.get(o, "") for o in options)
    return " or ".join(word for word in named if word)


def _unless(value: int | None, filled: int) -> int | None:
    return None if value == filled else value


def _either(value: int | None, fallback: int) -> int:
    return fallback if value is None else value
