"""Steady load on a gateway that notices everything a client would."""

import http.client
import threading
import time
from dataclasses import dataclass, field


class _Pause:
    """Lets a test hold the load between two requests, with its connections open and idle."""

    def __init__(self, load):
        self.load = load
        self.condition = threading.Condition()
        self.holding = False
        self.waiting = 0

    def wait_until_idle(self, timeout=120):
        with self.condition:
            self.holding = True
            assert self.condition.wait_for(lambda: self.waiting == self.load.threads, timeout)

    def resume(self):
        with self.condition:
            self.holding = False
            self.condition.notify_all()

    def pass_by(self):
        with self.condition:
            self.waiting += 1
            self.condition.notify_all()
            self.condition.wait_for(lambda: not self.holding, 300)
            self.waiting -= 1


@dataclass
class Load:
    """Threads that GET `path` on keep-alive connections until `stop`; every anomaly is a line in `failures`."""

    port: int
    path: str
    headers: dict
    expected: bytes
    threads: int = 4
    pause: float = 0.0
    done: int = 0
    failures: list = field(default_factory=list)

    def __post_init__(self):
        self.paused = _Pause(self)

    def __enter__(self):
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._running = [threading.Thread(target=self._run, daemon=True) for _ in range(self.threads)]
        for thread in self._running:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._stopping.set()
        for thread in self._running:
            thread.join(120)

    def wait_for(self, count, timeout=120):
        """Until that many more requests are done."""
        goal, deadline = self.done + count, time.monotonic() + timeout
        while self.done < goal:
            assert time.monotonic() < deadline, f"the load stands still after {self.done}: {self.failures[:3]}"
            time.sleep(0.01)

    def _run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        while not self._stopping.is_set():
            self.paused.pass_by()
            problem = None
            try:
                connection.request("GET", self.path, headers=self.headers)
                answer = connection.getresponse()
                body = answer.read()
                if answer.status != 200:
                    problem = f"status {answer.status}: {body[:200]!r}"
                elif body != self.expected:
                    problem = f"{len(body)} wrong bytes"
                if answer.will_close:
                    connection.close()
            except (OSError, http.client.HTTPException) as error:
                problem = repr(error)
                connection.close()
            with self._lock:
                self.done += 1
                if problem:
                    self.failures.append(problem)
            if self.pause:
                time.sleep(self.pause)
        connection.close()
