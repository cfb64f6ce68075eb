import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulator.audio.wav import read
from simulator.gemini.journal import Entry, Journal
from simulator.pcap import Tape
from simulator.report import doctor
from simulator.report.write import write_evidence
from tests.simulator.report.sample import bad_call, good_call, run_of

SIP = b"OPTIONS sip:x SIP/2.0\r\n\r\n"


@pytest.fixture(autouse=True)
def _no_outside_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes a process and half a second; its own tests are in test_doctor.py."""
    monkeypatch.setattr(doctor, "find_command", lambda: None)


def tape(host: str = "127.0.0.1") -> Tape:
    made = Tape()
    made.record(1.0, (host, 5060), ("127.0.0.1", 5070), SIP)
    return made


def journal() -> Journal:
    made = Journal()
    made.add(Entry(1.0, 0, "in", "setup", 12, "{}"))
    return made


def test_everything_is_written(tmp_path: Path) -> None:
    pytest.importorskip("jinja2", reason="the extra `report` is not installed")
    calls = (good_call(1), bad_call(2))

    written = write_evidence(run_of(*calls, tape=tape(), journal=journal()), tmp_path / "new")

    names = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert names == sorted(written.files)
    assert names == [
        "call-01.wav",
        "call-02.wav",
        "gemini.jsonl",
        "junit.xml",
        "report.html",
        "run.json",
        "run.pcap",
    ]
    record = json.loads((written.folder / "run.json").read_text(encoding="utf-8"))
    assert record["files"] == list(written.files)
    assert record["sip_doctor"]["problem"] == doctor.ABSENT
    line = json.loads((written.folder / "gemini.jsonl").read_text(encoding="utf-8"))
    assert line["kind"] == "setup"


def test_a_recording_has_the_caller_left_and_the_gateway_right(tmp_path: Path) -> None:
    call = good_call()
    write_evidence(run_of(call), tmp_path)

    pcm, rate = read(tmp_path / "call-01.wav")

    assert rate == 8000
    for side, lane in enumerate(call.lanes):
        assert lane.pcm is not None
        assert np.array_equal(pcm[:, side], lane.pcm)


def test_evidence_of_an_earlier_run_goes_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "call-09.wav").write_text("old")
    (tmp_path / "notes.txt").write_text("mine")

    written = write_evidence(run_of(good_call()), tmp_path)

    assert not (tmp_path / "call-09.wav").exists()
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert "run.pcap" not in written.files
    assert written.diagnosis is None


def test_without_the_extra_all_but_the_page_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)

    written = write_evidence(run_of(good_call(), tape=tape()), tmp_path)

    assert written.notes == ("report.html was not written: pip install voicegate[report]",)
    assert "report.html" not in written.files
    assert (tmp_path / "junit.xml").exists()
    record = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert record["notes"] == list(written.notes)


def test_a_capture_that_cannot_be_written_holds_up_nothing(tmp_path: Path) -> None:
    written = write_evidence(run_of(good_call(), tape=tape("::1")), tmp_path)

    [note] = written.notes
    assert note.startswith("run.pcap could not be written")
    assert not (tmp_path / "run.pcap").exists()
    assert (tmp_path / "run.json").exists()


def test_a_call_whose_sound_was_not_kept_has_no_recording(tmp_path: Path) -> None:
    call = good_call()
    silent = replace(
        call, caller=replace(call.caller, pcm=None), gateway=replace(call.gateway, pcm=None)
    )

    written = write_evidence(run_of(silent), tmp_path)

    assert "call-01.wav" not in written.files
    assert json.loads((tmp_path / "run.json").read_text())["calls"][0]["wav"] is None
