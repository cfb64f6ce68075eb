"""Our own offers, and how what holds changes with each offer and answer (RFC 3264)."""

import pytest

from tests.voicegate.media.lab import HOST, Lab, calling, offer
from voicegate.media.offer import make_offer, unanswered
from voicegate.media.sdp import parse_offer

pytestmark = pytest.mark.virtual

ANSWER = b"v=0\r\no=- 9 9 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"


def version_of(sdp: bytes | None) -> int:
    assert sdp is not None
    return int(sdp.split()[3])


def test_an_offer_of_our_own_can_be_answered() -> None:
    body = make_offer(local_host=HOST, local_port=10000, codecs=("PCMA", "PCMU"), session_id=5)
    (stream,) = parse_offer(body).streams
    assert [number for number, _ in stream.encodings] == [8, 0, 101]
    assert (stream.port, stream.connection, stream.ptime_ms) == (10000, HOST, 20)


def test_until_an_answer_comes_nothing_may_be_sent() -> None:
    assert unanswered(b"offer", "PCMA").remote is None


async def test_our_offer_is_answered_with_the_other_codec() -> None:
    async with calling() as caller, Lab().open(b"") as media:
        assert (media.parked, media.codec_name) == (True, "PCMU")
        assert b"RTP/AVP 0 8 101" in media.local_sdp
        before = media.local_sdp
        assert media.agree(offer(caller.port, "8 101"))
        assert (media.parked, media.codec_name) == (False, "PCMA")
        assert media.local_sdp == before


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense",
        ANSWER + b"m=audio 0 RTP/AVP 8\r\n",
        ANSWER + b"m=audio 4000 RTP/AVP 18\r\n",
    ],
    ids=["none", "no SDP", "refused", "another codec"],
)
async def test_an_answer_that_cannot_be_taken_changes_nothing(answer: bytes) -> None:
    async with Lab().open(b"") as media:
        assert not media.agree(answer)
        assert media.parked


async def test_an_answer_that_names_a_stranger_is_not_taken() -> None:
    async with Lab().open(b"") as media:
        assert not media.agree(offer(4000, host="203.0.113.9"))


async def test_who_asks_for_our_offer_in_a_call_gets_all_we_can_once_more() -> None:
    async with calling() as caller, Lab().open(offer(caller.port, "8")) as media:
        asked = media.offer()
        assert version_of(asked) == 2
        assert b"RTP/AVP 0 8 101" in (asked or b"")
        assert media.offer() == asked
        assert media.codec_name == "PCMA"
        assert media.agree(offer(caller.port, "0"))
        assert media.codec_name == "PCMU"
        assert version_of(media.renegotiate(offer(caller.port, "8"))) == 3


async def test_a_stopped_session_agrees_on_nothing() -> None:
    async with calling() as caller, Lab().open(offer(caller.port)) as media:
        media.stop()
        assert media.offer() is None
        assert not media.agree(offer(caller.port))
