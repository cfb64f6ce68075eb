"""Calls by baresip: each side must hear the other, and both ways of ending must work."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ci.interop_job.baresip import RATE_HZ, PhoneCall, call
from ci.interop_job.ears import spoken_span, stamps_start_s
from ci.interop_job.scene import REPLY, REPLY_STAMPS, STAMP_EVERY_S, Scene
from ci.interop_job.tools import ended, running
from simulator.audio.heard import Evidence
from simulator.audio.levels import dbfs
from simulator.audio.pcm import Pcm, resample
from simulator.audio.sound import silence_for, stamps
from simulator.audio.stamps import decode
from simulator.audio.wav import read
from simulator.gemini.conversation import FakeSession

SENTENCE = "Good morning is this the voice gateway speaking"
LEAD_S = 2.0
"""The caller speaks when the greeting is over."""
TAIL_S = 30.0
"""Longer than any call: what follows the file's end is baresip's own affair."""
CALLER_STAMPS = 4
TORN = 2
"""Stamps of either side that a busy machine may tear: what comes later than the jitter buffer."""
TALK_S = 14
QUIET_S = 9
LENGTH_TOLERANCE_S = 0.6
"""A busy machine stretches what is heard."""
ESPEAK_LIMIT_S = 20.0


@dataclass(frozen=True)
class Caller:
    """The one who calls, with stamps of its own after the sentence."""

    identity: int


async def talk(scene: Scene, codec: str, *, identity: int) -> None:
    """Say a sentence; the model must hear it, and the caller the model's reply."""
    name = f"baresip {codec}"
    sentence = await spoken_sentence(scene.folder / f"sentence-{codec}.wav")
    number = len(scene.gemini.sessions)
    ended_before = len(scene.gateway.lines("call ended"))
    async with scene.nothing_left(name):
        phone = await call(
            scene.folder / f"baresip-{codec}",
            scene.gateway.sip_port,
            codec,
            whole_speech(sentence, identity),
            user="caller",
            quits_after_s=TALK_S,
        )
        _check_end(scene, name, phone, by_gateway=False)
        if len(scene.gemini.sessions) == number + 1:
            session = scene.gemini.session(number)
            _check_model_heard(scene, name, session, sentence, Caller(identity))
            _check_caller_heard(scene, name, phone, session)
        else:
            told = f"{len(scene.gemini.sessions) - number} conversations for one call"
            scene.checks.check(f"{name}, conversation", False, told)
    reasons = scene.gateway.reasons(ended_before)
    scene.checks.check(f"{name}, reason", reasons == {"caller_bye": 1}, str(dict(reasons)))


async def say_nothing(scene: Scene) -> None:
    """Stay silent until the gateway hangs up."""
    name = "baresip, silent"
    async with scene.nothing_left(name):
        phone = await call(
            scene.folder / "baresip-silent",
            scene.gateway.sip_port,
            "PCMA",
            silence_for(TAIL_S).pcm(0, RATE_HZ),
            user="caller",
            quits_after_s=QUIET_S,
        )
        _check_end(scene, name, phone, by_gateway=True)
    reasons = scene.gateway.reasons()
    scene.checks.check(f"{name}, reason", reasons == {"no_speech": 1}, str(dict(reasons)))


async def spoken_sentence(file: Path) -> Pcm:
    """Let espeak-ng say the sentence; give it at 8 kHz, without the silence around it."""
    command = ["espeak-ng", "-v", "en", "-s", "150", "-w", str(file), SENTENCE]
    output = file.with_suffix(".out")
    async with running(command, output, folder=file.parent) as espeak:
        code = await ended(espeak, ESPEAK_LIMIT_S)
    if code != 0:
        raise OSError(f"espeak-ng ended with {code}: {output.read_text(errors='replace')}")
    pcm, rate = read(file)
    spoken = resample(pcm[:, 0], rate, RATE_HZ)
    span = spoken_span(spoken, RATE_HZ)
    first = int(span.start_s * RATE_HZ)
    return spoken[first : first + int(span.duration_s * RATE_HZ)]


def whole_speech(sentence: Pcm, identity: int) -> Pcm:
    """Put together what the caller's microphone gives: silence, sentence, stamps, silence."""
    lead = silence_for(LEAD_S).pcm(identity, RATE_HZ)
    proof = stamps(STAMP_EVERY_S, CALLER_STAMPS).pcm(identity, RATE_HZ)
    tail = silence_for(TAIL_S).pcm(identity, RATE_HZ)
    gap = silence_for(0.1).pcm(identity, RATE_HZ)
    return np.concatenate((lead, sentence, gap, proof, tail))


def _check_end(scene: Scene, name: str, phone: PhoneCall, *, by_gateway: bool) -> None:
    """Check that the call came up, and who ended it; baresip must end by itself in any case."""
    good = phone.exit_code == 0 and phone.established and phone.ended_by_peer == by_gateway
    told = (
        f"established: {phone.established}, hung up by"
        f" {'the gateway' if phone.ended_by_peer else 'baresip'}, exit code {phone.exit_code}"
    )
    scene.checks.check(f"{name}, call", good, told if good else f"{told}: {phone.why()}")


def _check_model_heard(
    scene: Scene, name: str, session: FakeSession, sentence: Pcm, caller: Caller
) -> None:
    evidence = session.heard.only_from(caller, at_least=CALLER_STAMPS - TORN)
    scene.checks.check(f"{name}, model heard the caller's stamps", evidence, repr(evidence))
    stamps_at_s = stamps_start_s(evidence.own, STAMP_EVERY_S)
    to_s = None if stamps_at_s is None else stamps_at_s - (session.heard.start_s or 0.0)
    span = spoken_span(session.heard.pcm(RATE_HZ), RATE_HZ, to_s=to_s)
    wanted_s = len(sentence) / RATE_HZ
    good = span.speech and abs(span.duration_s - wanted_s) < LENGTH_TOLERANCE_S
    told = f"{span} heard, {wanted_s:.2f} s at {dbfs(sentence):.1f} dBFS spoken by espeak-ng"
    scene.checks.check(f"{name}, model heard the sentence", good, told)


def _check_caller_heard(scene: Scene, name: str, phone: PhoneCall, session: FakeSession) -> None:
    found = tuple(decode(phone.heard, RATE_HZ))
    evidence = Evidence(session.identity, REPLY_STAMPS - TORN, found, dbfs(phone.heard))
    scene.checks.check(f"{name}, caller heard the model's stamps", evidence, repr(evidence))
    reply_at_s = stamps_start_s(evidence.own, STAMP_EVERY_S) or 0.0
    span = spoken_span(phone.heard, RATE_HZ, from_s=max(0.0, reply_at_s))
    good = span.speech and abs(span.duration_s - REPLY.duration_s) < LENGTH_TOLERANCE_S
    told = f"{span} heard, {REPLY.duration_s:.2f} s spoken"
    scene.checks.check(f"{name}, caller heard the reply", good, told)
