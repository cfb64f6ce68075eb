import base64
import io
import wave

import numpy as np
import pytest

from simulator.report import views
from simulator.report.call import Finding
from simulator.report.doctor import Diagnosis, DoctorStream
from simulator.report.model import CheckResult, Outcome
from simulator.report.views import (
    call_views,
    check_views,
    doctor_count,
    resource_views,
    wav_bytes,
)
from tests.simulator.report.sample import bad_call, good_call, passed, run_of

FILES = ["call-01.wav", "call-02.wav", "call-03.wav"]


def test_checks_of_one_name_are_one_pill_and_the_worst_colours_it() -> None:
    checks = [
        passed("heard", 1),
        CheckResult("heard", Outcome.FAILED, "silent", call=2),
        CheckResult("heard", Outcome.NOT_TESTABLE, call=3),
        passed("alone"),
    ]

    heard, alone = check_views(checks)

    assert (heard.outcome, heard.count, heard.why) == (Outcome.FAILED, "1 of 3", "silent")
    assert (alone.outcome, alone.count) == (Outcome.PASSED, "")


def test_sound_of_the_first_and_of_failed_calls_is_within_the_page() -> None:
    run = run_of(good_call(1), good_call(2), bad_call(3))

    first, second, third = call_views(run, FILES)

    assert first.audio.startswith("data:audio/wav;base64,")
    assert second.audio == "call-02.wav"
    assert third.audio.startswith("data:audio/wav;base64,")
    sound = base64.b64decode(third.audio.partition(",")[2])
    with wave.open(io.BytesIO(sound)) as file:
        assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, 8000, 24000)


def test_the_page_does_not_grow_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "EMBED_LIMIT", 100_000)
    run = run_of(bad_call(1), bad_call(2))

    first, second = call_views(run, FILES)

    assert first.audio.startswith("data:")
    assert second.audio == "call-02.wav"


def test_a_call_without_a_recording_offers_none() -> None:
    [view] = call_views(run_of(good_call()), [])

    assert (view.audio, view.file) == ("", "")


def test_the_recording_has_the_caller_left() -> None:
    call = good_call()
    with wave.open(io.BytesIO(wav_bytes(call))) as file:
        both = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)

    for side, lane in enumerate(call.lanes):
        assert lane.pcm is not None
        assert np.array_equal(both[:, side], lane.pcm)


def test_a_rule_broken_the_same_way_again_is_told_once() -> None:
    same = [Finding("gate", "bye", "RFC 3261", "again", at_s) for at_s in (1.0, 2.0, None)]
    call = good_call(findings=(*same, Finding("gate", "cseq", "", "999")))

    [view] = call_views(run_of(call), FILES)

    assert [(one.rule, times) for one, times in view.findings] == [("bye", 3), ("cseq", 1)]


def test_resources_tell_from_what_to_what() -> None:
    threads, tasks, sockets, files, memory = resource_views(run_of())

    assert [view.name for view in (threads, tasks, sockets, files)] == list(views.RESOURCES)
    assert threads.text == "3 \u2192 3"
    assert memory.text == "128 \u2192 128 MiB, 1 not measured"
    assert resource_views(run_of(resources=())) == ()


def test_the_outside_judges_count_stands_beside_ours() -> None:
    call = good_call()
    stream = DoctorStream(call.call_id, "to caller", 0xABC, 151, 0, 0.1, 4.4)

    assert doctor_count(None, call) == ""
    assert doctor_count(Diagnosis(problem="absent"), call) == ""
    assert doctor_count(Diagnosis(version="1"), call) == "not seen"
    assert doctor_count(Diagnosis("1", streams=(stream,)), call) == "151 packets, 0 lost"
