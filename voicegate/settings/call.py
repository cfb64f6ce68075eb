"""[call] how a call begins and ends."""

from typing import Annotated, Literal

from pydantic import Field

from voicegate.settings.base import Section


class CallSettings(Section):
    """[call] how a call begins and ends."""

    greeting: str = "A caller is on the line. Greet them briefly."
    """What the model is told at the answer so that it greets; empty for no greeting."""
    no_speech_timeout_s: Annotated[float, Field(gt=0, le=3600)] = 15.0
    """Hang up when nobody has spoken for so long."""
    check_in_s: Annotated[float, Field(ge=0, le=3600)] = 0.0
    """Ask once whether the caller is there after so much silence; 0 for never."""
    goodbye: Literal["either", "caller", "model", "off"] = "either"
    """Whose goodbye ends the call."""
    max_duration_s: Annotated[float, Field(gt=0, le=86400)] = 3600.0
    """A call ends at the latest so long after its answer."""
    drain_limit_s: Annotated[float, Field(ge=0, le=86400)] = 60.0
    """After a stop was asked for, the present calls may go on for so many seconds; then they are
    hung up."""
