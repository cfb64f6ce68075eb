"""Stamps survive what a call does to audio, and nothing else looks like one."""

import statistics
import time

import numpy as np
import pytest

from simulator.audio.g711 import LAW
from simulator.audio.pcm import Floats, Pcm, resample, to_pcm
from simulator.audio.sound import stamps
from simulator.audio.stamps import STAMP_S, Stamp, check_nibble, decode, render
from simulator.audio.tones import chirp, noise, speech_like, tone

OWN = 0xA7
COUNT = 40


def clean(rate: int = 8000) -> Pcm:
    return stamps(every_s=1.0, count=COUNT).pcm(OWN, rate)


def mixed(*signals: Pcm) -> Pcm:
    total: Floats = np.sum([signal.astype(np.float64) for signal in signals], axis=0)
    return to_pcm(total)


def assert_all_found(heard: Pcm, rate: int = 8000, least: int = COUNT, off_s: float = 0.0) -> None:
    """Own stamps only, each where it belongs within 2 samples (of 8 kHz)."""
    found = decode(heard, rate)
    assert [stamp for stamp in found if stamp.identity != OWN] == []
    assert len(found) >= least
    late = [stamp.at_s - off_s - stamp.sequence for stamp in found]
    assert max(map(abs, late)) <= 2 / 8000


def lose(pcm: Pcm, share: float, seed: int, repeat: bool = False) -> Pcm:
    """Packets of 20 ms lost: silence in their place, or the packet before once more."""
    frames = pcm.reshape(-1, 160).copy()
    for n in np.flatnonzero(np.random.default_rng(seed).random(len(frames)) < share):
        frames[n] = frames[n - 1] if repeat and n else 0
    return frames.reshape(-1)


def test_a_stamp_is_480_ms_at_20_db_under_full_scale() -> None:
    for rate in (8000, 16000, 24000):
        assert len(render(1, 2, rate)) == round(STAMP_S * rate)
    [stamp] = decode(render(1, 2, 8000), 8000)
    assert (stamp.identity, stamp.sequence, stamp.at_s) == (1, 2, 0.0)
    assert stamp.level_dbfs == pytest.approx(-20.0, abs=0.1)


def test_every_identity_and_sequence_is_read_back() -> None:
    for value in range(256):
        found = decode(render(value, 255 - value, 8000), 8000)
        assert [(stamp.identity, stamp.sequence) for stamp in found] == [(value, 255 - value)]


@pytest.mark.parametrize(("identity", "sequence"), [(256, 0), (0, 256), (-1, 0)])
def test_what_does_not_fit_is_refused(identity: int, sequence: int) -> None:
    with pytest.raises(ValueError, match="0 to 255"):
        render(identity, sequence, 8000)


def test_the_check_sees_one_wrong_and_two_swapped() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        nibbles = [int(n) for n in rng.integers(0, 16, 4)]
        check = check_nibble(tuple(nibbles))
        place, other = (int(n) for n in rng.choice(4, 2, replace=False))
        wrong = [*nibbles]
        wrong[place] ^= int(rng.integers(1, 16))
        assert check_nibble(tuple(wrong)) != check
        swapped = [*nibbles]
        swapped[place], swapped[other] = nibbles[other], nibbles[place]
        assert (check_nibble(tuple(swapped)) != check) == (nibbles[place] != nibbles[other])


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
@pytest.mark.parametrize("gain_db", [-10, 0, 10])
def test_through_both_laws_and_gains(law: str, gain_db: int) -> None:
    louder = to_pcm(clean() * 10 ** (gain_db / 20))
    heard = LAW[law].decode(LAW[law].encode(louder))

    assert_all_found(heard)
    assert decode(heard, 8000)[0].level_dbfs == pytest.approx(-20 + gain_db, abs=0.5)


