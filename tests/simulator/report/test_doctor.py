import json
import sys
from pathlib import Path
from typing import Any

import pytest

from simulator.pcap import Tape
from simulator.report import doctor
from simulator.report.doctor import Diagnosis, read_capture, understand

TOLD: dict[str, Any] = {
    "version": "0.8.0",
    "dialogs": [
        {
            "call_id": "a@gate",
            "status": "ANSWERED",
            "media": [
                {
                    "direction": "to caller",
                    "ssrc": "0xb42e5cd1",
                    "packets": 301,
                    "lost": 2,
                    "jitter_ms": 0.76,
                    "mos": 4.4,
                }
            ],
            "findings": [
                {"severity": "info", "title": "Caller hung up", "detail": ""},
                {"severity": "error", "title": "No ACK", "detail": "32 s"},
            ],
        }
    ],
    "security": [],
}


def told(**changes: Any) -> Diagnosis:
    return understand(json.dumps(TOLD | changes).encode())


def test_what_it_says_is_understood() -> None:
    diagnosis = told()

    assert diagnosis.problem == ""
    assert diagnosis.statuses == {"a@gate": "ANSWERED"}
    assert [finding.title for finding in diagnosis.of("a@gate")] == ["Caller hung up", "No ACK"]
    assert [finding.title for finding in diagnosis.worst] == ["No ACK"]
    stream = diagnosis.stream("a@gate", 0xB42E5CD1)
    assert stream is not None
    assert (stream.packets, stream.lost, stream.mos) == (301, 2, 4.4)
    assert diagnosis.stream("a@gate", 1) is None
    assert diagnosis.as_record()["findings"][1]["detail"] == "32 s"


@pytest.mark.parametrize(
    "output", [b"", b"no JSON", b"[]", b"{}", json.dumps(TOLD | {"dialogs": [{}]}).encode()]
)
def test_what_cannot_be_understood_is_told(output: bytes) -> None:
    diagnosis = understand(output)

    assert "cannot be understood" in diagnosis.problem
    assert diagnosis.version == ""


def test_its_absence_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "MODULE", "no_such_module")
    monkeypatch.setattr(doctor, "COMMAND", "no-such-command")

    diagnosis = read_capture(tmp_path / "run.pcap")

    assert "not installed" in diagnosis.problem
    assert "pip install sip-doctor" in diagnosis.problem


def command(*code: str) -> list[str]:
    return [sys.executable, "-c", "\n".join(code)]


def test_its_failure_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    failing = command("import sys", "sys.exit('no capture')")
    monkeypatch.setattr(doctor, "find_command", lambda: failing)

    assert read_capture(tmp_path / "x").problem == "sip-doctor ended with 1: no capture"


def test_its_endless_silence_is_bounded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    endless = command("import threading", "threading.Event().wait()")
    monkeypatch.setattr(doctor, "find_command", lambda: endless)

    assert "timed out" in read_capture(tmp_path / "x", limit_s=0.2).problem


def test_the_real_one_reads_a_capture_of_ours(tmp_path: Path) -> None:
    pytest.importorskip("sipdoctor", reason="sip-doctor is not installed")
    tape = Tape()
    head = "OPTIONS sip:b SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1\r\n"
    tail = "From: <sip:a@b>;tag=1\r\nTo: <sip:b>\r\nCall-ID: a@b\r\nCSeq: 1 OPTIONS\r\n\r\n"
    tape.record(1.0, ("127.0.0.1", 5060), ("127.0.0.2", 5060), (head + tail).encode())
    tape.save(tmp_path / "run.pcap")

    diagnosis = read_capture(tmp_path / "run.pcap")

    assert diagnosis.problem == ""
    assert diagnosis.version
    assert list(diagnosis.statuses or ()) == ["a@b"]
