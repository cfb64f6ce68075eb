"""Whether there was a hold, heard by who was to hear nothing."""

import numpy as np

from ci.interop_job import sipp_scripts
from ci.interop_job.baresip import RATE_HZ
from ci.interop_job.sipp import SCRIPTS
from ci.interop_job.sipp_scripts import Script, longest_quiet_s
from simulator.audio.sound import sequence, silence_for, speech


def test_the_quiet_between_two_sounds_is_measured() -> None:
    pcm = sequence(speech(0.5), silence_for(1.5), speech(0.5)).pcm(1, RATE_HZ)
    assert 1.4 < longest_quiet_s(pcm) < 1.7


def test_the_quiet_before_the_first_sound_counts_too() -> None:
    assert 0.9 < longest_quiet_s(sequence(silence_for(1.0), speech(1.0)).pcm(1, RATE_HZ)) < 1.2


def test_what_is_silent_to_its_end_was_never_taken_back() -> None:
    assert longest_quiet_s(np.zeros(RATE_HZ, dtype=np.int16)) == 0.0


def test_every_file_is_played() -> None:
    played = {one.name for one in vars(sipp_scripts).values() if isinstance(one, Script)}
    # the fleet has a caller of its own
    assert played | {"caller"} == {file.stem for file in SCRIPTS.glob("*.xml")}
