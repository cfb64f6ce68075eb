"""The sections of the configuration: every key, its unit, its default, its check."""

import ipaddress
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise ValueError(f"{text!r} is no address or network such as 192.168.1.10/32") from error
    return text


def _bind_address(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no IP address; 0.0.0.0 listens on all") from error
    return text


def _base_url(text: str) -> str:
    if text and not text.startswith("https://"):
        raise ValueError(f"{text!r} must begin with https:// (the Live socket is always TLS)")
    return text


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


Port = Annotated[int, Field(ge=0, le=65535)]
Network = Annotated[str, AfterValidator(_network)]
BindAddress = Annotated[str, AfterValidator(_bind_address)]


class SipSettings(_Section):
    """[sip] where calls come in, and from whom."""

    host: BindAddress = "127.0.0.1"
    """Address to listen on; 0.0.0.0 for all."""
    port: Port = 5060
    """UDP port to listen on; 0 takes any free one."""
    transports: tuple[Literal["udp", "tcp", "tls"], ...] = ("udp",)
    """Transports to listen on; this version serves udp."""
    allow: tuple[Network, ...] = ("127.0.0.0/8",)
    """Addresses and networks that may call; everyone else is answered 403."""
    registrar: str = ""
    """Registrar to register with (sip:HOST:PORT); empty for a static trunk."""
    username: str = ""
    """User name for digest authentication."""
    password: SecretStr = SecretStr("")
    """Password for digest authentication."""
    max_calls: Annotated[int, Field(ge=1, le=1000)] = 50
    """Calls at once; more are refused with 503 and Retry-After."""

    @model_validator(mode="after")
    def _udp_is_served(self) -> "SipSettings":
        if "udp" not in self.transports:
            raise ValueError('transports must contain "udp"')
        return self


class MediaSettings(_Section):
    """[media] the sound on the wire."""

    rtp_ports: tuple[Port, Port] = (10000, 10398)
    """First and last UDP port for RTP; each call takes one even port."""
    codecs: Annotated[tuple[Literal["PCMU", "PCMA"], ...], Field(min_length=1)] = ("PCMA", "PCMU")
    """Codecs that are accepted; the caller's order decides."""

    @model_validator(mode="after")
    def _range_has_room(self) -> "MediaSettings":
        low, high = self.rtp_ports
        if low < 1024 or high < low + 2:
            raise ValueError("rtp_ports must be [low, high] with low >= 1024 and high >= low + 2")
        return self


class CallSettings(_Section):
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


class VoiceSettings(_Section):
    """[voice] who speaks."""

    backend: Literal["gemini", "echo"] = "gemini"
    """gemini, or echo to try a gate without a key."""


class GeminiSettings(_Section):
    """[gemini] the conversation partner."""

    model: Annotated[str, Field(min_length=1)] = "gemini-3.8-live"
    """Model name."""
    api_key: SecretStr = SecretStr("")
    """API key; also GEMINI_API_KEY or GOOGLE_API_KEY."""
    base_url: Annotated[str, AfterValidator(_base_url)] = ""
    """Other service address; also GOOGLE_GEMINI_BASE_URL. Empty for Google's."""
    api_version: Literal["v1beta", "v1alpha", "v1"] = "v1beta"
    """API version of the Live socket."""
    voice: str = "Puck"
    """Name of the prebuilt voice; empty for the model's own choice."""
    system_instruction: str = (
        "You are on a telephone call. Speak briefly and naturally. "
        "When the conversation is over, say goodbye."
    )
    """The prompt of every call."""


class RecordSettings(_Section):
    """[record] what is kept of a call."""

    dir: str = ""
    """Folder for the records; empty keeps none."""
    audio: bool = False
    """Keep a stereo WAV of each call."""
    transcript: bool = False
    """Keep what was said as text."""
    pcap: bool = False
    """Keep the packets."""


class AdminSettings(_Section):
    """[admin] the HTTP side for operators."""

    host: BindAddress = "127.0.0.1"
    """Address to listen on."""
    port: Port = 8080
    """TCP port to listen on; 0 takes any free one."""
    token: SecretStr = SecretStr("")
    """Bearer token; required where host is not a loopback address."""

    @model_validator(mode="after")
    def _strangers_need_a_token(self) -> "AdminSettings":
        if not ipaddress.ip_address(self.host).is_loopback and not self.token.get_secret_value():
            raise ValueError("token is required where host is not a loopback address")
        return self
