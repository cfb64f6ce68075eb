"""The texts that make voicegate a service: WinSW or NSSM on Windows, systemd elsewhere. Pure.

A service wrapper starts it, restarts it after a failure, sends Ctrl+C or SIGTERM to stop it and
waits longer than the drain. Facts: docs/windows.md.
"""

import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from xml.sax.saxutils import escape

from voicegate.config import Config

NAME = "voicegate"
MARGIN_S = 15
"""A stop may take so much longer than the drain: our BYEs, the model's slow close."""
RESTART_S = 5
USAGE_EXIT = 2
WINDOWS_FOLDER = PureWindowsPath("C:/voicegate")
POSIX_FOLDER = PurePosixPath("/etc/voicegate")
SETTINGS = "voicegate.toml"
STATE_FOLDER = PurePosixPath("/var/lib") / NAME
"""systemd makes it, and gives it to the account of the service, whichever number that has."""
MAKE_WRITABLE = f"the service's account may not write there; take a folder in {STATE_FOLDER}"


@dataclass(frozen=True)
class Installed:
    """Where it stands on the host that the text is for."""

    program: str
    """Path of the voicegate program."""
    config: str
    """Path of the settings file."""


def place(*, windows: bool, config: Path | None) -> Installed:
    """Where this installation stands, if the text is for this system; else where it might."""
    here = windows is (sys.platform == "win32")
    program = Path(sys.executable).with_name("voicegate.exe" if windows else "voicegate")
    if windows and not here:
        named = config or WINDOWS_FOLDER / SETTINGS
        return Installed(str(WINDOWS_FOLDER / ".venv" / "Scripts" / "voicegate.exe"), str(named))
    folder = WINDOWS_FOLDER if windows else POSIX_FOLDER
    return Installed(str(program), str(config.resolve() if config else folder / SETTINGS))


def stop_timeout_s(config: Config) -> int:
    """How long a wrapper must wait for the end before it kills."""
    return round(config.call.drain_limit_s) + MARGIN_S


def winsw_xml(config: Config, place: Installed) -> str:
    """The XML of a WinSW service (github.com/winsw/winsw, version 2 or 3)."""
    folder = str(PureWindowsPath(place.config).parent)
    return f"""\
<service>
  <id>{NAME}</id>
  <name>voicegate</name>
  <description>Carries telephone calls to Gemini Live.</description>
  <executable>{escape(place.program)}</executable>
  <arguments>serve --config "{escape(place.config)}"</arguments>
  <workingdirectory>{escape(folder)}</workingdirectory>
  <env name="PYTHONUTF8" value="1"/>
  <startmode>Automatic</startmode>
  <onfailure action="restart" delay="{RESTART_S} sec"/>
  <resetfailure>1 hour</resetfailure>
  <stoptimeout>{stop_timeout_s(config)} sec</stoptimeout>
  <logpath>{escape(folder)}\\logs</logpath>
  <log mode="roll-by-time">
    <pattern>yyyyMMdd</pattern>
  </log>
</service>
"""


def nssm_lines(config: Config, place: Installed) -> str:
    """The same service as commands for NSSM (nssm.cc)."""
    folder = str(PureWindowsPath(place.config).parent)
    settings = (
        ("AppDirectory", f'"{folder}"'),
        ("AppEnvironmentExtra", "PYTHONUTF8=1"),
        ("AppStdout", f'"{folder}\\logs\\voicegate.out.log"'),
        ("AppStderr", f'"{folder}\\logs\\voicegate.log"'),
        ("AppRotateFiles", "1"),
        ("AppRotateOnline", "1"),
        ("AppRotateSeconds", "86400"),
        ("AppStopMethodConsole", str(stop_timeout_s(config) * 1000)),
        ("AppExit", "Default Restart"),
        ("AppExit", f"{USAGE_EXIT} Exit"),
        ("AppRestartDelay", str(RESTART_S * 1000)),
        ("Start", "SERVICE_AUTO_START"),
    )
    lines = [f'nssm install {NAME} "{place.program}" serve --config "\\"{place.config}\\""']
    lines += [f"nssm set {NAME} {key} {value}" for key, value in settings]
    return "\n".join(lines) + "\n"


