"""A connection's life after its setup: opening, the endless voice, old age."""

import asyncio
from typing import TYPE_CHECKING

from simulator.audio.sound import Sound
from simulator.gemini import frames
from simulator.gemini.resumption import Conversation
from simulator.gemini.rules import check_setup, find_rules
from simulator.gemini.turns import Pacing, chunks_of
from simulator.gemini.uplink import Uplink
from simulator.gemini.vad import VadSettings

if TYPE_CHECKING:
    from simulator.gemini.conversation import FakeSession

LIFE_IS_OVER = "Deadline expired before operation could complete."


def accept_setup(session: "FakeSession") -> None:
    """Judge the setup and open the conversation. Raises Fault for what this model refuses."""
    gemini, setup, version = session.gemini, session.setup, session.access.version
    session.rules = find_rules(setup, version, gemini.models)
    check_setup(setup, session.rules, version)
    session.uplink = Uplink(VadSettings.from_setup(setup))
    _join_conversation(session)
    refusal = gemini.entrance.setup_refusal(session.number)
    if refusal is not None:
        session.close(*refusal)
        return
    session.own(_open(session, gemini.entrance.setup_stall_s(session.number)), "opening")


def _join_conversation(session: "FakeSession") -> None:
    handle = session.setup.get("sessionResumption", {}).get("handle", "")
    model = session.setup["model"]
    session.conversation = Conversation(model)
    if handle:
        now = asyncio.get_running_loop().time()
        session.conversation = session.gemini.handles.find(handle, model, now)
        session.resumed_from = session.conversation.sessions[-1]
        session.conversation.open = True
        session.inputs.lost_calls = dict(session.conversation.pending_calls)
    session.conversation.sessions.append(session.number)


async def _open(session: "FakeSession", stall_s: float | None) -> None:
    if stall_s is None:
        return
    await asyncio.sleep(stall_s)
    session.emit({"setupComplete": {}})
    session.ready_at_s = asyncio.get_running_loop().time()
    session.tell_handle(resumable=True)
    for actions in session.script.on_connect(session.number):
        session.perform(actions)
    voice = session.script.voice(session.number)
    if voice is not None:
        session.own(_stream(session, *voice), "voice")
    session.own(_age(session), "lifetime")


async def _stream(session: "FakeSession", sound: Sound, pace: Pacing) -> None:
    """Speak without end: no turns, and nobody interrupts it."""
    loop = asyncio.get_running_loop()
    start_s, sent_s = loop.time(), 0.0
    for chunk in chunks_of(sound, session.identity, frames.AUDIO_RATE_HZ, pace.chunk_ms):
        due_s = start_s + (sent_s - pace.lead_s) / pace.burst
        if loop.time() < due_s:
            await asyncio.sleep(due_s - loop.time())
        session.send_audio(chunk, start_s + sent_s)
        sent_s += len(chunk) / frames.AUDIO_RATE_HZ


async def _age(session: "FakeSession") -> None:
    gemini, rules = session.gemini, session.rules
    lifetime_s = rules.lifetime_s if gemini.lifetime_s is None else gemini.lifetime_s
    warning_s = rules.warning_s if gemini.warning_s is None else gemini.warning_s
    await asyncio.sleep((lifetime_s - warning_s) / gemini.time_factor)
    if warning_s:
        session.go_away(warning_s / gemini.time_factor)
        await asyncio.sleep(warning_s / gemini.time_factor)
    session.close(1011, LIFE_IS_OVER)
