from dataclasses import replace

from simulator.report.call import Finding
from simulator.report.lane import AudioFault, FaultKind, StampSeen
from simulator.report.marks import lane_view
from tests.simulator.report.sample import good_call


def test_wrong_things_get_red_pins_at_their_place() -> None:
    lane = replace(
        good_call().gateway,
        stamps=(
            StampSeen(77, 3, None, 1.5, foreign=True),
            StampSeen(128, 0, 0.3, 0.4),
            StampSeen(128, 1, 2.0, None),
            StampSeen(128, 2, 2.7, None, due=False),
        ),
        faults=(AudioFault(FaultKind.HOLE, 1.51, 1.8),),
    )
    call = good_call(gateway=lane, findings=(Finding("model", "F6", "", "odd", 0.6),))

    view = lane_view(call, lane, lane.peak)

    pins = [(mark.label, mark.left, mark.row) for mark in view.marks if mark.kind == "bad"]
    assert pins == [("F6", 20.0, 0), ("foreign 77", 50.0, 0), ("hole", 50.333, 1)]
    kinds = {mark.label: mark.kind for mark in view.marks}
    assert kinds == {
        "0": "stamp",
        "F6": "bad",
        "400 ms": "response",
        "foreign 77": "bad",
        "hole": "bad",
        "1": "lost",
        "2": "late",
    }
    assert "1 of 3 stamps heard" in view.summary
    assert "1 foreign stamp" in view.summary
    assert "1 hole" in view.summary


def test_both_lanes_of_a_call_share_a_scale() -> None:
    call = good_call()
    loud, quiet = lane_view(call, call.gateway, 4000), lane_view(call, call.gateway, 16000)

    assert loud.path != quiet.path
