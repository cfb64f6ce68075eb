"""Other people's torture messages, read from beside the repository; none of them is copied here."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CORPORA = Path(__file__).resolve().parents[3] / "shared" / "corpora"
UDP_MAX = 65_507
RFCS = ("rfc4475", "rfc5118")
MESSAGES = ("jsip-torture/messages", "sip-message-examples", "sipgo-fuzz")
SEGMENTS = "resip-raw"
BODIES = ("sofia-sdp", "webrtc-fuzz/sdp-corpus")
PACKETS = (
    "webrtc-fuzz/rtp-corpus",
    "webrtc-fuzz/rtcp-corpus",
    "webrtc-fuzz/stun-corpus",
    "pion-rtcp-fuzz",
)
PROTOS = "protos-c07-sip/testcases-even.zip"

_SILENCE = ("no packet", "drop")
_C_STRING = re.compile(rb'(\s*char\* \w+ = \(?)?\s*"((?:[^"\\]|\\.)*)"')
_ANY_FINAL = "any final"


@dataclass(frozen=True)
class Case:
    """What is sent in one go."""

    name: str
    """Its set and its file."""
    packets: tuple[bytes, ...]
    allowed: str = ""
    """What the table of its set says of the answer; "" where there is none."""

    def permits(self, finals: list[int]) -> bool:
        """Whether these final answers are what the table says; anything, where there is none."""
        if not self.allowed:
            return True
        if not finals:
            return any(word in self.allowed for word in _SILENCE)
        if _ANY_FINAL in self.allowed:
            # RFC 3261 12.2.2: one with a tag in To that we never gave is answered 481
            return len(finals) == 1 and finals[0] not in (400, 500)
        # "well-formed": carried out as if nothing were wrong
        listed = {int(code) for code in re.findall(r"\b[2-6]\d\d\b", self.allowed)}
        listed |= {488} if "well-formed" in self.allowed else set()
        return len(finals) == 1 and finals[0] in listed


@dataclass(frozen=True)
class Place:
    """Who calls whom, for the sets that leave it open."""

    attacker: str = "127.0.0.77"
    gateway: str = "127.0.0.1:5060"


def rfc_cases(name: str) -> list[Case]:
    """Give the messages of an RFC with the answers due; none where the folder is missing."""
    table = CORPORA / name / "expected.csv"
    if not table.is_file():
        return []
    rows = csv.DictReader(io.StringIO(table.read_text(encoding="utf-8")))
    column = "allowed_answer_for_a_UAS_over_UDP"
    return [
        Case(f"{name}/{row['file']}", (_read(table.parent / row["file"]),), row[column])
        for row in rows
    ]


def message_cases(folder: str) -> list[Case]:
    """Give each file of a folder as one datagram."""
    return [Case(f"{folder}/{path.name}", (_read(path),)) for path in _files(folder)]


def segment_cases() -> list[Case]:
    """Give what came in several TCP segments joined to what was meant, and the messages of a
    list that is written as C strings."""
    joined: dict[str, bytes] = {}
    for path in _files(SEGMENTS):
        if path.suffix == ".msg":
            name = path.name.partition("__")[0]
            joined[name] = joined.get(name, b"") + _read(path)
    for path in _files(SEGMENTS):
        if path.suffix == ".txt":
            joined |= {f"{path.stem}-{n}": data for n, data in enumerate(c_strings(_read(path)))}
    return [Case(f"{SEGMENTS}/{name}", (data,)) for name, data in joined.items()]


def c_strings(text: bytes) -> list[bytes]:
    """Give each run of lines that are C strings as what it means."""
    found, run = [], b""
    for line in [*text.splitlines(), b""]:
        literal = _C_STRING.match(line)
        if run and (literal is None or literal[1]):
            found.append(run)
            run = b""
        if literal is not None:
            run += literal[2].decode("latin-1").encode().decode("unicode_escape").encode("latin-1")
    return found


def body_cases(folder: str, place: Place) -> list[Case]:
    """Give each session description as the offer of an INVITE."""
    cases = []
    for number, path in enumerate(_files(folder)):
        invite = _invite(f"{folder.replace('/', '-')}-{number}", place, _read(path))
        cases.append(Case(f"{folder}/{path.name}", (invite,)))
    return cases


def packets() -> list[bytes]:
    """Give what is to be sent to the media port of a call."""
    return [_read(path) for folder in PACKETS for path in _files(folder)]


def protos_cases(place: Place) -> list[Case]:
    """Give the cases of PROTOS c07 that fit a datagram: an INVITE and the CANCEL that ends it."""
    return list(_protos(place)) if (CORPORA / PROTOS).is_file() else []


def _protos(place: Place) -> Iterator[Case]:
    with zipfile.ZipFile(CORPORA / PROTOS) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith("/"):
                continue
            templates = split_templates(archive.read(name))
            filled = tuple(fill(one, name, place) for one in templates)
            if all(len(one) <= UDP_MAX for one in filled):
                yield Case(f"protos/{name}", filled)


def split_templates(data: bytes) -> list[bytes]:
    """Cut a PROTOS file at its lengths: `460 INVITE ...254 <Teardown-Method> ...`."""
    found, at = [], 0
    while at < len(data):
        start = data.index(b" ", at) + 1
        at = start + int(data[at : start - 1])
        found.append(data[start:at])
    return found


def fill(template: bytes, name: str, place: Place) -> bytes:
    """Put addresses, tags and the body's length where PROTOS left them open."""
    attacker = place.attacker.encode()
    values = {
        b"<To>": b"1000@" + place.gateway.encode(),
        b"<From>": b"protos@" + attacker,
        b"<From-Address>": attacker,
        b"<From-IP>": attacker,
        b"<Local-Port>": b"5060",
        b"<Branch-ID>": name.encode(),
        b"<Call-ID>": b"protos" + name.encode(),
        b"<CSeq>": b"1",
        b"<Teardown-Method>": b"CANCEL",
    }
    for mark, value in values.items():
        template = template.replace(mark, value)
    body = template.partition(b"\r\n\r\n")[2]
    return template.replace(b"<Content-Length>", str(len(body)).encode())


def _invite(call_id: str, place: Place, body: bytes) -> bytes:
    lines = [
        f"INVITE sip:1000@{place.gateway} SIP/2.0",
        f"Via: SIP/2.0/UDP {place.attacker};branch=z9hG4bK{call_id}",
        "Max-Forwards: 70",
        f"From: <sip:fuzz@{place.attacker}>;tag=1",
        f"To: <sip:1000@{place.gateway}>",
        f"Call-ID: {call_id}",
        "CSeq: 1 INVITE",
        f"Contact: <sip:fuzz@{place.attacker}>",
        "Content-Type: application/sdp",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _files(folder: str) -> list[Path]:
    place = CORPORA / folder
    return sorted(path for path in place.iterdir() if path.is_file()) if place.is_dir() else []


def _read(path: Path) -> bytes:
    return path.read_bytes()
