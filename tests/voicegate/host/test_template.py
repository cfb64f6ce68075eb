"""The settings file that `config --init` writes."""

import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from voicegate.config import Config, load
from voicegate.host.template import as_toml, described, row_model, section_model, settings_file

TEXT = settings_file(Config)


def sections() -> list[tuple[str, type[BaseModel]]]:
    found = []
    for name, field in Config.model_fields.items():
        model = section_model(field) or row_model(field)
        assert model is not None, name
        found.append((name, model))
    return found


def test_as_it_is_written_it_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "voicegate.toml"
    path.write_text(TEXT, encoding="utf-8")
    assert load(path, environ={}, dotenv=None) == load(environ={}, dotenv=None)


@pytest.mark.parametrize(("name", "model"), sections())
def test_every_key_stands_in_it_under_its_own_words(name: str, model: type[BaseModel]) -> None:
    table = TEXT.split(f"[{name}]")[1].replace("]\n", "\n", 1)
    for key, text, _ in described(model):
        assert text, f"{name}.{key} has no description"
        assert text[:40] in " ".join(table.replace("\n# ", " ").split())
        assert f"\n#{key}" in table


def test_with_the_marks_taken_away_its_sections_are_valid(tmp_path: Path) -> None:
    """What the file shows as a default can be taken over by removing the mark."""
    plain = TEXT.split("#[[")[0]
    lines = [
        line[1:] if line.startswith("#") and " = " in line else line for line in plain.split("\n")
    ]
    lines = [line for line in lines if not line.startswith(" ")]
    path = tmp_path / "voicegate.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    assert tomllib.loads(path.read_text(encoding="utf-8"))["sip"]["port"] == 5060
    assert load(path, environ={}, dotenv=None) == load(environ={}, dotenv=None)


def test_values_are_written_as_toml() -> None:
    assert as_toml(("a", 1, True)) == '["a", 1, true]'
    assert as_toml({"key": "ж"}) == '{"key" = "ж"}'
    assert as_toml(SecretStr("")) == '""'
