"""[voice] and [gemini]: who speaks."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from voicegate.settings.base import Section


def _base_url(text: str) -> str:
    if text and not text.startswith("https://"):
        raise ValueError(f"{text!r} must begin with https:// (the Live socket is always TLS)")
    return text


Sensitivity = Literal["high", "low"]


class VoiceSettings(Section):
    """[voice] who speaks."""

    backend: Literal["gemini", "echo"] = "gemini"
    """gemini, or echo to try a gate without a key."""


class GeminiSettings(Section):
    """[gemini] the conversation partner."""

    model: Annotated[str, Field(min_length=1)] = "gemini-3.8-live"
    """Model name."""
    api_key: SecretStr = SecretStr("")
    """API key; also GEMINI_API_KEY or GOOGLE_API_KEY."""
    base_url: Annotated[str, AfterValidator(_base_url)] = ""
    """Other service address; also GOOGLE_GEMINI_BASE_URL. Empty for Google's."""
    api_version: Literal["v1beta", "v1alpha", "v1"] = "v1beta"
    """API version of the Live socket."""
    use_proxy: bool = True
    """Whether HTTPS_PROXY and its kin count on the way to Gemini; never for this machine itself."""
    voice: str = "Puck"
    """Name of the prebuilt voice; empty for the model's own choice."""
    system_instruction: str = (
        "You are on a telephone call. Speak briefly and naturally. "
        "When the conversation is over, say goodbye."
    )
    """The prompt of every call."""
    start_sensitivity: Sensitivity = "high"
    """How easily sound is taken for the beginning of speech; low for a noisy line."""
    end_sensitivity: Sensitivity = "high"
    """How easily a pause is taken for the end of speech."""
    prefix_padding_ms: Annotated[int, Field(ge=0, le=1000)] = 60
    """Speech so short begins a turn: on the phone "yes" must count."""
    silence_duration_ms: Annotated[int, Field(ge=100, le=5000)] = 500
    """A pause so long ends the caller's turn."""
    no_interruption: bool = False
    """The model speaks on when the caller speaks over it."""
    thinking_level: Literal["minimal", "low", "medium", "high"] = "low"
    """How much a model thinks before it speaks, for the models that must be told."""
    reconnect_budget_s: Annotated[float, Field(ge=0, le=300)] = 30.0
    """A lost connection is tried again for so long in mid-call, with a soft tone for the caller; 0
    ends the call at once."""
    ping_timeout_s: Annotated[float, Field(ge=20, le=600)] = 60.0
    """A connection whose ping is not answered for so long is given up; healthy answers have been
    seen to take 30 s."""
    on_internal_error: Literal["back_off", "resume", "give_up"] = "back_off"
    """What to do in mid-call about close code 1011 where it does not say more: wait before going
    on, go on at once, or end the call."""
    on_quota: Literal["long_back_off", "give_up"] = "long_back_off"
    """What to do where the quota is used up: try again every few seconds, or end the call."""
