"""What RFC 3261 8.2 has a server check before it does anything: one pure function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from voicegate.sip.headers import scheme_of
from voicegate.sip.message import Headers, Request
from voicegate.sip.reply import ACCEPT, ACCEPT_ENCODING, ALLOW, EXTENSIONS, METHODS

_SDP_RANGES = ("application/sdp", "application/*", "*/*")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that needs no state."""

    status: int
    headers: Headers = ()


def refusal_of(request: Request) -> Refusal | None:
    """The answer due to a request that we cannot or must not carry out; None if we can.

    In the order of RFC 3261 8.2: method, Request-URI, extensions, content. Not for ACK and CANCEL.
    """
    return next((found for check in _CHECKS if (found := check(request)) is not None), None)


def _method(request: Request) -> Refusal | None:
    return None if request.method in METHODS else Refusal(405, (ALLOW,))


def _uri(request: Request) -> Refusal | None:
    return None if scheme_of(request.uri) in ("sip", "sips") else Refusal(416)


def _extensions(request: Request) -> Refusal | None:
    wanted = [tag for tag in request.listed("Require") if tag.lower() not in EXTENSIONS]
    # RFC 3261 8.2.2.3 spares ACK and CANCEL; so do we BYE: the end of a call must never fail
    if not wanted or request.method == "BYE":
        return None
    return Refusal(420, (("Unsupported", ", ".join(wanted)),))


def _content(request: Request) -> Refusal | None:
    if request.method not in ("INVITE", "UPDATE") or not request.body:
        return None
    media_type = request.header("Content-Type")
    # no Content-Type at all: sloppy, but what else could the body of an INVITE be
    if media_type is not None and _bare(media_type) != "application/sdp":
        return Refusal(415, (ACCEPT,))
    if any(_bare(coding) != "identity" for coding in request.listed("Content-Encoding")):
        return Refusal(415, (ACCEPT, ACCEPT_ENCODING))
    return None


def _accept(request: Request) -> Refusal | None:
    """RFC 3261 21.4.7: a caller that takes no SDP cannot be given an answer."""
    accepted = [_bare(item) for item in request.listed("Accept")]
    if request.method != "INVITE" or not accepted:
        return None
    return None if any(item in _SDP_RANGES for item in accepted) else Refusal(406, (ACCEPT,))


def _bare(value: str) -> str:
    """A media type or coding without its parameters, in lower case and without spaces."""
    return value.partition(";")[0].replace(" ", "").lower()


_CHECKS: tuple[Callable[[Request], Refusal | None], ...] = (
    _method,
    _uri,
    _extensions,
    _content,
    _accept,
)
