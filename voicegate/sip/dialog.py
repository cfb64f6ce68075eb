"""A dialog (RFC 3261 12): who the two ends are, and requests of ours inside it built right."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable

from voicegate.sip.address import DEFAULT_PORTS, Address, Flow
from voicegate.sip.events import DialogId
from voicegate.sip.headers import NameAddr, SipUri
from voicegate.sip.message import Headers, Received, Request, Response

Message = Request | Response

SDP_TYPE = ("Content-Type", "application/sdp")
CREDENTIALS = ("authorization", "proxy-authorization")


class Dialog:
    """The state of one dialog: identity, CSeq numbers, route set, remote target."""

    def __init__(
        self,
        identity: DialogId,
        first: Message,
        *,
        parties: tuple[str, str],
        numbers: tuple[int, int],
        routes: list[str],
        ends: tuple[Address, Address],
    ) -> None:
        """`first` is the peer's message that made it; parties, numbers and ends: ours, theirs."""
        self.id = identity
        self._local_party, self._remote_party = parties
        self._local_cseq, self.remote_cseq = numbers
        self._routes = routes
        self.local, self.signalling = ends
        """Our end, and the one its first message came from or went to."""
        self._target = self.signalling.uri
        self.allows = frozenset(method.upper() for method in first.listed("Allow"))
        """The methods the peer said it takes; empty where it said nothing."""
        self.refresh_target(first)

    @classmethod
    def of_invite(cls, got: Received, local_tag: str, first_cseq: int) -> Dialog:
        """The dialog that an INVITE we received makes (RFC 3261 12.1.1)."""
        request = got.request
        return cls(
            DialogId(request.call_id, local_tag, request.from_.tag),
            request,
            # the local URI is what the INVITE's To says, the remote one its From
            parties=(f"{request.header('To')};tag={local_tag}", request.header("From") or ""),
            numbers=(first_cseq, request.cseq.number),
            routes=request.listed("Record-Route"),
            ends=(got.local, got.source),
        )

    @classmethod
    def of_answer(
        cls, invite: Request, response: Response, local: Address, destination: Address
    ) -> Dialog:
        """The dialog that the answer to an INVITE of ours makes (RFC 3261 12.1.2)."""
        return cls(
            DialogId(invite.call_id, invite.from_.tag, response.to.tag),
            response,
            parties=(invite.header("From") or "", response.header("To") or ""),
            # no request of theirs has come yet: any number is right
            numbers=(invite.cseq.number, -1),
            # the caller reads the route set backwards
            routes=response.listed("Record-Route")[::-1],
            ends=(local, destination),
        )

    def refresh_target(self, message: Message) -> None:
        """Take the remote target from a Contact (RFC 3261 12.2.1.2); an unusable one changes
        nothing."""
        for value in message.listed("Contact")[:1]:
            try:
                uri = NameAddr.parse(value).uri
                SipUri.parse(uri)
            except ValueError:
                return
            # RFC 3261 19.1.5: headers of a URI have no place in a Request-URI
            self._target = uri.partition("?")[0]

    @property
    def local_uri(self) -> str:
        """Who we are in this dialog."""
        return NameAddr.parse(self._local_party).uri

    @property
    def contact(self) -> tuple[str, str]:
        """Where the peer reaches us."""
        return ("Contact", f"<{self.local.uri}>")

    def request(
        self,
        method: str,
        *,
        branch: str,
        product: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Request:
        """A request of ours inside the dialog, with the next CSeq (RFC 3261 12.2.1.1)."""
        self._local_cseq += 1
        return self._request(method, self._local_cseq, branch, (*headers, _agent(product)), body)

    def ack(self, invite: Request, *, branch: str, product: str, body: bytes = b"") -> Request:
        """The ACK of a 2xx (RFC 3261 13.2.2.4): the number and the credentials of its INVITE."""
        lines = [pair for pair in invite.headers if pair[0].lower() in CREDENTIALS]
        if body:
            lines.append(SDP_TYPE)
        return self._request("ACK", invite.cseq.number, branch, (*lines, _agent(product)), body)

    def _request(
        self, method: str, number: int, branch: str, headers: Headers, body: bytes
    ) -> Request:
        uri, routes = self._way()
        lines: Headers = (
            ("Via", f"SIP/2.0/UDP {self.local};branch={branch};rport"),
            *(("Route", route) for route in routes),
            ("Max-Forwards", "70"),
            ("From", self._local_party),
            ("To", self._remote_party),
            ("Call-ID", self.id.call_id),
            ("CSeq", f"{number} {method}"),
            *headers,
        )
        return Request(method, uri, lines, body)

    def _way(self) -> tuple[str, list[str]]:
        """Request-URI and Route headers."""
        if not self._routes or (first := _uri_of(self._routes[0])) is None:
            return self._target, []
        if first.is_loose_router:
            return self._target, self._routes
        # a strict router wants its own URI on the start line and the target last
        return str(first), [*self._routes[1:], f"<{self._target}>"]

    def next_hop(
        self,
        may_send_to: Callable[[str], bool],
        local_towards: Callable[[Address], Address | None],
    ) -> Flow:
        """The way of our requests: to the first route or the target, if it is an address we may
        send to by a transport we have; else back whence the INVITE came. No name is looked up, no
        third party is sent packets.
        """
        named = self._named_hop(may_send_to)
        if named is None:
            return Flow(self.local, self.signalling)
        if named.transport != self.signalling.transport:
            local = local_towards(named)
            return Flow(local, named) if local else Flow(self.local, self.signalling)
        if named.is_reliable and named.host == self.signalling.host:
            return Flow(self.local, self.signalling, named)
        return Flow(self.local, named)

    def _named_hop(self, may_send_to: Callable[[str], bool]) -> Address | None:
        """The address that the first route or the target names, if we may send to it."""
        uri = _uri_of(self._routes[0]) if self._routes else None
        uri = uri or SipUri.parse(self._target)
        try:
            address = ipaddress.ip_address(uri.host)
        except ValueError:
            return None
        host, transport = str(address), uri.transport or self.signalling.transport
        if transport not in DEFAULT_PORTS:
            return None
        if host != self.signalling.host and (
            address.is_multicast or address.is_unspecified or not may_send_to(host)
        ):
            return None
        return Address(host, uri.port or DEFAULT_PORTS[transport], transport)


def _agent(product: str) -> tuple[str, str]:
    return ("User-Agent", product)


def _uri_of(route: str) -> SipUri | None:
    try:
        return SipUri.parse(NameAddr.parse(route).uri)
    except ValueError:
        return None