def test_through_a_good_and_a_bad_resampler() -> None:
    assert_all_found(clean(24000), rate=24000)
    assert_all_found(clean(16000), rate=16000)
    assert_all_found(resample(clean(24000), 24000, 8000))
    # One sample in three and no filter at all: everything above 4 kHz folds back.
    assert_all_found(clean(24000)[::3].copy())
    # Each sample twice: mirrored above 4 kHz, half a sample late.
    assert_all_found(np.repeat(clean(), 2), rate=16000)


@pytest.mark.parametrize("level_dbfs", [-30.0, -20.0])
def test_through_noise(level_dbfs: float) -> None:
    assert_all_found(mixed(clean(), noise(COUNT, 8000, seed=3, level_dbfs=level_dbfs)))


def test_through_all_of_it_at_once() -> None:
    heard = mixed(clean(24000)[::3], noise(COUNT, 8000, seed=3, level_dbfs=-30.0))
    heard = LAW["PCMA"].decode(LAW["PCMA"].encode(heard))

    assert_all_found(lose(heard, 0.01, seed=1))


@pytest.mark.parametrize("repeat", [False, True])
@pytest.mark.parametrize(("share", "least"), [(0.01, 40), (0.05, 38), (0.1, 36)])
def test_through_loss(share: float, least: int, repeat: bool) -> None:
    found = decode(lose(clean(), share, seed=2, repeat=repeat), 8000)

    assert [stamp for stamp in found if stamp.identity != OWN] == []
    assert len(found) >= least


@pytest.mark.parametrize(("above_db", "least"), [(10, 40), (5, 40), (0, 32)])
@pytest.mark.parametrize("seed", range(3))
def test_over_speech(above_db: int, least: int, seed: int) -> None:
    voice = speech_like(COUNT, 8000, seed, level_dbfs=-20.0 - above_db)

    assert_all_found(mixed(clean(), voice), least=least)


def test_an_unknown_offset_does_not_matter() -> None:
    for offset in (1, 77, 12_345):
        heard = np.concatenate((np.zeros(offset, dtype=np.int16), clean()))
        assert_all_found(heard, off_s=offset / 8000)


def test_a_piece_put_in_or_left_out_never_makes_a_wrong_one() -> None:
    rng, right = np.random.default_rng(9), 0
    for n in range(300):
        stamp = render(n % 256, 255 - n % 256, 8000)
        at, size = int(rng.integers(0, 24)) * 160, int(rng.integers(1, 6)) * 80
        if n % 2:
            slipped = np.concatenate((stamp[:at], np.zeros(size, dtype=np.int16), stamp[at:]))
        else:
            slipped = np.concatenate((stamp[:at], stamp[at + size :]))
        for found in decode(slipped, 8000):
            assert (found.identity, found.sequence) == (n % 256, 255 - n % 256)
            right += 1
    assert right >= 260


def torn(stamp: Pcm, at: int, size: int, *, put_in: bool) -> Pcm:
    """A stamp as a jitter buffer tears it: what was before is played again, or some is left out."""
    if not put_in:
        return np.concatenate((stamp[:at], stamp[at + size :]))
    return np.concatenate((stamp[:at], stamp[at - size : at], stamp[at:]))


@pytest.mark.parametrize("put_in", [True, False], ids=["put in", "left out"])
def test_a_stamp_torn_by_a_whole_symbol_is_nobody_elses(put_in: bool) -> None:
    """A busy machine made identity 136 of 129, and a call was said to hear a stranger."""
    symbol, rng = 640, np.random.default_rng(5)
    for n in range(250):
        identity, sequence = 128 + n % 128, n % 5
        at = int(rng.integers(symbol, 5 * symbol))
        heard = torn(render(identity, sequence, 8000), at, symbol, put_in=put_in)
        for found in decode(heard, 8000):
            assert (found.identity, found.sequence) == (identity, sequence), at


