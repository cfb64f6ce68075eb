"""What a script file can have the fake Gemini do: each verb, its values, its action."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from simulator.audio.sound import Sound, speech, stamps
from simulator.commands.sounds import wav_sound
from simulator.gemini import script
from simulator.gemini.script import Action
from simulator.gemini.turns import Pacing

Seconds = Annotated[float, Field(ge=0, le=86_400)]
Duration = Annotated[float, Field(gt=0, le=3_600)]
Text = Annotated[str, Field(min_length=1, max_length=10_000)]


def _may_be_sent(code: int) -> int:
    # RFC 6455 7.4.1: these stand for what happened and are never sent.
    if code in (1004, 1005, 1006, 1015) or 1016 <= code < 3000:
        raise ValueError(f"{code} cannot be sent in a close frame (RFC 6455 7.4)")
    return code


CloseCode = Annotated[int, Field(ge=1000, le=4999), AfterValidator(_may_be_sent)]


class ScriptError(ValueError):
    """What is wrong with a script file, in plain words; `key` is the word it is about."""

    def __init__(self, text: str, key: str = "") -> None:
        super().__init__(text)
        self.key = key


class Table(BaseModel):
    """A table of a script file: nothing unknown, nothing of another type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Nothing(Table):
    """Of a verb that needs no more than `true`."""


class Say(Table):
    """Exactly one of words, seconds, wav, stamps; `text` is the transcription beside it."""

    words: Text | None = None
    seconds: Duration | None = None
    wav: Text | None = None
    stamps: Annotated[int, Field(gt=0, le=3_600)] | Literal["endless"] | None = None
    every_s: Annotated[float, Field(ge=0.48, le=60)] = 1.0
    text: str = ""
    burst: Annotated[float, Field(gt=0, le=1_000)] | None = None

    @model_validator(mode="after")
    def _one_sound(self) -> "Say":
        if sum(one is not None for one in (self.words, self.seconds, self.wav, self.stamps)) != 1:
            raise ValueError("exactly one of words, seconds, wav, stamps says what is spoken")
        return self

    def sound(self, folder: Path) -> Sound:
        """Give the sound; a WAV file is looked for in `folder`. Raises ValueError."""
        if self.wav is not None:
            return wav_sound(folder / self.wav)
        if self.stamps is not None:
            count = None if self.stamps == "endless" else self.stamps
            return stamps(every_s=self.every_s, count=count)
        return speech(self.words if self.words is not None else self.seconds or 0.0)

    @property
    def pacing(self) -> Pacing | None:
        """How fast it is sent, where that was said."""
        return None if self.burst is None else Pacing(burst=self.burst)


class Spoken(Table):
    """A transcription of what either side said."""

    text: Text


class Lasting(Table):
    """Something that lasts."""

    seconds: Seconds


class Pong(Table):
    """How late pings are answered; "never" for not at all."""

    seconds: Seconds | Literal["never"]


class EmptyTurn(Table):
    """A turn without audio; the reason is a TurnCompleteReason of the service."""

    reason: str = ""


class ToolCall(Table):
    """A function of the peer, its arguments, and the call's id (made up where it is empty)."""

    name: Text
    id: str = ""
    args: dict[str, Any] = {}


class Close(Table):
    """A close frame."""

    code: CloseCode = 1000
    reason: str = ""


class Raw(Table):
    """A frame as it stands: a text frame, or the JSON of a table."""

    frame: str | dict[str, Any]


class ErrorFrame(Table):
    """An error object instead of a message."""

    code: int = 500
    message: str = "Internal error encountered."


@dataclass(frozen=True)
class Verb:
    """One thing the fake can be told to do."""

    table: type[Table]
    """What may stand behind it."""
    short: str
    """The field meant by a single value, empty for none."""
    action: Callable[[Any, Path], Action]
    """Makes the action; gets the table and the folder of the script."""


VERBS: Mapping[str, Verb] = {
    "say": Verb(Say, "say", lambda v, folder: script.say(v.sound(folder), spoken(v), v.pacing)),
    "transcript": Verb(Spoken, "text", lambda v, _: script.transcript(v.text)),
    "hear": Verb(Spoken, "text", lambda v, _: script.hear(v.text)),
    "near_silent": Verb(Lasting, "seconds", lambda v, _: script.near_silent(v.seconds)),
    "empty_turn": Verb(EmptyTurn, "reason", lambda v, _: script.empty_turn(v.reason)),
    "pause": Verb(Lasting, "seconds", lambda v, _: script.pause(v.seconds)),
    "tool_call": Verb(ToolCall, "name", lambda v, _: tool_call(v)),
    "interrupt": Verb(Nothing, "", lambda _v, _: script.interrupt()),
    "close": Verb(Close, "code", lambda v, _: script.close(v.code, v.reason)),
    "abort": Verb(Nothing, "", lambda _v, _: script.abort()),
    "go_away": Verb(Lasting, "seconds", lambda v, _: script.go_away(v.seconds)),
    "stall": Verb(Lasting, "seconds", lambda v, _: script.stall(v.seconds)),
    "pong": Verb(Pong, "seconds", lambda v, _: script.pong(late_s(v))),
    "raw": Verb(Raw, "frame", lambda v, _: script.raw(v.frame)),
    "unknown_frame": Verb(Nothing, "", lambda _v, _: script.unknown_frame()),
    "error_frame": Verb(ErrorFrame, "code", lambda v, _: script.error_frame(v.code, v.message)),
}


def spoken(say: Say) -> str:
    """Give the transcription of what is said: the words themselves, unless told otherwise."""
    return say.text or say.words or ""


def tool_call(call: ToolCall) -> Action:
    """Ask for a function whose arguments may have any names, "name" as well."""
    return Action("tool_call", lambda stage: stage.tool_call(call.name, call.id, call.args))


def late_s(pong: Pong) -> float | None:
    """Give the delay of pongs, None for never."""
    return None if pong.seconds == "never" else pong.seconds


def read_action(name: str, value: Any, folder: Path) -> Action:
    """Make the action of one verb with its value. Raises ScriptError."""
    verb = VERBS.get(name)
    if verb is None:
        raise ScriptError(f"{name}: no such action; there are {', '.join(VERBS)}", name)
    try:
        return verb.action(read_table(verb.table, as_table(verb, value), name), folder)
    except ScriptError:
        raise
    except ValueError as error:
        raise ScriptError(f"{name}: {error}", name) from error


def read_table(kind: type[Table], value: Any, name: str = "") -> Any:
    """Check a table. Raises ScriptError, about the first thing that is wrong in it."""
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = [str(part) for part in first["loc"]]
        words = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            words = f"no such key; there are {', '.join(kind.model_fields) or 'none'}"
        where = ".".join([name, *place] if name else place)
        key = name or (place[0] if place else "")
        raise ScriptError(f"{where}: {words}" if where else words, key) from error


def as_table(verb: Verb, value: Any) -> Any:
    """Write a single value out as the table it stands for."""
    if isinstance(value, dict) and "frame" not in verb.table.model_fields:
        return value
    if value is True and all(not f.is_required() for f in verb.table.model_fields.values()):
        return {}
    if verb.table is Say:
        return {_sound_key(value): value}
    return {verb.short: value} if verb.short else value


def _sound_key(value: Any) -> str:
    """Tell what the one value of `say` is."""
    if isinstance(value, str):
        return "wav" if value.lower().endswith(".wav") else "words"
    return "seconds"
