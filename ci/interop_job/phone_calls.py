"""What a telephone does in the middle of a call: keys, hold, transfer; and a call by TLS.

The model speaks in stamps all the time and so does the caller, so that each sees who is heard when.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import trustme

from ci.interop_job.baresip import RATE_HZ
from ci.interop_job.phone import Phone, PhoneLost, open_phone
from ci.interop_job.ports import HOST, free_block
from ci.interop_job.scene import Scene
from ci.interop_job.sipp_scripts import longest_quiet_s
from simulator.audio.heard import Evidence
from simulator.audio.levels import dbfs
from simulator.audio.pcm import Pcm
from simulator.audio.sound import sequence, silence_for, stamps
from simulator.audio.stamps import decode
from simulator.gemini.conversation import FakeSession

TALK_S = 3.0
HOLD_S = 2.5
SILENT_S = 1.8
"""Of the hold: what the model may not have heard the caller for."""
STAMPS_AT_LEAST = 2
"""Of five in TALK_S: the first may be cut off by the answer, the last by the end, and a busy
machine may tear one."""
KEYS = "5#"
FOLLOWS = {"VOICEGATE_SIP__REFER": "follow"}
WIDE = {"VOICEGATE_MEDIA__CODECS": '["G722", "PCMA", "PCMU"]'}


@dataclass(frozen=True)
class Caller:
    """The one who calls, with stamps of its own."""

    identity: int

    def speech(self) -> Pcm:
        """Give what its microphone gives, for longer than any of the calls."""
        sound = sequence(silence_for(0.5), stamps(every_s=0.6, count=60))
        return sound.pcm(self.identity, RATE_HZ)


def authority(folder: Path) -> Path:
    """Give the file with the certificate that callers by TLS trust."""
    return folder / "authority.pem"


def by_tls(folder: Path) -> dict[str, str]:
    """Give the settings of a gateway that serves TLS too, with a certificate of our own."""
    ours = trustme.CA()
    certificate = folder / "gateway.pem"
    ours.cert_pem.write_to_path(authority(folder))
    ours.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(certificate)
    return {
        "VOICEGATE_SIP__TRANSPORTS": '["udp", "tcp", "tls"]',
        "VOICEGATE_SIP__TLS_PORT": str(free_block(2)),
        "VOICEGATE_SIP__TLS_CERTIFICATE": str(certificate),
    }


@asynccontextmanager
async def _told(scene: Scene, name: str) -> AsyncIterator[None]:
    """Check that the telephone does as it is told, and that its calls leave nothing behind."""
    async with scene.nothing_left(name):
        wrong = ""
        try:
            yield
        except* PhoneLost as group:
            wrong = "; ".join(str(error) for error in group.exceptions)
        except* TimeoutError as group:
            wrong = f"the model: {group.exceptions}"
        scene.checks.check(name, not wrong, wrong or "it did all that it was told")


async def keys_and_hold(scene: Scene, codec: str = "PCMU") -> None:
    """Press keys, hold and resume, ask in vain for a transfer; all in one call."""
    name, caller = f"baresip {codec}, keys, hold, transfer refused", Caller(11)
    number, ended_before = len(scene.gemini.sessions), len(scene.gateway.lines("call ended"))
    async with _told(scene, name):
        async with open_phone(
            scene.folder / f"phone-{codec}", codec, caller.speech(), ["caller"]
        ) as phone:
            model = await _dialled(scene, phone, number)
            for key in KEYS:
                await phone.command("sndcode", key)
                await scene.gemini.until(partial(_has_key, model, key))
            await _held_and_resumed(phone)
            await asyncio.sleep(TALK_S)
            await phone.command("transfer", f"sip:other@{HOST}")
            # baresip 1.0.0 then hangs up by itself, without a word
            await phone.until("TRANSFER_FAILED")
        told = f"told {[text for text in model.inputs.texts if 'key' in text.lower()]}"
        scene.checks.check(f"{name}, the model reads the keys", _has_key(model, KEYS[-1]), told)
        await check_both_ways(scene, name, model, caller, phone.recordings()[0], 2 * TALK_S)
        quiet_s = longest_quiet_s(model.heard.pcm(RATE_HZ))
        told = f"{quiet_s:.1f} s without a sound"
        scene.checks.check(f"{name}, the model hears the hold", quiet_s >= SILENT_S, told)
    check_reasons(scene, name, ended_before, {"caller_bye": 1})


async def _dialled(scene: Scene, phone: Phone, number: int) -> FakeSession:
    """Call the gateway and talk for a while; give the conversation."""
    await phone.command("dial", f"sip:1000@{HOST}:{scene.gateway.sip_port}")
    await phone.until("CALL_ESTABLISHED")
    model = await scene.gemini.connected(number)
    await asyncio.sleep(TALK_S)
    return model


async def _held_and_resumed(phone: Phone) -> None:
    answers = phone.events.count("CALL_REMOTE_SDP")
    await phone.command("hold")
    await phone.until("CALL_REMOTE_SDP", answers + 1)
    await asyncio.sleep(HOLD_S)
    await phone.command("resume")
    await phone.until("CALL_REMOTE_SDP", answers + 2)


async def transferred(scene: Scene, codec: str = "PCMA") -> None:
    """Send the caller to somebody else: the gateway calls him by the one who asks."""
    name, caller = f"baresip {codec}, transfer followed", Caller(12)
    number, ended_before = len(scene.gemini.sessions), len(scene.gateway.lines("call ended"))
    async with _told(scene, name):
        async with open_phone(
            scene.folder / f"transfer-{codec}", codec, caller.speech(), ["other", "caller"]
        ) as phone:
            await _dialled(scene, phone, number)
            await phone.command("transfer", f"sip:other@{HOST}")
            await phone.until("CALL_ESTABLISHED", 2)
            await phone.until("CALL_CLOSED")
            model = await scene.gemini.connected(number + 1)
            await asyncio.sleep(TALK_S)
            await phone.command("hangup")
            await phone.until("CALL_CLOSED", 2)
        await check_both_ways(
            scene, f"{name}, new call", model, caller, phone.recordings()[-1], TALK_S
        )
    check_reasons(scene, name, ended_before, {"transferred": 1, "callee_bye": 1})


async def call_by_tls(scene: Scene, tls_port: str) -> None:
    """Call by TLS; the sound goes as ever."""
    trust = f"sip_cafile {authority(scene.folder.parent)}\n"
    await _plain_call(scene, "PCMA", "by TLS", f"{tls_port};transport=tls", trust)


async def call_wide(scene: Scene) -> None:
    """Call with G.722."""
    await _plain_call(scene, "G722", "by UDP", str(scene.gateway.sip_port))


async def _plain_call(scene: Scene, codec: str, way: str, where: str, more: str = "") -> None:
    name, caller = f"baresip {codec} {way}", Caller(13)
    number, ended_before = len(scene.gemini.sessions), len(scene.gateway.lines("call ended"))
    async with _told(scene, name):
        async with open_phone(
            scene.folder / name.replace(" ", "-"), codec, caller.speech(), ["caller"], more
        ) as phone:
            await phone.command("dial", f"sip:1000@{HOST}:{where}")
            await phone.until("CALL_ESTABLISHED")
            model = await scene.gemini.connected(number)
            await asyncio.sleep(TALK_S)
            await phone.command("hangup")
            await phone.until("CALL_CLOSED")
        [heard] = phone.recordings()
        await check_both_ways(scene, name, model, caller, heard, TALK_S)
    check_reasons(scene, name, ended_before, {"caller_bye": 1})


def _has_key(model: FakeSession, key: str) -> bool:
    return any(key in text for text in model.inputs.texts[1:])


async def check_both_ways(
    scene: Scene, name: str, model: FakeSession, caller: Caller, recorded: Pcm, talk_s: float
) -> None:
    """Check that each hears only the other."""
    least = STAMPS_AT_LEAST * round(talk_s / TALK_S)
    # in threads: to listen takes time, which the other models need
    by_model = await asyncio.to_thread(model.heard.only_from, caller, least)
    scene.checks.check(f"{name}, the model hears the caller", by_model, repr(by_model))
    found = tuple(await asyncio.to_thread(decode, recorded, RATE_HZ))
    by_caller = Evidence(model.identity, least, found, dbfs(recorded))
    scene.checks.check(f"{name}, the caller hears the model", by_caller, repr(by_caller))


def check_reasons(scene: Scene, name: str, ended_before: int, wanted: dict[str, int]) -> None:
    """Check why the calls since then have ended."""
    reasons = scene.gateway.reasons(ended_before)
    scene.checks.check(f"{name}, reason", reasons == wanted, str(dict(reasons)))
