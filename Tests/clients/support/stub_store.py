"""A store that answers exactly what a test tells it to, and remembers what it was asked."""

import socket
import struct
import threading
import time
from dataclasses import dataclass

from .ports import free_port


FIN_WAIT_1 = 4
"""The kernel's number for a connection whose end was sent and is not acknowledged."""

RESET = object()
"""As a piece of an answer: end the connection with a TCP reset."""


@dataclass
class Seen:
    method: str
    target: str
    headers: list
    body: bytes
    complete: bool
    """False if the connection ended before the body did."""

    def header(self, name):
        values = [value for field, value in self.headers if field.lower() == name.lower()]
        return values[0] if values else None

    def count(self, name):
        return sum(1 for field, _ in self.headers if field.lower() == name.lower())


def response(status=200, headers=(), body=b"", reason="OK", length=True):
    """The bytes of an answer."""
    lines = [f"HTTP/1.1 {status} {reason}"] + [f"{name}: {value}" for name, value in headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def s3_error(status, code, message="made up", reason="Error"):
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message>'
        f"<Resource>/hidden-backend-bucket/hidden-key</Resource><RequestId>upstream-id</RequestId></Error>"
    ).encode()
    return response(status, [("Content-Type", "application/xml")], body, reason)


class StubStore:
    """`answer` is bytes, or a function from Seen to bytes or to pieces of them (a generator may wait between two).

    None closes the connection without an answer.
    """

    def __init__(self, answer=None):
        self.port = free_port()
        self.answer = answer or response()
        self.seen = []
        self.connections = 0
        self.close_after_answer = False
        """Close each connection right after its first answer although it looked reusable."""
        self.keep_alive = None
        """After so many seconds without a request a connection is as good as closed: the next one finds nobody there."""
        self.early = None
        """A function from Seen to the first part of an answer, sent as soon as the head is there."""
        self.server_name = None
        """What the store says it is when the gateway asks."""
        self.probes = 0
        self._open = set()
        self.remember = True
        """Keep what was seen; a long run had better not."""
        self._stopped = False
        self._server = socket.create_server(("127.0.0.1", self.port), backlog=512)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def stop(self):
        """Nobody listens any more; connections that are open stay so until their exchange is over."""
        self._stopped = True
        try:
            # A thread that waits in accept() would keep the port open.
            self._server.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._server.close()

    def end_connections(self):
        """Ends what is open in order, as a store does that is told to stop or whose patience with it is over. Returns when
        the other side's kernel knows."""
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_WR)
                while connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == FIN_WAIT_1:
                    time.sleep(0.001)
            except OSError:
                continue

    def _accept(self):
        while not self._stopped:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._attend, args=(connection,), daemon=True).start()

    def _attend(self, connection):
        self._open.add(connection)
        try:
            self._serve(connection)
        finally:
            self._open.discard(connection)

    def _serve(self, connection):
        buffer = b""
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answered_at = None
            while True:
                while b"\r\n\r\n" not in buffer:
                    piece = self._receive(connection)
                    if not piece:
                        return
                    if self.keep_alive and answered_at and time.monotonic() - answered_at > self.keep_alive:
                        return
                    buffer += piece
                head, buffer = buffer.split(b"\r\n\r\n", 1)
                lines = head.decode("latin-1").split("\r\n")
                method, target, _ = lines[0].split(" ", 2)
                headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
                seen = Seen(method, target, headers, b"", True)
                if target == "/" and seen.header("user-agent") == "gatehouse" and not seen.header("authorization"):
                    # The gateway asks what store this is: not part of what tests look at.
                    self.connections -= 1
                    self.probes += 1
                    name = [("Server", self.server_name)] if self.server_name else []
                    connection.sendall(response(403, name, reason="Forbidden"))
                    return
                if (seen.header("expect") or "").lower() == "100-continue":
                    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                if self.early:
                    connection.sendall(self.early(seen))
                length = int(seen.header("content-length") or 0)
                while len(buffer) < length:
                    piece = self._receive(connection)
                    if not piece:
                        seen.complete = False
                        break
                    buffer += piece
                seen.body, buffer = buffer[:length], buffer[length:]
                if self.remember:
                    self.seen.append(seen)
                if not seen.complete:
                    return
                answer = self.answer(seen) if callable(self.answer) else self.answer
                if answer is None:
                    return
                try:
                    for piece in [answer] if isinstance(answer, bytes) else answer:
                        if piece is RESET:
                            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                            return
                        connection.sendall(piece)
                except OSError:
                    return
                answered_at = time.monotonic()
                if self.close_after_answer:
                    return

    @staticmethod
    def _receive(connection):
        try:
            return connection.recv(262144)
        except OSError:
            return b""
