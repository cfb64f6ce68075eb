"""linphone, by its console linphonec: it plays one WAV file and records another."""

import asyncio
import re
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import numpy as np

from ci.interop_job.baresip import RATE_HZ
from ci.interop_job.phone_calls import TALK_S, Caller, check_both_ways, check_reasons
from ci.interop_job.ports import HOST, free_block
from ci.interop_job.scene import Scene
from ci.interop_job.tools import ended, plain_environment, running
from simulator.audio.pcm import Pcm, resample
from simulator.audio.wav import read, write

SAYS_WITHIN_S = 30.0
QUIT_S = 20.0
POLL_S = 0.05
CONFIG = """\
[sip]
sip_port={sip}
sip_tcp_port=0
sip_tls_port=0
guess_hostname=0
contact=sip:linphone@{host}
default_proxy=-1
ipv6_migration_done=1
use_ipv6=0
bind_address={host}
[net]
dns_srv_enabled=0
firewall_policy=0
[rtp]
bind_address={host}
audio_rtp_port={rtp}
[sound]
echocancellation=0
[video]
enabled=0
automatically_initiate=0
automatically_accept=0
"""


class Linphone:
    """A running linphonec: what it is told, what it says."""

    def __init__(self, process: Process, output: Path) -> None:
        self._process = process
        self._output = output

    async def tell(self, *lines: str) -> None:
        """Type so many lines."""
        assert self._process.stdin is not None
        self._process.stdin.write("".join(f"{line}\n" for line in lines).encode())
        await self._process.stdin.drain()

    async def until(self, pattern: str) -> str:
        """Wait until it has said something of that shape; give it. Raises TimeoutError."""
        async with asyncio.timeout(SAYS_WITHIN_S):
            while not (found := re.search(pattern, self.said())):  # noqa: ASYNC110 - a program
                await asyncio.sleep(POLL_S)
        return found[0]

    def said(self) -> str:
        """Give all that it has said."""
        return self._output.read_text(encoding="utf-8", errors="replace")


async def talk(scene: Scene, codec: str = "PCMA") -> None:
    """Call the gateway; each must hear the other."""
    name, caller = f"linphone {codec}", Caller(14)
    folder = scene.folder / f"linphone-{codec}"
    await asyncio.to_thread(_prepare, folder, caller.speech())
    number, ended_before = len(scene.gemini.sessions), len(scene.gateway.lines("call ended"))
    command = ["linphonec", "-c", str(folder / "linphonerc"), "-d", "0"]
    variables = plain_environment() | {"HOME": str(folder)}
    output, wrong = folder / "linphone.out", ""
    async with scene.nothing_left(name):
        async with running(
            command, output, folder=folder, environment=variables, stdin=PIPE
        ) as process:
            linphone = Linphone(process, output)
            try:
                await _call(linphone, folder, codec, scene.gateway.sip_port)
                code = await ended(process, QUIT_S)
            except TimeoutError:
                code, wrong = None, " ".join(linphone.said().split())[-300:]
        scene.checks.check(f"{name}, call", code == 0, wrong or f"exit code {code}")
        model = await scene.gemini.connected(number)
        await check_both_ways(scene, name, model, caller, _recorded(folder), TALK_S)
    check_reasons(scene, name, ended_before, {"caller_bye": 1})


async def _call(linphone: Linphone, folder: Path, codec: str, port: int) -> None:
    await linphone.tell(
        "soundcard use files",
        f"record {folder / 'heard.wav'}",
        f"play {folder / 'speech.wav'}",
        "codec disable all",
    )
    listed = await linphone.until(rf"(\d+): {codec} \(8000\) disabled")
    await linphone.tell(f"codec enable {listed.partition(':')[0]}")
    await linphone.until(rf"{codec} \(8000\) enabled")
    await linphone.tell(f"call sip:1000@{HOST}:{port}")
    await linphone.until("Media streams established")
    await asyncio.sleep(TALK_S)
    await linphone.tell("terminate")
    await linphone.until(r"ended \(No error\)")
    await linphone.tell("quit")


def _prepare(folder: Path, speech: Pcm) -> None:
    for place in (".config/linphone", ".local/share/linphone"):
        (folder / place).mkdir(parents=True)
    write(folder / "speech.wav", speech, RATE_HZ)
    low = free_block(4)
    config = CONFIG.format(host=HOST, sip=low, rtp=low + 2)
    (folder / "linphonerc").write_text(config, encoding="ascii")


def _recorded(folder: Path) -> Pcm:
    file = folder / "heard.wav"
    if not file.is_file():
        return np.zeros(0, dtype=np.int16)
    pcm, rate = read(file)
    return resample(pcm[:, 0], rate, RATE_HZ)
