"""A gate's way of speaking as data: literal message templates, codecs and quirks per profile.

A profile is a TOML file in `profiles/`. Its templates are what goes over the wire, word for word,
with `{name}` where a call's own values go; a line that holds nothing but an empty `{name}` is left
out. `{length}` takes a format, so that a padded Content-Length is data as well.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

COMPACT = {
    "call-id": "i",
    "contact": "m",
    "content-length": "l",
    "content-type": "c",
    "from": "f",
    "subject": "s",
    "supported": "k",
    "to": "t",
    "via": "v",
}
"""RFC 3261 7.3.3."""

FOLDABLE = ("via", "from", "to", "contact", "user-agent", "allow", "v", "f", "t", "m")
RTPMAPS = {"PCMU": (0, "PCMU/8000"), "PCMA": (8, "PCMA/8000"), "G722": (9, "G722/8000")}
_LONE = re.compile(r"^\{[a-z_]+\}$")


@dataclass(frozen=True)
class Quirks:
    """What a gate or one of its callers does differently; the profile's, then the call's."""

    compact: bool = False
    "Short header names (RFC 3261 7.3.3)."

    folded: bool = False
    "Long header values go on in the next line (RFC 3261 7.3.1)."

    bare_lf: bool = False
    "Lines end in LF alone."

    latin_1: bool = False
    "Text outside ASCII is sent as Latin-1 instead of UTF-8."

    rotate_source_port: bool = False
    "A new SIP port for each call, as GoIP boxes do."

    strict_rtp: bool = False
    "No RTP is sent until a packet came from the negotiated address."

    mute: bool = False
    "No RTP is ever sent."

    dtx: bool = False
    "No RTP is sent while the caller says nothing."

    never_ack: bool = False
    "The final answer to INVITE is never acknowledged."

    retransmit_invite: int = 0
    "The same INVITE is sent that many times more, at once."

    reinvite_after_ack: bool = False
    "A re-INVITE with the same SDP follows the ACK at once."

    offerless: bool = False
    "The INVITE brings no SDP."

    codecs: tuple[str, ...] = ("PCMA", "PCMU")
    "What is offered, in order; PCMU, PCMA and G722 are known."

    telephone_event: int | None = 101
    "Payload type of RFC 4733 events in the offer, or None."

    ptime_ms: int = 20
    "The packet length the offer asks for; our own packets are always of 20 ms."

    headers: tuple[str, ...] = ()
    "More header lines for the INVITE, literally."

    record_route: bool = False
    "A proxy on the gate's own address adds itself to the route of calls to the gate."

    session_expires_s: int | None = None
    "Session-Expires of INVITE, or of the answer to one (RFC 4028)."

    refresher: str = "uas"
    "Who shall refresh the session then: uac or uas."

    rings_after_answer_s: float = 0.0
    "A call to the gate is answered at once, and the ringing tone is heard for so long."


@dataclass(frozen=True)
class Profile:
    """One make of gate."""

    name: str
    "The file's name without .toml."

    about: str
    "Which box this is, in one line."

    quirks: Quirks
    "Its habits."

    templates: Mapping[str, str]
    "By kind of message: invite, request, ack, cancel, response, sdp ..."

    def with_quirks(self, **quirks: Any) -> "Profile":
        """The same gate with other habits; TypeError for a quirk that does not exist."""
        if isinstance(quirks.get("codecs"), list):
            quirks["codecs"] = tuple(quirks["codecs"])
        return replace(self, quirks=replace(self.quirks, **quirks))

    def sdp(self, fields: Mapping[str, object]) -> bytes:
        """An offer or answer of this gate."""
        numbers = [str(RTPMAPS[codec][0]) for codec in self.quirks.codecs]
        maps = [f"a=rtpmap:{RTPMAPS[c][0]} {RTPMAPS[c][1]}" for c in self.quirks.codecs]
        event = self.quirks.telephone_event
        if event is not None:
            numbers.append(str(event))
            maps += [f"a=rtpmap:{event} telephone-event/8000", f"a=fmtp:{event} 0-16"]
        own = {"formats": " ".join(numbers), "maps": "\n".join(maps), "ptime": self.quirks.ptime_ms}
        text = fill(self.templates["sdp"], {**own, **fields})
        if ":" in str(fields.get("host")):
            text = text.replace("IN IP4 ", "IN IP6 ")
        return text.replace("\n", "\n" if self.quirks.bare_lf else "\r\n").encode()

    def message(self, kind: str, fields: Mapping[str, object], body: bytes = b"") -> bytes:
        """A SIP message of this gate, with its quirks."""
        text = fill(self.templates[kind], {**fields, "length": len(body)})
        if not body:
            # RFC 3261 20.15: the type goes with a body.
            text = re.sub(r"^content-type:.*\n", "", text, flags=re.IGNORECASE | re.MULTILINE)
        if self.quirks.compact:
            text = _with_names(text, COMPACT)
        if self.quirks.folded:
            text = "\n".join(_folded(line) for line in text.split("\n"))
        end = "\n" if self.quirks.bare_lf else "\r\n"
        head = (text + "\n").replace("\n", end)
        coding = "latin-1" if self.quirks.latin_1 else "utf-8"
        # What is only repeated may hold bytes that are no text (see `wire.read`).
        return head.encode(coding, "surrogateescape") + body


def fill(template: str, fields: Mapping[str, object]) -> str:
    """Put the fields into the template; KeyError for a field nobody gave."""
    lines = []
    for line in template.strip("\n").split("\n"):
        filled = line.format_map(fields)
        if filled or not _LONE.match(line):
            lines.append(filled)
    return "\n".join(lines) + "\n"


def _with_names(text: str, names: Mapping[str, str]) -> str:
    start_line, *lines = text.split("\n")
    return "\n".join([start_line, *(_renamed(line, names) for line in lines)])


def _renamed(line: str, names: Mapping[str, str]) -> str:
    name, colon, value = line.partition(":")
    return names.get(name.lower(), name) + colon + value


def _folded(line: str) -> str:
    """RFC 3261 7.3.1: break at the first place where white space is allowed."""
    name, colon, value = line.partition(":")
    if name.lower() not in FOLDABLE or not colon:
        return line
    head, bracket, rest = value.rpartition(">")
    if ";" in rest:
        before, _, after = rest.partition(";")
        return f"{name}:{head}{bracket}{before}\n ;{after}"
    first, space, more = value.strip().partition(" ")
    return f"{name}: {first}\n {more}" if space and "<" not in first else line


def load_profile(name: str) -> Profile:
    """Read a profile by name; ValueError lists the names there are."""
    folder = resources.files(__package__) / "profiles"
    file = folder / f"{name}.toml"
    if not file.is_file():
        known = sorted(
            entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml")
        )
        raise ValueError(f"no gate profile {name!r}; there are {', '.join(known)}")
    data = tomllib.loads(file.read_text("utf-8"))
    quirks: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in data["quirks"].items()
    }
    return Profile(name, data["about"], Quirks(**quirks), data["messages"])
