"""The judge of a response: does it fit the request the gate sent, as RFC 3261 8.2.6 wants it?"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .judge import Violation, judge_message
from .wire import Address, RawMessage, normal, parameter, tag_of, uri_address, uri_of

ECHOED = ("via", "from", "to", "call-id", "cseq")
"""RFC 3261 8.2.6.2: what a response repeats from its request."""

NEEDED_BY_STATUS = {
    401: ("WWW-Authenticate", "RFC 3261 22.1"),
    405: ("Allow", "RFC 3261 8.2.1"),
    407: ("Proxy-Authenticate", "RFC 3261 22.3"),
    415: ("Accept", "RFC 3261 8.2.3"),
    420: ("Unsupported", "RFC 3261 8.2.2.3"),
    422: ("Min-SE", "RFC 4028 6"),
    423: ("Min-Expires", "RFC 3261 10.3"),
}
"""Headers a refusal must bring so that the asker can do better."""

_IP = re.compile(r"^[0-9.]+$|:")
_TAG = re.compile(r";tag=[^;]*")
_RECEIVED = re.compile(r";(?:received=[^;]*|rport(?:=[^;]*)?)(?=;|$)", re.IGNORECASE)


def judge_response(
    request: RawMessage,
    response: RawMessage,
    *,
    source: Address,
    sent_from: Address,
    proxies: Sequence[str] = (),
) -> list[Violation]:
    """All that is wrong with `response` as an answer to `request`.

    `source` is where the response came from, `sent_from` the address the request left from;
    `proxies` are the Record-Route values that our own proxy has put on top meanwhile.
    """
    found = judge_message(response, ECHOED)
    found += _echo_rules(request, response)
    found += _via_rules(request, response, source if not proxies else None, sent_from)
    needed = NEEDED_BY_STATUS.get(response.status)
    if needed is not None and not response.all(needed[0]):
        found.append(
            Violation("refusal-header", needed[1], f"{response.status} without {needed[0]}")
        )
    if request.method == "INVITE" and 200 <= response.status < 300:
        found += _accept_rules(request, response, proxies)
    elif request.method == "UPDATE" and request.body and 200 <= response.status < 300:
        found += _answer_rule(request, response, "RFC 3311 5.2")
    return found


def advice(request: RawMessage, response: RawMessage) -> list[Violation]:
    """What the RFC only recommends (SHOULD): recorded apart, never a failure."""
    if response.status == 200 and request.method in ("INVITE", "OPTIONS"):
        return [
            Violation("advice", section, f"200 to {request.method} without {name}")
            for name, section in (("Allow", "RFC 3261 13.3.1.4/11.2"), ("Supported", "11.2"))
            if not response.all(name)
        ]
    return []


def _echo_rules(request: RawMessage, response: RawMessage) -> Iterator[Violation]:
    """RFC 3261 8.2.6.2: From, To, Call-ID and CSeq equal those of the request."""
    for name in ("From", "Call-ID", "CSeq"):
        sent, got = request.get(name), response.get(name)
        if sent is not None and got is not None and normal(sent) != normal(got):
            yield _not_echoed(name, sent, got)
    sent, got = request.get("to"), response.get("to")
    if sent is None or got is None:
        return
    if tag_of(sent) is not None:
        if normal(sent) != normal(got):
            yield _not_echoed("To", sent, got)
        return
    if normal(sent) != _TAG.sub("", normal(got)):
        yield _not_echoed("To", sent, got)
    if response.status > 100 and tag_of(got) is None:
        yield Violation("to-tag-missing", "RFC 3261 8.2.6.2", f"{response.summary}: To has no tag")


def _not_echoed(name: str, sent: str, got: str) -> Violation:
    return Violation(
        f"{name.lower()}-echoed", "RFC 3261 8.2.6.2", f"{name} sent {sent!r}, came back {got!r}"
    )


def _via_rules(
    request: RawMessage, response: RawMessage, source: Address | None, sent_from: Address
) -> Iterator[Violation]:
    """RFC 3261 8.2.6.2, 18.2.1 and RFC 3581 4: the Vias, in order, and what is added to the top."""
    sent, got = request.many("via"), response.many("via")
    if not sent or not got:
        return
    bare = [_RECEIVED.sub("", normal(got[0])), *map(normal, got[1:])]
    if bare != [_RECEIVED.sub("", normal(sent[0])), *map(normal, sent[1:])]:
        yield Violation("via-echoed", "RFC 3261 8.2.6.2", f"Via sent {sent}, came back {got}")
        return
    received, rport = parameter(got[0], "received"), parameter(got[0], "rport")
    sent_by = uri_address("sip:" + sent[0].split(None, 1)[1].split(";")[0].strip())
    named_otherwise = sent_by is not None and sent_by.host != sent_from.host
    if received is None and (named_otherwise or rport):
        section = "RFC 3261 18.2.1" if named_otherwise else "RFC 3581 4"
        yield Violation("received-missing", section, f"no received= in {got[0]!r}")
    if received is not None and received.strip("[]") != sent_from.host:
        yield Violation("received-wrong", "RFC 3261 18.2.1", f"received={received}, {sent_from}")
    if rport and parameter(sent[0], "rport") == "":
        if rport != str(sent_from.port):
            yield Violation("rport-wrong", "RFC 3581 4", f"rport={rport}, sent from {sent_from}")
        target = uri_address(request.request_uri)
        if source and target and target.host == source.host and target != source:
            yield Violation("response-source", "RFC 3581 4", f"asked {target}, {source} answers")


def _accept_rules(
    request: RawMessage, response: RawMessage, proxies: Sequence[str]
) -> Iterator[Violation]:
    """RFC 3261 12.1.1 and 13.3.1.4: a 2xx to INVITE builds a dialog and answers the offer."""
    contacts = response.many("contact")
    if len(contacts) != 1:
        yield Violation("contact-missing", "RFC 3261 12.1.1", f"2xx with {len(contacts)} Contacts")
    elif not usable(uri_address(uri_of(contacts[0]))):
        yield Violation("contact-unusable", "RFC 3261 8.1.1.8", f"Contact {contacts[0]!r}")
    added = proxies if tag_of(request.get("to") or "") is None else ()
    routes = [normal(route) for route in [*added, *request.many("record-route")]]
    if routes != [normal(route) for route in response.many("record-route")]:
        yield Violation(
            "record-route-copied",
            "RFC 3261 12.1.1",
            f"Record-Route sent {routes}, came back {response.many('record-route')}",
        )
    yield from _answer_rule(request, response, "RFC 3261 13.3.1.4")


def _answer_rule(request: RawMessage, response: RawMessage, section: str) -> Iterator[Violation]:
    """An offer is answered in the 2xx; to an INVITE without one the 2xx brings the offer."""
    content_type = (response.get("content-type") or "").split(";")[0].strip().lower()
    if not response.body or content_type != "application/sdp":
        due = "an SDP answer to its offer" if request.body else "an offer of its own"
        yield Violation("sdp-missing", section, f"2xx without {due}")


def usable(target: Address | None) -> bool:
    """Whether a later request could be sent there (a name is the resolver's business)."""
    if target is None or not 0 < target.port < 65536:
        return False
    return target.is_sendable or not _IP.match(target.host)


@dataclass
class TransactionJudge:
    """What only the sequence of responses to one request shows."""

    tag: str | None = None
    "The To tag the first response above 100 brought."

    final: int = 0
    "The status of the first final response, or 0."

    tags_seen: list[str] = field(default_factory=list)
    "Foreign tags already reported, so that each is reported once."

    def judge(self, response: RawMessage) -> list[Violation]:
        """Judge the next response (retransmissions included) to the request."""
        return [*self._tag_rule(response), *self._order_rules(response)]

    def _tag_rule(self, response: RawMessage) -> Iterator[Violation]:
        """RFC 3261 8.2.6.2: one tag for all responses of a UAS to one request."""
        tag = response.tag("to")
        if response.status <= 100 or tag is None:
            return
        if self.tag is None:
            self.tag = tag
        elif tag != self.tag and tag not in self.tags_seen:
            self.tags_seen.append(tag)
            yield Violation(
                "to-tag-stable", "RFC 3261 8.2.6.2", f"To tag {self.tag!r}, then {tag!r}"
            )

    def _order_rules(self, response: RawMessage) -> Iterator[Violation]:
        """RFC 3261 17.2: one final response, and nothing provisional behind it."""
        if response.status >= 200:
            if self.final and self.final != response.status:
                yield Violation(
                    "one-final-answer",
                    "RFC 3261 17.2.1",
                    f"{self.final}, then {response.status} to one {response.method}",
                )
            self.final = self.final or response.status
        elif self.final:
            yield Violation(
                "provisional-after-final",
                "RFC 3261 17.2.1",
                f"{response.status} after {self.final}",
            )
