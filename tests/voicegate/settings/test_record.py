"""[record]"""

import pytest
from pydantic import ValidationError

from voicegate.settings import RecordSettings


def test_nothing_is_kept_by_default() -> None:
    kept = RecordSettings()
    assert (kept.dir, kept.audio, kept.transcript, kept.pcap) == ("", False, False, False)
    assert (kept.cdr, kept.webhook, kept.announcement, kept.full_numbers) == ("", "", "", False)


def test_what_is_to_be_kept_needs_a_folder() -> None:
    assert RecordSettings(audio=True).lacks_dir
    assert not RecordSettings(audio=True, dir="records").lacks_dir
    assert not RecordSettings().lacks_dir


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [("webhook", "ftp://x", "must begin with https:// or http://"), ("keep_days", -1, "greater")],
)
def test_a_wrong_value_is_refused(key: str, value: object, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        RecordSettings.model_validate({key: value})
