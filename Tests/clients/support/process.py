"""A child process whose output is kept, that is always stopped, and that says what it printed when it fails."""

import os
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path


class Process:
    """Starts `command` with standard output and error going to files in `folder`."""

    def __init__(self, name, command, folder, env=None, cwd=None):
        self.name = name
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.stdout_path = self.folder / f"{name}.out"
        self.stderr_path = self.folder / f"{name}.err"
        self._stdout = open(self.stdout_path, "ab")
        self._stderr = open(self.stderr_path, "ab")
        self.started_at = time.monotonic()
        self.child = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=self._stdout,
            stderr=self._stderr,
            cwd=cwd,
            env=env,
            start_new_session=True,
        )

    @property
    def pid(self):
        return self.child.pid

    @property
    def running(self):
        return self.child.poll() is None

    def output(self):
        """Everything printed so far, standard output first."""
        return self.stdout_path.read_text(errors="replace") + self.stderr_path.read_text(errors="replace")

    def wait_until(self, ready, timeout, step=0.01):
        """Seconds until `ready()` was true; an error with the output if the process ends or the time is up."""
        deadline = self.started_at + timeout
        while time.monotonic() < deadline:
            if not self.running:
                raise RuntimeError(f"{self.name} ended with {self.child.returncode}:\n{self.output()[-4000:]}")
            try:
                if ready():
                    return time.monotonic() - self.started_at
            except OSError:
                pass
            time.sleep(step)
        self.stop()
        raise RuntimeError(f"{self.name} was not ready after {timeout} s:\n{self.output()[-4000:]}")

    def signal(self, number):
        os.kill(self.child.pid, number)

    @contextmanager
    def held_still(self):
        """Stopped, every thread of it, until the end of the block."""
        self.signal(signal.SIGSTOP)
        try:
            # Each stops for itself, when it has its turn.
            while set(self._states()) - {"T"}:
                time.sleep(0.001)
            yield
        finally:
            self.signal(signal.SIGCONT)

    def _states(self):
        for thread in Path(f"/proc/{self.pid}/task").iterdir():
            try:
                yield (thread / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                # It has ended.
                continue

    def wait(self, timeout=120):
        """The exit code."""
        return self.child.wait(timeout)

    def kill(self):
        """SIGKILL, as a power cut would."""
        if self.running:
            self.child.kill()
            self.child.wait()

    def stop(self, timeout=60):
        """SIGTERM, then SIGKILL if that takes too long. Returns the exit code."""
        if self.running:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(timeout)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        self._stdout.close()
        self._stderr.close()
        return self.child.returncode

    def resident_bytes(self):
        """Resident memory now, from the kernel."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    def open_files(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))
