"""deploy/kamailio as it is shipped, with the addresses of this run put in."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from ci.interop_job.ports import HOST, free_block
from ci.interop_job.tools import running

SHIPPED = Path(__file__).resolve().parents[2] / "deploy" / "kamailio"
REROUTED = "rerouted "
"""What its log says of each call that it sent to a second gateway."""


class Balancer:
    """Kamailio in front of several gateways."""

    def __init__(self, port: int, log_file: Path) -> None:
        self.port = port
        self._log_file = log_file

    def log_lines(self) -> list[str]:
        """Give what it has said up to now."""
        return self._log_file.read_text(encoding="utf-8", errors="replace").splitlines()

    def rerouted(self) -> int:
        """Count the calls that a second gateway got."""
        return sum(REROUTED in line for line in self.log_lines())


def configuration(port: int, destinations: Path) -> str:
    """Give the shipped configuration for this port and list of gateways."""
    text = (SHIPPED / "kamailio.cfg").read_text(encoding="ascii")
    text = re.sub(r"(?m)^listen=.*$", f"listen=udp:{HOST}:{port}", text)
    text = text.replace("/etc/kamailio/dispatcher.list", str(destinations))
    return text.replace("log_stderror=no", "log_stderror=yes")


def destination_list(ports: Sequence[int], max_calls: int) -> str:
    """Give the list of gateways, as the shipped one is written."""
    return "".join(
        f"1 sip:{HOST}:{port} 0 0 duid=gateway{number};maxload={max_calls}\n"
        for number, port in enumerate(ports, start=1)
    )


@asynccontextmanager
async def open_balancer(
    program: str, folder: Path, ports: Sequence[int], max_calls: int
) -> AsyncIterator[Balancer]:
    """Run it in the foreground on a free port; gone at the end."""
    port, log_file = free_block(2), folder / "kamailio.log"
    config = _written(folder, port, destination_list(ports, max_calls))
    command = (program, "-f", str(config), "-DD", "-E", "-Y", str(folder), "-w", str(folder))
    async with running((*command, "-m", "32", "-M", "4"), log_file, folder=folder):
        yield Balancer(port, log_file)


def _written(folder: Path, port: int, destinations: str) -> Path:
    folder.mkdir()
    listed, config = folder / "dispatcher.list", folder / "kamailio.cfg"
    listed.write_text(destinations, encoding="ascii")
    config.write_text(configuration(port, listed), encoding="ascii")
    return config
