"""The record on the disk: appended piece by piece, playable at every moment."""

import errno
import json
import os
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from simulator.audio.wav import read
from voicegate.record import disk, names
from voicegate.record.disk import Batch
from voicegate.record.pcap import Packet
from voicegate.record.tape import Stretch

FIRST, SECOND = "20261125T100000-9-3f2a9c01d4e5", "20261125T100000-10-0123456789ab"
OLD = "20261101T100000-1-3f2a9c01d4e5"


def stretch(at: int, value: int, samples: int = 8000) -> Stretch:
    pcm = np.full(samples, value, dtype="<i2").tobytes()
    return Stretch(at, pcm, pcm)


def made(root: Path, record: str, **told: object) -> Path:
    folder = root / (names.day_folder(record) or "") / record
    whole = {names.CALL: json.dumps(told)} if told else {}
    disk.write(Batch(folder, lines={names.EVENTS: "{}\n"}, whole=whole))
    return folder


def test_a_recording_is_whole_after_every_stretch(tmp_path: Path) -> None:
    for number in range(3):
        disk.write(Batch(tmp_path / "r", stretch(8000 * number, number + 1)))
        pcm, rate = read(tmp_path / "r" / "call.wav")
        assert (len(pcm), rate) == (8000 * (number + 1), 8000)
    assert [int(pcm[at, 0]) for at in (0, 8000, 16000)] == [1, 2, 3]


def test_a_recording_may_be_moved_and_deleted_between_two_writes(tmp_path: Path) -> None:
    for kept in (tmp_path / "moved", tmp_path / "moved again"):
        batch = Batch(
            tmp_path / "r",
            stretch(0, 1),
            lines={names.EVENTS: "{}\n"},
            packets=(Packet(0.0, ("127.0.0.1", 1), ("127.0.0.1", 2), b"x"),),
            whole={names.CALL: "{}"},
        )
        disk.write(batch)
        # while a file of it were open, Windows would refuse this (WinError 5 or 32)
        (tmp_path / "r").rename(kept)
        for file in kept.iterdir():
            file.unlink()


def test_a_stretch_that_was_dropped_is_silence(tmp_path: Path) -> None:
    disk.write(Batch(tmp_path / "r", stretch(16000, 5)))
    disk.write(Batch(tmp_path / "r", stretch(32000, 6)))
    pcm, _ = read(tmp_path / "r" / "call.wav")
    assert [int(pcm[at, 1]) for at in (0, 16000, 24000, 32000)] == [0, 5, 0, 6]


def test_a_stretch_cut_short_by_a_kill_costs_itself_only(tmp_path: Path) -> None:
    disk.write(Batch(tmp_path / "r", stretch(0, 1)))
    path = tmp_path / "r" / "call.wav"
    with path.open("ab") as file:
        file.write(b"half of the next")
    pcm, _ = read(path)
    assert len(pcm) == 8000


def test_the_gateways_side_is_what_the_codec_makes_of_it(tmp_path: Path) -> None:
    disk.write(Batch(tmp_path / "r", stretch(0, 1003), "PCMA"))
    pcm, _ = read(tmp_path / "r" / "call.wav")
    assert (int(pcm[0, 0]), int(pcm[0, 1])) == (1003, 1008)


def test_text_of_any_kind_is_appended(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "cdr.jsonl"
    for text in ("Довиждане\n", "\udce9\n"):
        disk.append(path, text)
    assert path.read_bytes().decode("utf-8") == "Довиждане\n\\udce9\n"


def test_the_capture_has_one_header(tmp_path: Path) -> None:
    packet = Packet(1.0, ("127.0.0.1", 1), ("127.0.0.1", 2), b"x")
    for _ in range(2):
        disk.write(Batch(tmp_path / "r", packets=(packet,)))
    size = (tmp_path / "r" / "call.pcap").stat().st_size
    assert size == 24 + 2 * (16 + 20 + 8 + 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits of a process are POSIX's")
def test_a_disk_that_takes_no_more_raises_and_what_is_there_plays(tmp_path: Path) -> None:
    import resource
    import signal

    disk.write(Batch(tmp_path / "r", stretch(0, 1)))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40000, before[1]))
    try:
        with pytest.raises(OSError) as caught:  # noqa: PT011 - the number is checked
            disk.write(Batch(tmp_path / "r", stretch(8000, 2)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert caught.value.errno == errno.EFBIG
    pcm, _ = read(tmp_path / "r" / "call.wav")
    assert (len(pcm), int(pcm[0, 0])) == (8000, 1)


def test_the_newest_records_come_first_with_what_they_hold(tmp_path: Path) -> None:
    made(tmp_path, OLD, reason="goodbye", id="another")
    made(tmp_path, FIRST, reason="caller_bye")
    made(tmp_path, SECOND)
    (tmp_path / "notes").mkdir()
    (tmp_path / "2026-11-25" / "notes").mkdir()
    (tmp_path / "2026-11-01" / OLD / names.CALL).write_text('{"reason": ', encoding="utf-8")
    assert disk.recent(tmp_path, 5) == [
        {"id": SECOND, "files": [names.EVENTS]},
        {"id": FIRST, "files": [names.EVENTS, names.CALL], "reason": "caller_bye"},
        {"id": OLD, "files": [names.EVENTS, names.CALL]},
    ]
    assert [one["id"] for one in disk.recent(tmp_path, 1)] == [SECOND]
    assert disk.recent(tmp_path / "none", 5) == []


@pytest.mark.parametrize(
    ("record", "name", "found"),
    [
        (FIRST, names.EVENTS, True),
        (FIRST, names.AUDIO, False),
        (SECOND, names.EVENTS, False),
        (FIRST, "../../secret", False),
        (f"../2026-11-25/{FIRST}", names.EVENTS, False),
        ("..", names.EVENTS, False),
    ],
)
def test_a_recordings_path_never_leads_out_of_the_folder(
    tmp_path: Path, record: str, name: str, found: bool
) -> None:
    root = tmp_path / "records"
    folder = made(root, FIRST)
    (tmp_path / "secret").write_text("x", encoding="utf-8")
    path = disk.find(root, record, name)
    assert path == (folder / name if found else None)


def test_recordings_of_older_days_are_expired_and_nothing_else(tmp_path: Path) -> None:
    old, new = made(tmp_path, OLD), made(tmp_path, FIRST)
    (old.parent / "notes.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "2020-01-01").mkdir()
    (tmp_path / "2020-01-01" / "not a record").mkdir()
    assert disk.expired(tmp_path, date(2026, 11, 25), 24) == []
    assert disk.expired(tmp_path, date(2026, 11, 25), 23) == [old]
    assert disk.expired(tmp_path, date(2026, 11, 26), 0) == [old, new]
    disk.remove(old)
    disk.remove(new)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["2020-01-01", "2026-11-01"]
