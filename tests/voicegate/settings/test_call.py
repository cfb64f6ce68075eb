"""[call]"""

from voicegate.settings import CallSettings


def test_the_no_speech_limit_is_fifteen_seconds() -> None:
    assert CallSettings().no_speech_timeout_s == 15.0
    assert CallSettings().check_in_s == 0.0
