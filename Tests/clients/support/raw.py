"""HTTP as bytes, for what no well-behaved client sends."""

import socket
import time
from pathlib import Path


class RawConnection:
    def __init__(self, port, timeout=120, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", port))
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def request(self, method, target, headers=(), body=b""):
        pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
        names = {name.lower() for name, _ in pairs}
        if "host" not in names:
            pairs.insert(0, ("Host", "127.0.0.1"))
        if body and "content-length" not in names and "transfer-encoding" not in names:
            pairs.append(("Content-Length", str(len(body))))
        head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in pairs) + "\r\n"
        self.send(head.encode("latin-1") + body)
        return self

    def _more(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError("closed")
        self.buffer += piece

    def head(self):
        """(status, {lower-case name: value}) of the next head."""
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        fields = dict((part.strip() for part in line.split(":", 1)) for line in lines[1:])
        return int(lines[0].split()[1]), {name.lower(): value for name, value in fields.items()}

    def answer(self, method="GET"):
        """(status, headers, body) of the next final answer; 1xx heads are passed over."""
        while True:
            status, headers = self.head()
            if status >= 200:
                break
        if method == "HEAD" or status in (204, 304):
            return status, headers, b""
        length = headers.get("content-length")
        if length is None:
            return status, headers, self.rest()
        while len(self.buffer) < int(length):
            self._more()
        body, self.buffer = self.buffer[: int(length)], self.buffer[int(length):]
        return status, headers, body

    def rest(self):
        """Everything until the other side closes."""
        try:
            while True:
                self._more()
        except ConnectionError:
            pass
        rest, self.buffer = self.buffer, b""
        return rest

    def is_closed(self, within=120):
        """Whether the other side closes in time."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            self.socket.settimeout(max(0.05, deadline - time.monotonic()))
            try:
                if not self.socket.recv(65536):
                    return True
            except socket.timeout:
                return False
            except OSError:
                return True
        return False


def unread_bytes(port):
    """What the kernel has received on connections to `port` and nobody there has read."""
    here = f"0100007F:{port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    # Established ones; a listener's column counts connections.
    return sum(int(row[4].split(":")[1], 16) for row in rows if row[1] == here and row[3] == "01")
