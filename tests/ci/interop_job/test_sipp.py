"""SIPp's statistics, as version 3.6.1 writes them, and our scripts for it."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from ci.interop_job.sipp import SCRIPTS, Tally, errors_in, read_tally, script, why

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

    assert read_tally(tmp_path) == Tally(
        created=100, successful=98, failed=2, retransmissions=4, unexpected=1
    )


def test_a_run_that_counted_nothing_is_no_success(tmp_path: Path) -> None:
    statistics = tmp_path / "statistics.csv"
    statistics.write_text(HEADER + "\n", encoding="ascii")

    assert read_tally(tmp_path) == Tally(0, 0, 0, 0, 0)


def test_without_statistics_there_is_no_tally(tmp_path: Path) -> None:
    assert read_tally(tmp_path) is None


def test_one_failed_call_is_not_all_of_them() -> None:
    good = Tally(created=3, successful=3, failed=0, retransmissions=1, unexpected=0)
    assert good.is_all_of(3)
    assert not good.is_all_of(4)
    assert not Tally(3, 3, 1, 0, 1).is_all_of(3)


def test_what_it_says_of_errors_is_put_into_a_line(tmp_path: Path) -> None:
    (tmp_path / "hold_1_errors.log").write_text("Aborting call\n  on 500\n", encoding="utf-8")
    assert [file.name for file in errors_in(tmp_path)] == ["hold_1_errors.log"]
    assert why(tmp_path) == "Aborting call on 500"


@pytest.mark.parametrize("file", sorted(SCRIPTS.glob("*.xml")), ids=lambda file: file.stem)
def test_each_script_is_one_that_sipp_can_read(file: Path) -> None:
    root = ElementTree.parse(file).getroot()
    assert root.tag == "scenario"
    assert script(file.stem) == ("-sf", str(file))
    for send in root.iter("send"):
        # RFC 3261 8.1.1: what every request needs
        words = send.text or ""
        needed = ("From:", "To:", "Call-ID:", "CSeq:")
        assert all(f"\n{name}" in words or f"[last_{name}]" in words for name in needed)
