"""One call in one line of JSON."""

import json

import pytest

from voicegate.endings import HangupReason
from voicegate.report import CallReport, masked


@pytest.mark.parametrize(
    ("number", "shown"), [("+4930123456", "*******3456"), ("100", "100"), ("", "")]
)
def test_no_full_number_is_shown(number: str, shown: str) -> None:
    assert masked(number) == shown


def test_the_report_is_plain_json() -> None:
    report = CallReport(
        number=1,
        call_id="abc@gate",
        caller="***4567",
        called="1000",
        reason=HangupReason.GOODBYE,
        setup_ms=12.5,
        duration_ms=4000.0,
        release_ms=3.0,
        response_ms=(640.0,),
        media={"packets_in": 200},
    )
    values = json.loads(json.dumps(report.as_json()))
    assert (values["reason"], values["ended_by"]) == ("goodbye", "gateway")
    assert values["response_ms"] == [640.0]
    assert values["media"] == {"packets_in": 200}
