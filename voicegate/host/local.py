"""Checks that look at this machine alone: ports, addresses, folders, variables, versions.

Each gives one Finding. They bind and let go at once, send nothing and change nothing.
"""

import ipaddress
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.x509 import load_pem_x509_certificate

from voicegate.config import Config, ConfigError
from voicegate.host.findings import Finding, fail, ok, warn
from voicegate.record.records import utc_now
from voicegate.sip.message import Address
from voicegate.sip.udp import face_towards
from voicegate.trunk import CannotListen, places, tls
from voicegate.windows import SOCKETS_MAX, new_event_loop

CLOCK_STEP_S = 0.002
"""A coarser clock makes the sound leave in lumps (15.6 ms on Windows before Python 3.13)."""
DISK_FREE_BYTES = 1 << 30
CERTIFICATE_LEFT = timedelta(days=21)
"""Time enough to have a certificate renewed."""
SOCKETS_PER_CALL = 3
"""RTP, RTCP and the model's."""
SOCKETS_ASIDE = 62
"""Listening ones, connections of gates and of the admin side, calls that are only closing."""
SELECTOR_CALLS_ON_WINDOWS = (SOCKETS_MAX - SOCKETS_ASIDE) // SOCKETS_PER_CALL
RTP_PORTS_TRIED = 40
DESCRIPTORS_PER_CALL = 6
"""RTP, the model's socket, and the files of its record."""
DESCRIPTORS_ASIDE = 64


def sip_port(config: Config) -> Finding:
    """Every signalling address can be had."""
    found = places(config.sip)
    for place in found:
        kind = socket.SOCK_DGRAM if place.transport == "udp" else socket.SOCK_STREAM
        if trouble := _refusal(kind, place.host, place.port):
            where = f"{place.transport.upper()} {place.host}:{place.port}"
            mend = "stop the program on that port, or set sip.host and sip.port"
            return fail("sip.port", f"{where} cannot be had ({trouble})", mend, fatal=True)
    names = ", ".join(f"{one.transport.upper()} {one.host}:{one.port}" for one in found)
    return ok("sip.port", f"{names}: free")


def tls_files(config: Config, now: Callable[[], datetime] = utc_now) -> Finding:
    """The certificate, its key and what we trust can be read, and it is still good."""
    try:
        tls(config.sip, {})
    except CannotListen as error:
        mend = "name PEM files that belong together and that this account may read"
        return fail("sip.tls", str(error), mend, fatal=True)
    if "tls" not in config.sip.transports:
        return ok("sip.tls", "not served")
    return _until(_expiry(config.sip.tls_certificate), now())


def _expiry(file: str) -> datetime:
    return load_pem_x509_certificate(Path(file).read_bytes()).not_valid_after_utc


def _until(end: datetime, now: datetime) -> Finding:
    date, mend = f"{end:%Y-%m-%d}", "have it renewed, and restart the gateway with the new one"
    if end <= now:
        text = f"the certificate was good until {date} only: gates refuse it"
        return fail("sip.tls", text, f"is this machine's date right? Else {mend}")
    if end - now < CERTIFICATE_LEFT:
        return warn("sip.tls", f"the certificate is good until {date} only", mend)
    return ok("sip.tls", f"ready, the certificate is good until {date}")


def admin_port(config: Config) -> Finding:
    """The operators' address can be had."""
    admin = config.admin
    where = f"{admin.host}:{admin.port}"
    trouble = _refusal(socket.SOCK_STREAM, admin.host, admin.port)
    if trouble:
        mend = "stop the program on that port, or set admin.host and admin.port"
        return fail("admin.port", f"TCP {where} cannot be had ({trouble})", mend, fatal=True)
    return ok("admin.port", f"TCP {where} is free")


def rtp_range(config: Config) -> Finding:
    """The range has two ports for every call, and they are free."""
    low, high = config.media.rtp_ports
    needed, there = 2 * config.sip.max_calls, high - low + 1
    if there < needed:
        mend = (
            f"set media.rtp_ports to [{low}, {low + needed - 1}] or sip.max_calls to {there // 2}"
        )
        return fail("media.rtp_ports", f"{there} ports for {config.sip.max_calls} calls", mend)
    own = {config.sip.port, config.sip.tls_port, config.admin.port}
    if clash := sorted(port for port in own if low <= port <= high + 1):
        mend = "move the range, or sip.port, sip.tls_port or admin.port out of it"
        return fail("media.rtp_ports", f"{clash[0]} of {low} to {high} is another of ours", mend)
    ports = range(low + low % 2, high + 1, 2)[:RTP_PORTS_TRIED]
    taken = [port for port in ports if _refusal(socket.SOCK_DGRAM, config.sip.host, port)]
    if taken:
        text = f"{len(taken)} of the first {len(ports)} are taken, such as {taken[0]}"
        return warn("media.rtp_ports", text, "choose a range that no other program uses")
    return ok("media.rtp_ports", f"{low} to {high}, room for {there // 2} calls")


