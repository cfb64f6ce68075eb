"""The commented settings file, written from the models themselves. Pure."""

import json
import textwrap
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

WIDTH = 98
HEAD = """\
# Settings of voicegate. A line that is commented out shows the default.
# What stands in the environment (VOICEGATE_SECTION__KEY) or in .env wins over this file.
# See what is in effect: voicegate config    See what is wrong: voicegate check
"""


def settings_file(config: type[BaseModel]) -> str:
    """Give the text of a settings file that changes nothing and explains everything."""
    parts = [HEAD]
    for name, field in config.model_fields.items():
        rows = row_model(field)
        if rows is not None:
            parts.append(_table(f"#[[{name}]]", rows))
        elif (section := section_model(field)) is not None:
            parts.append(_table(f"[{name}]", section))
    return "\n".join(parts)


def section_model(field: FieldInfo) -> type[BaseModel] | None:
    """Give the model of a section; None where the key is none."""
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def row_model(field: FieldInfo) -> type[BaseModel] | None:
    """Give the model of the rows of a key that is a list of tables; None where it is none."""
    for kind in get_args(field.annotation):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def default_of(field: FieldInfo) -> str:
    """Give the default as it would stand in the file; empty where there is none."""
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined or value is None:
        return ""
    return as_toml(value)


def as_toml(value: Any) -> str:
    """Write a plain value; strings, numbers and lists look the same in JSON."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)} = {as_toml(item)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(as_toml(item) for item in value)}]"
    return json.dumps(value, ensure_ascii=False)


def described(model: type[BaseModel]) -> Iterator[tuple[str, str, FieldInfo]]:
    """Give each key with its description in one line."""
    for name, field in model.model_fields.items():
        yield name, " ".join((field.description or "").split()), field


def _table(head: str, model: type[BaseModel]) -> str:
    lines = [*_comment(summary_of(model)), head]
    for name, text, field in described(model):
        lines += _comment(text)
        lines.append(f"#{name} = {default_of(field)}".rstrip(" ="))
    return "\n".join(lines) + "\n"


def summary_of(model: type[BaseModel]) -> str:
    """Give the first paragraph of the model's docstring, without the section's own name."""
    text = " ".join((model.__doc__ or "").split("\n\n")[0].split())
    return text.partition("] ")[2] if text.startswith("[") else text


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ")
