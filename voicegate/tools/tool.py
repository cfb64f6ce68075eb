"""A tool: what the model is told of it, what runs, and what is made of its result."""

import json
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from voicegate.logs import PeerError
from voicegate.settings import ToolsSettings
from voicegate.voice.session import Tool

if TYPE_CHECKING:
    import aiohttp

    from voicegate.media.session import MediaSession
    from voicegate.plan import CallFacts
    from voicegate.sip.leg import CallLeg
    from voicegate.talk import Talk
    from voicegate.transfer import Transferred


class ToolFailed(PeerError):
    """The tool can do nothing with what it was given; the text is for the model."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """What all tools of the process share."""

    threads: Executor | None
    """Where plain functions run; None where there is none."""
    http: "aiohttp.ClientSession | None"
    """What webhooks are sent by; None where there is none."""


@dataclass(frozen=True, slots=True)
class OnCall:
    """The call in which a tool is called, and all that the tool may do with it."""

    facts: "CallFacts"
    dialog: "CallLeg"
    media: "MediaSession"
    talk: "Talk"
    workshop: Workshop
    transfer: "Callable[[str], Coroutine[Any, Any, Transferred]]"
    """Have the caller connected to that number; gives what came of it."""


@dataclass(frozen=True, slots=True)
class Toolset:
    """What the model may call in one call."""

    tools: Mapping[str, "CallableTool"]
    """By name."""
    workshop: Workshop
    limits: ToolsSettings


Run = Callable[[Mapping[str, object], OnCall], Coroutine[Any, Any, object]]


@dataclass(frozen=True, slots=True)
class CallableTool:
    """A tool that can be run."""

    tool: Tool
    """What the model is told."""
    run: Run
    """Given the arguments, which need not fit, gives a result; raises ToolFailed where it cannot.
    """
    timeout_s: float
    """Waited for no longer."""


def as_result(value: object, max_chars: int) -> Mapping[str, object]:
    """Give a tool's result as a JSON object of bounded size; ValueError where it is no JSON."""
    text = to_json(value, inf_nan_mode="null").decode()
    if len(text) > max_chars:
        return {"result": text[:max_chars], "cut": True}
    plain: Any = json.loads(text)
    return plain if isinstance(plain, dict) else {"result": plain}
