"""Free ports: a block of neighbours, below those that the system gives away by itself."""

import random
import socket

LOWEST, HIGHEST = 15_000, 32_000
TRIES = 200
HOST = "127.0.0.1"


def free_block(size: int) -> int:
    """Give the even first port of `size` neighbours, each free for UDP and TCP on loopback.

    Raises OSError where there are none. Two jobs on one machine start at random places.
    """
    chance = random.SystemRandom()
    for _ in range(TRIES):
        low = chance.randrange(LOWEST, HIGHEST - size, 2)
        if all(_is_free(port) for port in range(low, low + size)):
            return low
    raise OSError(f"no {size} free ports in a row between {LOWEST} and {HIGHEST}")


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                return False
    return True
