"""The right sound, not just the right call: what a bad change of rate does to a voice."""

import numpy as np

from simulator.audio.levels import dbfs
from simulator.audio.pcm import resample
from simulator.audio.probes import (
    ALIAS_LIMIT_DBFS,
    DISTANCE_LIMIT_DB,
    IMAGE_LIMIT_DB,
    log_spectral_distance,
    probe_signal,
)
from simulator.audio.sound import pcm_sound, speech, tone_sound
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini

MODEL_HZ, PHONE_HZ, UPLINK_HZ = 24_000, 8_000, 16_000
EDGE_S = 0.5


async def test_a_tone_beyond_the_phone_is_not_heard(
    gate: SimulatedGate, gemini: FakeGemini
) -> None:
    """5 kHz cannot exist at 8 kHz: whatever is heard has folded back."""
    gemini.on_text(say=tone_sound(5_000.0, 3.0))
    async with gate.dial("1000") as call:
        await call.lasts(3)
    assert call.heard.start_s is not None
    from_s = call.heard.start_s + EDGE_S
    level = dbfs(call.heard.pcm(PHONE_HZ, from_s, from_s + 2.0))
    assert level < ALIAS_LIMIT_DBFS, f"5 kHz folded back, heard at {level:.1f} dBFS"


async def test_speech_keeps_its_spectrum(gate: SimulatedGate, gemini: FakeGemini) -> None:
    said = probe_signal(3.0, MODEL_HZ)
    gemini.on_text(say=pcm_sound(said, MODEL_HZ))
    async with gate.dial("1000") as call:
        await call.lasts(4)
    truth = resample(said, MODEL_HZ, PHONE_HZ)
    distance = log_spectral_distance(truth, call.heard.pcm(PHONE_HZ))
    assert distance < DISTANCE_LIMIT_DB, f"{distance:.2f} dB from what the model said"


async def test_the_model_hears_no_mirror_image(gate: SimulatedGate, gemini: FakeGemini) -> None:
    """Above 4 kHz a telephone has nothing: power there was made by the gateway."""
    gemini.on_text()
    voice = resample(probe_signal(3.0, 6_400), 6_400, PHONE_HZ)
    async with gate.dial("1000", speak=pcm_sound(voice, PHONE_HZ)) as call:
        await call.lasts(3)
    assert gemini.session(0).heard.speech(), "the model did not hear the caller"
    heard = gemini.session(0).heard.pcm(UPLINK_HZ)
    power = np.square(np.abs(np.fft.rfft(heard * np.hanning(len(heard)))))
    above = float(np.sum(power[len(power) // 2 :]) / np.sum(power))
    image = 10.0 * np.log10(above + 1e-12)
    assert image < IMAGE_LIMIT_DB, f"{image:.1f} dB of the sound is above 4 kHz"


async def test_rtp_goes_on_between_phrases(gate: SimulatedGate, gemini: FakeGemini) -> None:
    gemini.on_text(say=speech(0.5))
    async with gate.dial("1000") as call:
        await call.lasts(4)
    assert call.rtp.longest_gap_s < 0.25, f"{call.rtp.longest_gap_s:.2f} s without RTP"
