"""A network of our own with nothing but loopback in it, and the count of what wanted to leave."""

import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

if sys.platform != "win32":
    import fcntl

UNSHARE = ("unshare", "-Urn")
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
ELSEWHERE = ("192.0.2.1", 9)
"""RFC 5737: an address that nobody has."""


def why_not() -> str:
    """Give the reason why there can be no such network; "" if there can."""
    try:
        done = subprocess.run((*UNSHARE, "true"), capture_output=True, check=False)
    except FileNotFoundError:
        return "unshare is not there (it is part of util-linux)"
    told = done.stderr.decode(errors="replace").strip()
    return f"no network of our own may be made: {told}" if done.returncode else ""


def run_inside(module: str, arguments: Sequence[str]) -> int:
    """Run a module in such a network; give its exit code."""
    command = (*UNSHARE, sys.executable, "-m", module, *arguments)
    return subprocess.run(command, check=False).returncode


def raise_loopback() -> None:
    """Set `lo` up; a new network has it down."""
    assert sys.platform != "win32"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", 0)
        (flags,) = struct.unpack("16xH14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def packets_without_a_way() -> int:
    """Count what was to be sent to any address but loopback (nstat's IpOutNoRoutes, and IPv6's)."""
    lines = Path("/proc/net/snmp").read_text(encoding="ascii").splitlines()
    names, values = (line.split()[1:] for line in lines if line.startswith("Ip:"))
    found = int(dict(zip(names, values, strict=True))["OutNoRoutes"])
    for line in Path("/proc/net/snmp6").read_text(encoding="ascii").splitlines():
        if line.startswith("Ip6OutNoRoutes"):
            found += int(line.split()[1])
    return found


def try_to_leave() -> None:
    """Send a packet that has no way: the count must see it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            any_socket.sendto(b"x", ELSEWHERE)
        except OSError:
            return
    raise RuntimeError(f"a packet left for {ELSEWHERE[0]}: this network is not closed")
