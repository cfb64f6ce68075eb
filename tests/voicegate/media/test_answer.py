import ipaddress
import json
from pathlib import Path
from typing import Any

import pytest

from voicegate.media.answer import Answer, make_answer
from voicegate.media.sdp import Direction, OfferRefused, parse_offer

POLICY = Path(__file__).parents[4] / "shared" / "corpora" / "own" / "sdp_policy.json"
GATE = "192.0.2.9"
OURS = "192.0.2.50"
HEAD = f"v=0\r\no=- 1 1 IN IP4 {GATE}\r\ns=-\r\nc=IN IP4 {GATE}\r\nt=0 0\r\n"
AUDIO = "m=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"


def answer_to(sdp: str, **changes: Any) -> Answer:
    terms: dict[str, Any] = {
        "local_host": OURS,
        "local_port": 10000,
        "codecs": ("PCMU", "PCMA"),
        "signalling_host": GATE,
        "allowed": lambda host: False,
        "session_id": 4711,
        "own_addresses": ((OURS, 5060),),
    }
    return make_answer(parse_offer(sdp.encode("utf-8", "surrogateescape")), **terms | changes)


def refusal_of(sdp: str, **changes: Any) -> OfferRefused:
    with pytest.raises(OfferRefused) as refused:
        answer_to(sdp, **changes)
    return refused.value


def test_the_whole_answer() -> None:
    answer = answer_to(HEAD + AUDIO + "a=fmtp:101 0-16\r\na=ptime:40\r\n")
    assert answer.body == (
        b"v=0\r\n"
        b"o=- 4711 1 IN IP4 192.0.2.50\r\n"
        b"s=-\r\n"
        b"c=IN IP4 192.0.2.50\r\n"
        b"t=0 0\r\n"
        b"m=audio 10000 RTP/AVP 8 101\r\n"
        b"a=rtpmap:8 PCMA/8000\r\n"
        b"a=rtpmap:101 telephone-event/8000\r\n"
        b"a=fmtp:101 0-15\r\n"
        b"a=ptime:40\r\n"
        b"a=sendrecv\r\n"
    )
    assert (answer.codec.name, answer.payload_type, answer.telephone_event) == ("PCMA", 8, 101)
    assert (answer.remote, answer.ptime_ms, answer.version) == ((GATE, 4000), 40, 1)


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("", 20),
        ("a=ptime:10\r\n", 10),
        ("a=ptime:30\r\n", 30),
        ("a=ptime:60\r\n", 60),
        ("a=ptime:25\r\n", 20),
        ("a=ptime:5\r\n", 20),
        ("a=ptime:0\r\n", 20),
        ("a=ptime:200\r\n", 20),
        ("a=ptime:40\r\na=maxptime:30\r\n", 30),
        ("a=maxptime:10\r\n", 10),
        ("a=maxptime:5\r\n", 10),
    ],
)
def test_sdp_policy_packets_are_as_long_as_the_offer_asks_for(asked: str, given: int) -> None:
    answer = answer_to(HEAD + AUDIO + asked)
    assert answer.ptime_ms == given
    assert f"a=ptime:{given}\r\n".encode() in answer.body


def test_sdp_policy_a_stream_switched_off_in_a_call_is_a_hold() -> None:
    before = answer_to(HEAD + AUDIO)
    held = answer_to(HEAD + AUDIO.replace("4000", "0"), current=before, version=2)
    assert (held.remote, held.direction, held.codec) == (None, Direction.INACTIVE, before.codec)
    assert b"m=audio 0 RTP/AVP" in held.body
    assert b"o=- 4711 2 IN" in held.body
    assert refusal_of(HEAD + AUDIO.replace("4000", "0")).status == 488


def test_our_codecs_limit_and_the_offer_orders() -> None:
    assert answer_to(HEAD + AUDIO, codecs=("PCMU",)).codec.name == "PCMU"
    assert answer_to(HEAD + "m=audio 4000 RTP/AVP 18 3 0 8\r\n").codec.name == "PCMU"
    assert answer_to(HEAD + "m=audio 4000 RTP/AVP 18 8\r\n").telephone_event is None


