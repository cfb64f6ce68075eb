"""A dialog (RFC 3261 12): who the two ends are, and requests of ours inside it built right."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable

from voicegate.sip.events import DialogId
from voicegate.sip.headers import DEFAULT_PORT, Address, NameAddr, SipUri
from voicegate.sip.message import Headers, Received, Request


class Dialog:
    """The state of one dialog: identity, CSeq numbers, route set, remote target.

    Made from an INVITE we received. A dialog we begin ourselves differs in its constructor only:
    From and To change places and the route set is read backwards (RFC 3261 12.1.2).
    """

    def __init__(self, got: Received, local_tag: str, first_cseq: int) -> None:
        request = got.request
        self.id = DialogId(request.call_id, local_tag, request.from_.tag)
        self.remote_cseq = request.cseq.number
        self._local_cseq = first_cseq
        # RFC 3261 12.1.1: the local URI is what the INVITE's To says, the remote one its From
        self._local_party = f"{request.header('To')};tag={local_tag}"
        self._remote_party = request.header("From") or ""
        self._routes = request.listed("Record-Route")
        self._signalling = got.source
        self._local = got.local
        self._target = f"sip:{got.source}"
        self.refresh_target(request)

    def refresh_target(self, request: Request) -> None:
        """Take the remote target from a Contact (RFC 3261 12.2.1.2); an unusable one changes
        nothing."""
        for value in request.listed("Contact")[:1]:
            try:
                uri = NameAddr.parse(value).uri
                SipUri.parse(uri)
            except ValueError:
                return
            # RFC 3261 19.1.5: headers of a URI have no place in a Request-URI
            self._target = uri.partition("?")[0]

    def request(
        self, method: str, *, branch: str, product: str, headers: Iterable[tuple[str, str]] = ()
    ) -> Request:
        """A request of ours inside the dialog, with the next CSeq (RFC 3261 12.2.1.1)."""
        self._local_cseq += 1
        uri, routes = self._way()
        lines: Headers = (
            ("Via", f"SIP/2.0/UDP {self._local};branch={branch};rport"),
            *(("Route", route) for route in routes),
            ("Max-Forwards", "70"),
            ("From", self._local_party),
            ("To", self._remote_party),
            ("Call-ID", self.id.call_id),
            ("CSeq", f"{self._local_cseq} {method}"),
            *headers,
            ("User-Agent", product),
        )
        return Request(method, uri, lines)

    def _way(self) -> tuple[str, list[str]]:
        """Request-URI and Route headers."""
        if not self._routes or (first := _uri_of(self._routes[0])) is None:
            return self._target, []
        if first.is_loose_router:
            return self._target, self._routes
        # a strict router wants its own URI on the start line and the target last
        return str(first), [*self._routes[1:], f"<{self._target}>"]

    def next_hop(self, may_send_to: Callable[[str], bool]) -> Address:
        """Where our requests go: the first route or the target, if it is an address we may send
        to; else whence the INVITE came. No name is looked up, no third party is sent packets.
        """
        uri = _uri_of(self._routes[0]) if self._routes else None
        uri = uri or SipUri.parse(self._target)
        try:
            address = ipaddress.ip_address(uri.host)
        except ValueError:
            return self._signalling
        host = str(address)
        if host != self._signalling.host and (
            address.is_multicast or address.is_unspecified or not may_send_to(host)
        ):
            return self._signalling
        return Address(host, uri.port or DEFAULT_PORT)


def _uri_of(route: str) -> SipUri | None:
    try:
        return SipUri.parse(NameAddr.parse(route).uri)
    except ValueError:
        return None
