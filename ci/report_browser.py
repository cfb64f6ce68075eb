"""Look at a report in a real browser: `python ci/report_browser.py [FOLDER]`.

FOLDER (build/demo by default) holds report.html and run.json. Headless Chromium renders the page,
wide and narrow; nothing may go wrong in its script, and the verdict, every call and both of
its waves must stand in what was rendered. Without Chromium it says so loudly and checks nothing;
with `--require` that is a failure.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from ci.chromium import FLAGS, browser_job

WIDTHS = (1200, 500)
LIMIT_S = 120
CONSOLE = re.compile(r"CONSOLE[:(].*")
OUTSIDE = re.compile(r"^(https?:)?//", re.IGNORECASE)


class Page(HTMLParser):
    """What of a rendered page is looked at."""

    def __init__(self, dom: str) -> None:
        super().__init__()
        self.root: dict[str, str] = {}
        """Attributes of the html element."""
        self.ids: dict[str, str] = {}
        """The classes of each element with an id."""
        self.waves: dict[str, int] = {}
        """Waves drawn within each call."""
        self.outside: list[str] = []
        """What it would fetch from elsewhere."""
        self._call = ""
        self.feed(dom)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what matters of one element."""
        given = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.root = given
        if "id" in given:
            self.ids[given["id"]] = given.get("class", "")
            if given["id"].startswith("call-"):
                self._call = given["id"]
        if tag == "path" and given.get("class") == "wave" and given.get("d"):
            self.waves[self._call] = self.waves.get(self._call, 0) + 1
        fetched = [given.get("src", ""), given.get("href", "") if tag == "link" else ""]
        self.outside += [address for address in fetched if OUTSIDE.match(address)]


def complaints(dom: str, log: str, record: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a rendered page, by the run it shows."""
    page = Page(dom)
    yield from (f"console: {line}" for line in CONSOLE.findall(log))
    yield from (f"not offline: {address}" for address in page.outside)
    if page.root.get("data-ready") != "yes":
        yield "the script did not run to its end"
    if page.root.get("data-too-wide") != "0":
        yield f"wider than the window by {page.root.get('data-too-wide')} pixels"
    if record["verdict"] not in page.ids.get("verdict", "").split():
        yield f"the verdict {record['verdict']!r} is not shown"
    for call in record["calls"]:
        name = f"call-{call['number']}"
        if name not in page.ids:
            yield f"{name} is not shown"
        elif page.waves.get(name) != 2:
            yield f"{name} shows {page.waves.get(name, 0)} waves, due 2"
        elif not call["passed"] and "failed" not in page.ids[name].split():
            yield f"{name} failed and is not shown so"
    if page.root.get("data-waves") != str(2 * len(record["calls"])):
        yield f"{page.root.get('data-waves')} waves are drawn, due {2 * len(record['calls'])}"


def look(browser: str, page: Path, width: int) -> tuple[str, str]:
    """Render the page; give its DOM and what the browser logged."""
    with tempfile.TemporaryDirectory(prefix="browser-") as profile:
        done = subprocess.run(
            [
                browser,
                *FLAGS,
                "--enable-logging=stderr",
                "--dump-dom",
                f"--window-size={width},1000",
                f"--user-data-dir={profile}",
                page.resolve().as_uri(),
            ],
            capture_output=True,
            timeout=LIMIT_S,
            check=False,
        )
    return done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def check(browser: str, folder: Path) -> list[str]:
    """Look at the report in a folder, at each width."""
    page = folder / "report.html"
    if not page.is_file():
        return [f"there is no {page}"]
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    found = []
    for width in WIDTHS:
        dom, log = look(browser, page, width)
        found += [f"{width} pixels wide: {text}" for text in complaints(dom, log, record)]
    return found


def main() -> int:
    """Look at the report; give the exit code."""
    about = __doc__.partition("\n")[0]
    return browser_job(about, "the report", check, "build/demo")


if __name__ == "__main__":
    sys.exit(main())
