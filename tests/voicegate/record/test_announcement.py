"""The announcement comes before the greeting."""

from voicegate.record.announcement import announced


def test_the_announcement_comes_first_and_the_greeting_is_kept() -> None:
    told = announced("Greet them.", "This call is recorded.")
    assert told.index("This call is recorded.") < told.index("Greet them.")
    assert "This call is recorded." in announced("", "This call is recorded.")


def test_without_an_announcement_nothing_changes() -> None:
    assert (announced("Greet them.", ""), announced("", "")) == ("Greet them.", "")
