"""SIPp's statistics, as version 3.6.1 writes them."""

from pathlib import Path

from ci.interop_job.sipp_calls import Tally, read_tally

HEADER = (
    "StartTime;ElapsedTime(C);TotalCallCreated;CurrentCall;SuccessfulCall(P);SuccessfulCall(C);"
    "FailedCall(P);FailedCall(C);FailedUnexpectedMessage(C);Retransmissions(P);Retransmissions(C);"
)


def test_the_last_line_counts(tmp_path: Path) -> None:
    statistics = tmp_path / "statistics.csv"
    rows = (
        "2026-11-22\t20:48:30.973429\t1795380510.973429;00:00:01;60;5;55;55;0;0;0;1;1;",
        "2026-11-22\t20:48:30.973429\t1795380510.973429;00:00:02;100;0;43;98;2;2;1;3;4;",
    )
    statistics.write_text("\n".join((HEADER, *rows)) + "\n", encoding="ascii")

    assert read_tally(statistics) == Tally(
        created=100, successful=98, failed=2, retransmissions=4, unexpected=1
    )


def test_a_run_that_counted_nothing_is_no_success(tmp_path: Path) -> None:
    statistics = tmp_path / "statistics.csv"
    statistics.write_text(HEADER + "\n", encoding="ascii")

    assert read_tally(statistics) == Tally(0, 0, 0, 0, 0)
