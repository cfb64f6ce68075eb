"""What blocks: writing batches, finding records, sweeping old ones. All of it in a thread.

No file stays open between two writes: nothing can be left open, a folder can be moved or deleted
on Windows while the call goes on, and a killed process leaves what was written last.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from voicegate.media.codec import LAWS
from voicegate.record import names, pcap, wav
from voicegate.record.tape import Stretch


@dataclass(frozen=True, slots=True)
class Batch:
    """What is to be added to one record."""

    folder: Path
    """The record's own."""
    audio: Stretch | None = None
    """The next stretch of call.wav."""
    codec: str = ""
    """What the gateway's side went through on the wire."""
    lines: Mapping[str, str] = field(default_factory=dict)
    """Text to append, by file."""
    packets: tuple[pcap.Packet, ...] = ()
    """Datagrams to append to call.pcap."""
    whole: Mapping[str, str] = field(default_factory=dict)
    """Text that a file consists of, by file."""


def write(batch: Batch) -> None:
    """Add a batch to its record. Raises OSError."""
    batch.folder.mkdir(parents=True, exist_ok=True)
    if batch.audio is not None:
        _write_audio(batch.folder / names.AUDIO, batch.audio, batch.codec)
    for name, text in batch.lines.items():
        append(batch.folder / name, text)
    if batch.packets:
        _write_packets(batch.folder / names.PACKETS, batch.packets)
    for name, text in batch.whole.items():
        unfinished = batch.folder / f"{name}.new"
        unfinished.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
        os.replace(unfinished, batch.folder / name)


def append(path: Path, text: str) -> None:
    """Add text to the end of a file, making its folder where there is none. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
        file.write(text)


def _write_audio(path: Path, audio: Stretch, codec_name: str) -> None:
    """Lay the stretch where it belongs, then say in the header that it is there.

    Between the two a kill costs this stretch only. A stretch that was dropped is silence.
    """
    # what the caller heard of it; G.722 takes nothing away that is worth a state on disk
    law = LAWS.get(codec_name)
    right = law.decode(law.encode(audio.right)) if law else audio.right
    start = audio.at * wav.SAMPLE_BYTES
    octets = wav.interleave(audio.left, right)
    with path.open("r+b" if path.exists() else "x+b") as file:
        if file.seek(0, os.SEEK_END) < wav.HEADER_BYTES:
            _write_header(file, 0)
        file.seek(wav.HEADER_BYTES + start)
        file.write(octets)
        file.flush()
        _write_header(file, start + len(octets))


def _write_header(file: Any, data_bytes: int) -> None:
    file.seek(0)
    file.write(wav.header(data_bytes))
    file.flush()


def _write_packets(path: Path, packets: tuple[pcap.Packet, ...]) -> None:
    with path.open("ab") as file:
        if file.tell() == 0:
            file.write(pcap.FILE_HEADER)
        file.writelines(pcap.serialise(packet) for packet in packets)


def find(root: Path, record: str, name: str) -> Path | None:
    """Give the path of a file of a record; None where either does not exist.

    Both are compared with what a record can be called, so that no `..` leads out of the folder.
    """
    day = names.day_folder(record)
    if day is None or name not in names.FILES:
        return None
    path = root / day / record / name
    return path if path.is_file() else None


def recent(root: Path, count: int) -> list[dict[str, Any]]:
    """Give the newest records, newest first: what call.json says, and which files there are.

    Of a call that is still going on, or whose process was killed, only `id` and `files` are known.
    """
    found: list[dict[str, Any]] = []
    for folder in _newest(root):
        if len(found) >= count:
            break
        files = [name for name in names.FILES if (folder / name).is_file()]
        found.append(_told(folder / names.CALL) | {"id": folder.name, "files": files})
    return found


def _told(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _newest(root: Path) -> Iterator[Path]:
    for day in sorted(_days(root), reverse=True):
        # by the time in the name, then by the call's number
        yield from sorted(_records(day), key=lambda one: _order(one.name), reverse=True)


def _order(record: str) -> tuple[str, int]:
    began, number, _ = record.split("-")
    return began, int(number)


def _days(root: Path) -> list[Path]:
    try:
        return [one for one in root.iterdir() if names.day_of(one.name)]
    except OSError:
        return []


def _records(day: Path) -> list[Path]:
    try:
        return [one for one in day.iterdir() if names.day_folder(one.name) == day.name]
    except OSError:
        return []


def expired(root: Path, today: date, keep_days: int) -> list[Path]:
    """Give the records of days that lie more than `keep_days` back, the oldest first."""
    oldest = (today - timedelta(days=keep_days)).isoformat()
    old_days = [day for day in sorted(_days(root)) if day.name < oldest]
    return [record for day in old_days for record in sorted(_records(day))]


def remove(record: Path) -> None:
    """Delete a record, and its day's folder when that is empty then. Raises OSError."""
    shutil.rmtree(record)
    if not any(record.parent.iterdir()):
        record.parent.rmdir()
