"""Names under .localhost are this machine (RFC 6761, 6.3), also where the system's resolver does not know it."""

import socket


def resolve_localhost_names():
    original = socket.getaddrinfo

    def getaddrinfo(host, *arguments, **options):
        if isinstance(host, str) and host.endswith(".localhost"):
            host = "127.0.0.1"
        return original(host, *arguments, **options)

    socket.getaddrinfo = getaddrinfo
