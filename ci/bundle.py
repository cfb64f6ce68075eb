"""An offline folder of wheels, for a host without internet.

`python ci/bundle.py --platform win_amd64 --python 3.13` writes build/bundle-win_amd64-3.13: our own
wheel, all that it needs at the versions of pyproject.toml, and INSTALL.txt. `--check` builds the
folder for this machine, installs from it with no index into a new environment, runs the programs
there without the checkout, and resolves the whole set for Windows.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ci.interop_job.checks import Checks, say
from ci.interop_job.tools import plain_environment
from simulator.target.command import as_environment, free_block, running

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
PACKAGE = "voicegate[report]"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
MANYLINUX = ("2_28", "2_27", "2_26", "2_24", "2_17", "2014", "2_12", "2010", "2_5", "1")
LIMIT_S = 600.0
COUNTED = ("calls", "findings", "rows")
"""What the programs tell of in their JSON."""


@dataclass(frozen=True)
class Platform:
    """A kind of host."""

    target: str
    """What uv calls it when it resolves: markers such as sys_platform are of that host."""
    tags: tuple[str, ...]
    """The platform tags of the wheels that it takes."""


def _linux(machine: str) -> Platform:
    tags = (f"manylinux{'' if one[-3:].isdigit() else '_'}{one}_{machine}" for one in MANYLINUX)
    return Platform(f"{machine}-manylinux_2_28", tuple(tags))


PLATFORMS = {
    "win_amd64": Platform("x86_64-pc-windows-msvc", ("win_amd64",)),
    "win_arm64": Platform("aarch64-pc-windows-msvc", ("win_arm64",)),
    "linux_x86_64": _linux("x86_64"),
    "linux_aarch64": _linux("aarch64"),
}


def main() -> int:
    """Build a folder, or check that it can be done; give the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--platform", choices=PLATFORMS, default="win_amd64")
    arguments.add_argument("--python", choices=PYTHONS, default="3.13", help="of that host")
    arguments.add_argument("--out", type=Path, help="the folder; build/bundle-... by default")
    arguments.add_argument("--check", action="store_true", help="try it on this machine")
    chosen = arguments.parse_args()
    if chosen.check:
        return check()
    out = chosen.out or ROOT / "build" / f"bundle-{chosen.platform}-{chosen.python}"
    build(out, PLATFORMS[chosen.platform], chosen.python)
    say(f"{out}: {len(list(out.glob('wheels/*.whl')))} wheels; INSTALL.txt says what to do")
    return 0


def build(out: Path, where: Platform, python: str) -> None:
    """Write the folder anew. Raises OSError where something cannot be had."""
    shutil.rmtree(out, ignore_errors=True)
    wheels = out / "wheels"
    wheels.mkdir(parents=True)
    _run("uv", "build", "--quiet", "--wheel", "--out-dir", str(wheels))
    needed = out / "requirements.txt"
    needed.write_text(resolved(where, python), encoding="utf-8")
    # pip reads the markers of the machine it runs on: what is needed was settled above
    _run(
        *("uv", "tool", "run", "pip", "download", "--quiet", "--no-deps"),
        *("--only-binary", ":all:", "--implementation", "cp", "--python-version", python),
        *(word for tag in where.tags for word in ("--platform", tag)),
        *("--dest", str(wheels), "--requirement", str(needed)),
    )
    (out / "INSTALL.txt").write_text(steps(where, python), encoding="utf-8")


def resolved(where: Platform, python: str) -> str:
    """Give every package with its version for that host, wheels only. Raises OSError."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extra = project["project"]["optional-dependencies"]["report"]
    with tempfile.TemporaryDirectory(prefix="bundle-") as folder:
        wanted, pins = Path(folder) / "wanted.txt", Path(folder) / "pins.txt"
        wanted.write_text("\n".join([*project["project"]["dependencies"], *extra]))
        pins.write_text("\n".join(project["tool"]["uv"]["constraint-dependencies"]))
        return _run(
            *("uv", "pip", "compile", "--quiet", "--no-config", "--no-header", "--no-annotate"),
            *("--only-binary", ":all:", "--constraints", str(pins)),
            *("--python-platform", where.target, "--python-version", python, str(wanted)),
        )


def steps(where: Platform, python: str) -> str:
    """Say how the folder is used on the host."""
    windows = "windows" in where.target
    create = f"py -{python} -m venv .venv" if windows else f"python{python} -m venv .venv"
    programs = ".venv\\Scripts\\" if windows else ".venv/bin/"
    return f"""\
