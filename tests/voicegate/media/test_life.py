"""When RTP that does not come ends a call."""

from voicegate.media.life import RtpLife, Starved


def test_rtp_that_never_comes_is_waited_for_30_s() -> None:
    life = RtpLife(30.0, 15.0)
    assert life.deadline(rests=False) is None
    life.follow(parked=False, now=100.0)
    assert life.deadline(rests=False) == (130.0, Starved.NEVER_CAME)


def test_rtp_that_stops_is_waited_for_15_s_and_longer_of_a_caller_that_rests() -> None:
    life = RtpLife(30.0, 15.0)
    life.follow(parked=False, now=100.0)
    life.last_at = 110.0
    assert life.deadline(rests=False) == (125.0, Starved.STOPPED)
    assert life.deadline(rests=True) == (140.0, Starved.STOPPED)


def test_a_hold_needs_no_rtp_and_the_patience_begins_anew_behind_it() -> None:
    life = RtpLife(30.0, 15.0)
    life.last_at = 110.0
    life.follow(parked=True, now=120.0)
    assert life.deadline(rests=False) is None
    life.follow(parked=False, now=500.0)
    assert life.deadline(rests=False) == (515.0, Starved.STOPPED)


def test_0_is_for_never() -> None:
    life = RtpLife(0.0, 0.0)
    life.follow(parked=False, now=100.0)
    assert life.deadline(rests=False) is None
    life.last_at = 110.0
    assert life.deadline(rests=True) is None