@pytest.mark.parametrize("at", [300, 340, 480, 900])
def test_a_chirp_that_is_played_twice_begins_one_stamp(at: int) -> None:
    """A busy machine made "0, 0, 1, 2" of it, and a good call had stamps out of order."""
    first = torn(render(134, 0, 8000), at, min(at, 480), put_in=True)
    found = decode(np.concatenate((first, render(134, 1, 8000))), 8000)
    numbers = [stamp.sequence for stamp in found]
    assert numbers in ([0, 1], [1])


def test_of_stamps_torn_by_any_length_hardly_one_is_read_as_another() -> None:
    rng, wrong = np.random.default_rng(6), 0
    for n in range(500):
        identity, sequence = 128 + n % 128, n % 24
        size = 160 * int(rng.integers(1, 8))
        at = int(rng.integers(size, 3840))
        heard = torn(render(identity, sequence, 8000), at, size, put_in=n % 3 > 0)
        found = {(one.identity, one.sequence) for one in decode(heard, 8000)}
        wrong += bool(found - {(identity, sequence)})
    assert wrong <= 1


def dtmf(seed: int) -> Pcm:
    """A minute of digits, 100 ms each."""
    rng = np.random.default_rng(seed)
    pieces: list[Pcm] = []
    for digit in rng.integers(0, 16, 300):
        low, high = (697, 770, 852, 941)[digit // 4], (1209, 1336, 1477, 1633)[digit % 4]
        pieces.append(mixed(tone(low, 0.1, 8000, -15.0), tone(high, 0.1, 8000, -15.0)))
        pieces.append(np.zeros(800, dtype=np.int16))
    return np.concatenate(pieces)


def ringback(seed: int) -> Pcm:
    """A minute of 425 Hz, 1 s on and 4 s off, or of 440 + 480 Hz."""
    bell = tone(425, 1.0, 8000) if seed % 2 else mixed(tone(440, 1.0, 8000), tone(480, 1.0, 8000))
    return np.tile(np.concatenate((bell, np.zeros(32000, dtype=np.int16))), 12)


@pytest.mark.parametrize("seed", range(4))
def test_nothing_else_looks_like_a_stamp(seed: int) -> None:
    for other in (
        speech_like(60.0, 8000, seed, level_dbfs=-12.0),
        noise(60.0, 8000, seed, level_dbfs=-12.0),
        dtmf(seed),
        ringback(seed),
        chirp(500.0, 3000.0, 60.0, 8000),
        np.tile(chirp(500.0, 3000.0, 0.08, 8000), 750),
        np.zeros(480_000, dtype=np.int16),
    ):
        assert decode(other, 8000) == []


def test_wrong_rate_and_swapped_bytes_are_not_heard() -> None:
    assert decode(clean(16000), 8000) == []
    assert decode(clean().byteswap(), 8000) == []


def test_two_voices_at_once_are_both_heard() -> None:
    other = np.roll(stamps(count=COUNT).pcm(0x11, 8000), 4000)
    found = decode(mixed(clean(), other), 8000)

    assert [stamp.identity for stamp in found] == [OWN, 0x11] * COUNT


def test_nothing_at_all() -> None:
    assert decode(np.zeros(0, dtype=np.int16), 8000) == []
    assert decode(np.zeros(1, dtype=np.int16), 24000) == []


def test_a_stamp_cut_off_is_not_guessed() -> None:
    stamp = render(1, 2, 8000)
    assert decode(stamp[: len(stamp) - 640], 8000) == []
    assert decode(stamp[640:], 8000) == []


def test_a_minute_costs_little() -> None:
    minute = stamps(count=60).pcm(OWN, 8000)
    costs = []
    for _ in range(5):
        before = time.process_time()
        assert len(decode(minute, 8000)) == 60
        costs.append(time.process_time() - before)
    assert statistics.median(costs) < 0.15


def test_a_stamp_is_a_value() -> None:
    assert Stamp(1, 2, 3.0, -20.0) == Stamp(1, 2, 3.0, -20.0)
