"""Responses: what RFC 3261 8.2.6 says of every one, and the headers we give of ourselves."""

from __future__ import annotations

from collections.abc import Iterable

from voicegate.sip.headers import NameAddr
from voicegate.sip.message import Headers, Received, Response

METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "UPDATE", "REFER", "NOTIFY")
ALLOW = ("Allow", ", ".join(METHODS))
ACCEPT = ("Accept", "application/sdp")
ACCEPT_ENCODING = ("Accept-Encoding", "identity")
EXTENSIONS = ("timer",)
SUPPORTED = ("Supported", ", ".join(EXTENSIONS))

REASONS = {
    100: "Trying",
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    300: "Multiple Choices",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    408: "Request Timeout",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "Version Not Supported",
    600: "Busy Everywhere",
    603: "Decline",
}


def contact(got: Received) -> tuple[str, str]:
    """Where this peer reaches us."""
    return ("Contact", f"<{got.local.uri}>")


def capabilities(got: Received) -> Headers:
    """What a 200 to OPTIONS should tell (RFC 3261 11.2): without it gates think us dead."""
    return (contact(got), ALLOW, ACCEPT, ACCEPT_ENCODING, ("Accept-Language", "en"), SUPPORTED)


def respond_to(
    got: Received,
    status: int,
    *,
    tag: str,
    server: str,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    reason: str = "",
) -> Response:
    """The response to a request, with all that RFC 3261 8.2.6.2 and 12.1.1 have copied into it.

    `tag` goes into To where the request has none; it may be "" for 100 only.
    """
    request = got.request
    hops = request.hops()
    copied = [("Via", str(request.via.stamped(got.source))), *(("Via", hop) for hop in hops[1:])]
    if 100 < status < 300:
        copied += [("Record-Route", route) for route in request.header_lines("Record-Route")]
    if status == 100 and (stamp := request.header("Timestamp")) is not None:
        copied.append(("Timestamp", stamp))
    for name in ("From", "To", "Call-ID", "CSeq"):
        value = request.header(name)
        if value is not None:
            copied.append((name, _with_tag(value, tag) if name == "To" else value))
    copied += headers
    copied.append(("Server", server))
    if body:
        copied.append(("Content-Type", "application/sdp"))
    return Response(status, reason or reason_of(status), tuple(copied), body)


def reason_of(status: int) -> str:
    return REASONS.get(status) or REASONS[status // 100 * 100]


def _with_tag(value: str, tag: str) -> str:
    """RFC 3261 8.2.6.2: a To without a tag gets ours; one we cannot read stays as it is."""
    try:
        has_tag = NameAddr.parse(value).tag
    except ValueError:
        return value
    return value if has_tag or not tag else f"{value};tag={tag}"
