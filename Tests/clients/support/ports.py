"""Free TCP ports on loopback."""

import random
import socket

_handed_out = set()


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(also_offset=0):
    """A port that nobody listens on and that was not handed out before in this run.

    Below the ephemeral range, so that no outgoing connection takes it meanwhile. With `also_offset`, the port that
    many higher is free too (SeaweedFS puts each gRPC port 10000 above).
    """
    for _ in range(2000):
        port = random.randint(12000, 21500)
        if port in _handed_out:
            continue
        if is_free(port) and (not also_offset or is_free(port + also_offset)):
            _handed_out.add(port)
            return port
    raise RuntimeError("no free port found")
