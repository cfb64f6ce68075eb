"""Handles: who may go on with what, in the store and on the wire."""

from typing import Any

import numpy as np
import pytest
from google.genai import types

from simulator.audio.sound import speech
from simulator.gemini import FakeGemini
from simulator.gemini.faults import Fault
from simulator.gemini.resumption import HANDLES_MAX, Conversation, HandleStore
from simulator.gemini.script import (
    tool_call,
)
from tests.simulator.gemini.bench import Bench, closing, play, read, setup, speak


def test_a_handle_leads_back_once_the_old_connection_is_closed() -> None:
    store, conversation = HandleStore(life_s=100.0), Conversation("m", [4])
    handle = store.issue(conversation)
    with pytest.raises(Fault) as still_open:
        store.find(handle, "m", 0.0)
    assert still_open.value.code == 1011
    conversation.open, conversation.ended_at_s = False, 10.0
    assert store.find(handle, "m", 110.0) is conversation
    with pytest.raises(Fault) as expired:
        store.find(handle, "m", 110.1)
    assert expired.value.code == 1008
    with pytest.raises(Fault) as other_model:
        store.find(handle, "n", 20.0)
    assert other_model.value.code == 1007


def test_an_unknown_handle_is_refused() -> None:
    with pytest.raises(Fault) as caught:
        HandleStore().find("nobody's", "m", 0.0)
    assert caught.value.code == 1007


def test_the_oldest_handles_go_first() -> None:
    store, conversation = HandleStore(), Conversation("m", [0], open=False)
    handles = [store.issue(conversation) for _ in range(HANDLES_MAX + 1)]
    with pytest.raises(Fault):
        store.find(handles[0], "m", 0.0)
    assert store.find(handles[1], "m", 0.0) is conversation


def test_a_conversation_goes_on_over_a_new_connection() -> None:
    fake = FakeGemini()
    fake.on_connect(tool_call("look_up", "call-1"), session=0)
    fake.on_speech(say=speech(1.0))
    handles: list[str] = []

    async def resume(bench: Bench) -> Any:
        resumption = types.SessionResumptionConfig(handle=handles[-1] if handles else None)
        return bench.live(session_resumption=resumption)

    async def scenario(bench: Bench) -> None:
        async with await resume(bench) as session:
            async for message in session.receive():
                if (
                    message.session_resumption_update
                    and message.session_resumption_update.resumable
                ):
                    handles.append(message.session_resumption_update.new_handle or "")
                if message.tool_call:
                    break
        await fake.until(lambda: fake.open_sessions == 0)
        async with await resume(bench) as session:
            answer = types.FunctionResponse(id="call-1", name="look_up", response={"error": "lost"})
            await session.send_tool_response(function_responses=answer)
            await fake.until(lambda: fake.session(1).received["toolResponse"] == 1)

    play(scenario, fake).check()
    assert fake.session(1).resumed_from == 0
    assert fake.session(1).inputs.lost_calls == {}
    assert fake.session(1).identity != fake.session(0).identity


def test_a_conversation_is_not_resumed_while_its_old_connection_is_open() -> None:
    async def scenario(bench: Bench) -> None:
        async with bench.raw() as first, bench.raw() as second:
            await first.send(setup(sessionResumption={}))
            await read(first)
            update = (await read(first))["sessionResumptionUpdate"]
            assert update["resumable"]
            await second.send(setup(sessionResumption={"handle": update["newHandle"]}))
            assert await closing(second) == (1011, "Internal error encountered.")

    assert [one.rule for one in play(scenario).violations] == ["F12"]


def test_nothing_can_be_resumed_while_it_speaks() -> None:
    fake = FakeGemini()
    fake.on_connect(say=speech(1.0))

    async def scenario(bench: Bench) -> None:
        updates: list[dict[str, Any]] = []
        async with bench.raw() as ws:
            await ws.send(setup(sessionResumption={}))
            while len(updates) < 3:
                message = await read(ws)
                if "sessionResumptionUpdate" in message:
                    updates.append(message["sessionResumptionUpdate"])
        assert [update["resumable"] for update in updates] == [True, False, True]
        assert "newHandle" not in updates[1]

    play(scenario, fake)


def test_lost_tool_calls_swallow_the_next_utterance() -> None:
    fake = FakeGemini()
    fake.on_connect(tool_call("look_up"), session=0)
    fake.on_speech(say=speech(1.0))
    words = np.concatenate((speech(1.0).pcm(0, 16_000), np.zeros(16_000, np.int16)))

    async def scenario(bench: Bench) -> None:
        async with bench.raw() as ws:
            await ws.send(setup(sessionResumption={}))
            await read(ws)
            handle = (await read(ws))["sessionResumptionUpdate"]["newHandle"]
            await fake.until(lambda: fake.session(0).sent["toolCall"] == 1)
        await fake.until(lambda: fake.open_sessions == 0)
        async with bench.live(
            session_resumption=types.SessionResumptionConfig(handle=handle)
        ) as live:
            for _ in range(2):
                await speak(live, words)

    play(scenario, fake).check()
    resumed = fake.session(1)
    assert resumed.utterances == 2
    assert resumed.spoken.duration_s == pytest.approx(1.0, abs=0.8)
    assert resumed.sent["inputTranscription"] == 1
