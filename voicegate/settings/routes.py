"""[[route]] which calls are carried differently, and how."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from voicegate.settings.base import PathText, Section
from voicegate.settings.tools import ToolName


def _pattern(text: str) -> str:
    if is_regex(text):
        try:
            re.compile(text[1:-1])
        except re.error as error:
            raise ValueError(f"{text!r} is no regular expression: {error}") from error
    elif "*" in text[1:-1]:
        raise ValueError(f"{text!r}: a * stands at the end only; write /.../ for more")
    return text


def is_regex(text: str) -> bool:
    """Say whether a pattern is a regular expression: /.../."""
    return len(text) > 2 and text.startswith("/") and text.endswith("/")


Pattern = Annotated[str, Field(min_length=1), AfterValidator(_pattern)]
"""100 is itself, +359* whatever begins so, /(\\+|00)359.*/ a regular expression for all of it."""


class CallChanges(Section):
    """What may be different for some calls; what is left out is as configured."""

    greeting: str | None = None
    """Instead of call.greeting; empty for no greeting by the model."""
    greeting_wav: PathText | None = None
    """Instead of call.greeting_wav; empty for none."""
    system_instruction: str | None = None
    """Instead of gemini.system_instruction."""
    voice: str | None = None
    """Instead of gemini.voice."""
    language: str | None = None
    """Code of the language to speak, such as bg-BG; the model's own choice where left out."""
    model: str | None = None
    """Instead of gemini.model."""
    tools: tuple[ToolName, ...] | None = None
    """Which tools the model may call instead of all."""
    refuse: Annotated[int, Field(ge=400, le=699)] | None = None
    """Refuse the call with this SIP status, such as 603."""


class RouteSettings(CallChanges):
    """[[route]] the first one that matches a call changes it."""

    called: Pattern | None = None
    """Pattern of the number that was dialled."""
    caller: Pattern | None = None
    """Pattern of the caller's number."""
    header: dict[str, Pattern] = Field(default_factory=dict)
    """Patterns of headers of the INVITE, by name; one that is absent matches nothing."""

    @model_validator(mode="after")
    def _one_greeting(self) -> "RouteSettings":
        if self.greeting and self.greeting_wav:
            raise ValueError("greeting and greeting_wav: give one of them")
        return self
