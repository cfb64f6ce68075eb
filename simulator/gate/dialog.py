"""One dialog as the gate sees it: every message it sends, built from its profile's templates."""

import random
import re
from enum import Enum
from typing import Literal

from .judge_request import DialogFacts
from .profile import Profile
from .response import Reply, make_response
from .wire import Address, RawMessage, read, uri_address, uri_of

Side = Literal["caller", "called", "gateway"]


class CallState(Enum):
    """Where a call stands."""

    AWAITED = "awaited"
    CALLING = "calling"
    RINGING = "ringing"
    UP = "up"
    ENDED = "ended"
    VANISHED = "vanished"


class GateDialog:
    """Call-ID, tags, numbers and routes of a dialog, whoever began it (RFC 3261 12)."""

    def __init__(
        self, profile: Profile, source: random.Random, *, local: Address, gateway: Address
    ) -> None:
        self.profile = profile
        self.local = local
        self.gateway = gateway
        self.caller = "gate"
        self.call_id = ""
        self.local_tag = ""
        self.session_id = 0
        self.own_value = ""
        self.to_value = ""
        self.request_uri = ""
        self.remote_target = ""
        self.target_address = gateway
        self.facts = DialogFacts("", "", "", "", "")
        self._random = source
        self._routes: list[str] = []
        self._cseq = 0

    @property
    def cseq(self) -> int:
        """The number of the last request."""
        return self._cseq

    def branch(self) -> str:
        """A branch never used before (RFC 3261 8.1.1.7)."""
        return f"z9hG4bK{self._random.getrandbits(48):012x}"

    def reinvite(self, body: bytes, headers: tuple[str, ...] = ()) -> bytes:
        """A re-INVITE inside the dialog."""
        self._cseq += 1
        kind = "reinvite" if "reinvite" in self.profile.templates else "request"
        lines = (*self.profile.quirks.headers, *headers)
        return self._message(kind, "INVITE", self._cseq, body=body, headers=lines)

    def refresh_target(self, message: RawMessage) -> None:
        """RFC 3261 12.2.1.2, 12.2.2: re-INVITE and UPDATE may bring another Contact."""
        contacts = message.many("contact")
        if contacts:
            self.remote_target = uri_of(contacts[0])
        nearest = uri_of(self._routes[0]) if self._routes else self.remote_target
        address = uri_address(nearest)
        # A broken Contact is the judge's business; the ACK must still arrive somewhere.
        self.target_address = address if address and address.is_sendable else self.gateway

    def ack(
        self, response: RawMessage, body: bytes = b"", credentials: tuple[str, ...] = ()
    ) -> bytes:
        """RFC 3261 13.2.2.4: the ACK of a 2xx is a request of its own, with the INVITE's number.

        It repeats the header lines of the INVITE's `credentials`.
        """
        routes = [f"Route: {route}" for route in self._routes]
        data = self._message(
            "ack",
            "ACK",
            response.cseq[0],
            to_value=self._remote_value(response),
            routes="\n".join([*routes, *credentials]),
        )
        if not body:
            return data
        typed = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}".encode()
        return re.sub(rb"(?i)(content-length|\bl): *0", typed, data) + body

    def ack_refusal(self, invite: RawMessage, response: RawMessage) -> bytes:
        """RFC 3261 17.1.1.3: the ACK of a refusal has the branch and target of the INVITE."""
        kind = "ack_refusal" if "ack_refusal" in self.profile.templates else "ack"
        return self._message(
            kind,
            "ACK",
            invite.cseq[0],
            to_value=response.get("to"),
            branch=invite.branch,
            request_uri=invite.request_uri,
            routes="\n".join(f"Route: {route}" for route in invite.many("route")),
        )

    def request(
        self, method: str, body: bytes = b"", content_type: str = "", headers: tuple[str, ...] = ()
    ) -> bytes:
        """The next request inside the dialog."""
        self._cseq += 1
        kind = method.lower() if method.lower() in self.profile.templates else "request"
        return self._message(
            kind, method, self._cseq, body=body, content_type=content_type, headers=headers
        )

    def response(self, request: RawMessage, source: Address, answer: Reply) -> bytes:
        """An answer to a request of the gateway."""
        return make_response(
            self.profile,
            request,
            source,
            answer,
            local=self.local,
            caller=self.caller,
            to_tag=self.local_tag or "gate",
        )

    def sdp(
        self,
        port: int,
        *,
        version: int = 1,
        direction: str = "sendrecv",
        host: str | None = None,
        profile: Profile | None = None,
    ) -> bytes:
        """This call's session description for RTP at `port` (of `host`, its own unless told)."""
        fields = {
            "host": host or self.local.host,
            "port": port,
            "session_id": self.session_id,
            "version": self.session_id + version,
            "direction": direction,
        }
        return (profile or self.profile).sdp(fields)

    def _remote_value(self, response: RawMessage) -> str | None:
        return response.get("to")

    def _begin(self) -> None:
        """Draw what is random in a dialog."""
        source = self._random
        # The address makes Call-IDs of two gates with the same seed differ.
        self.call_id = f"{source.getrandbits(128):032x}@{self.local}"
        self.local_tag = f"as{source.getrandbits(32):08x}"
        self.session_id = source.getrandbits(30)

    def _message(
        self,
        kind: str,
        method: str,
        number: int,
        *,
        body: bytes = b"",
        headers: tuple[str, ...] = (),
        **changes: str | None,
    ) -> bytes:
        fields: dict[str, object] = {
            "method": method,
            "request_uri": self.remote_target if self.facts.remote_tag else self.request_uri,
            "local": self.local,
            "host": self.local.host,
            "branch": self.branch() if "branch" not in changes else "",
            "routes": "\n".join(f"Route: {route}" for route in self._routes),
            "record_routes": "",
            "from_value": f"{self.own_value};tag={self.local_tag}",
            "from_uri_value": self.own_value,
            "local_tag": self.local_tag,
            "to_value": self.to_value,
            "caller": self.caller,
            "call_id": self.call_id,
            "cseq": number,
            "linked_id": f"1763812800.{self.session_id % 100000}",
            "content_type": changes.get("content_type") or "application/sdp",
            "headers": "\n".join(headers),
        }
        fields.update({key: value for key, value in changes.items() if value is not None})
        return self.profile.message(kind, fields, body)


