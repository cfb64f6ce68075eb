"""What is printed: one plain line for each check, and the sum of them."""

import sys
from dataclasses import dataclass, field


@dataclass
class Checks:
    """Tells each check as it is made and keeps count."""

    job: str = "interop"
    """What the sum is told of."""
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    """Names of the checks that failed, in order."""
    skipped: list[str] = field(default_factory=list)
    """Names of the checks that could not be made, in order."""

    def check(self, name: str, passed: object, told: str) -> bool:
        """Print a check with what was found; anything that is true passes."""
        if passed:
            self.passed += 1
        else:
            self.failed.append(name)
        say(f"{'PASS ' if passed else 'FAIL '} {name}: {told}")
        return bool(passed)

    def skip(self, name: str, reason: str) -> None:
        """Print that a check was not made, and why."""
        self.skipped.append(name)
        say(f"SKIPPED {name}: {reason}")

    def skipped_for_want_of(self, name: str, reason: str) -> bool:
        """Skip if there is a reason to; say whether it was."""
        if reason:
            self.skip(name, reason)
        return bool(reason)

    def close(self) -> int:
        """Print the sum; give the exit code."""
        for name in self.skipped:
            say(f"SKIPPED, NOT CHECKED: {name}")
        for name in self.failed:
            say(f"FAILED: {name}")
        verdict = "FAILED" if self.failed else "passed" if self.passed else "CHECKED NOTHING"
        say(
            f"{self.job} {verdict}: {self.passed} checks passed, {len(self.failed)} failed,"
            f" {len(self.skipped)} skipped"
        )
        return 1 if self.failed else 0


def say(text: str) -> None:
    """Print at once, as plain ASCII: the lines go through pipes and old consoles."""
    sys.stdout.write(text.encode("ascii", "backslashreplace").decode() + "\n")
    sys.stdout.flush()
