"""Settings by dotted keys, `training.learning_rate`: looked up, changed, read from text, and written as TOML."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

from chainrule.data import source_names
from chainrule.errors import InputError, shown, unknown_name
from chainrule.runs.config import RunConfig, from_mapping

NONE = "None"  # how a setting that is left open is written, in a file and as a flag
OPENING, CLOSING = "([{", ")]}"


def keys() -> tuple[str, ...]:
    """Every key that a sweep can change."""
    return tuple(key for key, _ in _flat(asdict(RunConfig())) if key not in ("name", "data.sha256"))


def checked_key(key: object) -> str:
    """`key`; raises UnknownNameError with the nearest valid one."""
    valid = keys()
    if key not in valid:
        near = [full for full in valid if full.rpartition(".")[2] == key]
        if near:
            raise InputError(f"{key!r} is no key of the settings", f"Did you mean {near[0]!r}? Keys are dotted.")
        raise unknown_name("key of the settings", key, valid)
    return str(key)


def changed(config: RunConfig, changes: Mapping[str, Any]) -> RunConfig:
    """`config` with the values of `changes`, {"training.learning_rate": 0.1}; refused where one has a wrong type."""
    content = json.loads(json.dumps(asdict(config)))
    for key, value in changes.items():
        section, _, name = checked_key(key).rpartition(".")
        place = content[section] if section else content
        place[name] = None if value == NONE else list(value) if isinstance(value, tuple) else value
    return from_mapping(RunConfig, content)


def setting(config: RunConfig, key: str) -> Any:
    """The value of a dotted key."""
    section, _, name = key.rpartition(".")
    return getattr(getattr(config, section) if section else config, name)


def flattened(content: Mapping[str, Any]) -> dict[str, Any]:
    """Nested tables as dotted keys."""
    return dict(_flat(content))


def parsed(text: str) -> tuple[str, list[Any]]:
    """Key and values of `training.learning_rate=0.1,0.01`; a comma in brackets or parentheses does not part values.

    A value is read as TOML is (0.1, true, [300, 100]) and is text otherwise: adam, "adam(beta1=0.8, beta2=0.9)".
    """
    key, equals, values = text.partition("=")
    if not equals:
        raise InputError(f"{shown(text)} is no key with values", "Write --grid training.learning_rate=0.1,0.01")
    return key.strip(), [_value(part) for part in _parted(values) if part]


def _parted(text: str) -> Iterator[str]:
    depth, part, quoted = 0, "", False
    for letter in text:
        quoted ^= letter == '"'
        depth += 0 if quoted else (letter in OPENING) - (letter in CLOSING)
        if letter == "," and depth <= 0 and not quoted:
            yield part.strip()
            part = ""
        else:
            part += letter
    yield part.strip()


def _value(text: str) -> Any:
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return value if isinstance(value, bool | int | float | str | list) else text


def toml(content: Mapping[str, Any], section: str = "") -> str:
    """Nested tables of plain values as TOML; None is written as "None", and an empty table not at all."""
    lines = [f"{_key(name)} = {_toml_value(value)}\n" for name, value in content.items() if not _is_table(value)]
    head = f"[{section}]\n" if section and lines else ""
    text = head + "".join(lines)
    for name, value in content.items():
        if _is_table(value):
            where = f"{section}.{_key(name)}" if section else _key(name)
            tables = value if isinstance(value, list) else [value]
            for table in tables:
                inner = toml(table, where)
                if isinstance(value, list):
                    inner = f"[[{where}]]\n" + inner.removeprefix(f"[{where}]\n")
                text += f"\n{inner}" if text and inner else inner
    return text


def settings_toml(config: RunConfig) -> dict[str, Any]:
    """What of `config` is not as it is by default, as nested tables; a file of data is named by its whole path."""
    return _differences(_with_whole_paths(config), RunConfig())


def _differences(settings: Any, plain: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in fields(settings):
        value, default = getattr(settings, field.name), getattr(plain, field.name)
        if is_dataclass(value):
            inner = _differences(value, default)
            found |= {field.name: inner} if inner else {}
        elif value != default:
            found[field.name] = list(value) if isinstance(value, tuple) else value
    return found


def _with_whole_paths(config: RunConfig) -> RunConfig:
    changes: dict[str, Any] = {}
    for key in ("data.source", "network.start"):
        if key in keys():
            path = setting(config, key)
            if path and path not in source_names() and Path(path).expanduser().exists():
                changes[key] = str(Path(path).expanduser().resolve())
    return changed(config, changes)


def _flat(content: Mapping[str, Any], section: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in content.items():
        where = f"{section}.{name}" if section else str(name)
        if isinstance(value, Mapping):
            yield from _flat(value, where)
        else:
            yield where, value


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list) and bool(value) and isinstance(value[0], Mapping))


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else _toml_value(name)


def _toml_value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml_value, value))}]"
    if value is None:
        return f'"{NONE}"'
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)
