import json
import math
from dataclasses import replace

from simulator.report.doctor import Diagnosis
from simulator.report.model import CheckResult, Measurement, Outcome
from simulator.report.record import as_record, summary
from tests.simulator.report.sample import bad_call, good_call, passed, run_of


def test_a_run_is_plain_json() -> None:
    run = run_of(good_call(1), bad_call(2), extra={"left_behind": {"threads": 0}})

    record = json.loads(json.dumps(as_record(run, Diagnosis(version="1"), ["run.pcap"])))

    assert (record["verdict"], record["passed"]) == ("failed", False)
    assert record["left_behind"] == {"threads": 0}
    assert record["files"] == ["run.pcap"]
    first, second = record["calls"]
    assert (first["passed"], second["passed"]) == (True, False)
    assert first["response_ms"] == [400.0]
    assert first["lanes"]["gateway"]["stamps"] == {
        "said": 2,
        "heard": 2,
        "lost": 0,
        "foreign": 0,
        "latency_ms": {"count": 2, "p50": 50.0, "p95": 50.0, "max": 50.0},
    }
    assert second["lanes"]["gateway"]["stamps"]["foreign"] == 1
    assert second["lanes"]["gateway"]["stamps"]["lost"] == 1
    assert second["findings"][0]["rule"] == "rtp-gap"
    assert record["sip_doctor"]["version"] == "1"


def test_what_was_not_measured_is_null_and_never_zero() -> None:
    lane = replace(good_call().gateway, level_dbfs=None, pcm=None)
    call = good_call(setup_ms=None, responses=(), gateway=lane)
    check = CheckResult("x", Outcome.PASSED, measurement=Measurement(math.nan, "ms"))

    record = json.loads(
        json.dumps(as_record(run_of(call, checks=(check, passed()))), allow_nan=False)
    )

    assert record["calls"][0]["setup_ms"] is None
    assert record["calls"][0]["wav"] is None
    assert record["calls"][0]["lanes"]["gateway"]["level_dbfs"] is None
    assert record["response_ms"] == {"count": 0, "p50": None, "p95": None, "max": None}
    assert record["checks"][0]["measurement"]["value"] is None
    assert record["checks"][0]["outcome"] == "failed"
    assert record["resources"][1]["memory_bytes"] is None
    assert record["sip_doctor"] is None


def test_a_summary_tells_the_middle_and_the_end() -> None:
    assert summary([1.0, 2.0, 3.0]) == {"count": 3, "p50": 2.0, "p95": 2.9, "max": 3.0}
