"""A script of the fake Gemini in a file: TOML rows, or a Python file with `script(gemini)`.

The format is in docs/gatesim.md. Every mistake is named with the file, the line and the row.
"""

import re
import runpy
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from simulator.commands.script_actions import (
    VERBS,
    CloseCode,
    Duration,
    Say,
    ScriptError,
    Seconds,
    Table,
    as_table,
    read_action,
    read_table,
)
from simulator.gemini.script import Action
from simulator.gemini.server import FakeGemini
from simulator.gemini.turns import Pacing

ROWS_MAX = 1_000
FILE_OCTETS_MAX = 1 << 20

Number = Annotated[int, Field(ge=0)] | None
Times = Annotated[int, Field(ge=1)] | None


class Service(Table):
    """[service]: how the fake behaves as a whole."""

    binary: bool = True
    setup_timeout_s: Duration = 10.0
    close_timeout_s: Duration = 1.0
    lifetime_s: Duration | None = None
    warning_s: Seconds | None = None
    time_factor: Annotated[float, Field(gt=0, le=10_000)] = 1.0


class Pace(Table):
    """[pacing]: how a turn is sent."""

    burst: Annotated[float, Field(gt=0, le=1_000)] = Pacing.burst
    chunk_ms: Annotated[int, Field(ge=10, le=1_000)] = Pacing.chunk_ms
    think_s: Seconds = Pacing.think_s
    lead_s: Seconds = Pacing.lead_s
    await_playout: bool = Pacing.await_playout


class When(Table):
    """The conditions of a row."""

    session: Number = None
    containing: str = ""


class Refuse(Table):
    """[[refuse]]: the HTTP upgrade is refused."""

    status: Annotated[int, Field(ge=400, le=599)]
    times: Times = None


class RefuseSetup(Table):
    """[[refuse_setup]]: the setup is answered with a close."""

    code: CloseCode
    reason: str = ""
    session: Number = None
    times: Times = None


class StallSetup(Table):
    """[[stall_setup]]: setupComplete comes late, or never without `seconds`."""

    seconds: Duration | None = None
    session: Number = None
    times: Times = None


class Always(Table):
    """[[always]]: a voice without end from the setup on."""

    say: Any
    session: Number = None


def load_script(gemini: FakeGemini, path: Path) -> None:
    """Write the rows of a file into the fake's script. Raises ScriptError."""
    try:
        if path.suffix == ".py":
            return _run_python(gemini, path)
        if path.stat().st_size > FILE_OCTETS_MAX:
            raise ScriptError(f"{path}: larger than {FILE_OCTETS_MAX >> 20} MiB")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScriptError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ScriptError(f"{path}: not UTF-8: {error.reason}") from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScriptError(f"{path}: {error}") from error
    _Reader(gemini, path, text).read(document)
    return None


def _run_python(gemini: FakeGemini, path: Path) -> None:
    """Call the `script` of a Python file, e.g. `def script(gemini): gemini.on_text(..)`."""
    try:
        names = runpy.run_path(str(path))
    except SyntaxError as error:
        raise ScriptError(f"{path}: line {error.lineno}: {error.msg}") from error
    write = names.get("script")
    if not callable(write):
        raise ScriptError(f"{path}: there is no function script(gemini) in it")
    write(gemini)


