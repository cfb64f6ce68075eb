"""Those who look for a telephone to abuse: sipvicious at a gateway that wants a password, sipsak.

They must find no number, no password and no call, and cost neither a conversation nor the next
caller anything.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from ci.interop_job.ports import HOST
from ci.interop_job.scene import Scene
from ci.interop_job.sipp_scripts import PASSWORD
from ci.interop_job.tools import ended, running

LIMIT_S = 40.0
NOTHING = "found nothing"
UNKNOWN = "authentication request for an unknown extension"
"""svwar cannot tell a number that exists from others, and says so."""
GUESSES = ("guess", "secret", "1234", "gate7")


@dataclass(frozen=True)
class Attack:
    """One run of a tool."""

    name: str
    words: tuple[str, ...]
    """The command; {port} stands for the gateway's."""
    tells: str
    """What it must say at its end."""


SVMAP = Attack("svmap", ("svmap", "-p", "{port}", "-b", HOST, HOST), f"{HOST}:")
"""It sees that somebody speaks SIP there: a refusal is an answer."""
_CRACK = ("svcrack", "-p", "{port}", "-b", HOST, "-u", "gate7", "-d")
ATTACKS = (
    SVMAP,
    Attack("svmap by INVITE", (*SVMAP.words, "-m", "INVITE"), f"{HOST}:"),
    Attack("svwar", ("svwar", "-p", "{port}", "-b", HOST, "-e", "100-120", HOST), UNKNOWN),
    Attack(
        "svwar by INVITE",
        ("svwar", "-p", "{port}", "-b", HOST, "-e", "100-120", "-m", "INVITE", HOST),
        UNKNOWN,
    ),
    Attack("svcrack", (*_CRACK, "guesses", HOST), NOTHING),
    Attack("svcrack, numbers", (*_CRACK[:-1], "-r", "1000-1040", HOST), NOTHING),
    # what it says when it finds one: the others would else prove nothing
    Attack("svcrack with the password among its guesses", (*_CRACK, "known", HOST), PASSWORD),
)
_AT = ("-s", f"sip:1000@{HOST}:{{port}}")
SIPSAK = (
    Attack("OPTIONS", ("sipsak", "-v", *_AT), "SIP/2.0 200"),
    Attack("trace", ("sipsak", "-T", "-v", *_AT), "SIP/2.0 200"),
    Attack("flood", ("sipsak", "-F", "-e", "200", *_AT), "200 request"),
    Attack("random", ("sipsak", "-R", "-t", "40", *_AT), ""),
    Attack("OPTIONS after all that", ("sipsak", "-v", *_AT), "SIP/2.0 200"),
)


async def sipvicious(scene: Scene) -> None:
    """Let sipvicious look for devices, numbers and the password."""
    await _against(scene, "sipvicious", ATTACKS)


async def sipsak(scene: Scene) -> None:
    """Let sipsak ask, trace, flood (200 requests) and send what it has spoilt."""
    await _against(scene, "sipsak", SIPSAK)


async def _against(scene: Scene, name: str, attacks: tuple[Attack, ...]) -> None:
    folder = scene.folder / name
    await asyncio.to_thread(_prepare, folder)
    talks = len(scene.gemini.sessions)
    calls = len(scene.gateway.lines("call began"))
    async with scene.nothing_left(name):
        for attack in attacks:
            words = [word.format(port=scene.gateway.sip_port) for word in attack.words]
            output = folder / f"{attack.name.replace(' ', '-')}.out"
            async with running(words, output, folder=folder) as process:
                code = await ended(process, LIMIT_S)
            told = await asyncio.to_thread(output.read_text, "utf-8", "replace")
            good = code is not None and attack.tells in told
            last = " ".join(told.split())[-200:]
            scene.checks.check(f"{name}: {attack.name}", good, f"exit code {code}: {last!r}")
        more = len(scene.gemini.sessions) - talks, len(scene.gateway.lines("call began")) - calls
        told = f"{more[0]} conversations and {more[1]} calls more"
        scene.checks.check(f"{name} costs nothing", more == (0, 0), told)


def _prepare(folder: Path) -> None:
    folder.mkdir()
    (folder / "guesses").write_text("\n".join(GUESSES), encoding="ascii")
    (folder / "known").write_text("\n".join((*GUESSES, PASSWORD)), encoding="ascii")