def windows_steps(config: Config, place: Installed) -> str:
    """What is to be done around the service, as commands for an administrator's prompt."""
    folder = str(PureWindowsPath(place.config).parent)
    steps = (
        "1. Let nobody else read the settings (they hold the key):",
        f'   icacls "{place.config}" /inheritance:r /grant:r SYSTEM:R Administrators:F',
        "2. Open the firewall for the gate alone:",
        *(f"   {line}" for line in firewall_lines(config)),
        "3. Put WinSW beside the settings as voicegate-service.exe, and the XML with it:",
        f'   voicegate service windows > "{folder}\\voicegate-service.xml"',
        f'   "{folder}\\voicegate-service.exe" install',
        f'   "{folder}\\voicegate-service.exe" start',
        "   Without WinSW: voicegate service windows --with nssm",
        "4. See that it works:",
        f'   "{place.program}" check --config "{place.config}"',
    )
    return "\n".join(steps) + "\n"


def firewall_lines(config: Config) -> list[str]:
    """One rule for SIP and one for RTP, open to the addresses of sip.allow alone."""
    low, high = config.media.rtp_ports
    remote = ",".join(one for one in config.sip.allow if not one.startswith("127."))
    rows = (("SIP", str(config.sip.port)), ("RTP", f"{low}-{high + 1}"))
    return [
        f'netsh advfirewall firewall add rule name="voicegate {what}" dir=in action=allow'
        f" protocol=UDP localport={ports} remoteip={remote or 'ADDRESS-OF-THE-GATE'}"
        for what, ports in rows
    ]


def systemd_unit(config: Config, place: Installed) -> str:
    """A unit for /etc/systemd/system/voicegate.service."""
    folder = str(PurePosixPath(place.config).parent)
    # "-": a folder that is not there must not keep the service from its own words about it
    writable = "".join(f"ReadWritePaths=-{one}\n" for one in _elsewhere(config))
    return f"""\
[Unit]
Description=voicegate: carries telephone calls to Gemini Live
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
ExecStart="{place.program}" serve --config "{place.config}"
ExecReload=/bin/kill -HUP $MAINPID
WorkingDirectory={folder}
EnvironmentFile=-{folder}/voicegate.env
Restart=on-failure
RestartSec={RESTART_S}
RestartPreventExitStatus={USAGE_EXIT}
KillSignal=SIGTERM
TimeoutStopSec={stop_timeout_s(config)}
LimitNOFILE=8192
DynamicUser=yes
StateDirectory={NAME}
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
{writable}
[Install]
WantedBy=multi-user.target
"""


def _elsewhere(config: Config) -> list[PurePosixPath]:
    """Folders to write to that the unit does not make itself and give to its account."""
    record = config.record
    cdr = PurePosixPath(record.cdr).parent if record.cdr else None
    named = [PurePosixPath(record.dir) if record.dir else None, cdr]
    absolute = {one: None for one in named if one is not None and one.is_absolute()}
    return [one for one in absolute if not one.is_relative_to(STATE_FOLDER)]


def systemd_steps(config: Config, place: Installed) -> str:
    """What is to be done with the unit."""
    folder = PurePosixPath(place.config).parent
    closed = "".join(f"5. {one}: {MAKE_WRITABLE}\n" for one in _elsewhere(config))
    return f"""\
1. Keep the key where only root reads it: {folder}/voicegate.env, mode 600, GEMINI_API_KEY=...
2. voicegate service systemd > /etc/systemd/system/voicegate.service
3. systemctl daemon-reload && systemctl enable --now voicegate
4. See that it works: {place.program} check --config {place.config}
{closed}"""
