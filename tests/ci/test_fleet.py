"""What SIPp counted, read back."""

from pathlib import Path

from ci.fleet import Tally, read_counts

HEAD = "CurrentTime;ElapsedTime;0_INVITE_Sent;3_200_Recv;7_200_Recv;"


def test_calls_without_an_answer_and_calls_without_an_end_are_told_apart(tmp_path: Path) -> None:
    lines = (HEAD, "t;00:01;10;5;0;", "t;00:02;300;298;290;")
    (tmp_path / "uac_1_counts.csv").write_text("\n".join(lines) + "\n", encoding="ascii")
    assert read_counts(tmp_path) == Tally(invited=300, answered=298, refused=2, lost=8)


def test_no_counts_are_no_calls(tmp_path: Path) -> None:
    assert read_counts(tmp_path) == Tally(0, 0, 0, 0)
