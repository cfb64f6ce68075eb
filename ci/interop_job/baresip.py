"""baresip as a caller of flesh and blood: it speaks a WAV file and records what it hears."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ci.interop_job.ports import HOST, free_block
from ci.interop_job.tools import ended, running
from simulator.audio.pcm import Pcm, resample
from simulator.audio.wav import read, write

RATE_HZ = 8000
WIDE_HZ = 16000
"""Of G.722, and of all that baresip speaks and records with it."""
MODULE_FOLDERS = ("lib/baresip/modules", "lib/*/baresip/modules", "local/lib/baresip/modules")
HANGS_S = 20.0
"""It is given so long after its own end of the call; then it is killed and the check fails."""
CONFIG = """\
poll_method epoll
sip_listen {host}:{sip_port}
net_interface {host}
rtp_ports {rtp_low}-{rtp_high}
call_local_timeout 120
call_max_calls 2
audio_source aufile,{speech}
audio_player aubridge,nowhere
audio_alert aubridge,nowhere
ausrc_srate {rate}
auplay_srate {rate}
ausrc_channels 1
auplay_channels 1
audio_level no
jitter_buffer_delay 5-10
statmode_default off
snd_path {recordings}
module_path {modules}
module g711.so
module g722.so
module sndfile.so
module aufile.so
module aubridge.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
"""
ACCOUNT = "<sip:{user}@{host}>;regint=0;answermode=auto;audio_codecs={codec}/{rate}/1\n"


@dataclass(frozen=True)
class PhoneCall:
    """How a call went, as baresip saw it."""

    exit_code: int | None
    """None if it had to be killed."""
    output: str
    """What it printed."""
    heard: Pcm
    """What it recorded at 8 kHz; empty if it recorded nothing."""

    @property
    def established(self) -> bool:
        """True if the call came to an ACK."""
        return "Call established" in self.output

    @property
    def ended_by_peer(self) -> bool:
        """True if the other side's BYE came before it ended the call by itself."""
        before_quitting = self.output.partition("ua: stop all")[0]
        return "session closed" in before_quitting or " terminated (" in before_quitting

    def why(self) -> str:
        """Give its last lines, without what it writes while a number is dialled."""
        lines = [line.strip() for line in self.output.replace("\r", "\n").splitlines()]
        return " | ".join([line for line in lines if line and not line.startswith("/")][-6:])


async def call(
    folder: Path, sip_port: int, codec: str, speech: Pcm, *, user: str, quits_after_s: int
) -> PhoneCall:
    """Let baresip call the gateway; it hangs up and ends `quits_after_s` after its start."""
    recordings = prepare(folder, codec, [user], speech)
    dial = f"/dial sip:1000@{HOST}:{sip_port}"
    command = ["baresip", "-4", "-f", str(folder), "-t", str(quits_after_s), "-e", dial]
    output = folder / "baresip.out"
    async with running(command, output, folder=folder) as baresip:
        code = await ended(baresip, quits_after_s + HANGS_S)
    text = output.read_text(encoding="utf-8", errors="replace")
    return PhoneCall(code, text, _recorded(recordings))


def prepare(folder: Path, codec: str, users: Sequence[str], speech: Pcm, more: str = "") -> Path:
    """Write what baresip reads into a new folder; give the one that it records into.

    `more` are lines of its configuration."""
    recordings = folder / "recordings"
    recordings.mkdir(parents=True)
    rate = WIDE_HZ if codec == "G722" else RATE_HZ
    write(folder / "speech.wav", resample(speech, RATE_HZ, rate), rate)
    low = free_block(40)
    settings = CONFIG.format(
        host=HOST,
        sip_port=low,
        rtp_low=low + 10,
        rtp_high=low + 38,
        rate=rate,
        speech=folder / "speech.wav",
        recordings=recordings,
        modules=next(_module_folders(), Path("modules-not-found")),
    )
    (folder / "config").write_text(settings + more, encoding="ascii")
    told = {"host": HOST, "codec": codec.lower(), "rate": rate}
    accounts = (ACCOUNT.format(user=user, **told) for user in users)
    (folder / "accounts").write_text("".join(accounts), encoding="ascii")
    (folder / "contacts").write_text("", encoding="ascii")
    return recordings


def _module_folders() -> Iterator[Path]:
    for pattern in MODULE_FOLDERS:
        yield from sorted(Path("/usr").glob(pattern))


def _recorded(folder: Path) -> Pcm:
    """Read what was decoded: the module `sndfile` writes dump-TIME-dec.wav and -enc.wav."""
    found = sorted(folder.glob("*-dec.wav"))
    if not found:
        return np.zeros(0, dtype=np.int16)
    pcm, _ = read(found[0])
    return pcm[:, 0]
