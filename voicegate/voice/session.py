"""VoiceSession: one conversation with whoever speaks at the other end, and its events.

It is the conversation, not the connection: how many connections it takes is the affair of the
implementation.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import NoReturn, Protocol

from voicegate.logs import PeerError
from voicegate.settings import GeminiSettings

UPLINK_RATE_HZ = 16000
"""What `send_audio` takes: PCM16 mono, little endian."""


class VoiceError(PeerError):
    """The other end cannot be reached, refused us, or was lost; the text says which and why."""


@dataclass(frozen=True, slots=True)
class ModelAudio:
    """Sound of the model."""

    pcm16: bytes
    """Mono, little endian, of any length."""
    sample_rate_hz: int
    """As the service said with the sound."""


@dataclass(frozen=True, slots=True)
class ModelText:
    """A fragment of what the model says."""

    text: str
    """To be joined to the fragments before it."""


@dataclass(frozen=True, slots=True)
class CallerText:
    """A fragment of what the caller said, as the service heard it."""

    text: str
    """To be joined to the fragments before it."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The caller has begun to speak over the model: what is not yet played is void."""


@dataclass(frozen=True, slots=True)
class GenerationComplete:
    """All sound of this turn has been sent (not: played)."""


@dataclass(frozen=True, slots=True)
class TurnComplete:
    """The model's turn is over."""

    reason: str = ""
    """Why, where the service says so, such as RESPONSE_REJECTED."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the service has billed since it last said so."""

    prompt_tokens: int
    """Heard and read, all of the context anew with each turn."""
    response_tokens: int
    """Said."""


@dataclass(frozen=True, slots=True)
class GoAway:
    """The service will close this connection."""

    time_left_s: float | None
    """In how many seconds, where it says so."""


@dataclass(frozen=True, slots=True)
class Reconnecting:
    """The connection is gone and another is being had; nobody speaks meanwhile."""

    why: str
    """What became of the last one."""


@dataclass(frozen=True, slots=True)
class Reconnected:
    """Somebody can speak again."""

    resumed: bool
    """Whether the conversation was taken up again; else it began anew, with a summary."""
    ms: float
    """How long nobody could speak."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for a tool, and is to be answered by `send_tool_result`."""

    id: str
    """Goes back with the result."""
    name: str
    """Which tool, as the model says it: it need not exist."""
    arguments: Mapping[str, object]
    """By name, as the model says them: they need not fit."""


@dataclass(frozen=True, slots=True)
class ToolCancelled:
    """The model waits no longer for these."""

    ids: tuple[str, ...]
    """The ids of the tool calls."""


VoiceEvent = (
    ModelAudio
    | ModelText
    | CallerText
    | Interrupted
    | GenerationComplete
    | TurnComplete
    | Usage
    | GoAway
    | Reconnecting
    | Reconnected
    | ToolCall
    | ToolCancelled
)


@dataclass(frozen=True, slots=True)
class Tool:
    """What the model may call."""

    name: str
    """A word of letters, digits and underscores."""
    description: str
    """When to call it, for the model to read."""
    parameters: Mapping[str, object]
    """JSON schema of its arguments; empty for none."""
    waits: bool = True
    """Whether the model waits for the result; else, where it can, it goes on to talk, and comes
    to the result when it has nothing else to say."""


@dataclass(frozen=True, slots=True)
class VoiceSetup:
    """What one call asks of the voice; what is empty is as configured."""

    model: str = ""
    """Model name."""
    voice: str = ""
    """Name of the prebuilt voice."""
    language: str = ""
    """BCP 47 code of the language to speak, such as bg-BG."""
    system_instruction: str = ""
    """The prompt."""
    tools: tuple[Tool, ...] = ()
    """What the model may call."""


AS_CONFIGURED = VoiceSetup()
Heed = Callable[[VoiceEvent], None]
"""What is called with each event, at once and in the order of arrival; it must not wait."""


class VoiceSession(Protocol):
    """A conversation in progress."""

    speaks_first: bool
    """Whether the other end begins when it is told to."""

    async def send_audio(self, pcm16: bytes) -> None:
        """Take the caller's next sound (UPLINK_RATE_HZ); raises VoiceError where it is over."""

    async def greet(self, instruction: str) -> None:
        """Have the other end begin; raises VoiceError where it is over."""

    async def send_text(self, text: str) -> None:
        """Tell the other end something in words, such as a key that was pressed; raises VoiceError
        where it is over."""

    async def send_tool_result(self, call_id: str, name: str, result: Mapping[str, object]) -> None:
        """Answer a tool call with JSON; raises VoiceError where it is over.

        Does nothing where nobody waits for this id (any more): each is answered once.
        """

    async def listen(self, heed: Heed) -> NoReturn:
        """Hand every event to `heed` until the conversation is over: raises VoiceError then.

        Called once. Events before it are kept.
        """

    def renew(self, why: str) -> None:
        """Have the other end begin anew, told what was said so far; returns at once.

        For an end that has stopped to answer: `Reconnecting` and `Reconnected` tell the rest.
        """


class Voice(Protocol):
    """Where conversations come from: one for the whole process."""

    def converse(
        self, setup: VoiceSetup = AS_CONFIGURED
    ) -> AbstractAsyncContextManager[VoiceSession]:
        """Open a conversation; entering raises VoiceError where nobody can speak in time."""

    def adopt(self, settings: GeminiSettings) -> None:
        """Begin conversations by these settings from now on; those that are open keep theirs."""

    @property
    def open_conversations(self) -> int:
        """How many are open now."""
