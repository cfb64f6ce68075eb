"""The sockets of the shell."""

from __future__ import annotations

import socket

import pytest

from voicegate.sip.headers import Address
from voicegate.sip.udp import face_towards, open_udp_socket


def test_a_socket_is_bound_does_not_block_and_has_room() -> None:
    with open_udp_socket("127.0.0.1", 0) as sock:
        assert sock.getsockname()[0] == "127.0.0.1"
        assert not sock.getblocking()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
            default = plain.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) >= default


def test_names_are_not_looked_up() -> None:
    with pytest.raises(ValueError, match="localhost"):
        open_udp_socket("localhost", 0)


def test_a_port_that_is_taken_raises_and_leaves_no_socket() -> None:
    with (
        open_udp_socket("127.0.0.1", 0) as sock,
        pytest.raises(OSError, match=r"in use|permitted"),
    ):
        open_udp_socket("127.0.0.1", sock.getsockname()[1])


def test_our_face_depends_on_the_peer() -> None:
    assert face_towards(Address("127.0.0.1", 5060), "otherwise") == "127.0.0.1"
    assert face_towards(Address("255.255.255.255", 0), "otherwise") == "otherwise"
