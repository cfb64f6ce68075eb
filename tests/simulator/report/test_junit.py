from pathlib import Path
from xml.etree import ElementTree

from simulator.report.junit import write_junit
from simulator.report.model import CheckResult, Measurement, Outcome, RunEvidence
from tests.simulator.report.sample import EVIL, good_call, passed, run_of


def written(run: RunEvidence, folder: Path) -> ElementTree.Element:
    path = folder / "junit.xml"
    write_junit(run, path)
    suite = ElementTree.parse(path).getroot().find("testsuite")
    assert suite is not None
    return suite


def test_every_check_is_a_case_and_the_verdict_is_the_last(tmp_path: Path) -> None:
    checks = (
        passed("fine", call=1),
        CheckResult("late", Outcome.PASSED, measurement=Measurement(None, "ms", 5.0)),
        CheckResult("skipped", Outcome.SKIPPED, "no gate"),
        CheckResult("unknown", Outcome.NOT_TESTABLE, "the voice is not ours"),
    )

    suite = written(run_of(good_call(), checks=checks), tmp_path)

    cases = [(case.get("name"), [child.tag for child in case]) for case in suite]
    assert cases == [
        ("fine [call 1]", []),
        ("late", ["failure"]),
        ("skipped", ["skipped"]),
        ("unknown", ["skipped"]),
        ("verdict", ["failure"]),
    ]
    counts = [suite.get(name) for name in ("tests", "failures", "skipped", "errors")]
    assert counts == ["5", "2", "2", "0"]
    message = suite[3][0].get("message")
    assert message == "not testable: the voice is not ours"


def test_a_good_run_is_green(tmp_path: Path) -> None:
    suite = written(run_of(good_call()), tmp_path)

    assert suite.get("failures") == "0"
    assert suite[-1].get("name") == "verdict"
    assert len(suite[-1]) == 0


def test_it_is_never_greener_than_the_exit_code(tmp_path: Path) -> None:
    suite = written(run_of(good_call(), exit_code=3), tmp_path)

    assert suite.get("failures") == "1"
    assert suite[-1][0].text == "exit code 3"


def test_whatever_a_peer_sent_makes_no_broken_document(tmp_path: Path) -> None:
    check = CheckResult(EVIL, Outcome.FAILED, "nul \0 bell \a lone \ud800 ]]>")

    suite = written(run_of(checks=(check,)), tmp_path)

    assert suite[0].get("name") == EVIL
    assert suite[0][0].text == "nul \ufffd bell \ufffd lone \ufffd ]]>"
