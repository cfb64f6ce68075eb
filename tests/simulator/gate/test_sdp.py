import pytest

from simulator.gate.agreement import Negotiated
from simulator.gate.sdp import judge_answer, read_sdp
from simulator.gate.wire import Address
from tests.simulator.gate.messages import ANSWER, OFFER


def rules(answer: str, offer: str = OFFER, earlier: str | None = None) -> list[str]:
    before = read_sdp(earlier.encode()) if earlier else None
    found = judge_answer(read_sdp(offer.encode()), read_sdp(answer.encode()), before)
    return [violation.rule for violation in found]


def test_an_answer_is_read() -> None:
    sdp = read_sdp(ANSWER.encode())
    assert sdp.agreed == Negotiated(Address("127.0.0.1", 20000), {8: "PCMA"}, 101, receives=True)
    assert sdp.audio is not None
    assert sdp.audio.codecs == {8: "PCMA"}
    assert sdp.audio.telephone_event == 101
    assert (sdp.audio.direction, sdp.version) == ("sendrecv", 1)


@pytest.mark.parametrize("body", [b"", b"\xff\x00", b"m=audio x RTP/AVP 8\r\n", b"m=\r\no=\r\n"])
def test_a_broken_body_is_read_as_nothing(body: bytes) -> None:
    assert read_sdp(body).audio is None


def test_correct_answers_are_not_blamed() -> None:
    assert rules(ANSWER) == []
    assert rules(ANSWER.replace("RTP/AVP 8 101", "RTP/AVP 8 0 101")) == []
    assert rules(ANSWER.replace("a=rtpmap:8 PCMA/8000\r\n", "")) == []
    assert rules(ANSWER.replace("m=audio 20000", "m=audio 0")) == []
    hold = OFFER.replace("sendrecv", "sendonly")
    assert rules(ANSWER.replace("sendrecv", "recvonly"), hold) == []
    assert rules(ANSWER, earlier=ANSWER) == []


SINS = [
    ("sdp-line-ending", ("s=-\r\n", "s=-\n")),
    ("sdp-order", ("s=-\r\nc=IN IP4 127.0.0.1\r\n", "c=IN IP4 127.0.0.1\r\ns=-\r\n")),
    ("sdp-origin", ("o=- 7 1 ", "o=- 7 x ")),
    ("sdp-media", ("RTP/AVP", "RTP/SAVP")),
    ("sdp-codec", ("RTP/AVP 8 101", "RTP/AVP 18")),
    ("sdp-payload-type", ("8 101\r\n", "8 96\r\n")),
    ("sdp-direction", ("sendrecv", "sendonly")),
    ("sdp-port", ("20000", "20001")),
    ("sdp-address", ("c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0")),
    ("sdp-address", ("c=IN IP4 127.0.0.1", "c=IN IP4 224.1.1.1")),
]


@pytest.mark.parametrize(("rule", "change"), SINS)
def test_one_sin_of_an_answer_is_exactly_one_violation(rule: str, change: tuple[str, str]) -> None:
    broken = ANSWER.replace(*change)
    assert broken != ANSWER
    if rule == "sdp-payload-type":
        broken = broken.replace("rtpmap:101", "rtpmap:96")
    offer = OFFER.replace("sendrecv", "sendonly") if rule == "sdp-direction" else OFFER
    assert rules(broken, offer) == [rule]


def test_each_line_of_the_offer_is_answered() -> None:
    video = OFFER + "m=video 30000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    assert rules(ANSWER, video) == ["sdp-lines"]
    assert rules(ANSWER + "m=video 0 RTP/AVP 96\r\n", video) == []


def test_the_origin_stays_and_its_version_grows_with_a_change() -> None:
    hold = ANSWER.replace("sendrecv", "inactive")
    assert rules(hold, earlier=ANSWER) == ["sdp-version"]
    assert rules(hold.replace("o=- 7 1", "o=- 7 2"), earlier=ANSWER) == []
    assert rules(ANSWER.replace("o=- 7", "o=- 8"), earlier=ANSWER) == ["sdp-origin"]


@pytest.mark.parametrize("change", [("127.0.0.1\r\nt", "0.0.0.0\r\nt"), ("AVP 8 ", "AVP 18 ")])
def test_without_an_address_or_a_codec_nothing_is_agreed(change: tuple[str, str]) -> None:
    assert change[0] in ANSWER
    assert read_sdp(ANSWER.replace(*change).encode()).agreed is None
    held = read_sdp(ANSWER.replace("sendrecv", "recvonly").encode()).agreed
    assert held is not None
    assert not held.receives
    assert held.sends
