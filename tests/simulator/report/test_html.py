import re
import sys
from html.parser import HTMLParser

import pytest

from simulator.report.doctor import ABSENT, Diagnosis, DoctorFinding
from simulator.report.html import ReportExtraMissing, figure, in_ms, render
from simulator.report.model import CheckResult, Outcome
from tests.simulator.report.sample import EVIL, bad_call, good_call, passed, run_of

pytest.importorskip("jinja2", reason="the extra `report` is not installed")

FILES = ["call-01.wav", "call-02.wav", "run.pcap"]
VOID = ("meta", "link", "path", "rect", "line", "polyline", "br", "input")


class Reader(HTMLParser):
    """Elements, their text, and whether every one that was opened was closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("style", "script"):
            self.text += data

    def of(self, tag: str, kind: str = "") -> list[dict[str, str]]:
        return [
            given
            for name, given in self.elements
            if name == tag and (not kind or kind in given.get("class", "").split())
        ]


def test_the_page_shows_the_verdict_first_and_every_call() -> None:
    page = Reader(render(run_of(good_call(1), bad_call(2)), files=FILES))

    assert page.open == []
    assert page.of("header", "failed")
    assert page.text.index("failed") < page.text.index("Checks") < page.text.index("Call 01")
    assert "call 2: rtp-gap" in page.text
    assert [given["id"] for given in page.of("details", "call")] == ["call-1", "call-2"]
    assert [given["id"] for given in page.of("details", "failed")] == ["call-2"]
    assert len(page.of("path", "wave")) == 4
    assert page.of("span", "bad")
    assert "127.0.0.1:5060" in page.text
    assert "seed 7" in " ".join(page.text.split())


def test_a_passed_run_says_so() -> None:
    page = Reader(render(run_of(good_call()), files=FILES))

    assert page.of("header", "passed")
    assert not page.of("header", "failed")
    assert not page.of("ul", "failures")
    assert "400 ms" in page.text


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = Reader(render(run_of(good_call(1), good_call(2)), files=FILES))

    assert not page.of("link")
    assert all("src" not in given for given in page.of("script"))
    sources = [given["src"] for given in page.of("audio")]
    assert sources[0].startswith("data:audio/wav;base64,")
    assert sources[1:] == ["call-02.wav"]
    assert not re.search(r"https?://", page.text)


def test_what_a_peer_sent_is_text_and_nothing_else() -> None:
    run = run_of(bad_call(), errors=(EVIL,), name=EVIL, notes=(EVIL,))
    diagnosis = Diagnosis("1", findings=(DoctorFinding("", "error", EVIL, EVIL),), statuses={})

    page = Reader(render(run, diagnosis, files=FILES))

    assert len(page.of("script")) == 1
    assert page.text.count(EVIL) >= 6


def test_pictures_and_regions_are_named_for_those_who_do_not_see_them() -> None:
    page = Reader(render(run_of(good_call()), files=FILES))

    assert all(given.get("aria-label") for given in page.of("svg"))
    assert all(given.get("aria-label") for given in page.of("audio"))
    assert all(given.get("aria-label") for given in page.of("div", "scroll"))
    ids = [given["id"] for _, given in page.elements if "id" in given]
    assert len(ids) == len(set(ids))
    labels = [given["aria-labelledby"] for given in page.of("section")]
    assert all(label in ids for label in labels)
    [html] = page.of("html")
    assert html["lang"] == "en"


@pytest.mark.parametrize(
    ("diagnosis", "due"),
    [
        (None, "There is no capture in this run"),
        (Diagnosis(problem=ABSENT), "pip install sip-doctor"),
        (Diagnosis("0.8", statuses={}), "Measured by sip-doctor 0.8"),
    ],
)
def test_the_outside_judge_is_quoted_and_its_absence_is_told(
    diagnosis: Diagnosis | None, due: str
) -> None:
    page = Reader(render(run_of(good_call()), diagnosis, files=FILES))

    assert due in " ".join(page.text.split())


def test_an_empty_run_is_a_page_too() -> None:
    page = Reader(render(run_of(checks=(), resources=())))

    assert "No call was made." in page.text
    assert "No check was made." in page.text
    assert "no check passed: nothing was shown" in page.text


def test_what_was_not_measured_is_said() -> None:
    call = good_call(setup_ms=None, release_ms=None, responses=())
    page = Reader(render(run_of(call), files=FILES))

    assert "not measured" in page.text
    assert (in_ms(None), figure(None)) == ("not measured", "not measured")
    assert (in_ms(0.0), in_ms(820.4), figure(1.5, " s")) == ("0.0 ms", "820 ms", "1.5 s")


def test_a_check_that_is_not_testable_says_why() -> None:
    check = CheckResult("two-way audio", Outcome.NOT_TESTABLE, "the voice is not ours")
    page = Reader(render(run_of(good_call(), checks=(passed(), check)), files=FILES))

    assert page.of("li", "not-testable")
    assert "the voice is not ours" in page.text


def test_without_the_extra_the_way_to_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)

    with pytest.raises(ReportExtraMissing, match=r"pip install voicegate\[report\]"):
        render(run_of(good_call()))
