"""A stream cut into messages, whatever its segments are; bounded in bytes and in time."""

from __future__ import annotations

import random
import time

import pytest

from voicegate.sip.framing import IDLE_S, MESSAGE_TIME_S, Framer
from voicegate.sip.message import MAX_MESSAGE_BYTES


def message(body: bytes = b"", length: str | None = None, line_end: bytes = b"\r\n") -> bytes:
    said = str(len(body)) if length is None else length
    lines = [b"OPTIONS sip:x SIP/2.0", b"Via: x", b"Content-Length: " + said.encode(), b"", body]
    return line_end.join(lines)


def test_two_messages_in_one_segment() -> None:
    framer = Framer(0.0)
    assert framer.receive(message(b"one") + message(b"two!"), 0.0) == [
        message(b"one"),
        message(b"two!"),
    ]


def test_one_message_in_three_segments() -> None:
    whole = message(b"body")
    framer = Framer(0.0)
    assert framer.receive(whole[:20], 0.0) == []
    assert framer.receive(whole[20:-2], 0.1) == []
    assert framer.receive(whole[-2:], 0.2) == [whole]


@pytest.mark.parametrize("seed", range(5))
def test_any_cut_gives_the_same_messages_and_keep_alives(seed: int) -> None:
    source = random.Random(seed)
    wanted = [message(b"x" * source.randint(0, 40)) for _ in range(20)]
    stream = b"\r\n\r\n".join(wanted) + b"\r\n\r\n"
    framer, got = Framer(0.0), []
    while stream:
        size = source.randint(1, 30)
        got += framer.receive(stream[:size], 0.0)
        stream = stream[size:]
    assert got == wanted
    assert framer.pings == 20
    assert not framer.is_broken


@pytest.mark.parametrize("segments", [[b"\r\n\r\n"], [b"\r\n", b"\r\n"], [b"\r", b"\n\r\n"]])
def test_a_double_line_end_is_a_keep_alive_and_a_single_one_is_nothing(
    segments: list[bytes],
) -> None:
    framer = Framer(0.0)
    for segment in segments:
        assert framer.receive(segment, 1.0) == []
    assert framer.pings == 1
    framer.receive(b"\r\n" + message() + b"\r\n" + message(), 1.0)
    assert framer.pings == 1


def test_bare_line_feeds_and_the_compact_form_are_read() -> None:
    framer = Framer(0.0)
    bare = message(b"body", line_end=b"\n")
    compact = b"OPTIONS sip:x SIP/2.0\r\nL :  4\r\n\r\nbody"
    none = b"OPTIONS sip:x SIP/2.0\r\nVia: x\r\n\r\n"
    assert framer.receive(bare + compact + none, 0.0) == [bare, compact, none]


@pytest.mark.parametrize("length", ["x", "-1", "", "70000", "9" * 11])
def test_a_length_that_cannot_be_ends_the_stream_with_its_head(length: str) -> None:
    framer = Framer(0.0)
    (head,) = framer.receive(message(b"body", length) + message(), 0.0)
    assert head.endswith(b"\r\n\r\n")
    assert framer.is_broken
    assert framer.receive(message(), 0.0) == []


def test_a_head_without_end_is_bounded() -> None:
    framer = Framer(0.0)
    for _ in range(MAX_MESSAGE_BYTES // 1000 + 1):
        assert framer.receive(b"x: " + b"y" * 997, 0.0) == []
    assert framer.is_broken


def test_a_slow_sender_has_ten_seconds_a_message_however_often_it_sends() -> None:
    framer = Framer(5.0)
    assert framer.deadline == 5.0 + MESSAGE_TIME_S
    assert framer.is_waiting
    framer.receive(message(), 6.0)
    assert framer.deadline == 6.0 + IDLE_S
    assert not framer.is_waiting
    for second in range(5):
        framer.receive(b"x", 10.0 + second)
    assert framer.deadline == 10.0 + MESSAGE_TIME_S
    framer.receive(b"\r\n\r\n" + message() + b"y", 19.0)
    assert framer.deadline == 19.0 + MESSAGE_TIME_S


def test_keep_alives_do_not_keep_a_stranger_who_never_says_anything() -> None:
    framer = Framer(0.0)
    framer.receive(b"\r\n\r\n", 9.0)
    framer.receive(b"x", 9.5)
    assert framer.deadline == MESSAGE_TIME_S


def test_a_connection_we_began_waits_for_the_peer_as_long_as_it_takes() -> None:
    framer = Framer(0.0, awaits_first=False)
    assert framer.deadline == IDLE_S
    framer.receive(b"SIP/2.0 100", 20.0)
    assert framer.deadline == 20.0 + MESSAGE_TIME_S


def test_a_megabyte_in_single_bytes_costs_no_more_than_its_length() -> None:
    framer = Framer(0.0)
    began = time.process_time()
    data = message(b"b" * 20_000)
    for place in range(len(data)):
        framer.receive(data[place : place + 1], 0.0)
    assert time.process_time() - began < 2.0