@pytest.mark.parametrize("number", [96, 97, 101, 127])
def test_the_numbers_are_those_of_the_offer(number: int) -> None:
    sdp = (
        f"m=audio 4000 RTP/AVP 110 {number}\r\na=rtpmap:110 pcmu/8000\r\n"
        f"a=rtpmap:{number} Telephone-Event/8000\r\n"
    )
    if number == 127:
        sdp = sdp.replace("110", "111")
    answer = answer_to(HEAD + sdp)
    assert (answer.codec.name, answer.payload_type) == ("PCMU", 111 if number == 127 else 110)
    assert answer.telephone_event == number
    assert f"a=rtpmap:{number} telephone-event/8000\r\n".encode() in answer.body


@pytest.mark.parametrize(
    ("offered", "answered"),
    [
        ("sendrecv", Direction.SENDRECV),
        ("sendonly", Direction.RECVONLY),
        ("recvonly", Direction.SENDONLY),
        ("inactive", Direction.INACTIVE),
    ],
)
def test_the_direction_is_mirrored(offered: str, answered: Direction) -> None:
    answer = answer_to(HEAD + AUDIO + f"a={offered}\r\n")
    assert answer.direction is answered
    assert f"a={answered.value}\r\n".encode() in answer.body


def test_to_0_0_0_0_nothing_is_sent() -> None:
    held = HEAD.replace(f"c=IN IP4 {GATE}", "c=IN IP4 0.0.0.0")
    answer = answer_to(held + AUDIO)
    assert (answer.remote, answer.direction) == (None, Direction.RECVONLY)
    assert answer_to(held + AUDIO + "a=recvonly\r\n").direction is Direction.INACTIVE


def test_every_line_of_the_offer_has_its_line_in_the_answer() -> None:
    video = "m=video 6000 RTP/AVP 96 97\r\na=rtpmap:96 H264/90000\r\n"
    secure = "m=audio 4002 RTP/SAVP 0\r\n"
    answer = answer_to(HEAD + video + secure + AUDIO + "m=image 9 udptl t38\r\n" + AUDIO)
    lines = [line for line in answer.body.decode().splitlines() if line.startswith("m=")]
    assert lines == [
        "m=video 0 RTP/AVP 96 97",
        "m=audio 0 RTP/SAVP 0",
        "m=audio 10000 RTP/AVP 8 101",
        "m=image 0 udptl t38",
        "m=audio 0 RTP/AVP 8 0 101",
    ]


@pytest.mark.parametrize(
    "address",
    [
        "198.51.100.7",
        "victim.example.com",
        "224.2.1.1/127",
        "255.255.255.255",
        "240.0.0.1",
        "999.1.1.1",
        "192.0.2.9.1",
        "::1",
        "2001:db8::9",
        "",
        "192.0.2.9\x00",
        "127.0.0.1",
    ],
)
def test_audio_goes_to_nobody_but_the_gate(address: str) -> None:
    sdp = HEAD.replace(f"c=IN IP4 {GATE}", f"c=IN IP4 {address}") + AUDIO
    refusal = refusal_of(sdp)
    assert refusal.status == 488
    assert address.strip("\x00") == "" or address not in refusal.reason


def test_a_media_host_of_the_allow_list_may_be_named() -> None:
    sdp = HEAD.replace(f"c=IN IP4 {GATE}", "c=IN IP4 198.51.100.7") + AUDIO
    answer = answer_to(sdp, allowed=lambda host: host == "198.51.100.7")
    assert answer.remote == ("198.51.100.7", 4000)


@pytest.mark.parametrize("address", ["224.2.1.1/127", "255.255.255.255", "240.0.0.1"])
def test_what_is_not_one_host_is_refused_even_if_allowed(address: str) -> None:
    sdp = HEAD.replace(f"c=IN IP4 {GATE}", f"c=IN IP4 {address}") + AUDIO
    assert refusal_of(sdp, allowed=lambda host: True).status == 488


@pytest.mark.parametrize("port", ["0", "1", "53", "1023", "65536", "70000", "-4000", "x", "4e3"])
def test_unusable_ports_are_refused(port: str) -> None:
    assert refusal_of(HEAD + AUDIO.replace("4000", port)).status == 488


