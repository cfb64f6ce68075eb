"""Kamailio as the stand-in for a real gate: a registrar and proxy that asks for a password."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ci.interop_job.ports import HOST, free_block
from ci.interop_job.tools import running

USER = "100"
PASSWORD = "a small secret"
NUMBER = "1000"
MODULES = (
    *("tm", "tmx", "sl", "rr", "pv", "xlog", "maxfwd", "textops", "siputils"),
    *("auth", "usrloc", "registrar"),
)
RELAYED = "relayed INVITE of"
"""What its log says of each call that it sends to the gateway."""

CONFIG = """\
# no database, no shared state: one user, one number, one gateway
debug=1
log_stderror=yes
children=2
auto_aliases=no
listen=udp:{host}:{port}
listen=tcp:{host}:{port}

{modules}
modparam("usrloc", "db_mode", 0)
modparam("rr", "enable_full_lr", 1)
modparam("auth", "algorithm", "{algorithm}")
modparam("auth", "nonce_expire", 300)

request_route {{
    if (!mf_process_maxfwd_header("10")) {{
        sl_send_reply("483", "Too Many Hops");
        exit;
    }}
    if (is_method("CANCEL")) {{
        if (t_check_trans()) t_relay();
        exit;
    }}
    if (!is_method("ACK")) {{
        if (t_precheck_trans()) {{
            t_check_trans();
            exit;
        }}
        t_check_trans();
    }}
    if (has_totag()) {{
        if (loose_route()) t_relay();
        else if (is_method("ACK")) {{
            if (t_check_trans()) t_relay();
        }}
        else sl_send_reply("404", "Not Here");
        exit;
    }}
    # so that who asks hears the gateway, and the connection to it is there before the first call
    if (is_method("OPTIONS")) {{
        $ru = "sip:{number}@{host}:{gateway_port};transport={transport}";
        t_relay();
        exit;
    }}
    if (is_method("REGISTER")) {{
        if ($au != "{user}" || !pv_www_authenticate("$td", "{password}", "0")) {{
            www_challenge("$td", "1");
            exit;
        }}
        save("location");
        exit;
    }}
    if (!is_method("INVITE")) {{
        sl_send_reply("405", "Method Not Allowed");
        exit;
    }}
    if ($au != "{user}" || !pv_proxy_authenticate("$fd", "{password}", "0")) {{
        proxy_challenge("$fd", "1");
        exit;
    }}
    consume_credentials();
    if ($rU != "{number}") {{
        sl_send_reply("404", "No Such Number");
        exit;
    }}
    record_route();
    $ru = "sip:{number}@{host}:{gateway_port};transport={transport}";
    xlog("L_NOTICE", "{relayed} $au\\n");
    t_relay();
}}
"""


class RunningKamailio:
    """One proxy: where it listens, what it has said."""

    def __init__(self, port: int, log_file: Path) -> None:
        self.port = port
        self._log_file = log_file

    def log_lines(self) -> list[str]:
        """Give what it has said up to now."""
        return self._log_file.read_text(encoding="utf-8", errors="replace").splitlines()

    def relayed(self) -> int:
        """Count the calls that it sent to the gateway."""
        return sum(RELAYED in line for line in self.log_lines())

    def faults(self) -> list[str]:
        """Give its lines that tell of errors."""
        words = ("ERROR", "CRITICAL", "BUG")
        return [line[:300] for line in self.log_lines() if any(word in line for word in words)]


@asynccontextmanager
async def open_kamailio(
    program: str, folder: Path, gateway_port: int, algorithm: str, transport: str = "udp"
) -> AsyncIterator[RunningKamailio]:
    """Run it in the foreground on a free port, with a run folder of its own; gone at the end.

    `transport` is the one by which it reaches the gateway."""
    port = free_block(2)
    config = _written(folder, configuration(port, gateway_port, algorithm, transport))
    log_file = folder / "kamailio.log"
    # absolute paths: with -DD it may change its folder
    command = (program, "-f", str(config), "-DD", "-E", "-Y", str(folder), "-w", str(folder))
    async with running((*command, "-m", "16", "-M", "4"), log_file, folder=folder):
        yield RunningKamailio(port, log_file)


def _written(folder: Path, text: str) -> Path:
    folder.mkdir()
    config = folder / "kamailio.cfg"
    config.write_text(text, encoding="ascii")
    return config


def configuration(port: int, gateway_port: int, algorithm: str, transport: str = "udp") -> str:
    """Give the configuration; `algorithm` is MD5 or SHA-256."""
    return CONFIG.format(
        host=HOST,
        port=port,
        modules="\n".join(f'loadmodule "{name}.so"' for name in MODULES),
        algorithm=algorithm,
        user=USER,
        password=PASSWORD,
        number=NUMBER,
        gateway_port=gateway_port,
        transport=transport,
        relayed=RELAYED,
    )
