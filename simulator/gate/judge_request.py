"""The judge of a request inside a dialog: roles, routes, numbers (RFC 3261 12)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from .judge import Violation
from .wire import RawMessage, normal, parameter, uri_of


@dataclass
class DialogFacts:
    """The gate's side of one dialog, as far as it decides what the gateway may send."""

    call_id: str
    "Call-ID of both directions."

    local_tag: str
    "The gate's tag (From of its INVITE)."

    local_uri: str
    "The gate's URI (From of its INVITE)."

    remote_uri: str
    "The gateway's URI (To of the INVITE)."

    contact_uri: str
    "Where the gate wants requests of this dialog (Contact of its INVITE)."

    record_route: list[str] = field(default_factory=list)
    "Record-Route values the gate's INVITE brought to the gateway, top first."

    remote_tag: str = ""
    "The gateway's tag (To of its answer); empty until it came."

    remote_cseq: int = -1
    "The highest CSeq number of the gateway so far; -1 before the first."

    untold: bool = False
    "We gave up without a word, so that the gateway may still have to end the call."

    branches: list[str] = field(default_factory=list)
    "Branches the gateway used in this dialog."


def belongs(request: RawMessage, dialog: DialogFacts) -> bool:
    """RFC 3261 12.2.2: a request is in the dialog when Call-ID and both tags match by role."""
    return (
        request.call_id == dialog.call_id
        and request.tag("to") == dialog.local_tag
        and request.tag("from") == dialog.remote_tag
    )


def judge_stray(request: RawMessage, dialog: DialogFacts | None) -> Violation:
    """Name the sin of a request that belongs to no dialog; `dialog` has the same Call-ID."""
    tags = f"From tag {request.tag('from')!r}, To tag {request.tag('to')!r}"
    if dialog is None or request.call_id != dialog.call_id:
        text = f"{request.method} for Call-ID {request.call_id!r}, which is no call of this gate"
        return Violation("unknown-dialog", "RFC 3261 12.2.2", text)
    if not dialog.remote_tag:
        text = f"{request.method} in a call that was never answered, as far as was heard"
        return Violation("before-answer", "RFC 3261 12.1", text)
    if request.tag("from") == dialog.local_tag and request.tag("to") == dialog.remote_tag:
        text = f"{request.method} with From and To swapped ({tags}): From is always the sender"
        return Violation("tags-by-role", "RFC 3261 12.2.1.1", text)
    text = (
        f"{request.method}: {tags}; due From tag {dialog.remote_tag!r}, To tag {dialog.local_tag!r}"
    )
    return Violation("wrong-tag", "RFC 3261 12.2.1.1", text)


def judge_in_dialog(request: RawMessage, dialog: DialogFacts) -> list[Violation]:
    """All that is wrong with a new request of a dialog it belongs to; takes note of its number."""
    found = [*_uri_rules(request, dialog), *_route_rules(request, dialog)]
    found += _number_rules(request, dialog)
    dialog.branches.append(request.branch)
    if request.method != "ACK":
        dialog.remote_cseq = max(dialog.remote_cseq, request.cseq[0])
    return found


def _uri_rules(request: RawMessage, dialog: DialogFacts) -> Iterator[Violation]:
    """RFC 3261 12.2.1.1: From and To are the dialog's local and remote URI."""
    for name, due in (("From", dialog.remote_uri), ("To", dialog.local_uri)):
        got = uri_of(request.get(name) or "")
        if normal(got) != normal(due):
            rule = f"{name.lower()}-uri"
            yield Violation(rule, "RFC 3261 12.2.1.1", f"{name} {got!r}, due {due!r}")


def _route_rules(request: RawMessage, dialog: DialogFacts) -> Iterator[Violation]:
    """RFC 3261 12.2.1.1 and 16.12: the remote target and the route set decide where it goes."""
    target, routes = dialog.contact_uri, [uri_of(route) for route in dialog.record_route]
    if routes and parameter(";" + routes[0].partition(";")[2], "lr") is None:
        # A strict router first: it wants itself in the Request-URI and the target last.
        target, routes = routes[0].partition("?")[0], [*routes[1:], dialog.contact_uri]
    if normal(request.request_uri) != normal(target):
        yield Violation(
            "request-uri", "RFC 3261 12.2.1.1", f"sent to {request.request_uri!r}, due {target!r}"
        )
    got = [uri_of(route) for route in request.many("route")]
    if [normal(route) for route in got] != [normal(route) for route in routes]:
        yield Violation("route-set", "RFC 3261 12.2.1.1", f"Route {got}, due {routes}")


def _number_rules(request: RawMessage, dialog: DialogFacts) -> Iterator[Violation]:
    """RFC 3261 12.2.1.1 and 8.1.1.7: CSeq grows, a branch is used once."""
    number = request.cseq[0]
    # ACK carries the number of the INVITE it acknowledges.
    if request.method != "ACK" and number <= dialog.remote_cseq:
        yield Violation(
            "cseq-growth",
            "RFC 3261 12.2.1.1",
            f"{request.method} with CSeq {number} after {dialog.remote_cseq}",
        )
    if request.branch in dialog.branches:
        yield Violation(
            "branch-reused", "RFC 3261 8.1.1.7", f"{request.method} reuses {request.branch!r}"
        )
