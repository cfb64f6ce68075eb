"""What a run keeps: bounded, told in words where a test fails, written on request."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.clock import run_virtual
from simulator.report.model import Outcome
from simulator.target.evidence import CALLS_KEPT, RunLog, Scene, chance_of

SCENARIO = """
import pytest
from scenarios.inprocess import VOICEGATE
from simulator.audio.sound import stamps

@pytest.fixture
def gateway_in_process():
    return VOICEGATE

async def test_heard(gate, gemini):
    gemini.always(say=stamps(every_s=0.5))
    async with gate.dial("1000", speak=stamps(every_s=0.5)) as call:
        await call.lasts(2)
    assert call.heard.only_from(gemini.session(0), at_least=AT_LEAST)
"""


def run(folder: Path, at_least: int, *options: str) -> subprocess.CompletedProcess[str]:
    text = SCENARIO.replace("AT_LEAST", str(at_least))
    (folder / "test_own.py").write_text(text, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n", encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=90,
        check=False,
    )


def test_a_users_own_repository_gets_the_evidence_of_a_run(tmp_path: Path) -> None:
    done = run(tmp_path, 3, "--report", "evidence")
    assert done.returncode == 0, done.stdout
    files = {path.name for path in (tmp_path / "evidence").iterdir()}
    assert files >= {"report.html", "run.json", "run.pcap", "junit.xml", "gemini.jsonl"}
    assert "call-01.wav" in files


def test_a_failed_test_says_what_happened_in_its_call(tmp_path: Path) -> None:
    done = run(tmp_path, 99, "--report", "evidence")
    assert done.returncode == 1
    assert "what happened in its last call" in done.stdout
    assert "-> INVITE" in done.stdout
    assert "<- 200 OK (INVITE)" in done.stdout
    assert (tmp_path / "evidence" / "report.html").exists()


def test_a_scene_keeps_the_newest_calls_only() -> None:
    assert Scene().made.maxlen == CALLS_KEPT
    assert Scene().in_words() == "no call was made"


async def test_two_tests_have_chance_of_their_own() -> None:
    assert chance_of("a", 0) != chance_of("b", 0)


def test_in_virtual_time_the_same_test_has_the_same_chance() -> None:
    async def chance() -> int:
        await asyncio.sleep(0)
        return chance_of("a", 7)

    assert run_virtual(chance()) == run_virtual(chance())


@pytest.mark.parametrize(("outcome", "verdict"), [("passed", "passed"), ("failed", "failed")])
def test_a_run_without_calls_can_be_written(tmp_path: Path, outcome: str, verdict: str) -> None:
    log = RunLog("unit", seed=1, clock="virtual")
    log.add("a row", Outcome(outcome), "why", None)
    log.write(tmp_path, exit_code=int(outcome != "passed"))
    assert f'"verdict": "{verdict}"' in (tmp_path / "run.json").read_text(encoding="utf-8")
