"""The records of a gateway that takes calls: files, CDR, webhook, capture, retention, the end."""

import asyncio
import errno
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulator.audio.sound import stamps
from simulator.audio.wav import read
from simulator.gate.caller import SimulatedCall
from simulator.gate.gate import SimulatedGate
from simulator.witness.witness import Witness
from tests.voicegate.record.test_disk import FIRST, OLD, made
from tests.voicegate.record.test_names import odd_call_ids
from tests.voicegate.record.test_webhook import Receiver
from voicegate.config import load
from voicegate.dialling import ANSWERED, outcome
from voicegate.gateway import Gateway
from voicegate.record import disk, names
from voicegate.record.records import SWEEP_EVERY_S, open_records
from voicegate.settings import RecordSettings

pytestmark = pytest.mark.virtual

RATE = 8000
TEN_MINUTES_S = 600.0
NEAR = RATE // 50
"""20 ms."""


def echoing(**record: object) -> AbstractAsyncContextManager[tuple[Gateway, SimulatedGate]]:
    """A gateway that says back what it hears, and a gate that calls it."""
    return dialling_by("", record)


@asynccontextmanager
async def dialling_by(
    outbound: str, record: dict[str, Any]
) -> AsyncIterator[tuple[Gateway, SimulatedGate]]:
    """The same, and it may call by that place."""
    overrides: dict[str, dict[str, Any]] = {
        "voice": {"backend": "echo"},
        "sip": {"port": 0, "outbound": outbound},
        "admin": {"port": 0},
        "record": record,
    }
    gateway = Gateway(load(environ={}, dotenv=None, overrides=overrides))
    task = asyncio.create_task(gateway.serve(), name="gateway")
    await gateway.ready.wait()
    async with SimulatedGate(gateway=gateway.agent.local) as gate:
        yield gateway, gate
    gateway.stop()
    await task


async def a_call(gate: SimulatedGate, lasts_s: float = 3.0, **quirks: Any) -> SimulatedCall:
    async with gate.dial("1000", speak=stamps(every_s=1.0), **quirks) as call:
        await call.lasts(lasts_s)
    await asyncio.sleep(0.5)
    return call


def records_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*"))


