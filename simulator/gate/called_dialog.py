"""The dialog of a call that the gateway makes to the gate (RFC 3261 12.1.1)."""

import random
import re
from collections.abc import Sequence

from .dialog import GateDialog
from .judge_request import DialogFacts
from .profile import Profile
from .response import Reply, make_response
from .wire import Address, RawMessage, read, uri_of

_USER = re.compile(r"sips?:([^@:;]*)", re.IGNORECASE)


class CalledDialog(GateDialog):
    """Begins with the gateway's INVITE; its routes are those that the INVITE recorded."""

    def __init__(
        self, profile: Profile, source: random.Random, *, local: Address, gateway: Address
    ) -> None:
        super().__init__(profile, source, local=local, gateway=gateway)
        self._begin()
        self.call_id = ""
        self._cseq = source.getrandbits(10)

    def begin(self, invite: RawMessage, source: Address) -> None:
        """RFC 3261 12.1.1: what the INVITE says of the dialog; the answer will make it one."""
        self.gateway = source
        self.call_id = invite.call_id
        self.own_value = invite.get("to") or ""
        self.to_value = invite.get("from") or ""
        self.caller = user_of(invite.request_uri) or "gate"
        self._routes = invite.many("record-route")
        self.facts = DialogFacts(
            call_id=invite.call_id,
            local_tag=self.local_tag,
            local_uri=uri_of(self.own_value),
            remote_uri=uri_of(self.to_value),
            contact_uri="",
            remote_tag=invite.tag("from") or "",
            remote_cseq=invite.cseq[0],
        )
        self.refresh_target(invite)

    def answer(
        self,
        invite: RawMessage,
        source: Address,
        answer: Reply,
        more_routes: Sequence[str] = (),
    ) -> bytes:
        """A response to the INVITE; `more_routes` are proxies of the gate's own (top first)."""
        data = make_response(
            self.profile,
            invite,
            source,
            answer,
            local=self.local,
            caller=self.caller,
            to_tag=self.local_tag,
            record_routes=[*more_routes, *invite.many("record-route")],
        )
        raw = read(data)
        if 100 < answer.status < 300:
            self.facts.contact_uri = uri_of((raw.many("contact") or [""])[0])
            # RFC 3261 12.1.2: the caller takes its routes from the answer, in reverse order.
            # Those between it and us are off again when its request arrives.
            self.facts.record_route = list(more_routes)[::-1]
        return data

    def _remote_value(self, _response: RawMessage) -> str | None:
        return self.to_value


def user_of(uri: str) -> str:
    """The user part of a SIP URI, or an empty text."""
    match = _USER.match(uri)
    return match.group(1) if match and "@" in uri else ""
