"""The judge of a caller: the INVITE that begins a call, its ACK and its CANCEL (RFC 3261)."""

from collections.abc import Iterator

from .judge import Violation
from .judge_response import usable
from .sdp import judge_offer, read_sdp
from .wire import RawMessage, normal, tag_of, uri_address, uri_of


def judge_invite(invite: RawMessage) -> list[Violation]:
    """What is wrong with an INVITE outside of any dialog, beside its grammar."""
    found = [*_party_rules(invite), *contact_rules(invite)]
    if invite.body:
        found += _body_rules(invite)
    return found


def _party_rules(invite: RawMessage) -> Iterator[Violation]:
    """RFC 3261 8.1.1: From has a tag, To has none, and the answer can find its way back."""
    if not invite.tag("from"):
        yield Violation("from-tag-missing", "RFC 3261 8.1.1.3", f"From {invite.get('from')!r}")
    if invite.tag("to") is not None:
        yield Violation("to-tag-early", "RFC 3261 8.1.1.2", f"To {invite.get('to')!r}")
    for via in invite.many("via")[:1]:
        words = via.split(None, 1)
        sent_by = uri_address("sip:" + words[-1].split(";")[0].strip())
        if not usable(sent_by):
            yield Violation("via-sent-by", "RFC 3261 18.1.1", f"Via {via!r}: nobody answers there")


def contact_rules(request: RawMessage) -> Iterator[Violation]:
    """RFC 3261 8.1.1.8: who can begin or refresh a dialog says where it is to be found."""
    contacts = request.many("contact")
    if len(contacts) != 1:
        text = f"{request.method} with {len(contacts)} Contacts"
        yield Violation("contact-missing", "RFC 3261 8.1.1.8", text)
    elif not usable(uri_address(uri_of(contacts[0]))):
        yield Violation("contact-unusable", "RFC 3261 8.1.1.8", f"Contact {contacts[0]!r}")


def _body_rules(invite: RawMessage) -> Iterator[Violation]:
    """RFC 3261 13.2.1: the offer is a session description."""
    kind = (invite.get("content-type") or "").split(";")[0].strip().lower()
    if kind != "application/sdp":
        yield Violation("sdp-missing", "RFC 3261 13.2.1", f"INVITE with a body of {kind!r}")
    else:
        yield from judge_offer(read_sdp(invite.body))


def invite_advice(invite: RawMessage) -> list[Violation]:
    """What RFC 3261 13.2.1 and 8.1.1 only recommend (SHOULD)."""
    found = [
        Violation("advice", "RFC 3261 13.2.1", f"INVITE without {name}")
        for name in ("Allow", "Supported")
        if not invite.all(name)
    ]
    if invite.get("max-forwards") not in (None, "70"):
        text = f"Max-Forwards {invite.get('max-forwards')}, due 70"
        found.append(Violation("advice", "RFC 3261 8.1.1.6", text))
    return found


def judge_ack(invite: RawMessage, ack: RawMessage, status: int) -> list[Violation]:
    """What is wrong with the ACK of an answer with this status (in-dialog rules apart)."""
    found = [*_number_rule(invite, ack)]
    if 200 <= status < 300:
        return [*found, *_accepted_rules(invite, ack)]
    return [*found, *_same_hop_rules(invite, ack, "RFC 3261 17.1.1.3")]


def _number_rule(invite: RawMessage, ack: RawMessage) -> Iterator[Violation]:
    if ack.cseq[0] != invite.cseq[0]:
        text = f"ACK with CSeq {ack.cseq[0]} for INVITE {invite.cseq[0]}"
        yield Violation("ack-cseq", "RFC 3261 13.2.2.4/17.1.1.3", text)


def _accepted_rules(invite: RawMessage, ack: RawMessage) -> Iterator[Violation]:
    """RFC 3261 13.2.2.4: the ACK of a 2xx is a transaction of its own, by the INVITE's rights."""
    if ack.branch == invite.branch:
        text = f"ACK of a 2xx has the branch of its INVITE ({ack.branch})"
        yield Violation("ack-branch", "RFC 3261 13.2.2.4/8.1.1.7", text)
    for name in ("authorization", "proxy-authorization"):
        if [normal(value) for value in invite.all(name)] != [normal(v) for v in ack.all(name)]:
            text = f"{name} of the INVITE is not that of its ACK"
            yield Violation("ack-credentials", "RFC 3261 13.2.2.4", text)


def _same_hop_rules(
    invite: RawMessage, request: RawMessage, section: str, *, with_tag: bool = True
) -> Iterator[Violation]:
    """What ACK of a refusal and CANCEL copy from the INVITE, so that each hop can match them."""
    what = request.method
    if request.branch != invite.branch:
        text = f"{what} with branch {request.branch!r}, due {invite.branch!r}"
        yield Violation(f"{what.lower()}-branch", section, text)
    if normal(request.request_uri) != normal(invite.request_uri):
        text = f"{what} to {request.request_uri!r}, due {invite.request_uri!r}"
        yield Violation(f"{what.lower()}-uri", section, text)
    # A stateless proxy between us has put its own Via on both.
    if len(request.many("via")) not in (1, len(invite.many("via"))):
        text = f"{what} with {len(request.many('via'))} Vias, due 1"
        yield Violation(f"{what.lower()}-via", section, text)
    elif normal(request.many("via")[0]) != normal(invite.many("via")[0]):
        text = f"{what}: Via {request.many('via')[0]!r}, due {invite.many('via')[0]!r}"
        if request.branch == invite.branch:
            yield Violation(f"{what.lower()}-via", section, text)
    if [*map(normal, request.many("route"))] != [*map(normal, invite.many("route"))]:
        text = f"{what}: Route {request.many('route')}, due {invite.many('route')}"
        yield Violation("route-set", section, text)
    if normal(request.get("from") or "") != normal(invite.get("from") or ""):
        text = f"{what}: From {request.get('from')!r}, due {invite.get('from')!r}"
        yield Violation("from-uri", section, text)
    if with_tag:
        return
    if tag_of(request.get("to") or "") is not None:
        yield Violation("cancel-to", section, f"CANCEL: To {request.get('to')!r} has a tag")


def judge_cancel(invite: RawMessage, cancel: RawMessage, *, provisional: bool) -> list[Violation]:
    """What is wrong with a CANCEL of this INVITE."""
    section = "RFC 3261 9.1"
    found = [*_same_hop_rules(invite, cancel, section, with_tag=False)]
    if cancel.cseq[0] != invite.cseq[0]:
        text = f"CANCEL with CSeq {cancel.cseq[0]} for INVITE {invite.cseq[0]}"
        found.append(Violation("cancel-cseq", section, text))
    if not provisional:
        text = "CANCEL before any provisional response"
        found.append(Violation("cancel-early", section, text))
    found += [
        Violation("cancel-require", section, f"CANCEL with {name}")
        for name in ("Require", "Proxy-Require")
        if cancel.all(name)
    ]
    return found
