"""A phone that speaks G.722, alone."""

import numpy as np
import pytest

from simulator.audio.g722 import INSTALLED, Wideband
from simulator.audio.levels import dbfs
from simulator.audio.tones import tone

pytestmark = pytest.mark.skipif(not INSTALLED, reason="the package G722 is not installed")


def test_what_is_coded_frame_by_frame_comes_back_as_loud_as_it_was() -> None:
    phone, said = Wideband(), tone(1000.0, 1.0, 8000)
    payloads = [phone.encode(said[at : at + 160]) for at in range(0, len(said), 160)]
    assert {len(payload) for payload in payloads} == {160}
    heard = np.concatenate([phone.decode(payload) for payload in payloads])
    assert len(heard) == len(said)
    assert dbfs(heard[800:]) == pytest.approx(dbfs(said[800:]), abs=0.3)


def test_silence_is_silent() -> None:
    phone = Wideband()
    assert dbfs(phone.decode(phone.silence())) < -70
