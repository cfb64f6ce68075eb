"""A finding in words and as JSON."""

from voicegate.host.findings import as_json_object, fail, ok, passed, warn


def test_a_line_says_how_bad_what_and_the_mend() -> None:
    assert str(ok("clock", "fine")) == "ok    clock: fine."
    assert str(fail("sip.port", "taken", "stop it")) == "fail  sip.port: taken. Mend: stop it"


def test_a_warning_lets_calls_pass_and_a_failure_does_not() -> None:
    assert passed([ok("a", ""), warn("b", "", "c")])
    assert not passed([ok("a", ""), fail("b", "", "c")])


def test_the_object_names_each_verdict() -> None:
    told = as_json_object([warn("proxy", "used", "turn it off")])
    assert told["passed"] is True
    assert told["findings"][0]["verdict"] == "warn"
