"""The run as junit.xml, with a last case `verdict`, so that it is never greener than the run."""

import re
from pathlib import Path
from xml.etree import ElementTree

from simulator.report.model import CheckResult, Outcome, RunEvidence

# XML 1.0 2.2: what may not stand in a document, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(run: RunEvidence, path: Path) -> None:
    """Write one case for each check and the verdict."""
    suite = ElementTree.Element("testsuite", name=_clean(run.name), timestamp=_clean(run.began_at))
    outcomes = [_add(suite, run.name, check) for check in run.checks]
    outcomes.append(_add(suite, run.name, verdict_case(run)))
    skipped = sum(one in (Outcome.SKIPPED, Outcome.NOT_TESTABLE) for one in outcomes)
    suite.set("tests", str(len(outcomes)))
    suite.set("failures", str(outcomes.count(Outcome.FAILED)))
    suite.set("errors", "0")
    suite.set("skipped", str(skipped))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def verdict_case(run: RunEvidence) -> CheckResult:
    """The run's own verdict as a check."""
    return CheckResult("verdict", run.verdict, "\n".join(run.failures))


def _add(suite: ElementTree.Element, run_name: str, check: CheckResult) -> Outcome:
    case = ElementTree.SubElement(
        suite, "testcase", classname=_clean(run_name), name=_clean(check.title)
    )
    outcome = check.verdict
    if outcome is Outcome.FAILED:
        why = check.why or "failed"
        failure = ElementTree.SubElement(case, "failure", message=_clean(why.split("\n")[0]))
        failure.text = _clean(why)
    elif outcome is not Outcome.PASSED:
        ElementTree.SubElement(
            case, "skipped", message=_clean(f"{outcome}: {check.why}".rstrip(": "))
        )
    elif check.measurement is not None:
        ElementTree.SubElement(case, "system-out").text = _clean(check.why)
    return outcome


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
