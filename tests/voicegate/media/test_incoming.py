"""The caller's packets as sound and keys, without a socket."""

import random

from tests.voicegate.media.test_answer import AUDIO, HEAD, answer_to
from voicegate.media.codec import PCMA, PCMU, SILENCE_FRAME
from voicegate.media.incoming import Incoming
from voicegate.media.rtp import RtpSender
from voicegate.media.rules import MediaRules

RULES = MediaRules()
LOUD = b"\x10\x20" * 160


def test_sound_goes_in_as_packets_and_comes_out_as_frames() -> None:
    incoming, sender = Incoming(answer_to(HEAD + AUDIO), RULES), RtpSender(8, random.Random(1))
    frames = []
    for number in range(20):
        incoming.receive(sender.packet(PCMA.encode(LOUD)), number * 0.02)
        frames.append(incoming.frame(number * 0.02 + 0.001))
    assert frames[-1] == PCMA.decode(PCMA.encode(LOUD))
    assert incoming.arrivals.jitter_ms < 0.1


def test_another_codec_and_a_hold_are_followed() -> None:
    incoming, sender = Incoming(answer_to(HEAD + AUDIO), RULES), RtpSender(0, random.Random(1))
    incoming.follow(answer_to(HEAD + AUDIO, codecs=("PCMU",)))
    for number in range(20):
        incoming.receive(sender.packet(PCMU.encode(LOUD)), number * 0.02)
        heard = incoming.frame(number * 0.02 + 0.001)
    assert heard == PCMU.decode(PCMU.encode(LOUD))
    incoming.follow(answer_to(HEAD + AUDIO + "a=inactive\r\n", codecs=("PCMU",)))
    incoming.receive(sender.packet(PCMU.encode(LOUD)), 0.4)
    assert incoming.receiver.unexpected == 1


def test_keys_are_told_as_they_come() -> None:
    told: list[str] = []
    incoming = Incoming(answer_to(HEAD + AUDIO), RULES)
    incoming.on_digit = told.append
    incoming.take_info("application/dtmf", b"1", 0.0)
    incoming.take_info("application/x", b"1", 0.0)
    assert told == ["1"]
    assert incoming.frame(0.0) == SILENCE_FRAME
