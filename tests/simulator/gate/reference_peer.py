"""The reference gateway, grown up: holds, UPDATE, INFO, REFER, digest, session timers, its own BYE.

Written from the RFCs, and strict: what it does not understand it refuses.
"""

import asyncio
import hashlib
import re
from collections.abc import Callable

from tests.simulator.gate.reference_gateway import CONTACT, Dialog, Peer, ReferenceGateway

Headers = dict[str, list[str]]


def answer_direction(offer: str) -> str:
    """RFC 3264 6.1; RFC 3264 8.4 for 0.0.0.0."""
    if "c=IN IP4 0.0.0.0" in offer:
        return "inactive"
    found = re.search(r"a=(sendrecv|sendonly|recvonly|inactive)", offer)
    turned = {"sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}
    return turned.get(found.group(1) if found else "sendrecv", "sendrecv")


class ReferencePeer(ReferenceGateway):
    """A ReferenceGateway that can do all the verbs of a call."""

    def __init__(self, **settings: object) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]
        self.refuse_offer: bytes | None = None
        self.statuses: list[int] = []
        self.versions: dict[str, tuple[int, str]] = {}
        self.infos: list[tuple[str, str]] = []
        self.refers: list[str] = []
        self.notifies: list[tuple[str, str]] = [
            ("active;expires=60", "SIP/2.0 100 Trying"),
            ("terminated;reason=noresource", "SIP/2.0 200 OK"),
        ]
        self.asks_password: dict[str, str] = {}
        self.users: dict[str, str] = {}
        self.algorithm = "MD5"
        self.min_expires = 0
        self.nonce = "n0"
        self.bindings: dict[str, int] = {}
        self.session_expires = ""
        self.ack_bodies: list[str] = []
        self.waiting: dict[str, asyncio.Future[Headers]] = {}
        self.hears_response: Callable[[Headers], None] = lambda _headers: None

    # --- offers ------------------------------------------------------------------------------

    def accept(self, headers: Headers, peer: Peer, dialog: Dialog) -> bytes:
        """Answer any offer: the media follow it at once."""
        offer = headers["body"][0]
        if self.refuse_offer is not None and "tag=" in headers["to"][0]:
            return self.reply(headers, peer, self.refuse_offer.decode(), dialog.tag)
        body = self.answer_body(headers, dialog)
        extra = CONTACT.format(*self.address) + "\r\nContent-Type: application/sdp\r\n"
        if self.session_expires:
            extra += f"Session-Expires: {self.session_expires}\r\n"
            if "refresher=uac" in self.session_expires:
                extra += "Require: timer\r\n"
        if offer or headers["cseq"][0].endswith("INVITE"):
            return self.reply(headers, peer, "200 OK", dialog.tag, extra, body)
        return self.reply(
            headers, peer, "200 OK", dialog.tag, CONTACT.format(*self.address) + "\r\n"
        )

    def answer_body(self, headers: Headers, dialog: Dialog) -> str:
        assert dialog.rtp is not None
        offer = headers["body"][0]
        direction = answer_direction(offer)
        if offer:
            port = int(offer.partition("m=audio ")[2].split()[0])
            dialog.rtp.peer = (dialog.peer[0], port)
            dialog.rtp.paused = direction in ("recvonly", "inactive")
        lines = (
            f"s=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {dialog.rtp.port} RTP/AVP 8 101\r\n"
            "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n"
            f"a={direction}\r\n"
        )
        version, before = self.versions.get(dialog.tag, (0, ""))
        version += before != lines
        self.versions[dialog.tag] = version, lines
        return f"v=0\r\no=- 1 {version} IN IP4 127.0.0.1\r\n{lines}"

    def on_update(self, headers: Headers, peer: Peer) -> None:
        dialog = self.dialogs[headers["call-id"][0]]
        if headers["body"][0]:
            self.accept(headers, peer, dialog)
        else:
            contact = CONTACT.format(*self.address) + "\r\n"
            self.reply(headers, peer, "200 OK", dialog.tag, contact)

    def on_ack(self, headers: Headers, peer: Peer) -> None:
        super().on_ack(headers, peer)
        body, rtp = headers["body"][0], self.dialogs[headers["call-id"][0]].rtp
        self.ack_bodies.append(body)
        if body and rtp is not None:
            rtp.peer = (peer[0], int(body.partition("m=audio ")[2].split()[0]))

    def on_info(self, headers: Headers, peer: Peer) -> None:
        kind = headers.get("content-type", [""])[0]
        self.infos.append((kind, headers["body"][0]))
        known = kind in ("application/dtmf-relay", "application/dtmf")
        accept = "Accept: application/dtmf-relay\r\n"
        self.reply(headers, peer, "200 OK" if known else "415 Unsupported Media Type", "x", accept)

    # --- transfer ----------------------------------------------------------------------------

    def on_refer(self, headers: Headers, peer: Peer) -> None:
        self.refers.append(headers["refer-to"][0])
        dialog = self.dialogs[headers["call-id"][0]]
        contact = CONTACT.format(*self.address) + "\r\n"
        if not self.notifies:
            self.reply(headers, peer, "603 Decline", dialog.tag)
            return
        self.reply(headers, peer, "202 Accepted", dialog.tag, contact)
        for number, (state, line) in enumerate(self.notifies):
            lines = (
                f"{contact}Event: refer\r\nSubscription-State: {state}\r\n"
                "Content-Type: message/sipfrag;version=2.0\r\n"
            )
            self.loop.call_later(number * 0.5, self.ask, dialog, "NOTIFY", lines, line + "\r\n")

    # --- requests of its own -----------------------------------------------------------------

    def request(self, dialog: Dialog, method: str, lines: str = "", body: str = "") -> bytes:
        """RFC 3261 12.2.1.1."""
        bye = self.bye(dialog).decode("latin-1").replace("BYE", method)
        head = bye.replace("Content-Length: 0\r\n\r\n", "")
        return f"{head}{lines}Content-Length: {len(body)}\r\n\r\n{body}".encode("latin-1")

    def ask(self, dialog: Dialog, method: str, lines: str = "", body: str = "") -> None:
        """Send a request in the dialog; its status will be in `statuses`."""
        data = self.spoil(self.request(dialog, method, lines, body))
        self.transport.sendto(data, dialog.peer)

    def reoffer(self, dialog: Dialog, method: str, direction: str, host: str = "127.0.0.1") -> None:
        """A re-INVITE or UPDATE with this direction."""
        assert dialog.rtp is not None
        dialog.rtp.paused = direction in ("recvonly", "inactive")
        version, before = self.versions.get(dialog.tag, (1, ""))
        self.versions[dialog.tag] = version + 1, before
        body = (
            f"v=0\r\no=- 1 {version + 1} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
            f"m=audio {dialog.rtp.port} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n"
            f"a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na={direction}\r\n"
        )
        contact = CONTACT.format(*self.address) + "\r\nContent-Type: application/sdp\r\n"
        self.ask(dialog, method, contact, body)

    def on_response(self, headers: Headers) -> None:
        super().on_response(headers)
        status, method = int(headers["start"][0].split()[1]), headers["cseq"][0].split()[1]
        self.statuses.append(status)
        self.hears_response(headers)
        if method == "INVITE" and status >= 200:
            self.acknowledge(headers, status)

    def acknowledge(self, headers: Headers, status: int) -> None:
        """RFC 3261 13.2.2.4 and 17.1.1.3."""
        number = headers["cseq"][0].split()[0]
        dialog = self.dialogs[headers["call-id"][0]]
        ack = self.bye(dialog).decode("latin-1").replace("BYE", "ACK")
        ack = re.sub(r"CSeq: \d+", f"CSeq: {number}", ack)
        dialog.cseq -= 1
        if status >= 300:
            branch = headers["via"][0].partition("branch=")[2].split(";")[0]
            ack = re.sub(r"branch=[^\r;]*", f"branch={branch}", ack)
        else:
            ack = re.sub(r"branch=([^\r;]*)", rf"branch=\1ack{number}", ack)
        self.transport.sendto(ack.encode("latin-1"), dialog.peer)

    # --- registrar ---------------------------------------------------------------------------

    def on_register(self, headers: Headers, peer: Peer) -> None:
        """RFC 3261 10.3 with RFC 7616."""
        user = headers["to"][0].partition("sip:")[2].partition("@")[0]
        if self.users and not self.knows(headers, "REGISTER"):
            self.challenge(headers, peer)
            return
        seconds = int(headers["expires"][0])
        if 0 < seconds < self.min_expires:
            extra = f"Min-Expires: {self.min_expires}\r\n"
            self.reply(headers, peer, "423 Interval Too Brief", "reg", extra)
            return
        self.bindings[user] = seconds
        contact = headers["contact"][0]
        extra = f"Contact: {contact};expires={seconds}\r\n" if seconds else ""
        self.reply(headers, peer, "200 OK", "reg", extra)

    def challenge(self, headers: Headers, peer: Peer, *, stale: str = "") -> None:
        if 'nonce="' in headers.get("authorization", [""])[0]:
            stale = ", stale=true" if self.nonce not in headers["authorization"][0] else ""
        extra = (
            f'WWW-Authenticate: Digest realm="ref", nonce="{self.nonce}", qop="auth", '
            f'algorithm={self.algorithm}, opaque="op"{stale}\r\n'
        )
        self.reply(headers, peer, "401 Unauthorized", "reg", extra)

    def knows(self, headers: Headers, method: str) -> bool:
        """RFC 7616 3.4.1, written out."""
        value = headers.get("authorization", [""])[0]
        fields = dict(re.findall(r'(\w+)="?([^",]*)"?', value.partition(" ")[2]))
        password = self.users.get(fields.get("username", ""))
        if password is None or fields.get("nonce") != self.nonce:
            return False

        def digest(text: str) -> str:
            kind = "md5" if self.algorithm == "MD5" else "sha256"
            return hashlib.new(kind, text.encode()).hexdigest()

        secret = digest(f"{fields['username']}:ref:{password}")
        asked = digest(f"{method}:{fields['uri']}")
        middle = self.nonce
        if "qop" in fields:
            middle += f":{fields['nc']}:{fields['cnonce']}:{fields['qop']}"
        return str(fields["response"]) == digest(f"{secret}:{middle}:{asked}")

    async def open_rtp(self, dialog: Dialog) -> None:
        if not dialog.request["body"][0]:
            # RFC 3261 13.3.1.4: without an offer the 2xx brings one; the ACK will say the port.
            dialog.request["body"][0] = "m=audio 9 RTP/AVP 8"
        await super().open_rtp(dialog)

    def on_notify(self, headers: Headers, peer: Peer) -> None:
        self.reply(headers, peer, "200 OK", "x", CONTACT.format(*self.address) + "\r\n")

    def on_invite(self, headers: Headers, peer: Peer) -> None:
        if self.users and "tag=" not in headers["to"][0] and not self.knows(headers, "INVITE"):
            self.dialogs[headers["call-id"][0]] = Dialog(headers, peer, "auth")
            self.challenge(headers, peer)
            return
        super().on_invite(headers, peer)
