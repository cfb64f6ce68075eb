"""The UDP sockets of the shell."""

from __future__ import annotations

import ipaddress
import socket

from voicegate.sip.message import Address
from voicegate.windows import disable_udp_connreset

RECEIVE_BUFFER_BYTES = 1 << 20
"""Linux gives room for some 256 small datagrams by default: a burst of calls is more."""


def face_towards(peer: Address, otherwise: str) -> str:
    """Our address as a peer sees it: a connected UDP socket tells, without sending a packet.

    `otherwise` where there is no way to that peer.
    """
    family = socket.AF_INET6 if ":" in peer.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((peer.host, peer.port or 9))
        except OSError:
            return otherwise
        return str(probe.getsockname()[0])


def open_udp_socket(host: str, port: int) -> socket.socket:
    """A bound, non-blocking UDP socket with room for a burst of calls.

    ValueError for a host that is no address (nothing is looked up), OSError if taken.
    """
    address = ipaddress.ip_address(host)
    sock = socket.socket(
        socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_DGRAM
    )
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        sock.bind((host, port))
        sock.setblocking(False)
        disable_udp_connreset(sock)
    except OSError:
        sock.close()
        raise
    return sock
