"""A run's evidence as files in one folder."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simulator.audio.wav import write_stereo
from simulator.pcap import Tape
from simulator.report.call import CallEvidence
from simulator.report.doctor import Diagnosis, read_capture
from simulator.report.hearing import RATE_HZ
from simulator.report.html import ReportExtraMissing, render
from simulator.report.junit import write_junit
from simulator.report.model import RunEvidence
from simulator.report.record import as_record, wav_name

PATTERNS = ("call-*.wav", "run.pcap", "gemini.jsonl", "run.json", "junit.xml", "report.html")


@dataclass(frozen=True)
class Written:
    """What was written, and what could not be."""

    folder: Path
    """Where."""

    files: tuple[str, ...]
    """Names in it."""

    notes: tuple[str, ...]
    """What the user should be told: a file that could not be written, and what to do about it."""

    diagnosis: Diagnosis | None
    """What the outside judge says of the capture; None without one."""


def write_evidence(run: RunEvidence, folder: Path | str) -> Written:
    """Write recordings, capture, journal, record, junit.xml and report.html.

    Evidence of an earlier run in the folder is removed. Blocks (the outside judge is another
    process): from a running loop, call it in an executor or after the run.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    for pattern in PATTERNS:
        for path in place.glob(pattern):
            path.unlink()
    files, notes = _write_wavs(run, place), []
    if run.tape is not None:
        problem = _write_capture(run.tape, place / "run.pcap")
        files += [] if problem else ["run.pcap"]
        notes += [problem] if problem else []
    if run.journal is not None:
        run.journal.save(place / "gemini.jsonl")
        files.append("gemini.jsonl")
    diagnosis = read_capture(place / "run.pcap") if "run.pcap" in files else None
    write_junit(run, place / "junit.xml")
    files += ["junit.xml", "run.json"]
    try:
        page = render(run, diagnosis, files=files)
    except ReportExtraMissing as missing:
        notes.append(str(missing))
    else:
        (place / "report.html").write_text(page, encoding="utf-8")
        files.append("report.html")
    record = as_record(run, diagnosis, files)
    record["notes"] += notes
    text = json.dumps(record, indent=2, ensure_ascii=False)
    (place / "run.json").write_text(text + "\n", encoding="utf-8")
    return Written(place, tuple(files), tuple(notes), diagnosis)


def _write_wavs(run: RunEvidence, place: Path) -> list[str]:
    names = []
    for call in run.calls:
        if call.gateway.pcm is not None:
            _write_wav(call, place / wav_name(call))
            names.append(wav_name(call))
    return names


def _write_wav(call: CallEvidence, path: Path) -> None:
    """Caller left, gateway right, each placed at its time of arrival."""
    nothing = np.zeros(0, dtype=np.int16)
    left, right = (nothing if lane.pcm is None else lane.pcm for lane in call.lanes)
    write_stereo(path, left, right, RATE_HZ)


def _write_capture(tape: Tape, path: Path) -> str:
    """Write the capture; give the problem, if there is one."""
    try:
        tape.save(path)
    except OSError as error:
        # An IPv6 packet has no place in this capture; the rest of the evidence is not held up.
        path.unlink(missing_ok=True)
        return f"run.pcap could not be written: {error}"
    return ""