def told(record: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((record / names.CALL).read_text(encoding="utf-8"))
    return found


def shift(ours: np.ndarray, theirs: np.ndarray, at: int) -> int:
    """How many samples later the recording has the second that the simulator has at `at`."""
    piece = theirs[at : at + RATE].astype(np.float64)
    around = ours[at - 2 * NEAR : at + RATE + 2 * NEAR].astype(np.float64)
    return int(np.argmax(np.correlate(around, piece, "valid"))) - 2 * NEAR


@pytest.mark.virtual_limit(TEN_MINUTES_S + 60)
async def test_a_recording_of_ten_minutes_is_aligned_with_what_passed(tmp_path: Path) -> None:
    async with echoing(dir=str(tmp_path), audio=True) as (_, gate):
        call = await a_call(gate, TEN_MINUTES_S)
    [record] = records_in(tmp_path)
    pcm, rate = read(record / names.AUDIO)
    assert rate == RATE
    assert len(pcm) == pytest.approx(TEN_MINUTES_S * RATE, abs=NEAR)
    caller, gateway = (ear.pcm(RATE, call.heard.start_s) for ear in (call.spoken, call.heard))
    # ours: what the gate decoded, sample by sample
    assert np.array_equal(pcm[: len(gateway), 1], gateway[: len(pcm)])
    # the caller's: behind a jitter buffer that changed its delay, and yet where it was on the wire
    shifts = [shift(pcm[:, 0], caller, at) for at in range(RATE, len(caller) - 2 * RATE, 20 * RATE)]
    assert len(shifts) >= 29
    assert max(abs(one) for one in shifts) <= NEAR, shifts
    assert max(shifts) - min(shifts) <= NEAR, shifts


async def test_a_recording_holds_all_that_was_wanted(tmp_path: Path) -> None:
    wanted = dict.fromkeys(("audio", "transcript", "pcap"), True)
    async with echoing(dir=str(tmp_path), **wanted) as (gateway, gate):
        call = await a_call(gate)
        [kept] = await gateway.records.recent(5)
        path = await gateway.records.path(kept["id"], names.AUDIO)
        assert await gateway.records.path("../" + kept["id"], names.AUDIO) is None
    [record] = records_in(tmp_path)
    assert path == record / names.AUDIO
    assert kept["files"] == [names.AUDIO, names.EVENTS, names.CALL, names.PACKETS]
    figures = told(record)
    assert figures["call_id"] == call.dialog.call_id
    assert (figures["codec"], figures["reason"]) == ("PCMA", "caller_bye")
    assert figures["rtp"]["in"] == call.media.packets_sent
    # what leaves with the caller's BYE on its way is sent, and not heard any more
    assert figures["rtp"]["out"] - call.rtp.packets in (0, 1)
    assert figures["rtp"]["max_gap_ms"] == pytest.approx(20, abs=1)
    assert figures["gemini"] is None
    started = datetime.fromisoformat(figures["start"])
    ended = datetime.fromisoformat(figures["end"])
    assert (ended - started).total_seconds() == pytest.approx(3.0, abs=0.1)
    assert figures["setup_ms"] / 1000 == pytest.approx(
        (datetime.fromisoformat(figures["answer"]) - started).total_seconds(), abs=0.002
    )


@pytest.mark.parametrize("ended_by", ["caller", "gateway"])
async def test_the_capture_of_a_recording_holds_the_whole_dialog(
    tmp_path: Path, ended_by: str
) -> None:
    scapy = pytest.importorskip("scapy.all")
    async with echoing(dir=str(tmp_path), pcap=True) as (gateway, gate):
        await a_call(gate)
        call = await gate.dial("1000")
        await call.lasts(1)
        if ended_by == "gateway":
            gateway.stop()
            await call.ended(by="gateway", within_s=3)
        else:
            await call.hang_up()
        await asyncio.sleep(0.5)
    call_id = call.dialog.call_id
    record = next(one for one in records_in(tmp_path) if told(one)["call_id"] == call_id)
    payloads = [bytes(one["UDP"].payload) for one in scapy.rdpcap(str(record / names.PACKETS))]
    sip = [one.decode() for one in payloads if b"SIP/2.0" in one]
    assert all(f"Call-ID: {call_id}" in one for one in sip)
    firsts = [one.split(" ", 1)[0] for one in sip]
    assert firsts[0] == "INVITE"
    assert firsts[-2:] == ["BYE", "SIP/2.0"]
    assert "ACK" in firsts
    assert len(payloads) - len(sip) >= 2 * 45


@pytest.mark.parametrize("busy", [True, False])
async def test_the_capture_of_a_call_of_ours_begins_with_its_invite(
    tmp_path: Path, busy: bool
) -> None:
    scapy = pytest.importorskip("scapy.all")
    wanted = {"dir": str(tmp_path), "pcap": True, "audio": True}
    async with (
        SimulatedGate() as gate,
        dialling_by(f"sip:{gate.address}", wanted) as (gateway, _),
        gate.answering("200", status=486 if busy else 200),
    ):
        _, call = await gateway.dialling.dial("200")
        assert await outcome(call) == ("busy" if busy else ANSWERED)
        await asyncio.sleep(1)
    [record] = records_in(tmp_path)
    payloads = [bytes(one["UDP"].payload) for one in scapy.rdpcap(str(record / names.PACKETS))]
    firsts = [one.split(b" ", 1)[0] for one in payloads if b"SIP/2.0" in one]
    assert (firsts[0], b"ACK" in firsts) == (b"INVITE", True)
    assert all(told(record)["call_id"].encode() in one for one in payloads if b"SIP/2.0" in one)
    assert (record / names.AUDIO).exists() is not busy


async def test_a_full_disk_ends_the_recording_and_not_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    written = 0

    def full(*arguments: Any) -> None:
        nonlocal written
        written += 1
        if written > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(*arguments)

    write = disk.write
    monkeypatch.setattr(disk, "write", full)
    async with echoing(dir=str(tmp_path), audio=True, cdr=str(tmp_path / "cdr")) as (_, gate):
        call = await a_call(gate, 6.0)
        assert call.heard.only_from(call, at_least=4)
        monkeypatch.setattr(disk, "write", write)
        await a_call(gate)
    lines = [json.loads(line) for line in (tmp_path / "cdr").read_text("utf-8").splitlines()]
    assert [line["record"]["failed"] for line in lines] == ["No space left on device", None]
    assert [line["alarms"] for line in lines] == [["recording_failed"], []]
    assert [one.levelname for one in caplog.records].count("ERROR") == 1
    pcm, _ = read(records_in(tmp_path)[0] / names.AUDIO)
    assert RATE < len(pcm) < 3 * RATE


async def test_odd_call_ids_become_recordings_with_safe_names(tmp_path: Path) -> None:
    call_ids = odd_call_ids()
    async with echoing(dir=str(tmp_path)) as (gateway, gate):
        for call_id in call_ids:
            call = await gate.dial("1000")
            gateway.calls[gateway.calls_taken].dialog.call_id = call_id
            await call.hang_up()
        assert gateway.calls_taken == len(call_ids)
    assert len(records_in(tmp_path)) == len(call_ids)


async def test_fifty_recordings_leave_no_task_file_or_thread(tmp_path: Path) -> None:
    receiver = Receiver(200)
    wanted = dict.fromkeys(("audio", "transcript", "pcap"), True)
    async with receiver.listening():
        places = {"dir": str(tmp_path), "cdr": str(tmp_path / "cdr"), "webhook": receiver.url}
        async with echoing(**places, **wanted, keep_days=1) as (gateway, gate):
            with Witness(owned_types=("voicegate.call.Call",)) as witness:
                await a_call(gate, 1.0)
                await witness.settle()
                witness.baseline()
                for _ in range(5):
                    calls = [await gate.dial("1000") for _ in range(10)]
                    await calls[0].lasts(1.5)
                    await asyncio.gather(*(call.hang_up() for call in calls))
                await witness.settle(wait_s=1.0)
                witness.check(after="50 recorded calls")
            assert gateway.records.writer.dropped == 0
    assert len(records_in(tmp_path)) == 51
    assert len((tmp_path / "cdr").read_text("utf-8").splitlines()) == 51
    assert len(receiver.got) == 51
    assert {read(one / names.AUDIO)[1] for one in records_in(tmp_path)} == {RATE}


async def test_old_recordings_go_at_the_start_and_once_a_day(tmp_path: Path) -> None:
    today = datetime(2026, 11, 25, 12, tzinfo=UTC)
    old, fresh = made(tmp_path, OLD), made(tmp_path, FIRST)
    settings = RecordSettings(dir=str(tmp_path), keep_days=3)
    asyncio.get_running_loop().limit_s = 10 * SWEEP_EVERY_S  # type: ignore[attr-defined]
    loop = asyncio.get_running_loop()
    zero_s = loop.time()

    def clock() -> datetime:
        return datetime.fromtimestamp(today.timestamp() + loop.time() - zero_s, UTC)

    async with open_records(settings, model=None, clock=clock):
        await asyncio.sleep(1)
        assert (old.exists(), fresh.exists()) == (False, True)
        await asyncio.sleep(3 * SWEEP_EVERY_S)
        assert fresh.exists()
        await asyncio.sleep(SWEEP_EVERY_S)
        assert not fresh.exists()


async def test_a_record_that_cannot_be_deleted_keeps_no_other_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, other = made(tmp_path, OLD), made(tmp_path, FIRST)
    remove = disk.remove

    def in_use(record: Path) -> None:
        if record == stuck:
            raise PermissionError(errno.EACCES, "in use")
        remove(record)

    monkeypatch.setattr(disk, "remove", in_use)
    settings = RecordSettings(dir=str(tmp_path), keep_days=1)
    clock = datetime(2027, 1, 1, tzinfo=UTC)
    async with open_records(settings, model=None, clock=lambda: clock):
        await asyncio.sleep(1)
    assert (stuck.exists(), other.exists()) == (True, False)


async def test_nothing_is_kept_unless_it_is_wanted(tmp_path: Path) -> None:
    async with echoing() as (gateway, gate):
        await a_call(gate, 1.0)
        assert await gateway.records.recent(5) == []
        assert await gateway.records.path(FIRST, names.CALL) is None
    assert records_in(tmp_path) == []


async def test_a_call_that_was_never_answered_has_a_record_too(tmp_path: Path) -> None:
    async with echoing(dir=str(tmp_path), audio=True, pcap=True) as (_, gate):
        await gate.dial("1000", codecs=(), expect=488)
        await asyncio.sleep(0.5)
    [record] = records_in(tmp_path)
    figures = told(record)
    assert (figures["reason"], figures["answer"]) == ("media_refused", None)
    assert not (record / names.AUDIO).exists()