def test_our_own_sockets_are_no_target() -> None:
    ours = HEAD.replace(f"c=IN IP4 {GATE}", f"c=IN IP4 {OURS}")
    for port in ("5060", "10000"):
        sdp = ours + AUDIO.replace("4000", port)
        assert refusal_of(sdp, signalling_host=OURS).status == 488
    assert answer_to(ours + AUDIO, signalling_host=OURS).remote == (OURS, 4000)


@pytest.mark.parametrize(
    "media",
    [
        "m=video 4000 RTP/AVP 96\r\n",
        "m=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:SECRET\r\n",
        "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n",
        "m=audio 4000 RTP/AVP 18 3\r\n",
        "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 PCMU/16000\r\n",
        "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 PCMU/8000/2\r\n",
        "m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 opus/48000\r\n",
    ],
)
def test_what_we_do_not_speak_is_refused(media: str) -> None:
    refusal = refusal_of(HEAD + media)
    assert refusal.status == 488
    assert "SECRET" not in str(refusal)


def test_no_connection_line_is_refused() -> None:
    assert refusal_of(HEAD.replace(f"c=IN IP4 {GATE}\r\n", "") + AUDIO).status == 488


@pytest.mark.parametrize(("theirs", "ours"), [("2001:DB8:0::9", "2001:db8::50"), ("::1", "::1")])
def test_ip6_between_ip6_hosts(theirs: str, ours: str) -> None:
    sdp = f"v=0\r\nc=IN IP6 {theirs}\r\n" + AUDIO
    host = str(ipaddress.ip_address(theirs))
    answer = answer_to(sdp, local_host=ours, signalling_host=host)
    assert answer.remote == (host, 4000)
    assert f"c=IN IP6 {ours}\r\n".encode() in answer.body


@pytest.mark.parametrize(
    ("local", "line"), [(OURS, "IP6 2001:db8::9"), ("2001:db8::50", "IP4 192.0.2.9")]
)
def test_an_address_of_the_other_family_is_refused_even_if_allowed(local: str, line: str) -> None:
    """A socket of one family cannot send to it."""
    sdp = HEAD.replace(f"c=IN IP4 {GATE}", f"c=IN {line}") + AUDIO
    assert refusal_of(sdp, local_host=local, allowed=lambda host: True).status == 488


def test_answers_agree_when_they_mean_the_same_stream() -> None:
    answer = answer_to(HEAD + AUDIO)
    assert answer.agrees_with(answer_to(HEAD + AUDIO + "a=x\r\n", version=2))
    others = ("a=sendonly\r\n", "a=ptime:40\r\n")
    for other in (AUDIO.replace("4000", "4002"), *(AUDIO + more for more in others)):
        assert not answer.agrees_with(answer_to(HEAD + other))
    assert not answer.agrees_with(answer_to(HEAD + AUDIO, codecs=("PCMU",)))


def cases() -> list[Any]:
    if not POLICY.exists():
        reason = "the corpus of SDP policies is not beside the repository"
        return [pytest.param({}, marks=pytest.mark.skip(reason=reason))]
    rows = json.loads(POLICY.read_text(encoding="utf-8"))
    return [pytest.param(row, id=row["name"]) for row in rows]


@pytest.mark.parametrize("row", cases())
def test_every_row_of_sdp_policy(row: dict[str, str]) -> None:
    sdp = row["sdp"].replace("{ip}", "127.0.0.1").replace("{port}", "40002")
    sdp = sdp.replace("{gw_sip_port}", "5060")
    terms: dict[str, Any] = {
        "local_host": "127.0.0.1",
        "signalling_host": "127.0.0.1",
        "own_addresses": (("127.0.0.1", 5060),),
    }
    if row["expect"].startswith("200") and row["name"] != "nul_bytes":
        answer = answer_to(sdp, **terms)
        assert answer.remote == ("127.0.0.1", 40002)
        assert answer.ptime_ms == (40 if row["name"] == "ptime_40" else 20)
        assert answer.direction.sends is (row["name"] != "inactive")
        offered = sum(line.startswith("m=") for line in sdp.splitlines())
        assert answer.body.count(b"m=") == offered
    elif row["name"] == "nul_bytes":
        assert answer_to(sdp, **terms).remote == ("127.0.0.1", 40002)
    else:
        assert refusal_of(sdp, **terms).status in (400, 488)
