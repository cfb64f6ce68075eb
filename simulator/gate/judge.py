"""The judge of one message alone: every received byte against the grammar and RFC 3261.

The grammar is somebody else's (the package `sipmessage`), the rules beside it are our own. Nothing
here raises: a sin becomes a `Violation` with the section it breaks, and the call goes on.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import sipmessage

from .wire import RawMessage, long_name

VIOLATIONS_MAX = 500
"""A gateway that sins in every packet must not fill the memory; the rest is counted."""

CSEQ_LIMIT = 2**31
"""RFC 3261 8.1.1.5: the sequence number is less than this."""

MANDATORY = ("Via", "From", "To", "Call-ID", "CSeq")
ONCE = ("From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length", "Content-Type")

_REQUEST_LINE = re.compile(r"^[A-Za-z0-9.!%*_+`'~-]+ \S+ SIP/2\.0$")
_STATUS_LINE = re.compile(r"^SIP/2\.0 [1-6][0-9][0-9] [^\r\n]*$")
_HEADER_LINE = re.compile(r"^[A-Za-z0-9.!%*_+`'~-]+[ \t]*:")
_HOSTNAME = re.compile(
    r"(sips?:(?:[^@<>\s]*@)?|SIP/2\.0/[A-Za-z]+ +)"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.?"
    r"(?=[:;>?,\s]|$)"
)
"""A right host name (RFC 3261 25.1): `sipmessage` 0.7 knows no top label with a digit in it."""

_URI_HEADERS = re.compile(r"(<sips?:[^<>?]*)\?[^<>\s]+(?=>)")
"""RFC 3261 19.1.1: headers of a URI, which it does not know either."""

_ATTRIBUTES = {
    "via": "via",
    "from": "from_address",
    "to": "to_address",
    "cseq": "cseq",
    "contact": "contact",
    "content-type": "content_type",
    "max-forwards": "max_forwards",
    "record-route": "record_route",
    "route": "route",
    "require": "require",
    "supported": "supported",
    "accept": "accept",
    "unsupported": "unsupported",
    "www-authenticate": "www_authenticate",
    "proxy-authenticate": "proxy_authenticate",
}


@dataclass(frozen=True)
class Violation:
    """One broken rule."""

    rule: str
    "Its short name, stable: what a test asks for."

    rfc: str
    "The document and section it stands in."

    text: str
    "What was seen, and what was due."

    def __str__(self) -> str:
        return f"{self.rule} ({self.rfc}): {self.text}"


@dataclass
class Findings:
    """A bounded list of violations that everybody who judges writes into."""

    violations: list[Violation] = field(default_factory=list)
    "In the order of discovery."

    dropped: int = 0
    "How many more there were beyond the bound."

    parent: "Findings | None" = None
    "Where they are written as well (the gate's, for a call's)."

    def add(self, *found: Violation) -> None:
        """Keep them."""
        for violation in found:
            if len(self.violations) < VIOLATIONS_MAX:
                self.violations.append(violation)
            else:
                self.dropped += 1
        if self.parent is not None:
            self.parent.add(*found)

    def check(self, who: str) -> None:
        """Raise an AssertionError that lists them all, unless there are none."""
        if not self.violations:
            return
        count = len(self.violations) + self.dropped
        # lists of results keep the first line only
        number = "1 violation" if count == 1 else f"{count} violations, the first"
        lines = [f"{who}: {number}: {self.violations[0]}"]
        lines += [f"  - {violation}" for violation in self.violations[:40]]
        if len(lines) < len(self.violations) + 1:
            lines.append(f"  ... and {count - 40} more")
        raise AssertionError("\n".join(lines))


def judge_message(message: RawMessage, echoed: Sequence[str] = ()) -> list[Violation]:
    """All that is wrong with one message by itself.

    `echoed` names headers (long form, lower case) that only repeat what the gate sent: their
    grammar is the gate's own doing and is not held against the sender.
    """
    found = [*_line_rules(message), *_header_rules(message), *_body_rules(message)]
    if not message.is_response:
        found += _request_rules(message)
    if not any(violation.rule == "start-line" for violation in found):
        found += _grammar_rule(message, echoed)
    return found


def _line_rules(message: RawMessage) -> Iterator[Violation]:
    """RFC 3261 7: the start line, the line ends, the shape of a header line."""
    head = message.data[: len(message.data) - len(message.body)]
    if re.search(rb"(?<!\r)\n|\r(?!\n)", head) or not head.endswith(b"\r\n\r\n"):
        yield Violation("line-ending", "RFC 3261 7", "a line does not end in CRLF")
    if message.data[:2] == b"\r\n":
        yield Violation("leading-crlf", "RFC 3261 7.5", "empty lines before the start line")
    pattern = _STATUS_LINE if message.is_response else _REQUEST_LINE
    if not pattern.match(message.start_line):
        yield Violation("start-line", "RFC 3261 7.1/7.2", f"start line {message.start_line!r}")
    text = (
        re.sub(r"\r?\n[ \t]+", " ", head.decode("utf-8", "surrogateescape"))
        .replace("\r\n", "\n")
        .strip("\n")
    )
    for line in text.split("\n")[1:]:
        if not _HEADER_LINE.match(line):
            yield Violation("header-line", "RFC 3261 7.3.1", f"not a header line: {line!r}")


def _header_rules(message: RawMessage) -> Iterator[Violation]:
    """RFC 3261 8.1.1 and 8.2.6: what must be there, and what may be there only once."""
    for name in MANDATORY:
        if not message.all(name):
            yield Violation(
                "mandatory-header", "RFC 3261 8.1.1/8.2.6", f"{message.summary} without {name}"
            )
    for name in ONCE:
        if len(message.all(name)) > 1:
            yield Violation("single-header", "RFC 3261 7.3.1", f"{name} more than once")
    number, method = message.cseq
    if message.all("cseq") and not (0 <= number < CSEQ_LIMIT):
        yield Violation("cseq-number", "RFC 3261 8.1.1.5", f"CSeq {message.get('cseq')!r}")
    elif not message.is_response and message.all("cseq") and method != message.method:
        yield Violation(
            "cseq-method", "RFC 3261 8.1.1.5", f"CSeq names {method} in a {message.method}"
        )


def _request_rules(message: RawMessage) -> Iterator[Violation]:
    """RFC 3261 8.1.1.6 and 8.1.1.7: Max-Forwards and the branch of a request."""
    hops = message.get("max-forwards")
    if hops is None:
        yield Violation(
            "mandatory-header", "RFC 3261 8.1.1.6", f"{message.method} without Max-Forwards"
        )
    elif not hops.isdecimal() or int(hops) > 255:
        yield Violation("max-forwards", "RFC 3261 20.22", f"Max-Forwards {hops!r}")
    if message.all("via") and not message.branch.startswith("z9hG4bK"):
        yield Violation(
            "branch-cookie", "RFC 3261 8.1.1.7", f"branch {message.branch!r} without z9hG4bK"
        )


def _body_rules(message: RawMessage) -> Iterator[Violation]:
    """RFC 3261 20.14 and 20.15: Content-Length says the truth, a body has a type."""
    length = message.get("content-length")
    if length is not None and (not length.isdecimal() or int(length) != len(message.body)):
        yield Violation(
            "content-length",
            "RFC 3261 20.14",
            f"{message.summary}: Content-Length {length}, body of {len(message.body)} bytes",
        )
    if message.body and message.get("content-type") is None:
        yield Violation("content-type", "RFC 3261 20.15", f"{message.summary}: body without a type")


def _grammar_rule(message: RawMessage, echoed: Sequence[str]) -> Iterator[Violation]:
    """RFC 3261 25.1 as the package `sipmessage` reads it, header by header."""
    # Missing and doubled headers, line ends and numbers are judged above: once is enough.
    judged = {"cseq": message.cseq[0] >= 0, "max-forwards": message.is_response}
    for name in dict.fromkeys(long_name(key) for key, _ in message.headers):
        if name in _ATTRIBUTES and name not in echoed and judged.get(name, True):
            error = _grammar_error(message, name)
            if error:
                yield Violation("grammar", "RFC 3261 25.1", f"{message.summary}, {name}: {error}")
    if not message.is_response:
        error = _grammar_error(message, "")
        if error:
            yield Violation("grammar", "RFC 3261 25.1", f"{message.start_line!r}: {error}")


def _grammar_error(message: RawMessage, name: str) -> str:
    """What `sipmessage` says to one header (or, for "", to the request line alone)."""
    start = _in_its_words(message.start_line) if not name else "SIP/2.0 200 OK"
    lines = [start] + [f"{name}: {_in_its_words(value)}" for value in message.all(name) if name]
    try:
        parsed = sipmessage.Message.parse(
            "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")
        )
        if name:
            getattr(parsed, _ATTRIBUTES[name])
    # TypeError: a parameter named like one of its own arguments.
    except (ValueError, TypeError) as error:
        return str(error) or type(error).__name__
    return ""


def _in_its_words(value: str) -> str:
    """The same with what is right, but unknown to `sipmessage`, put in a form that it knows."""
    return _URI_HEADERS.sub(r"\1", _HOSTNAME.sub(r"\1host.example", value))
