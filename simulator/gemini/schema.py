"""Proto-JSON read by the types of google.genai: names in both spellings, nothing unknown.

The walk is directed by type, so that keys are normalised in messages and left alone in maps
(`properties`) and in free values (`args`, `response`).
"""

import base64
import binascii
import enum
import functools
import re
import types as builtin_types
import typing
from dataclasses import dataclass
from typing import Any

from google.genai import types
from pydantic import BaseModel

from simulator.gemini.faults import INVALID_ARGUMENT, Fault

DEPTH_MAX = 64
KEYS_MAX = 1000
"""A peer may send any key: so many are remembered."""
_URL_SAFE = str.maketrans("-_", "+/")
_INTEGER = re.compile(r"-?\d{1,19}")


@dataclass(frozen=True)
class Shape:
    """What a field of a message may hold."""

    kind: str
    """message, enum, string, bytes, bool, int, float or any."""
    of: type[Any] | None = None
    """The message's or enum's class."""
    many: str = ""
    """"list", "map" or empty."""


ANY = Shape("any")
_SCALARS: dict[Any, Shape] = {
    str: Shape("string"),
    bytes: Shape("bytes"),
    bool: Shape("bool"),
    int: Shape("int"),
    float: Shape("float"),
}


def camel(name: str) -> str:
    """Give the proto-JSON spelling of a proto field name."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def snake(name: str) -> str:
    """Give the proto spelling of a proto-JSON field name (the service's own error texts)."""
    return re.sub(r"([A-Z])", lambda match: "_" + match[1].lower(), name)


def corrections() -> dict[type[BaseModel], dict[str, Shape]]:
    """Fields where google.genai's types say too little about the wire."""
    tools = Shape("message", types.Tool, "list")
    return {
        types.LiveClientSetup: {
            # LiveClientSetup lacks it, LiveConnectConfig sends it.
            "realtimeInputConfig": Shape("message", types.RealtimeInputConfig),
            "tools": tools,
        },
        types.LiveClientContextUpdateTools: {"tools": tools},
    }


@functools.cache
def fields_of(model: type[BaseModel]) -> dict[str, Shape]:
    """Give the fields of a message by their camelCase name."""
    found = {camel(name): shape_of(f.annotation) for name, f in model.model_fields.items()}
    return found | corrections().get(model, {})


def shape_of(annotation: Any) -> Shape:
    """Read a type annotation; what it cannot say is free."""
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return Shape("message", annotation)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return Shape("enum", annotation)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, builtin_types.UnionType):
        return _shape_of_union([one for one in arguments if one is not type(None)])
    if origin is list:
        inner = shape_of(arguments[0])
        return Shape(inner.kind, inner.of, "list")
    if origin is dict:
        inner = shape_of(arguments[1])
        return ANY if inner == ANY else Shape(inner.kind, inner.of, "map")
    return ANY


def _shape_of_union(members: list[Any]) -> Shape:
    # ContentUnion: what the SDK takes from its user; on the wire it is a Content.
    if types.Content in members:
        return Shape("message", types.Content)
    return shape_of(members[0]) if len(members) == 1 else ANY


def read_message(model: type[BaseModel], value: Any, path: str = "") -> dict[str, Any]:
    """Check `value` against `model`; give it with camelCase keys and plain values.

    Bytes come decoded, int64 as int, nulls are left out (proto-JSON: null is "not set").
    Raises Fault 1007 with the service's own text.
    """
    if not isinstance(value, dict):
        raise _invalid(path, "message", value)
    if path.count(".") > DEPTH_MAX:
        raise Fault(1007, INVALID_ARGUMENT, "F6")
    found: dict[str, Any] = {}
    for key, inner in value.items():
        known = _field(model, key)
        if known is None:
            at = f" at '{path}'" if path else ""
            text = f'Invalid JSON payload received. Unknown name "{key}"{at}: Cannot find field.'
            raise Fault(1007, text, "F6")
        if inner is not None:
            name, step, shape = known
            found[name] = _read_field(shape, inner, f"{path}.{step}" if path else step)
    return found


@functools.lru_cache(maxsize=KEYS_MAX)
def _field(model: type[BaseModel], key: str) -> tuple[str, str, Shape] | None:
    """A field by either of its names: its camelCase name, its step in a path, its shape."""
    fields = fields_of(model)
    name = key if key in fields else camel(key)
    return (name, snake(name), fields[name]) if name in fields else None


def _read_field(shape: Shape, value: Any, path: str) -> Any:
    if shape.many == "list":
        if not isinstance(value, list):
            raise _invalid(path, shape.kind, value)
        return [_read_one(shape, one, f"{path}[{at}]") for at, one in enumerate(value)]
    if shape.many == "map":
        if not isinstance(value, dict):
            raise _invalid(path, shape.kind, value)
        return {
            key: _read_one(shape, one, f"{path}[{at}].value")
            for at, (key, one) in enumerate(value.items())
        }
    return _read_one(shape, value, path)


def _read_one(shape: Shape, value: Any, path: str) -> Any:
    match shape.kind:
        case "message":
            assert shape.of is not None
            return read_message(shape.of, value, path)
        case "any":
            return value
        case "bytes":
            return _read_bytes(value, path)
        case "enum":
            return _read_enum(shape, value, path)
        case "int" | "float":
            return _read_number(shape.kind, value, path)
    wanted = bool if shape.kind == "bool" else str
    if not isinstance(value, wanted):
        raise _invalid(path, shape.kind, value)
    return value


def _read_enum(shape: Shape, value: Any, path: str) -> str:
    assert shape.of is not None
    # google.genai's enums are open (they take "SMELL" with a warning): closed here.
    if isinstance(value, str) and value.upper() in shape.of.__members__:
        return value.upper()
    raise _invalid(path, shape.of.__name__, value)


def _read_number(kind: str, value: Any, path: str) -> int | float:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _invalid(path, kind, value)
    if kind == "int" and value != int(value):
        raise _invalid(path, kind, value)
    return int(value) if kind == "int" else value


def _read_bytes(value: Any, path: str) -> bytes:
    """Decode both alphabets, with and without padding (proto-JSON)."""
    if not isinstance(value, str):
        raise _invalid(path, "bytes", value)
    text = value.translate(_URL_SAFE).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Fault(
            1007, f"Invalid value at '{path}' (TYPE_BYTES), Base64 decoding failed", "F6"
        ) from None


def _invalid(path: str, kind: str, value: Any) -> Fault:
    if isinstance(value, dict | list):
        text = f"Invalid JSON payload received. Unexpected value at '{path}' ({kind})"
    else:
        text = f"Invalid value at '{path}' ({kind}), {value!r}"
    return Fault(1007, text, "F6")
