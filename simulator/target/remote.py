"""A gateway that somebody else has started, here or elsewhere, or one behind a real gate."""

import asyncio
import ipaddress
import re
import socket
import urllib.error

from simulator.target.command import resources
from simulator.target.target import Target
from simulator.witness.census import Snapshot, Trace

URI = re.compile(r"sips?:(?:(?P<user>[^@]*)@)?(?P<host>\[[^\]]+\]|[^:;?]+)(?::(?P<port>\d+))?$")
DEFAULT_PORT = 5060
ADMIN_PORT = 8080


class BadTarget(ValueError):
    """What was given on the command line names no target; the text says how to write it."""


def parse_uri(text: str) -> tuple[str, str, int]:
    """Read sip:[USER@]HOST[:PORT]; gives user ("" if none), numeric host, port."""
    found = URI.match(text)
    if found is None:
        raise BadTarget(f"{text!r}: write it as sip:HOST:PORT, such as sip:192.168.1.10:5060")
    host, port = found["host"].strip("[]"), int(found["port"] or DEFAULT_PORT)
    if not 0 < port < 65536:
        raise BadTarget(f"{text!r}: the port must be from 1 to 65535")
    return found["user"] or "", _numeric(host, text), port


def _numeric(host: str, text: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return str(socket.gethostbyname(host))
    except OSError as error:
        raise BadTarget(f"{text!r}: {host} has no address ({error})") from error


def at_uri(uri: str, resources_url: str = "") -> Target:
    """Give the gateway at a SIP URI; its /resources are asked for where they can be had."""
    _, host, port = parse_uri(uri)
    admin = resources_url.removesuffix("/resources") or f"http://{_bracketed(host)}:{ADMIN_PORT}"
    try:
        resources(admin)
    except (OSError, urllib.error.URLError, ValueError) as error:
        unseen = f"{admin}/resources does not answer ({error}): give --resources URL"
        return Target(name=uri, address=(host, port), unseen=unseen)
    return Target(
        name=uri, address=(host, port), admin_url=admin, take=lambda: from_resources(admin)
    )


def from_resources(admin_url: str) -> Snapshot:
    """Give what a gateway elsewhere says that it holds."""
    told = resources(admin_url)
    known = {kind: told.get(kind, 0) for kind in ("threads", "tasks", "sockets", "files")}
    extra = [
        Trace("objects", kind, f"{kind} {number}")
        for kind in ("calls", "gemini_sessions")
        for number in range(int(told.get(kind, 0)))
    ]
    return Snapshot(Snapshot.from_resources(known).traces + tuple(extra))


async def calm(target: Target, within_s: float = 10.0) -> None:
    """Wait until a running gateway has no calls, so that a baseline means something."""
    if target.take is None or target.unseen:
        return
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while loop.time() < deadline:
        if not any(trace.kind == "objects" for trace in target.take().traces):
            return
        await asyncio.sleep(0.2)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
