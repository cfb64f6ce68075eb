"""`voicegate demo` as a newcomer runs it: two calls, the evidence, one JSON object."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.audio.levels import dbfs
from simulator.audio.wav import read
from voicegate.demo import response_ms

LEFT_BEHIND = {"threads", "tasks", "sockets", "files", "calls", "gemini_sessions"}


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], int]:
    """Run it once; give the folder, what stood on stdout, and the exit code."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "call-07.wav").write_bytes(b"of an earlier run")
    (folder / "notes.txt").write_text("not ours", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "voicegate", "demo", "--out", str(folder), "--json"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={k: v for k, v in os.environ.items() if not k.startswith(("GEMINI_", "GOOGLE_"))},
        timeout=90,
        check=False,
    )
    return folder, json.loads(done.stdout), done.returncode


def test_both_calls_are_heard_both_ways(evidence: tuple[Path, dict[str, Any], int]) -> None:
    _, result, code = evidence
    assert code == 0
    assert [(c["heard_by_model"], c["heard_by_caller"]) for c in result["calls"]] == [
        (True, True),
        (True, True),
    ]
    assert [c["ended_by"] for c in result["calls"]] == ["caller", "gateway"]
    for call in result["calls"]:
        assert 0 < call["setup_ms"] < 5000
        assert 0 < call["response_ms"] < 3000
        assert 0 <= call["release_ms"] < 3000


def test_nothing_is_left_behind(evidence: tuple[Path, dict[str, Any], int]) -> None:
    _, result, _ = evidence
    assert result["left_behind"] == dict.fromkeys(LEFT_BEHIND, 0)


def test_the_evidence_is_there_and_no_older_one(
    evidence: tuple[Path, dict[str, Any], int],
) -> None:
    folder, result, _ = evidence
    assert sorted(path.name for path in folder.glob("*.wav")) == ["call-01.wav", "call-02.wav"]
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert record["verdict"] == "passed"
    assert record["left_behind"] == result["left_behind"]
    assert (folder / "report.html").stat().st_size > 100_000
    assert (folder / "run.pcap").stat().st_size > 100_000
    assert (folder / "notes.txt").exists()


def test_both_lanes_are_loud(evidence: tuple[Path, dict[str, Any], int]) -> None:
    folder, _, _ = evidence
    for path in sorted(folder.glob("*.wav")):
        pcm, rate = read(path)
        assert pcm.shape[1] == 2
        assert len(pcm) / rate > 4
        assert dbfs(pcm[:, 0]) > -45
        assert dbfs(pcm[:, 1]) > -45


def test_a_response_that_was_not_heard_is_none_and_not_zero() -> None:
    loud = np.full(8000, 8000, dtype=np.int16)
    silent = np.zeros(8000, dtype=np.int16)
    assert response_ms(silent, loud) is None
    assert response_ms(loud, silent) is None
    assert response_ms(np.concatenate([loud, silent]), np.concatenate([silent, loud])) == 20.0
