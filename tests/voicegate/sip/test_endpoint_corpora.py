"""Other people's torture messages: the answer due, no crash, and the next call works."""

from __future__ import annotations

import csv
import io
import re
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from voicegate.sip.headers import Address
from voicegate.sip.message import Response

if TYPE_CHECKING:
    from tests.voicegate.sip.conftest import Rig

CORPORA = Path(__file__).resolve().parents[4] / "shared" / "corpora"
CASE_LIMIT_S = 0.5


def files(*patterns: str) -> list[Path]:
    return sorted(path for pattern in patterns for path in CORPORA.glob(pattern))


def feed(rig: Rig, data: bytes) -> list[str]:
    """One case: answered to nobody but its source, and a clean OPTIONS works after it.

    Gives the start lines of the answers (a 400 copies what is broken: it may not parse).
    """
    peer = Address("127.0.0.1", 5060)
    began = time.process_time()
    rig.endpoint.receive_datagram(data, peer, rig.now, rig.local)
    answers = rig.endpoint.datagrams_to_send()
    assert time.process_time() - began < CASE_LIMIT_S
    for event in rig.events():
        rig.endpoint.abort(event.dialog, rig.now)
    answers += rig.endpoint.datagrams_to_send()
    assert all(flow.peer.host == peer.host for _, flow in answers)
    (alive,) = rig.receive(rig.request("OPTIONS"))
    assert isinstance(alive, Response)
    assert alive.status == 200
    return [data.split(b"\r\n")[0].decode() for data, _ in answers]


def at_baseline(rig: Rig) -> None:
    rig.run(rig.now + 70.0)
    assert (rig.endpoint.dialogs, rig.endpoint.transactions) == (0, 0)


def torture() -> list[tuple[str, str]]:
    table = CORPORA / "rfc4475" / "expected.csv"
    if not table.exists():
        return []
    rows = csv.DictReader(io.StringIO(table.read_text(encoding="utf-8")))
    return [(row["file"], row["allowed_answer_for_a_UAS_over_UDP"]) for row in rows]


@pytest.mark.skipif(not torture(), reason="no ../shared/corpora/rfc4475 beside the repository")
@pytest.mark.parametrize(("name", "allowed"), torture())
def test_rfc_4475(rig: Rig, name: str, allowed: str) -> None:
    answers = feed(rig, (CORPORA / "rfc4475" / name).read_bytes())
    final = [int(line.split()[1]) for line in answers if not line.startswith("SIP/2.0 1")]
    if "no packet" in allowed or name == "test.dat":
        assert answers == []
    else:
        due = {int(code) for code in re.findall(r"\b[2-6]\d\d\b", allowed)}
        if "any final" in allowed or "well-formed" in allowed:
            # an INVITE that would be a call is aborted by `feed`: 500; one with a tag in To is of
            # a dialog we do not know: 481 (RFC 3261 12.2.2)
            due |= {500, 481}
        assert len(final) == 1
        assert final[0] in due
    at_baseline(rig)


OTHERS = files(
    "rfc5118/*.dat",
    "sip-message-examples/*.sip",
    "sipgo-fuzz/*.bin",
    "resip-raw/*",
    "rfc4475/*.dat",
)


@pytest.mark.skipif(not OTHERS, reason="no ../shared/corpora beside the repository")
def test_every_other_message_is_survived(rig: Rig) -> None:
    for path in OTHERS:
        data = path.read_bytes()
        feed(rig, data)
        feed(rig, data.replace(b"\r\n", b"\n"))
        feed(rig, data[: len(data) // 2])
    at_baseline(rig)


@pytest.mark.skipif(
    not files("protos-c07-sip/*.zip"), reason="no protos-c07-sip beside the repository"
)
def test_protos_c07(rig: Rig) -> None:
    with zipfile.ZipFile(files("protos-c07-sip/*.zip")[0]) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        for name in names:
            feed(rig, archive.read(name))
            rig.run(rig.now + 1.0)
    assert names
    at_baseline(rig)


@pytest.mark.skipif(
    not files("jsip-torture/messages/*"), reason="no jsip-torture beside the repository"
)
def test_jsip_torture(rig: Rig) -> None:
    for path in files("jsip-torture/messages/*"):
        if path.is_file():
            feed(rig, path.read_bytes())
    at_baseline(rig)
