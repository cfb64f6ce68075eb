"""An answer of the gate: what to say as a value, and its bytes from a profile's template."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from .profile import Profile
from .wire import Address, RawMessage, parameter, tag_of, uri_address


class Reply(NamedTuple):
    """What the gate answers to a request."""

    status: int
    "The status code."

    reason: str
    "The reason phrase."

    body: bytes = b""
    "A session description, or nothing."

    headers: tuple[str, ...] = ()
    "More header lines, literally."

    contact: str | None = None
    "The Contact line's value instead of the gate's own; empty for no such line."


NO_SUCH_CALL = Reply(481, "Call/Transaction Does Not Exist")

REASONS = {
    100: "Trying",
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    407: "Proxy Authentication Required",
    415: "Unsupported Media Type",
    423: "Interval Too Brief",
    480: "Temporarily Unavailable",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    503: "Service Unavailable",
    603: "Decline",
}


def reply(status: int, *headers: str, body: bytes = b"", contact: str | None = None) -> Reply:
    """A reply with the usual reason phrase of its status (RFC 3261 21)."""
    return Reply(status, REASONS.get(status, "Other"), body, headers, contact)


def make_response(
    profile: Profile,
    request: RawMessage,
    source: Address,
    answer: Reply,
    *,
    local: Address,
    caller: str = "gate",
    to_tag: str = "gate",
    record_routes: Sequence[str] | None = None,
) -> bytes:
    """RFC 3261 8.2.6: an answer that repeats Via, From, To, Call-ID and CSeq of the request."""
    to_value = request.get("to") or ""
    if tag_of(to_value) is None and answer.status > 100:
        to_value += f";tag={to_tag}"
    vias = [_stamped(via, source) if n == 0 else via for n, via in enumerate(request.many("via"))]
    number, method = request.cseq
    routes = request.many("record-route") if record_routes is None else record_routes
    fields: dict[str, object] = {
        "status": answer.status,
        "reason": answer.reason,
        "vias": "\n".join(f"Via: {via}" for via in vias),
        "record_routes": "\n".join(f"Record-Route: {route}" for route in routes),
        "from_value": request.get("from") or "",
        "to_value": to_value,
        "call_id": request.call_id,
        "cseq": number,
        "method": method,
        "local": local,
        "caller": caller,
        "headers": "\n".join(answer.headers),
        "content_type": "application/sdp",
    }
    if answer.contact is not None:
        template = profile.templates["response"]
        line = f"Contact: {answer.contact}\n" if answer.contact else ""
        changed = re.sub(r"(?im)^contact:.*\n", lambda _match: line, template)
        profile = replace(profile, templates={**profile.templates, "response": changed})
    return profile.message("response", fields, answer.body)


def _stamped(via: str, source: Address) -> str:
    """RFC 3581 4: the port goes into rport, the address into received."""
    head, *parameters = via.split(";")
    if parameter(via, "rport") == "":
        kept = [item for item in parameters if item.strip().lower() != "rport"]
        return ";".join([head, *kept, f"received={source.host}", f"rport={source.port}"])
    sent_by = uri_address("sip:" + head.partition(" ")[2].strip())
    if sent_by is None or sent_by.host != source.host:
        return f"{via};received={source.host}"
    return via