class CallerDialog(GateDialog):
    """The dialog of a call that the gate makes (RFC 3261 12.1.2)."""

    def __init__(
        self,
        profile: Profile,
        source: random.Random,
        *,
        local: Address,
        gateway: Address,
        number: str,
        caller: str,
        display_name: str | None = None,
        target: str | None = None,
        home: Address | None = None,
    ) -> None:
        """`target` is the URI to call instead of `number` at the gateway's address.

        `home` is where the caller has its account, the gate itself unless told."""
        super().__init__(profile, source, local=local, gateway=gateway)
        self._begin()
        self.caller = caller
        called = f"{number}@{gateway}" if number else str(gateway)
        self.request_uri = self.remote_target = target or f"sip:{called}"
        name = caller if display_name is None else display_name
        self.own_value = f'"{name}" <sip:{caller}@{home or local}>'
        self.to_value = f"<{self.request_uri}>"
        self._cseq = 101 + source.getrandbits(6)
        self.facts = DialogFacts(
            call_id=self.call_id,
            local_tag=self.local_tag,
            local_uri=f"sip:{caller}@{home or local}",
            remote_uri=self.request_uri,
            contact_uri="",
        )

    def invite(self, body: bytes, headers: tuple[str, ...] = ()) -> bytes:
        """The INVITE that would begin the dialog."""
        self._cseq += 1
        lines = (*self.profile.quirks.headers, *headers)
        data = self._message("invite", "INVITE", self._cseq, body=body, headers=lines)
        raw = read(data)
        self.facts.contact_uri = uri_of((raw.many("contact") or [""])[0])
        self.facts.local_uri = uri_of(raw.get("from") or "")
        self.facts.remote_uri = uri_of(raw.get("to") or "")
        self.facts.record_route = raw.many("record-route")
        return data

    def learn(self, response: RawMessage) -> None:
        """RFC 3261 12.1.2: the answer's tag, Contact and Record-Route make the dialog."""
        self.facts.remote_tag = response.tag("to") or ""
        self.to_value = response.get("to") or self.to_value
        # A proxy that we play ourselves takes its own Route off before the gateway sees it.
        foreign = [
            route for route in response.many("record-route") if route not in self.facts.record_route
        ]
        self._routes = foreign[::-1]
        self.refresh_target(response)

    def cancel(self, invite: RawMessage) -> bytes:
        """RFC 3261 9.1: all as in the INVITE, but the method."""
        return self._message(
            "cancel",
            "CANCEL",
            invite.cseq[0],
            branch=invite.branch,
            request_uri=invite.request_uri,
            to_value=invite.get("to"),
        )