class _Reader:
    """Reads one document; knows where in the text each row stands."""

    def __init__(self, gemini: FakeGemini, path: Path, text: str) -> None:
        self._gemini = gemini
        self._path = path
        self._lines = text.splitlines()
        self._singles: Mapping[str, Callable[[Any], None]] = {
            "service": self._service,
            "pacing": self._pacing,
        }
        self._rows: Mapping[str, Callable[[dict[str, Any]], None]] = {
            "on_connect": self._on_connect,
            "on_text": self._on_text,
            "on_speech": self._on_speech,
            "on_tool_result": self._on_tool_result,
            "always": self._always,
            "refuse": lambda row: gemini.refuse(**_given(read_table(Refuse, row))),
            "refuse_setup": lambda row: gemini.refuse_setup(**_given(read_table(RefuseSetup, row))),
            "stall_setup": lambda row: gemini.stall_setup(**_given(read_table(StallSetup, row))),
        }

    def read(self, document: Mapping[str, Any]) -> None:
        """Take every table; raise ScriptError with the place of the first mistake."""
        for name, value in document.items():
            if name in self._singles:
                self._take(self._singles[name], value, f"[{name}]", self._line_of_header(name, 1))
            elif name not in self._rows:
                known = ", ".join([*self._singles, *self._rows])
                line = self._line_of_header(name, 1) or self._line_of_key(name, 0)
                raise self._error(f"{name}: no such table; there are {known}", line)
            elif not isinstance(value, list) or len(value) > ROWS_MAX:
                text = f"{name}: must be rows of [[{name}]], at most {ROWS_MAX}"
                raise self._error(text, self._line_of_header(name, 1))
            else:
                for number, row in enumerate(value, start=1):
                    line = self._line_of_header(name, number)
                    self._take(self._rows[name], row, f"[[{name}]] row {number}", line)

    def _take(self, take: Callable[[Any], None], value: Any, place: str, line: int) -> None:
        if not isinstance(value, dict):
            raise self._error(f"{place}: must be a table", line)
        try:
            take(value)
        except ScriptError as error:
            key_line = self._line_of_key(error.key, line) or line
            raise self._error(f"{place}: {error}", key_line) from error

    def _error(self, text: str, line: int) -> ScriptError:
        return ScriptError(f"{self._path}: {f'line {line}: ' if line else ''}{text}")

    def _line_of_header(self, name: str, number: int) -> int:
        """Give the line of the n-th header of that name, 0 where it is written another way."""
        header = re.compile(rf"\s*\[\[?\s*\"?{re.escape(name)}\"?\s*[\].]")
        found = [at for at, line in enumerate(self._lines, start=1) if header.match(line)]
        return found[number - 1] if len(found) >= number else 0

    def _line_of_key(self, key: str, header: int) -> int:
        """Give the line of a key below its header, 0 where it cannot be told."""
        word = re.compile(rf"(?<![\w.-])\"?{re.escape(key)}\"?\s*[=.]")
        for at, line in enumerate(self._lines[header:], start=header + 1):
            if key and word.search(line):
                return at
            if header and line.lstrip().startswith("["):
                return 0
        return 0

    # The tables

    def _service(self, table: dict[str, Any]) -> None:
        for name, value in _given(read_table(Service, table)).items():
            setattr(self._gemini, name, value)

    def _pacing(self, table: dict[str, Any]) -> None:
        self._gemini.pacing = Pacing(**read_table(Pace, table).model_dump())

    def _on_connect(self, row: dict[str, Any]) -> None:
        when, actions = self._row(row, containing=False)
        self._gemini.on_connect(*actions, session=when.session)

    def _on_text(self, row: dict[str, Any]) -> None:
        when, actions = self._row(row, containing=True)
        self._gemini.on_text(*actions, session=when.session, containing=when.containing)

    def _on_speech(self, row: dict[str, Any]) -> None:
        when, actions = self._row(row, containing=False)
        self._gemini.on_speech(*actions, session=when.session)

    def _on_tool_result(self, row: dict[str, Any]) -> None:
        when, actions = self._row(row, containing=True)
        self._gemini.on_tool_result(*actions, session=when.session, containing=when.containing)

    def _always(self, row: dict[str, Any]) -> None:
        told = read_table(Always, row)
        say: Say = read_table(Say, as_table(VERBS["say"], told.say), "say")
        try:
            self._gemini.always(say=say.sound(self._path.parent), session=told.session)
        except ValueError as error:
            raise ScriptError(f"say: {error}", "say") from error

    def _row(self, row: dict[str, Any], *, containing: bool) -> tuple[When, list[Action]]:
        """Split a row into its conditions and its actions, in the order they are written in."""
        conditions = ("session", "containing") if containing else ("session",)
        when = read_table(When, {key: row[key] for key in conditions if key in row})
        verbs = {key: value for key, value in row.items() if key not in conditions}
        actions = list(self._actions(verbs))
        if not actions:
            raise ScriptError("there is nothing to do in it")
        return when, actions

    def _actions(self, verbs: Mapping[str, Any]) -> Iterator[Action]:
        for name, value in verbs.items():
            if name != "do":
                yield read_action(name, value, self._path.parent)
                continue
            if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
                raise ScriptError('do: must be a list of tables such as { say = "Hello" }', "do")
            for step in value:
                for verb, argument in step.items():
                    yield read_action(verb, argument, self._path.parent)


def _given(table: Table) -> dict[str, Any]:
    """Give what a table says, without what it leaves open."""
    return table.model_dump(exclude_unset=True)
