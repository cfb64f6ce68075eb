"""All findings in their order, and which of them keep the gateway from starting."""

import re
import socket
from pathlib import Path

from voicegate.config import load
from voicegate.host.check import FATAL, OTHERS, fatal_findings, findings
from voicegate.host.findings import passed


async def test_everything_is_looked_at_once() -> None:
    config = load(environ={}, dotenv=None, overrides={"sip": {"port": 0}, "admin": {"port": 0}})
    names = [one.name async for one in findings(config)]
    assert len(names) == len(set(names)) == len(FATAL) + len(OTHERS) + 2
    assert names[-1] == "model"
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    assert names == re.findall(r"^(?:ok|warn) +([^:]+): .*\.", readme, re.MULTILINE)


def test_the_fatal_part_is_what_start_up_needs(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        config = load(
            environ={},
            dotenv=None,
            overrides={
                "sip": {"port": other.getsockname()[1]},
                "admin": {"port": 0},
                "record": {"dir": str(tmp_path / "file")},
                "media": {"rtp_ports": [20000, 20009]},
            },
        )
        found = fatal_findings(config)
    assert [one.name for one in found] == ["sip.port", "record.dir", "gemini.api_key"]
    assert not passed(found)
