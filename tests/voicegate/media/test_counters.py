from voicegate.media.counters import JitterCounters


def test_lost_is_what_was_expected_and_never_came() -> None:
    assert JitterCounters(received=7, expected=10).lost == 3
    assert JitterCounters(received=11, expected=10).lost == 0
