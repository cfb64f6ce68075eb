from simulator.gate.agreement import Negotiated
from simulator.gate.sdp import read_sdp, settle
from tests.simulator.gate.messages import ANSWER, OFFER


def flows(ours: str, theirs: str) -> tuple[bool, bool, bool]:
    """Whether the gateway is to send, whether we may, whether it must not."""
    offer, answer = read_sdp(OFFER.encode()), read_sdp(ANSWER.encode())
    offer = read_sdp(OFFER.replace("a=sendrecv", f"a={ours}").encode())
    answer = read_sdp(ANSWER.replace("a=sendrecv", f"a={theirs}").encode())
    agreed = settle(offer, answer, {8: "PCMA"})
    assert isinstance(agreed, Negotiated)
    return agreed.receives, agreed.sends, agreed.silent


def test_directions_decide_who_speaks() -> None:
    assert flows("sendrecv", "sendrecv") == (True, True, False)
    assert flows("sendonly", "recvonly") == (False, True, True)
    assert flows("recvonly", "sendonly") == (True, False, False)
    assert flows("inactive", "inactive") == (False, False, True)
    assert flows("sendrecv", "recvonly") == (False, True, True)


def test_an_address_of_zeros_holds_its_listener_back() -> None:
    zeros = ANSWER.replace("c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0")
    theirs = settle(read_sdp(OFFER.encode()), read_sdp(zeros.encode()), {8: "PCMA"})
    assert theirs is not None
    assert (theirs.receives, theirs.sends, theirs.silent) == (False, False, False)
    ours = OFFER.replace("c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0")
    held = settle(read_sdp(ours.encode()), read_sdp(ANSWER.encode()), {8: "PCMA"})
    assert held is not None
    assert (held.receives, held.silent) == (False, True)


def test_nothing_is_settled_without_codec_or_address() -> None:
    offer, answer = read_sdp(OFFER.encode()), read_sdp(ANSWER.encode())
    assert settle(offer, answer, {}) is None
    nowhere = read_sdp(ANSWER.replace("c=IN IP4 127.0.0.1", "c=IN IP4 224.0.0.1").encode())
    assert settle(offer, nowhere, {8: "PCMA"}) is None
    refused = read_sdp(ANSWER.replace("m=audio 20000", "m=audio 0").encode())
    assert settle(offer, refused, {8: "PCMA"}) is None
