"""`gatesim gemini`: the fake Gemini Live service alone, for any Live client.

google-genai is loaded by the service (its types check what clients send), hence only when asked.
"""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulator.commands.addresses import HostPort, resolve
from simulator.commands.options import AsJson, Certificates, Listen
from simulator.commands.running import Stop, run
from simulator.commands.sounds import speech_in
from simulator.commands.terminal import (
    EXIT_FAILED,
    EXIT_PASSED,
    Screen,
    refuse,
)

if TYPE_CHECKING:
    from simulator.gemini.conversation import FakeSession
    from simulator.gemini.server import FakeGemini

RATE_HZ = 16_000
TEXTS_MAX = 20
WAIT_S = 3600.0


def gemini(
    listen: Listen = "127.0.0.1:0",  # type: ignore[assignment] # typer parses defaults as well
    script: Annotated[
        Path | None,
        typer.Option(help="What it does: a TOML or Python file, see docs/gatesim.md."),
    ] = None,
    certificates: Certificates = None,
    profile: Annotated[
        str, typer.Option(metavar="MODEL", help="Be this model, whatever a client asks for.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Be Gemini Live: print the environment that brings clients here, serve until Ctrl+C.

    Without a script every utterance and every text is answered with 1.5 s of sound.
    """
    screen = Screen(as_json=as_json)
    # SSL_CERT_FILE is read by programs that run elsewhere.
    certificates = certificates.resolve() if certificates is not None else None
    raise typer.Exit(run(lambda stop: _serve(listen, script, certificates, profile, screen, stop)))


async def _serve(
    listen: HostPort,
    script: Path | None,
    certificates: Path | None,
    profile: str,
    screen: Screen,
    stop: Stop,
) -> int:
    from simulator.commands.script_actions import ScriptError
    from simulator.commands.script_file import load_script

    async with AsyncExitStack() as owned:
        fake = await open_fake(owned, listen, certificates, profile)
        try:
            if script is not None:
                load_script(fake, script)
        except ScriptError as error:
            refuse(str(error))
        announce(fake, screen)
        reporter = Reporter(fake, screen)
        async with asyncio.TaskGroup() as group:
            reporting = group.create_task(reporter.run(), name="report")
            await stop.wait()
            reporting.cancel()
        await fake.aclose()
        await reporter.report_finished()
        return reporter.sum_up()


async def open_fake(
    owned: AsyncExitStack, listen: HostPort, certificates: Path | None, profile: str = ""
) -> "FakeGemini":
    """Have the fake listen until `owned` is left; ends the command where that cannot be."""
    from simulator.gemini.authority import kept_authority
    from simulator.gemini.rules import MODELS
    from simulator.gemini.server import FakeGemini
    from simulator.target.voice import certificates as kept_certificates

    if profile and profile not in MODELS:
        refuse(f"--profile {profile}: no such model; there are {', '.join(MODELS)}")
    try:
        where = await resolve(listen)
        if where.host == "0.0.0.0":
            refuse(f"--listen {listen}: clients must be told one address, name it")
        authority = kept_authority(certificates or kept_certificates(), where.host)
        fake = FakeGemini(where.host, where.port, authority=authority, profile=profile or None)
        await owned.enter_async_context(fake)
    except OSError as error:
        refuse(f"--listen {listen}: {error.strerror or error}")
    return fake


def announce(fake: "FakeGemini", screen: Screen) -> None:
    """Print what a client needs in its environment to come here."""
    if screen.as_json:
        screen.json({"environment": fake.environment})
    else:
        tell_environment(fake, screen)


def tell_environment(fake: "FakeGemini", screen: Screen) -> None:
    """Say the same to people."""
    screen.line(f"The fake Gemini Live listens at {fake.url}. Set where its client runs:")
    for name, value in fake.environment.items():
        screen.line(f"{name}={value}")


class Reporter:
    """Tells of every conversation when it is over, and then lets go of what was recorded."""

    def __init__(self, fake: "FakeGemini", screen: Screen) -> None:
        self.conversations = 0
        self.violations = 0
        self._fake = fake
        self._screen = screen
        self._seen = 0
        self._open: list[FakeSession] = []

    async def run(self) -> None:
        """Report for ever."""
        while True:
            try:
                await self._fake.until(self._anything_new, WAIT_S)
            except TimeoutError:
                continue
            await self.report_finished()

    async def report_finished(self) -> None:
        """Report what is over by now."""
        self._open += self._fake.sessions[self._seen :]
        self._seen = len(self._fake.sessions)
        from simulator.gemini.memory import forget

        over = [one for one in self._open if one.closed is not None]
        self._open = [one for one in self._open if one.closed is None]
        for session in over:
            self.conversations += 1
            self.violations += len(session.violations)
            self._tell(figures(session))
            await forget(self._fake, session)

    def sum_up(self) -> int:
        """Print the totals; give the exit code: 1 where the script failed."""
        refused = self._fake.entrance.refused_upgrades
        totals: dict[str, Any] = {
            "conversations": self.conversations,
            "violations": self.violations,
            "refused_upgrades": refused,
            "script_errors": [repr(error) for error in self._fake.errors[:TEXTS_MAX]],
        }
        if self._screen.as_json:
            self._screen.json({"report": totals})
        else:
            self._screen.line(
                f"{self.conversations} conversations, {self.violations} rules broken by clients,"
                f" {refused} refused before they began"
            )
            for text in totals["script_errors"]:
                self._screen.line(f"the script failed: {text}", style="red")
        failed = bool(self._fake.errors)
        self._fake.errors.clear()  # told: no traceback on the way out
        return EXIT_FAILED if failed else EXIT_PASSED

    def _anything_new(self) -> bool:
        return len(self._fake.sessions) > self._seen or any(
            one.closed is not None for one in self._open
        )

    def _tell(self, found: dict[str, Any]) -> None:
        if self._screen.as_json:
            self._screen.json({"conversation": found})
            return
        heard = "nothing" if found["heard_dbfs"] is None else f"{found['heard_dbfs']} dBFS"
        self._screen.line(
            f"conversation {found['number']}: {found['lasted_s']} s, heard {found['heard_s']} s"
            f" ({heard}), {found['utterances']} utterances, spoke {found['spoken_s']} s,"
            f" closed {found['closed']['code']} {found['closed']['reason']}".rstrip()
        )
        for violation in found["violations"]:
            self._screen.line(f"  rule broken: {violation}", style="red")


def figures(session: "FakeSession") -> dict[str, Any]:
    """Give what became of a conversation; a missing measurement is None, never 0."""
    stats = session.uplink_stats
    pcm = session.heard.pcm(RATE_HZ)
    code, reason = session.closed or (None, "")
    ended_at_s = session.closed_at_s or session.opened_at_s
    return {
        "number": session.number,
        "model": session.setup.get("model"),
        "lasted_s": round(ended_at_s - session.opened_at_s, 3),
        "closed": {"code": code, "reason": reason},
        "heard_s": round(stats.audio_ms / 1000, 2),
        "heard_dbfs": round(session.heard.level_dbfs(), 1) if stats.chunks else None,
        "heard_speech": speech_in(pcm, RATE_HZ),
        "heard_longest_gap_ms": round(stats.longest_gap_s * 1000, 1) if stats.chunks else None,
        "utterances": session.utterances,
        "turns": session.turns_done,
        "spoken_s": round(session.spoken.sounded_s, 2),
        "received": dict(session.received),
        "sent": dict(session.sent),
        "violations": list(_texts(session)),
    }


def _texts(session: "FakeSession") -> Iterator[str]:
    for one in session.violations[:TEXTS_MAX]:
        yield f"{one.rule}: {one.text}"