voicegate without internet: Python {python} must be on the host, nothing else.
Run these in the folder where it is to live; BUNDLE is this folder.

{create}
{programs}python -m pip install --no-index --find-links BUNDLE/wheels "{PACKAGE}"
{programs}voicegate demo
{programs}voicegate config --init
{programs}voicegate check --config voicegate.toml

A newer one is put over it with: pip install --upgrade, and the rest of that line.
"""


def check() -> int:
    """Build the folder for this machine, use it, and resolve for Windows; give the exit code."""
    checks = Checks("bundle")
    machine, python = platform.machine(), f"{sys.version_info.major}.{sys.version_info.minor}"
    own = PLATFORMS.get(f"linux_{machine}") if sys.platform == "linux" else None
    for name in ("win_amd64", "win_arm64"):
        for version in (PYTHONS[0], PYTHONS[-1]):
            _check_resolves(checks, name, version)
    if own is None:
        checks.skip("install from the folder", f"made on Linux only, this is {sys.platform}")
        return checks.close()
    with tempfile.TemporaryDirectory(prefix="bundle-") as folder:
        place = Path(folder)
        build(place / "bundle", own, python)
        _check_installed(checks, place)
    return checks.close()


def _check_resolves(checks: Checks, name: str, python: str) -> None:
    try:
        count = len(resolved(PLATFORMS[name], python).splitlines())
    except OSError as error:
        checks.check(f"wheels for {name}, Python {python}", passed=False, told=str(error))
    else:
        checks.check(f"wheels for {name}, Python {python}", count, f"{count} packages")


def _check_installed(checks: Checks, place: Path) -> None:
    """Install with no index into a new environment, and run the programs from an empty folder."""
    environment = {name: text for name, text in plain_environment().items() if _neutral(name)}
    venv, home = place / "venv", place / "home"
    home.mkdir()
    _run(sys.executable, "-m", "venv", str(venv))
    programs = venv / "bin"
    _run(
        *(str(programs / "python"), "-m", "pip", "install", "--quiet", "--no-index"),
        *("--find-links", str(place / "bundle" / "wheels"), PACKAGE),
        environment=environment,
    )
    where = (programs / "python", "-c", "import voicegate; print(voicegate.__file__)")
    said = _said(where, home, environment)
    checks.check("installed, without the checkout", str(venv) in said, said.strip()[-300:])
    _check_json(checks, "demo", (programs / "voicegate", "demo", "--json"), home, environment)
    free = environment | {"VOICEGATE_SIP__PORT": "0", "VOICEGATE_ADMIN__PORT": "0"}
    looked = (programs / "voicegate", "check", "--json", "--no-calls")
    _check_json(checks, "check", looked, home, free)
    _check_accepts(checks, programs, home, environment)


def _check_accepts(
    checks: Checks, programs: Path, home: Path, environment: Mapping[str, str]
) -> None:
    """Run the rows that any voice can pass against a gateway that echoes."""
    port = free_block(42)
    settings: dict[str, dict[str, object]] = {
        "sip": {"port": port},
        "admin": {"port": port + 1},
        "media": {"rtp_ports": [port + 2, port + 40]},
        "voice": {"backend": "echo"},
    }
    serve = (str(programs / "voicegate"), "serve")
    with running(serve, home / "gateway.log", dict(environment) | as_environment(settings)):
        accept = (programs / "gatesim", "accept", "--gateway", f"sip:{HOST}:{port}", "--json")
        _check_json(checks, "accept", accept, home, environment)


def _check_json(
    checks: Checks,
    name: str,
    command: Sequence[str | Path],
    home: Path,
    environment: Mapping[str, str],
) -> None:
    said = _said(command, home, environment)
    try:
        found = json.loads(said)
    except ValueError:
        checks.check(name, passed=False, told=said.strip()[-1500:])
        return
    counts = [f"{key} {len(found[key])}" for key in COUNTED if key in found]
    passed = found.get("passed")
    checks.check(name, passed, ", ".join(counts) if passed else said[-1500:])


def _neutral(name: str) -> bool:
    """Whether a variable may be known in the new environment: none that finds other packages."""
    return not name.startswith(("PIP_", "UV_", "PYTHON", "VIRTUAL_ENV"))


def _said(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return done.stdout or done.stderr


def _run(*command: str, environment: Mapping[str, str] | None = None) -> str:
    """Run a step; give what it prints. Raises OSError with its last words where it fails."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment or os.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    if done.returncode:
        raise OSError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
