"""The plugin as a user's own repository meets it."""

import subprocess
import sys
from pathlib import Path


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=60,
        check=False,
    )


def test_the_options_are_there_and_explained(tmp_path: Path) -> None:
    assert "--clock={virtual,real}" in run_pytest(tmp_path, "--help").stdout


def test_tests_that_do_not_use_it_pay_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(
        "import sys\n\n\ndef test_own() -> None:\n"
        "    assert 'numpy' not in sys.modules\n"
        "    assert 'simulator.gate.gate' not in sys.modules\n",
        encoding="utf-8",
    )
    done = run_pytest(tmp_path, "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout
