"""Write docs/reference/settings.md from the models of the settings themselves.

`python ci/reference.py` writes it anew; a test fails while it is stale.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from voicegate.config import ENV_PREFIX, GOOGLE_NAMES, TABLE_LISTS, Config
from voicegate.host.template import default_of, described, row_model, section_model, summary_of
from voicegate.reloading import AT_RELOAD, AT_START

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "settings.md"
UNITS = {"_s": "s", "_ms": "ms", "_days": "days", "_chars": "characters"}
HEAD = """\
# Settings

This page is written by `python ci/reference.py` from the models in `voicegate/settings/`.

A setting stands in the TOML file that `--config` names, or in the environment, or in `.env`; the
environment wins over `.env`, which wins over the file. Lists are written as JSON in the
environment, such as `["127.0.0.1"]`. A typo or a bad value is named with its path, and the gateway
does not start. `voicegate config --init` writes all of this as a file to begin with; `voicegate
config` shows what is in effect, secrets hidden.

Settings marked with * are taken by a reload while calls go on ([operate](../operate.md)).
"""


def main() -> int:
    """Write the page; give the exit code."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE} written\n")
    return 0


def page() -> str:
    """Give the page."""
    parts = [HEAD]
    for name, field in Config.model_fields.items():
        rows = row_model(field)
        model = rows or section_model(field)
        if model is not None:
            parts += _tables(name, model, is_list=rows is not None)
    return "\n".join(parts)


def _tables(section: str, model: type[BaseModel], *, is_list: bool) -> Iterator[str]:
    """Give the table of a section, and of each key of it that is a list of tables."""
    title = f"[[{section}]]" if is_list else f"[{section}]"
    summary = summary_of(model)
    lines = [f"## {title}", summary[:1].upper() + summary[1:], ""]
    if is_list:
        lines += [f"In the environment one JSON list: {_code(_variable(section))}.", ""]
    lines += ["| key | default | unit | meaning |", "|---|---|---|---|"]
    inner = []
    for key, text, field in described(model):
        lines.append(_row(section, key, text, field, is_list=is_list))
        if rows := row_model(field):
            inner.append((f"{section}.{key}", rows))
    yield "\n".join(lines) + "\n"
    for name, rows in inner:
        yield from _tables(name, rows, is_list=True)


def _row(section: str, key: str, text: str, field: FieldInfo, *, is_list: bool) -> str:
    star = "*" if _is_reloaded(section, key) else ""
    name = _code(key) + star
    name += "" if is_list else f"<br>{_code(_variable(section, key))}"
    others = [other for other, own in GOOGLE_NAMES.items() if own == _variable(section, key)]
    name += "".join(f"<br>{_code(other)}" for other in others)
    unit = next((one for end, one in UNITS.items() if key.endswith(end)), "")
    default = "" if field.is_required() else default_of(field)
    shown = _code(default) if default else "must be set" if field.is_required() else ""
    return f"| {name} | {shown} | {unit} | {text.replace('|', '&#124;')} |"


def _is_reloaded(section: str, key: str) -> bool:
    return section.partition(".")[0] in AT_RELOAD and key not in AT_START.get(section, ())


def _variable(section: str, key: str = "") -> str:
    """Give the name in the environment; a list of tables is one variable."""
    top, _, rest = section.partition(".")
    parts = [top, *filter(None, (rest, key if top not in TABLE_LISTS else ""))]
    return ENV_PREFIX + "__".join(parts).upper()


def _code(text: str) -> str:
    return f"`{text.replace('|', '&#124;')}`"


if __name__ == "__main__":
    sys.exit(main())
