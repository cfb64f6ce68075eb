"""Scripts (F11): what the fake does when something happens."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simulator.audio.sound import Sound, speech, tone_sound
from simulator.gemini import frames
from simulator.gemini.turns import Pacing

if TYPE_CHECKING:
    from simulator.gemini.performance import Performance


@dataclass(frozen=True)
class Action:
    """One thing to do; a script is a row of them."""

    name: str
    """The verb, for reports."""
    perform: Callable[["Performance"], Awaitable[None]]
    """Does it. Content (speech, transcripts, tool calls) is skipped once the turn was cut."""

    def __repr__(self) -> str:
        return self.name


def say(sound: Sound, text: str = "", pacing: Pacing | None = None) -> Action:
    """Speak; `text` comes as output transcription beside it where the setup asked for it."""
    return Action("say", lambda stage: stage.speak(sound, text, pacing))


def burst(sound: Sound, factor: float = 20.0, text: str = "") -> Action:
    """Speak, sent many times faster than real time."""
    return say(sound, text, Pacing(burst=factor))


def slow(sound: Sound, factor: float = 0.5, text: str = "") -> Action:
    """Speak, sent slower than real time: a listener hears gaps."""
    return say(sound, text, Pacing(burst=factor))


def near_silent(seconds: float = 2.0) -> Action:
    """Speak near-zero amplitude, as the service does on some calls."""
    return Action(
        "near_silent", lambda stage: stage.speak(tone_sound(440.0, seconds, -75.0), "", None)
    )


def transcript(text: str) -> Action:
    """Send an output transcription within the turn."""
    return Action("transcript", lambda stage: stage.transcript(text))


def empty_turn(reason: str = "") -> Action:
    """Complete a turn without any audio; e.g. reason="RESPONSE_REJECTED"."""
    return Action("empty_turn", lambda stage: stage.empty_turn(reason))


def tool_call(name: str, call_id: str = "", **arguments: Any) -> Action:
    """Ask for a function of the peer."""
    return Action("tool_call", lambda stage: stage.tool_call(name, call_id, arguments))


def pause(seconds: float) -> Action:
    """End the turn as the service does (playout included), then wait."""
    return Action("pause", lambda stage: stage.pause(seconds))


def hear(text: str) -> Action:
    """Say that the caller said this, instead of the transcription made up by default."""
    return _at_once("hear", lambda stage: stage.session.hear(text))


def interrupt() -> Action:
    """Send `interrupted` and turnComplete, whether or not anyone spoke."""
    return _at_once("interrupt", lambda stage: stage.session.interrupt())


def close(code: int = 1000, reason: str = "") -> Action:
    """Close the connection at once, in the middle of the turn."""
    return _at_once("close", lambda stage: stage.session.close(code, reason))


def abort() -> Action:
    """Cut the TCP connection."""
    return _at_once("abort", lambda stage: stage.session.abort())


def go_away(time_left_s: float) -> Action:
    """Warn that the connection will be closed; closes nothing by itself."""
    return _at_once("go_away", lambda stage: stage.session.go_away(time_left_s))


def stall(seconds: float) -> Action:
    """Send nothing at all for a while; then everything that piled up."""
    return _at_once("stall", lambda stage: stage.session.stall(seconds))


def pong(delay_s: float | None) -> Action:
    """Answer pings so late from now on; None: never."""
    return _at_once("pong", lambda stage: stage.session.pong(delay_s))


def raw(frame: bytes | str | dict[str, Any]) -> Action:
    """Send a frame as it stands; str goes as a text frame, a dict as JSON."""
    return _at_once("raw", lambda stage: stage.session.raw(frame))


def unknown_frame() -> Action:
    """Send a message that no client knows."""
    return raw({"futureFeature": {"value": 1}})


def error_frame(code: int = 500, message: str = "Internal error encountered.") -> Action:
    """Send an error object instead of a message."""
    return raw({"error": {"code": code, "message": message, "status": "INTERNAL"}})


def _at_once(name: str, act: Callable[["Performance"], None]) -> Action:
    async def perform(stage: "Performance") -> None:
        act(stage)

    return Action(name, perform)


def default_reply(number: int) -> tuple[Action, ...]:
    """Give the answer of a fake without a script: 1.5 s of speech-like sound."""
    return (say(speech(1.5), f"This is reply {number}."),)


@dataclass(frozen=True)
class Rule:
    """When `trigger` happens, do `actions`."""

    trigger: str
    """connect, text, speech or tool."""
    actions: tuple[Action, ...]
    session: int | None = None
    """Only in this conversation; None: in any."""
    containing: str = ""
    """Only for a text (or a tool's name) that contains this."""


@dataclass
class Script:
    """All rules, the endless voices, and what goes wrong on the way in."""

    rules: list[Rule] = field(default_factory=list)
    voices: list[tuple[int | None, Sound, Pacing]] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """True while nothing was scripted: each input gets the default reply."""
        return not self.rules and not self.voices

    def voice(self, session: int) -> tuple[Sound, Pacing] | None:
        """Give the endless voice of a conversation, its own before the common one."""
        own = [(s, p) for number, s, p in self.voices if number == session]
        common = [(s, p) for number, s, p in self.voices if number is None]
        return (own + common)[0] if own or common else None

    def on_connect(self, session: int) -> list[tuple[Action, ...]]:
        """Give what runs after the setup, side by side."""
        return [rule.actions for rule in self._of("connect", session)]

    def answer(self, trigger: str, session: int, index: int, text: str) -> tuple[Action, ...]:
        """Give the actions for the `index`-th such trigger of a conversation.

        A rule that names the text comes first; of the others the n-th serves the n-th time, the
        last one from then on.
        """
        rules = self._of(trigger, session)
        named = [rule for rule in rules if rule.containing and rule.containing in text]
        plain = [rule for rule in rules if not rule.containing]
        if named:
            return named[0].actions
        if plain:
            return plain[min(index, len(plain) - 1)].actions
        return default_reply(index + 1) if self.empty and trigger != "tool" else ()

    def _of(self, trigger: str, session: int) -> list[Rule]:
        rules = [rule for rule in self.rules if rule.trigger == trigger]
        own = [rule for rule in rules if rule.session == session]
        return own or [rule for rule in rules if rule.session is None]


def output_frame(text: str) -> frames.Frame:
    """Give an output transcription."""
    return frames.content(outputTranscription={"text": text})
