"""[call]"""

import pytest
from pydantic import ValidationError

from voicegate.settings import CallSettings


def test_the_no_speech_limit_is_fifteen_seconds() -> None:
    assert CallSettings().no_speech_timeout_s == 15.0
    assert CallSettings().check_in_s == 0.0


def test_a_question_that_never_comes_is_refused_with_the_mend() -> None:
    with pytest.raises(ValidationError, match="no_speech_timeout_s = 15; make it shorter, or 0"):
        CallSettings(check_in_s=15.0)
    assert CallSettings(check_in_s=8.0).check_in_s == 8.0


def test_half_duplex_is_off_and_has_a_tail() -> None:
    assert CallSettings().half_duplex_tail_s is None
    assert CallSettings(half_duplex=True, half_duplex_tail_ms=250).half_duplex_tail_s == 0.25
