"""What must hold after calls: pure judgements on the gateway's log and on `/resources`."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ci.interop_job.gateway import log_lines

NEVER_LOGGED = (
    "Task was destroyed but it is pending",
    "exception was never retrieved",
    "Traceback",
    "10054",
)
BAD_LEVELS = ("error", "critical")
LINE_CHARS_MAX = 300
LISTS = ("threads", "tasks")
COUNTS = ("sockets", "files")


def faults_in(log: str) -> list[str]:
    """Give the lines of a gateway's log that must not be there, each cut to 300 characters."""
    bad = [line for line in log.splitlines() if any(words in line for words in NEVER_LOGGED)]
    bad += [
        f"{fields['level']}: {fields.get('event')} {fields}"
        for fields in log_lines(log)
        if fields.get("level") in BAD_LEVELS
    ]
    return [line[:LINE_CHARS_MAX] for line in bad]


def left_behind(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Say what a gateway holds that it did not hold at the start, or no longer holds.

    No call, no conversation and no lent RTP port may be there at all.
    """
    found = [f"{after[name]} {name}" for name in ("calls", "gemini_sessions") if after[name]]
    if after["rtp_ports"]["lent"]:
        found.append(f"{after['rtp_ports']['lent']} rtp ports lent")
    for name in LISTS:
        was, now = Counter(before[name]), Counter(after[name])
        found += [f"{name} +{count} {one}" for one, count in sorted((now - was).items())]
        found += [f"{name} -{count} {one}" for one, count in sorted((was - now).items())]
    for name in COUNTS:
        if after[name] != before[name]:
            found.append(f"{name} {before[name]} -> {after[name]}")
    return found


def summary(sample: Mapping[str, Any]) -> str:
    """Put a `/resources` sample into a line."""
    return (
        f"{sample['calls']} calls, {sample['gemini_sessions']} Gemini sessions,"
        f" {len(sample['threads'])} threads, {len(sample['tasks'])} tasks,"
        f" {sample['sockets']} sockets, {sample['files']} files"
    )
