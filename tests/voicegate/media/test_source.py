"""The caller is followed to another port of its host by proof, and to another host never."""

import pytest

from voicegate.media.rtp import RtpPacket
from voicegate.media.source import MOVES_MAX, SILENCE_S, CallerSource

AGREED, OTHER = ("192.0.2.1", 4000), ("192.0.2.1", 4400)
STREAM = (7, 100)


def packet(sequence: int, ssrc: int = 7, kind: int = 8) -> bytes:
    return RtpPacket(kind, False, sequence, 160 * sequence, ssrc, b"\xd5" * 160).serialise()


def tried(
    rule: CallerSource,
    *packets: bytes,
    source: tuple[str, int] = OTHER,
    stream: tuple[int, int] | None = STREAM,
    stopped_s: float = 0.02,
) -> bool:
    moved = False
    for data in packets:
        moved = rule.moves(data, source, payload_type=8, stream=stream, stopped_s=stopped_s)
    return moved


def rule(**changes: bool) -> CallerSource:
    return CallerSource(AGREED, [("192.0.2.1", 5060)], follows=changes.get("follows", True))


def test_a_stream_that_goes_on_from_another_port_is_followed_at_its_second_packet() -> None:
    followed = rule()
    assert not tried(followed, packet(101))
    assert tried(followed, packet(102))
    assert followed.address == OTHER


def test_a_new_stream_is_followed_only_once_the_caller_s_own_has_stopped() -> None:
    assert not tried(rule(), packet(1, 9), packet(2, 9))
    assert not tried(rule(), packet(1, 9), packet(2, 9), stopped_s=SILENCE_S - 0.1)
    assert tried(rule(), packet(1, 9), packet(2, 9), stopped_s=SILENCE_S)


def test_a_call_whose_caller_has_not_spoken_yet_belongs_to_no_other_port() -> None:
    """Else the gate's last call, which talks on, would be heard in this one."""
    packets = [packet(number, 9) for number in range(1, 20)]
    assert not tried(rule(), *packets, stream=None, stopped_s=60.0)


def test_who_speaks_at_the_agreed_address_is_heard_wherever_the_call_has_gone() -> None:
    taken = rule()
    assert tried(taken, packet(1, 9), packet(2, 9), stopped_s=SILENCE_S)
    assert not tried(taken, packet(500), source=AGREED, stream=(9, 2))
    assert tried(taken, packet(501), source=AGREED, stream=(9, 3))
    assert taken.address == AGREED


@pytest.mark.parametrize("source", [("198.51.100.7", 4000), ("192.0.2.1", 53), ("192.0.2.1", 5060)])
def test_another_host_a_system_port_and_our_own_are_never_followed(
    source: tuple[str, int],
) -> None:
    for stopped_s in (0.0, 60.0):
        assert not tried(rule(), *map(packet, range(101, 120)), source=source, stopped_s=stopped_s)


def test_what_is_no_voice_in_order_proves_nothing() -> None:
    assert not tried(rule(), packet(101), packet(105), stopped_s=9.0)
    assert not tried(rule(), packet(101), packet(102, 9), stopped_s=9.0)
    assert not tried(rule(), packet(101, kind=3), packet(102, kind=3), stopped_s=9.0)
    assert not tried(rule(), b"", b"\x80" * 11, stopped_s=9.0)
    assert not tried(rule(), packet(99), packet(100))
    interleaved = rule()
    assert not tried(interleaved, packet(101))
    assert not tried(interleaved, packet(102), source=("192.0.2.1", 4402))


def test_strict_and_held_and_restless_callers_are_not_followed() -> None:
    assert not tried(rule(follows=False), packet(101), packet(102), stopped_s=9.0)
    held = CallerSource(None, (), follows=True)
    assert not tried(held, packet(101), packet(102), stopped_s=9.0)
    restless = rule()
    for number in range(MOVES_MAX):
        there = ("192.0.2.1", 6000 + 2 * number)
        assert tried(restless, packet(101), packet(102), source=there)
    assert not tried(restless, packet(101), packet(102), stopped_s=9.0)
    restless.agree(AGREED)
    assert tried(restless, packet(101), packet(102))
