"""Free TCP ports on loopback."""

import random
import socket

BLOCK = 500
"""Ports are handed out of blocks that belong to one process each: whoever runs tests beside it takes none of them."""
BLOCKS = range(12000, 22000, BLOCK)
"""Below the ephemeral range, so that no outgoing connection takes one meanwhile; what is 10000 higher is too."""

_guards = []
_mine = []
_left = []


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _more():
    """The ports of a block that no other process has: whose first port is bound here, and stays so. Where there is none,
    those that were handed out once already."""
    for first in random.sample(BLOCKS, len(BLOCKS)):
        guard = socket.socket()
        try:
            guard.bind(("127.0.0.1", first))
        except OSError:
            guard.close()
            continue
        _guards.append(guard)
        _mine.extend(range(first + 1, first + BLOCK))
        return _mine[1 - BLOCK:]
    if not _mine:
        raise RuntimeError("no ports are left: too many tests run at once")
    return list(_mine)


def free_port(also_offset=0):
    """A port that nobody listens on, and one that was not handed out before in this run as long as there are such.

    With `also_offset`, the port that many higher is free too (SeaweedFS puts each gRPC port 10000 above).
    """
    while True:
        if not _left:
            _left.extend(_more())
        port = _left.pop()
        if is_free(port) and (not also_offset or is_free(port + also_offset)):
            return port
