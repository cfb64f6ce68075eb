"""[call] how a call begins and ends."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from voicegate.settings.base import PathText, Section

PromptField = Annotated[str, Field(pattern=r"^(caller|called|header:[A-Za-z0-9-]{1,40})$")]


class CallSettings(Section):
    """[call] how a call begins and ends."""

    greeting: str = "A caller is on the line. Greet them briefly."
    """What the model is told at the answer so that it greets; empty for no greeting."""
    greeting_wav: PathText = ""
    """WAV file that is played at the answer instead of the model's greeting; empty for none."""
    apology_wav: str = ""
    """WAV file that is played before the hang-up where the model cannot be had to speak; empty for
    three tones."""
    prompt_fields: tuple[PromptField, ...] = ()
    """Facts of the call that go into the prompt, cleaned: caller, called, header:X-Name."""
    hook: str = ""
    """Your Python function that settles how each call is carried, as package.module:function."""
    hook_timeout_s: Annotated[float, Field(gt=0, le=8)] = 2.0
    """The call goes on without the hook's answer after so long; the caller hears ringing."""
    outbound_greeting: str = "You have called somebody who has just answered. Greet them briefly."
    """The same for a call that we make."""
    no_speech_timeout_s: Annotated[float, Field(gt=0, le=3600)] = 15.0
    """Hang up when nobody has spoken for so long."""
    check_in_s: Annotated[float, Field(ge=0, le=3600)] = 0.0
    """Have the model ask once, after so much silence, whether the caller is there; 0 for never."""
    goodbye: Literal["either", "caller", "model", "off"] = "either"
    """Whose goodbye ends the call."""
    max_duration_s: Annotated[float, Field(gt=0, le=86400)] = 3600.0
    """A call ends at the latest so long after its answer."""
    drain_limit_s: Annotated[float, Field(ge=0, le=86400)] = 60.0
    """After a stop was asked for, the present calls may go on for so many seconds; then they are
    hung up."""
    max_duration_warning_s: Annotated[float, Field(ge=0, le=3600)] = 30.0
    """So long before that the model is told to come to an end; 0 for never. A call that may not
    even last so long is not warned."""
    half_duplex: bool = False
    """For a line that echoes: the model does not hear the caller while it is heard itself."""
    half_duplex_tail_ms: Annotated[int, Field(ge=0, le=2000)] = 300
    """With half_duplex: the echo of its last sound comes back within this."""

    @model_validator(mode="after")
    def _asks_before_the_end(self) -> "CallSettings":
        if self.check_in_s >= self.no_speech_timeout_s:
            raise ValueError(
                f"check_in_s = {self.check_in_s:g} never comes: the call ends after"
                f" no_speech_timeout_s = {self.no_speech_timeout_s:g}; make it shorter, or 0"
            )
        return self

    def greeting_of(self, is_ours: bool) -> str:
        """What the model is told at the answer of a call, ours or not."""
        return self.outbound_greeting if is_ours else self.greeting

    @property
    def half_duplex_tail_s(self) -> float | None:
        """How long the caller stays unheard after our sound; None where it is heard always."""
        return self.half_duplex_tail_ms / 1000 if self.half_duplex else None
