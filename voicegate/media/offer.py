"""Our own offers, and what has been agreed on in a call (RFC 3264), whoever offered."""

from collections.abc import Callable
from dataclasses import replace

from voicegate.media.answer import EVENT_FORMATS, Answer, Answerer, session_lines, text_of
from voicegate.media.codec import CODECS, FRAME_MS
from voicegate.media.sdp import Direction, OfferRefused

EVENT_TYPE = 101
"""The payload type we offer for digits: everybody's habit."""

Offerer = Callable[[int], bytes]
"""Our offer with the given o= version."""


def make_offer(
    local_host: str, local_port: int, codecs: tuple[str, ...], session_id: int, version: int = 1
) -> bytes:
    """Offer audio both ways, with digits."""
    chosen = [CODECS[name] for name in codecs]
    formats = " ".join(str(codec.payload_type) for codec in chosen)
    lines = [
        *session_lines(local_host, session_id, version),
        f"m=audio {local_port} RTP/AVP {formats} {EVENT_TYPE}",
        *(f"a=rtpmap:{codec.payload_type} {codec.name}/8000" for codec in chosen),
        f"a=rtpmap:{EVENT_TYPE} telephone-event/8000",
        f"a=fmtp:{EVENT_TYPE} {EVENT_FORMATS}",
        f"a=ptime:{FRAME_MS}",
        "a=sendrecv",
    ]
    return text_of(lines)


def unanswered(offer: bytes, codec_name: str) -> Answer:
    """What holds until our first offer is answered: nobody to send to, nobody to hear."""
    codec = CODECS[codec_name]
    return Answer(
        body=offer,
        codec=codec,
        payload_type=codec.payload_type,
        remote=None,
        telephone_event=EVENT_TYPE,
        ptime_ms=FRAME_MS,
        direction=Direction.SENDRECV,
        version=1,
    )


class Agreement:
    """What holds now, and how each offer and answer changes it.

    Each method gives what holds from now on, or None where all stays as it was.
    """

    def __init__(self, first: Answer, answerer: Answerer, offerer: Offerer) -> None:
        self.now = first
        self._answerer = answerer
        self._offerer = offerer

    def renegotiate(self, offer: bytes) -> Answer | None:
        """The peer offers anew."""
        before = self.now
        try:
            answer = self._answerer(offer, before.version, before)
            if answer.body != before.body:
                # RFC 3264 8: the version grows by one with each change of the description.
                answer = self._answerer(offer, before.version + 1, before)
        except OfferRefused:
            return None
        self.now = answer
        return answer

    def offer(self) -> bytes:
        """The peer asks what we would offer: all we can. What holds changes with its answer."""
        body = self._offerer(self.now.version)
        if body != self.now.body:
            version = self.now.version + 1
            body = self._offerer(version)
            self.now = replace(self.now, body=body, version=version)
        return body

    def agree(self, answer: bytes) -> Answer | None:
        """The peer answers what we offered last: its codec, its address, its direction."""
        try:
            # to read an answer is to answer it: the same checks, but our own words stand
            read = self._answerer(answer, self.now.version)
        except OfferRefused:
            return None
        self.now = replace(read, body=self.now.body)
        return self.now
