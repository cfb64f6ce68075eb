"""[record]"""

from voicegate.settings import RecordSettings


def test_nothing_is_kept_by_default() -> None:
    kept = RecordSettings()
    assert (kept.dir, kept.audio, kept.transcript, kept.pcap) == ("", False, False, False)
