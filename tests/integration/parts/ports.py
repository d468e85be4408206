"""Local ports for the parts that a test starts."""

import os
import random
import socket

WIDTH = 3_000
# Below the ephemeral range, in which any outgoing connection may take a port. Neighbouring processes of a run
# (`gw0`, `gw1`, …) draw from ranges of their own: between drawing and listening another could take it.
FIRST = 20_000 + WIDTH * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 4)
LAST = FIRST + WIDTH


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
