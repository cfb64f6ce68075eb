"""`gatesim call` as a user meets it: its words, its JSON, its exit codes."""

from pathlib import Path

import pytest

from simulator.audio.sound import stamps
from simulator.audio.wav import read, write
from tests.simulator.commands.processes import gatesim, only_json, refused


def test_an_echo_is_heard_and_the_evidence_is_kept(echo: str, tmp_path: Path) -> None:
    wav, pcap = tmp_path / "call.wav", tmp_path / "call.pcap"

    run = gatesim("call", echo, "--listen-s", "2", "--json", "--wav", str(wav), "--pcap", str(pcap))

    assert (run.returncode, run.stderr.count("calling")) == (0, 1)
    found = only_json(run)
    assert (found["ok"], found["connected"], found["status"]) == (True, True, 200)
    assert found["stamps_heard"] == {"1": 2}
    assert 20 < found["echo_ms"] < 300
    assert 0 < found["setup_ms"] < 1000
    assert found["rtp"]["packets"] > 80
    assert (found["ended_by"], found["violations"], found["failures"]) == ("caller", [], [])
    both, rate = read(wav)
    assert (both.shape[1], rate) == (2, 8000)
    assert len(both) == pytest.approx(2 * rate, rel=0.05)
    assert abs(both).max(axis=0).min() > 1000  # either side was loud
    assert pcap.stat().st_size > 100 * 200


def test_people_get_a_table_and_the_answer_to_words_is_timed(echo: str) -> None:
    run = gatesim("call", echo, "--speak", "is anybody there", "--listen-s", "0.6")

    assert run.returncode == 0
    for words in ("set-up", "dBFS", "speech heard │ yes", "response", "ended by", "violations"):
        assert words in run.stdout
    assert run.stdout.rstrip().endswith("ok")


def test_a_recording_is_spoken(echo: str, tmp_path: Path) -> None:
    wav = tmp_path / "own.wav"
    write(wav, stamps(every_s=0.5, count=2).pcm(77, 16_000), 16_000)

    run = gatesim("call", echo, "--speak", str(wav), "--listen-s", "0.5", "--json")

    # who the caller is stands in the recording, not in the call: a stranger is heard
    assert only_json(run)["stamps_heard"] == {"77": 2}
    assert only_json(run)["failures"] == ["another caller was heard: identity 77"]
    assert run.returncode == 1


def test_hearing_nothing_fails_unless_nothing_is_expected(echo: str) -> None:
    quiet = ("call", echo, "--speak", "silence", "--listen-s", "0.5", "--json")

    failed, passed = gatesim(*quiet), gatesim(*quiet, "--no-expect-audio")

    assert failed.returncode == 1
    assert only_json(failed)["failures"][0].startswith("no speech was heard:")
    assert (passed.returncode, only_json(passed)["ok"]) == (0, True)


def test_nobody_there_ends_with_3_and_says_so() -> None:
    arguments = ("call", "sip:127.0.0.1:9", "--answer-within-s", "0.5")

    told, as_json = gatesim(*arguments), gatesim(*arguments, "--json")

    assert (told.returncode, as_json.returncode) == (3, 3)
    assert "is the gateway running there?" in told.stdout
    found = only_json(as_json)
    assert (found["connected"], found["ok"]) == (False, False)
    assert "no answer to INVITE from 127.0.0.1:9" in found["failures"][0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tel:112"], "is no SIP URI"),
        (["sip:127.0.0.1:99999"], "is no port"),
        (["sip:127.0.0.1", "--profile", "toaster"], "no gate profile 'toaster'"),
        (["sip:127.0.0.1", "--number", "1 2"], "is no number"),
        (["sip:127.0.0.1", "--speak", "none.wav"], "none.wav: no WAV file that can be read"),
        (["sip:127.0.0.1", "--listen-s", "-1"], "listen-s"),
    ],
)
def test_a_wrong_use_ends_with_2_and_says_why(arguments: list[str], words: str) -> None:
    assert words in refused("call", *arguments, "--json")


def test_a_file_that_is_no_wav_is_named(tmp_path: Path) -> None:
    text = tmp_path / "text.wav"
    text.write_text("no sound")
    assert "no WAV file" in refused("call", "sip:127.0.0.1", "--speak", str(text))
