"""The rules by which a rendered report is judged; the browser itself is used in CI."""

from pathlib import Path
from typing import Any

import pytest

from ci import chromium, report_browser
from ci.report_browser import check, complaints

RECORD: dict[str, Any] = {
    "verdict": "failed",
    "calls": [{"number": 1, "passed": True}, {"number": 2, "passed": False}],
}
ROOT = '<html data-ready="yes" data-too-wide="0" data-waves="4">'
WAVES = '<path class="wave" d="M0,0Z"></path>' * 2
DOM = (
    f'{ROOT}<header class="verdict failed" id="verdict"></header>'
    f'<details class="call passed" id="call-1">{WAVES}</details>'
    f'<details class="call failed" id="call-2">{WAVES}</details></html>'
)


def found(dom: str = DOM, log: str = "") -> list[str]:
    return list(complaints(dom, log, RECORD))


def test_a_good_page_gives_no_complaint() -> None:
    assert found(log="[1:1:INFO:network.cc(1)] started") == []


@pytest.mark.parametrize(
    ("was", "instead", "due"),
    [
        ('data-ready="yes"', "", "the script did not run to its end"),
        ('data-too-wide="0"', 'data-too-wide="40"', "wider than the window by 40 pixels"),
        ('data-waves="4"', 'data-waves="2"', "2 waves are drawn, due 4"),
        ('"verdict failed"', '"verdict passed"', "the verdict 'failed' is not shown"),
        ('id="call-1"', 'id="call-9"', "call-1 is not shown"),
        ('"call failed"', '"call passed"', "call-2 failed and is not shown so"),
        (f'"call-2">{WAVES}', '"call-2">', "call-2 shows 0 waves, due 2"),
        ("<header", '<img src="https://x.test/a.png"><header', "not offline: https://x.test/a.png"),
        ("<header", '<link href="//x.test/a.css"><header', "not offline: //x.test/a.css"),
    ],
)
def test_each_fault_of_a_page_is_told(was: str, instead: str, due: str) -> None:
    assert was in DOM
    assert found(DOM.replace(was, instead, 1)) == [due]


def test_what_the_console_says_is_a_fault() -> None:
    log = '[7:7:1122/213131.1:INFO:CONSOLE:12] "Uncaught ReferenceError: x", source: file:///r'

    [complaint] = found(log=log)

    assert "Uncaught ReferenceError" in complaint


def test_a_report_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    [complaint] = check("no-browser", tmp_path)

    assert complaint.startswith("there is no ")


@pytest.mark.parametrize(("arguments", "code"), [([], 0), (["--require"], 1)])
def test_no_browser_is_told_loudly(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
) -> None:
    monkeypatch.setattr(chromium, "find_browser", lambda: None)
    monkeypatch.setattr("sys.argv", ["report_browser.py", *arguments])

    assert report_browser.main() == code
    assert "SKIPPED: THE REPORT WAS NOT LOOKED AT" in capsys.readouterr().out
