"""A TCP proxy that misbehaves on demand, between the gateway and a store or between a client and the gateway."""

import asyncio
import socket
import struct
import threading
from dataclasses import dataclass

from .ports import free_port


@dataclass
class Behaviour:
    """What the proxy does to connections from now on. Bytes and positions count from the upstream's first byte."""

    latency: float = 0.0
    """Seconds that each piece waits, in both directions."""
    rate: float = 0.0
    """Bytes per second towards the downstream side; 0 is unlimited."""
    reset_after: int = -1
    """Send a TCP reset downstream once that many bytes went that way."""
    close_after: int = -1
    """The same with an orderly close."""
    reset_upload_after: int = -1
    """Send a TCP reset downstream once that many bytes came from it."""
    hang: bool = False
    """Accept, read, never answer."""
    stop_reading: bool = False
    """Leave what the downstream side sends in the kernel's buffers."""
    refuse: bool = False
    """Reset every new connection at once."""
    corrupt_at: int = -1
    """Flip one bit of the byte at that position on the way downstream."""


class FaultProxy:
    """Listens on `port`, forwards to `upstream_port`. Runs on a thread of its own until `stop`."""

    def __init__(self, upstream_port):
        self.upstream_port = upstream_port
        self.port = free_port()
        self.behaviour = Behaviour()
        self.accepted = 0
        self.downstream_closed = 0
        """Connections that the downstream side closed or reset first."""
        self.bytes_down = 0
        self.bytes_up = 0
        self._open = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def open_connections(self):
        return len(self._open)

    def behave(self, **changes):
        self.behaviour = Behaviour(**changes)

    def start(self):
        started = threading.Event()
        self._started = started
        self._thread.start()
        if not started.wait(120):
            raise RuntimeError("fault proxy did not start")
        return self

    def stop(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(120)

    def drop_connections(self):
        """Closes everything open now, as a store's idle timeout or restart does."""
        self._call(lambda: [writer.close() for pair in list(self._open) for writer in pair])

    def reset_connections(self):
        self._call(lambda: [self._reset(writer) for pair in list(self._open) for writer in pair])

    def _call(self, action):
        done = threading.Event()

        def perform():
            action()
            done.set()

        self._loop.call_soon_threadsafe(perform)
        done.wait(120)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=1024, limit=65536)
        )
        self._loop.call_soon(self._started.set)
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    @staticmethod
    def _reset(writer):
        raw = writer.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async def _serve(self, reader, writer):
        self.accepted += 1
        behaviour = self.behaviour
        if behaviour.refuse:
            self._reset(writer)
            return
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream_port, limit=65536)
        except OSError:
            self._reset(writer)
            return
        pair = (writer, up_writer)
        self._open.add(pair)
        try:
            await asyncio.gather(
                self._pump_up(reader, writer, up_writer), self._pump_down(up_reader, writer, up_writer)
            )
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(pair)
            for each in pair:
                each.close()

    async def _pump_up(self, reader, writer, up_writer):
        seen = 0
        while True:
            while self.behaviour.stop_reading and not reader.at_eof():
                await asyncio.sleep(0.05)
            try:
                piece = await reader.read(65536)
            except OSError:
                piece = b""
            if not piece:
                self.downstream_closed += 1
                up_writer.close()
                return
            behaviour = self.behaviour
            if behaviour.latency:
                await asyncio.sleep(behaviour.latency)
            seen += len(piece)
            self.bytes_up += len(piece)
            if 0 <= behaviour.reset_upload_after <= seen:
                self._reset(writer)
                up_writer.close()
                return
            if behaviour.hang:
                continue
            up_writer.write(piece)
            await up_writer.drain()

    async def _pump_down(self, up_reader, writer, up_writer):
        seen = 0
        while True:
            behaviour = self.behaviour
            piece = await up_reader.read(min(65536, max(1, int(behaviour.rate / 20))) if behaviour.rate else 65536)
            if not piece:
                writer.close()
                return
            behaviour = self.behaviour
            if behaviour.latency:
                await asyncio.sleep(behaviour.latency)
            if seen <= behaviour.corrupt_at < seen + len(piece):
                at = behaviour.corrupt_at - seen
                piece = piece[:at] + bytes([piece[at] ^ 0x01]) + piece[at + 1:]
            for limit, cut in ((behaviour.reset_after, self._reset), (behaviour.close_after, lambda w: w.close())):
                if 0 <= limit <= seen + len(piece):
                    writer.write(piece[: limit - seen])
                    await writer.drain()
                    await asyncio.sleep(0.05)
                    cut(writer)
                    up_writer.close()
                    return
            seen += len(piece)
            self.bytes_down += len(piece)
            writer.write(piece)
            await writer.drain()
            if behaviour.rate:
                await asyncio.sleep(len(piece) / behaviour.rate)