def way_to_the_gate(config: Config) -> list[Finding]:
    """Each gate that may call can reach the address we listen on."""
    gates = [ipaddress.ip_network(one, strict=False) for one in config.sip.allow]
    outside = [gate for gate in gates if not gate.is_loopback]
    if not outside:
        mend = 'add your gate: sip.allow = ["192.168.1.20"]'
        return [warn("sip.allow", "only this machine may call", mend)]
    if any(gate.prefixlen == 0 for gate in outside):
        mend = 'name the gates: sip.allow = ["192.168.1.20"]; to others give passwords: sip.users'
        return [warn("sip.allow", "everybody may call, at your expense", mend)]
    return [_way(config.sip.host, gate, config.media.advertised_address) for gate in outside]


def _way(
    host: str, gate: ipaddress.IPv4Network | ipaddress.IPv6Network, advertised: str
) -> Finding:
    name, own = f"way to {gate}", ipaddress.ip_address(host)
    if own.is_loopback:
        mend = "set sip.host to this machine's address, or to 0.0.0.0"
        return fail(name, f"sip.host is {host}: the gate cannot reach it", mend)
    face = host
    if own.is_unspecified:
        face = face_towards(Address(str(gate.network_address), 5060), "")
    if not face:
        return fail(name, "no route leads there", "check the network and the gate's address")
    if advertised:
        return ok(name, f"the gate is told to send its sound to {advertised}")
    if gate.is_global and not ipaddress.ip_address(face).is_global:
        text = f"the gate is on the internet, we are {face} behind a NAT: its sound gets lost"
        mend = "set media.advertised_address to the public address, and forward SIP and RTP ports"
        return warn(name, text, mend)
    return ok(name, f"the gate sees us as {face}")


def clock(_: Config) -> Finding:
    """The loop's clock is fine enough for a packet each 20 ms."""
    loop = new_event_loop()
    try:
        step_s = float(getattr(loop, "_clock_resolution", 0.0))
        kind = type(loop).__name__
    finally:
        loop.close()
    if step_s > CLOCK_STEP_S:
        text = f"it steps {step_s * 1000:.1f} ms on {kind}"
        return warn("clock", text, "use Python 3.13 or newer on Windows")
    return ok("clock", f"{kind}, step {step_s * 1e6:.3g} us")


def capacity(config: Config) -> Finding:
    """The loop takes as many sockets as the calls need."""
    calls = config.sip.max_calls
    if sys.platform == "win32" and calls > SELECTOR_CALLS_ON_WINDOWS:
        text = f"{calls} calls need more sockets than one process may watch on Windows"
        mend = f"set sip.max_calls to {SELECTOR_CALLS_ON_WINDOWS}; run a second gateway beside it"
        return fail("sip.max_calls", text, mend, fatal=True)
    limit = _descriptors()
    if limit is not None and calls * DESCRIPTORS_PER_CALL + DESCRIPTORS_ASIDE > limit:
        text = f"{calls} calls need more than the {limit} files that a process may open here"
        mend = f"LimitNOFILE in the unit, or ulimit -n {2 * calls * DESCRIPTORS_PER_CALL + 1024}"
        return fail("sip.max_calls", text, mend)
    return ok("sip.max_calls", f"{calls} at once")


def _descriptors() -> int | None:
    """Give how many files a process may open; None where nobody says."""
    if sys.platform == "win32":
        return None
    import resource

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if limit == resource.RLIM_INFINITY else limit


def own_code(config: Config) -> Finding:
    """Tools, hook and greetings that the settings name load, as they would at start."""
    from voicegate.planning import Planner  # loads much, as `serve` does

    try:
        Planner(config)
    except ConfigError as error:
        mend = "mend what it names, or take it out of the settings"
        return fail("tools, hook, greetings", str(error), mend, fatal=True)
    return ok("tools, hook, greetings", "all load")


def effect(config: Config) -> Finding:
    """No setting stands there without effect."""
    if found := config.unserved():
        return warn("settings", f"without effect: {', '.join(found)}", "set what they need")
    return ok("settings", "all have an effect")


def record_folder(config: Config) -> Finding:
    """The records can be written."""
    record = config.record
    wanted = {"record.cdr": Path(record.cdr).parent} if record.cdr else {}
    if record.dir:
        wanted["record.dir"] = Path(record.dir)
    free = DISK_FREE_BYTES
    for name, folder in wanted.items():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder):
                free = min(free, shutil.disk_usage(folder).free)
        except OSError as error:
            mend = f"let the account that runs voicegate write to {folder}, or set {name}"
            text = f"{name}: cannot write to {folder} ({error.strerror})"
            return fail("record.dir", text, mend, fatal=True)
    if free < DISK_FREE_BYTES:
        text = f"{free >> 20} MiB are free"
        return warn("record.dir", text, "make room, or lower record.keep_days")
    folders = ", ".join(str(folder) for folder in wanted.values())
    return ok("record.dir", f"{folders} can be written" if wanted else "nothing is kept")


def _refusal(kind: socket.SocketKind, host: str, port: int) -> str:
    """Bind and let go; give why it was refused, or nothing."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if kind is socket.SOCK_STREAM and sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or str(error)
    return ""
