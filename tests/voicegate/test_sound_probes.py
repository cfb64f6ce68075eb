"""The probes of a resampler through the whole gateway, for every codec: what folds back, what is
mirrored, how far a voice is from itself. The gate and the model measure; nothing looks inside."""

import pytest

from simulator.audio.g722 import INSTALLED
from simulator.audio.levels import dbfs
from simulator.audio.pcm import Pcm
from simulator.audio.probes import (
    ALIAS_LIMIT_DBFS,
    DISTANCE_LIMIT_DB,
    IMAGE_LIMIT_DB,
    above_db,
    log_spectral_distance,
    probe_signal,
    voice_noise,
)
from simulator.audio.sound import pcm_sound, sequence, tone_sound
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.target.target import Settings

pytestmark = pytest.mark.virtual

LINE_HZ, MODEL_HZ = 8000, 16000
NEEDS_PACKAGE = pytest.mark.skipif(not INSTALLED, reason="the package G722 is not installed")
CODECS = ["PCMU", "PCMA", pytest.param("G722", marks=NEEDS_PACKAGE)]
SAID = probe_signal(3.0, LINE_HZ)
VOICE = pcm_sound(SAID, LINE_HZ)


@pytest.fixture
def settings() -> Settings:
    return {"media": {"codecs": ["PCMA", "PCMU", *(["G722"] if INSTALLED else [])]}}


def seconds(pcm: Pcm, rate: int, begin: float, end: float) -> Pcm:
    return pcm[int(begin * rate) : int(end * rate)]


@pytest.mark.parametrize("codec", CODECS)
async def test_what_a_telephone_cannot_carry_folds_back_in_no_codec(
    gate: SimulatedGate, gemini: FakeGemini, codec: str
) -> None:
    gemini.on_text(say=sequence(tone_sound(1000.0, 1.0), tone_sound(5000.0, 2.0)))
    async with gate.dial("1000", codecs=(codec,)) as call:
        await call.lasts(5)
    heard = call.heard.pcm(LINE_HZ)
    loud = next(at for at in range(0, len(heard), 80) if dbfs(heard[at : at + 160]) > -30)
    begin = loud / LINE_HZ
    assert dbfs(seconds(heard, LINE_HZ, begin + 0.1, begin + 0.9)) == pytest.approx(-20, abs=1)
    assert dbfs(seconds(heard, LINE_HZ, begin + 1.1, begin + 2.9)) < ALIAS_LIMIT_DBFS


@pytest.mark.parametrize("codec", CODECS)
async def test_nothing_is_mirrored_above_the_callers_band(
    gate: SimulatedGate, gemini: FakeGemini, codec: str
) -> None:
    noise = pcm_sound(voice_noise(3.0, LINE_HZ), LINE_HZ)
    async with gate.dial("1000", codecs=(codec,), speak=noise) as call:
        await call.lasts(3)
    heard = seconds(gemini.session(0).heard.pcm(MODEL_HZ), MODEL_HZ, 0.5, 2.5)
    assert dbfs(heard) > -30
    assert above_db(heard, MODEL_HZ, LINE_HZ / 2) < IMAGE_LIMIT_DB


@pytest.mark.parametrize("codec", CODECS)
async def test_a_voice_comes_through_as_it_was_both_ways(
    gate: SimulatedGate, gemini: FakeGemini, codec: str
) -> None:
    gemini.always(say=VOICE)
    async with gate.dial("1000", codecs=(codec,), speak=VOICE) as call:
        await call.lasts(4)
    assert set(call.rtp.payload_types) == {{"PCMU": 0, "PCMA": 8, "G722": 9}[codec]}
    for ear in (call.heard, gemini.session(0).heard):
        assert log_spectral_distance(SAID, ear.pcm(LINE_HZ)) < DISTANCE_LIMIT_DB
