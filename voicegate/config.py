"""The configuration and its one loader: CLI > environment > .env > TOML > defaults."""

import io
import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from voicegate.settings import (
    AdminSettings,
    CallSettings,
    GeminiSettings,
    MediaSettings,
    RecordSettings,
    RouteSettings,
    SipSettings,
    ToolsSettings,
    VoiceSettings,
)

ENV_PREFIX = "VOICEGATE_"
GOOGLE_NAMES = {
    "GOOGLE_API_KEY": "VOICEGATE_GEMINI__API_KEY",
    "GEMINI_API_KEY": "VOICEGATE_GEMINI__API_KEY",
    "GOOGLE_GEMINI_BASE_URL": "VOICEGATE_GEMINI__BASE_URL",
}
"""Google's own variables and the setting each fills; of two for one setting the later row wins."""


TABLE_LISTS = ("route",)
"""Sections that are lists of tables, such as [[route]]: a layer replaces the one before it."""
MENDS = {
    "tuple_type": 'write a list, such as ["192.168.1.20"]; one of tables begins with [[...]]',
    "model_type": "this is a table: write its name in [brackets], and its keys below",
    "dict_type": 'this is a table: write { name = "value" }',
    "string_type": 'write it in quotes: "..."',
}
"""What to do about a wrong kind of value, by the name of the fault."""


class ConfigError(Exception):
    """A setting is wrong; the text names it by its path and says how to mend it."""


class Config(BaseSettings):
    """All settings; `load` builds one."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    sip: SipSettings = SipSettings()
    media: MediaSettings = MediaSettings()
    call: CallSettings = CallSettings()
    voice: VoiceSettings = VoiceSettings()
    gemini: GeminiSettings = GeminiSettings()
    record: RecordSettings = RecordSettings()
    admin: AdminSettings = AdminSettings()
    tools: ToolsSettings = ToolsSettings()
    route: tuple[RouteSettings, ...] = ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - called by keyword
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - called by keyword
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - called by keyword
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - called by keyword
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what `load` hands over: it has read the environment and the file itself."""
        return (init_settings,)

    def unserved(self) -> list[str]:
        """Name the settings that are valid but that this version does not act on yet."""
        found = {
            "record.audio, transcript, pcap (they need record.dir)": self.record.lacks_dir,
        }
        return [name for name, is_set in found.items() if is_set]


class _Environment(EnvSettingsSource):
    """The environment over .env, with Google's own names filled in."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        super().__init__(Config)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        known = {name.upper(): value for name, value in self._variables.items()}
        for google_name, own_name in GOOGLE_NAMES.items():
            if known.get(google_name) and own_name not in self._variables:
                known[own_name] = known[google_name]
        return {name.lower(): value for name, value in known.items()}

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """Read a list; the library's own error would not name the key."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            names = (name for name, text in self._variables.items() if text == value)
            # without the value, and without the error that holds it: it may be a password
            raise ConfigError(
                f"{next(names, field_name)}: this is no JSON; a list is written"
                ' ["127.0.0.1"] or [10000, 10398], names and values {"sales": "300"},'
                ' tables [{"called": "100"}], on Windows without quotes around it'
            ) from None


def load(
    path: Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    dotenv: Path | None = Path(".env"),
    overrides: Mapping[str, Any] | None = None,
) -> Config:
    """Build the configuration.

    `overrides` ({section: {key: value}}, or a list of tables) come from the command line and win
    over `environ` (the process's own by default), which wins over the file `dotenv`, which wins
    over the TOML at `path`. Raises ConfigError with one line per fault.
    """
    variables = _variables(os.environ if environ is None else environ, dotenv)
    _refuse_unknown_sections(variables)
    try:
        layers = (_read_toml(path), _Environment(variables)(), overrides or {})
        return Config(**_merged(layers))
    except ValidationError as error:
        raise ConfigError(explain(error)) from error


def require_key(config: Config) -> None:
    """Raise ConfigError where the voice needs a key and has none."""
    if config.voice.backend == "gemini" and not config.gemini.api_key.get_secret_value():
        raise ConfigError(
            "gemini.api_key: no key. Set GEMINI_API_KEY, or try the gate without one:"
            " VOICEGATE_VOICE__BACKEND=echo"
        )


def _variables(environ: Mapping[str, str], dotenv: Path | None) -> dict[str, str]:
    lines = {}
    if dotenv and dotenv.is_file():
        lines = dotenv_values(stream=io.StringIO(_text_of(dotenv)))
    return {name: text for name, text in lines.items() if text is not None} | dict(environ)


def _refuse_unknown_sections(variables: Mapping[str, str]) -> None:
    for name in variables:
        if not name.upper().startswith(ENV_PREFIX):
            continue
        section, _, key = name.upper().removeprefix(ENV_PREFIX).lower().partition("__")
        if section not in Config.model_fields or bool(key) is (section in TABLE_LISTS):
            sections = ", ".join(sorted(Config.model_fields))
            raise ConfigError(
                f"{name}: no such setting; names are {ENV_PREFIX}SECTION__KEY with SECTION one of"
                f" {sections}; a list of tables is one variable: {ENV_PREFIX}ROUTE='[{{...}}]'"
            )


def _read_toml(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    text = _text_of(path)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        mend = "; a path goes in single quotes: 'C:\\records'" if "\\" in text else ""
        raise ConfigError(f"{path}: {error}{mend}") from None  # it may hold a password


def _text_of(path: Path) -> str:
    """Read a file as Windows' editors write it too: with a byte order mark, or in UTF-16."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except UnicodeDecodeError:
        text = "\0"
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; may this account read it?") from error
    if "\0" in text:
        raise ConfigError(f"{path}: it is not UTF-8; save it as UTF-8 (in Notepad: Save as)")
    return text


def _merged(layers: tuple[Mapping[str, Any], ...]) -> dict[str, Any]:
    """Lay each over the one before it, key by key."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for section, values in layer.items():
            if isinstance(values, Mapping) and isinstance(merged.get(section), dict):
                merged[section] |= values
            else:
                merged[section] = dict(values) if isinstance(values, Mapping) else values
    return merged


def explain(error: ValidationError) -> str:
    """One line per fault: `sip.prot: Extra inputs are not permitted; did you mean sip.port?`."""
    lines = []
    for fault in error.errors(include_url=False, include_input=False):
        path = ".".join(str(part) for part in fault["loc"]) or "config"
        mend = MENDS.get(fault["type"], "")
        if fault["type"] == "extra_forbidden":
            mend = _meant(path)
        lines.append(f"{path}: {fault['msg']}" + (f"; {mend}" if mend else ""))
    return "\n".join(lines)


def _meant(path: str) -> str:
    """Ask for the setting of that name in another section, or for the nearest name."""
    sections = Config.model_fields.items()
    keys = {name: getattr(field.annotation, "model_fields", ()) for name, field in sections}
    names = [*keys, *(f"{name}.{key}" for name in keys for key in keys[name])]
    last = path.rpartition(".")[2]
    meant = [name for name in names if name.rpartition(".")[2] == last]
    if not meant and path.count(".") < 2:
        meant = get_close_matches(path, names, n=1)
    return f"did you mean {' or '.join(meant)}?" if meant else ""
