"""Settings as a page writes them: what lies on a machine by the name of the file, never by its folders."""

from collections.abc import Iterable
from pathlib import PurePath

PATHS = ("data.source", "data.features", "network.start")  # settings that may name a file


def without_folders(text: str) -> str:
    """A source, a start or a recipe of features without the folders of its file; other words stay as they are.

    "/data/table.csv" is "table.csv", and "onnx:/models/net.onnx#out" is "onnx:net.onnx#out".
    """
    file, sign, output = text.partition("#")
    kind = "onnx:" if file.startswith("onnx:") else ""
    path = file.removeprefix(kind)
    return kind + (PurePath(path).name or path) + sign + output


def told_apart(texts: Iterable[str]) -> dict[str, str]:
    """Each of `texts` without its folders; those that would then be the same are numbered."""
    every = list(dict.fromkeys(texts))
    names = [without_folders(text) for text in every]
    return {
        text: name if names.count(name) == 1 else f"{name} ({names[: place + 1].count(name)})"
        for place, (text, name) in enumerate(zip(every, names, strict=True))
    }
