"""Local ports for the parts that a test starts."""

import random
import socket

FIRST, LAST = 20_000, 32_000  # below the ephemeral range, in which any outgoing connection may take a port


def free_ports(count: int = 1) -> int:
    """The first of `count` neighbouring ports on 127.0.0.1 that nobody listens on.

    Drawn at random, so that runs on one machine at one time seldom meet.
    """
    for first in random.sample(range(FIRST, LAST), 200):
        if all(_is_free(port) for port in range(first, first + count)):
            return first
    raise AssertionError(f"no {count} free ports between {FIRST} and {LAST}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
