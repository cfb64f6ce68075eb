import pytest

from simulator.report.lane import AudioFault, FaultKind, StampSeen


def test_a_stamp_knows_how_long_it_took_and_whether_it_got_lost() -> None:
    heard = StampSeen(5, 0, 1.0, 1.08)
    lost = StampSeen(5, 1, 2.0, None)
    late = StampSeen(5, 2, 3.0, None, due=False)
    foreign = StampSeen(9, 0, None, 2.5, foreign=True)

    assert heard.latency_ms == pytest.approx(80)
    assert [stamp.lost for stamp in (heard, lost, late, foreign)] == [False, True, False, False]
    assert [stamp.at_s for stamp in (heard, lost, late, foreign)] == [1.0, 2.0, 3.0, 2.5]
    assert lost.latency_ms is None
    assert foreign.latency_ms is None


def test_a_fault_says_what_it_is() -> None:
    assert str(AudioFault(FaultKind.HOLE, 1.25, 1.5)) == "hole of 250 ms at 1.25 s"
