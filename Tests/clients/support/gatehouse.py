"""The real binary, with a configuration written for it."""

import http.client
import json
import os
import time
from pathlib import Path

from .ports import free_port
from .process import Process
from .toml_text import toml_text

ROOT = Path(__file__).resolve().parents[3]


def binary():
    """What is under test: GATEHOUSE_BINARY, or the debug build, or the release build."""
    named = os.environ.get("GATEHOUSE_BINARY")
    candidates = [Path(named)] if named else [ROOT / ".build/debug/gatehouse", ROOT / ".build/release/gatehouse"]
    for candidate in candidates:
        if candidate.exists():
            return candidate
    raise RuntimeError(f"no gatehouse binary at {', '.join(map(str, candidates))}; run `swift build`")


class Gatehouse:
    """One running gateway.

    `config` is the configuration as Python values; listen addresses, log paths and state are filled in where they are
    missing. Everything it writes is below `folder`: `gatehouse.toml`, `access.log`, `audit.jsonl`, `state/`.
    """

    def __init__(self, folder, config=None, name="gatehouse", env=None, arguments=(), port=None, tls=False):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.port = port or free_port()
        self.admin_port = free_port()
        self.tls = tls
        self.env = {**{k: v for k, v in os.environ.items() if not k.startswith("AWS_")}, **(env or {})}
        self.arguments = list(arguments)
        self.config_path = self.folder / "gatehouse.toml"
        self.access_log_path = self.folder / "access.log"
        self.audit_path = self.folder / "audit.jsonl"
        self.process = None
        self.ready_after = None
        self.ready_on_admin = False
        """Where the public listener expects a PROXY preamble, readiness is asked on the admin listener."""
        self.config = config
        if config is not None:
            self.write_config(config)

    def complete(self, config):
        """The configuration with what every test gateway needs."""
        config = {key: value for key, value in config.items()}
        server = {
            "listen": f"127.0.0.1:{self.port}",
            "admin_listen": f"127.0.0.1:{self.admin_port}",
            **config.get("server", {}),
        }
        defaults = {
            "state": {"store": f"sqlite:{self.folder / 'state' / 'gatehouse.db'}"},
            "access_log": {"path": str(self.access_log_path), "format": "json"},
            "audit": {"path": str(self.audit_path)},
        }
        (self.folder / "state").mkdir(exist_ok=True)
        for section, values in defaults.items():
            config[section] = {**values, **config.get(section, {})}
        return {**{k: v for k, v in config.items() if k != "server"}, "server": server}

    def write_config(self, config):
        """Writes the file in one rename, as careful deployments do."""
        self.config = config
        text = config if isinstance(config, str) else toml_text(self.complete(config))
        temporary = self.config_path.with_suffix(".new")
        temporary.write_text(text)
        temporary.rename(self.config_path)

    def launch(self):
        """Starts the process without waiting for anything."""
        command = [binary(), "serve"]
        if self.config is not None:
            command += ["--config", self.config_path]
        self.process = Process(self.name, command + self.arguments, self.folder, env=self.env, cwd=self.folder)
        return self

    def start(self, timeout=120):
        self.launch()
        port = self.admin_port if self.ready_on_admin else None
        self.ready_after = self.process.wait_until(lambda: self.status_of("/-/ready", port) == 200, timeout)
        self.process.wait_until(lambda: self.status_of("/-/ready", self.admin_port) == 200, timeout)
        return self

    def connection(self, timeout=120):
        if self.tls:
            import ssl

            context = ssl.create_default_context(cafile=str(self.tls))
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def status_of(self, path, port=None):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5) if port else self.connection(5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()

    def request(self, method, path, headers=None, body=None, timeout=120, admin=False):
        """One request on a connection of its own; the answer with `.status`, `.headers`, `.body`."""
        connection = (
            http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=timeout)
            if admin else self.connection(timeout)
        )
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    @property
    def endpoint(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def admin_endpoint(self):
        return f"http://127.0.0.1:{self.admin_port}"

    def metrics(self):
        return self.request("GET", "/metrics", admin=True).body.decode()

    def metric(self, name, **labels):
        """The sum of the samples with that name and those labels."""
        total = 0.0
        for line in self.metrics().splitlines():
            if not line.startswith(name) or line[len(name):len(name) + 1] not in ("{", " "):
                continue
            if all(f'{label}="{value}"' in line for label, value in labels.items()):
                total += float(line.rsplit(" ", 1)[1])
        return total

    def access_log(self):
        return lines_of(self.access_log_path)

    def audit_log(self):
        return lines_of(self.audit_path)

    def everything_written(self):
        """All output and every log, as one text: what must hold no secret."""
        parts = [self.process.output()]
        for path in sorted(self.folder.glob("*.log*")) + sorted(self.folder.glob("audit.jsonl*")):
            parts.append(path.read_text(errors="replace"))
        return "\n".join(parts)

    def stop(self, timeout=60):
        return self.process.stop(timeout) if self.process else None


def lines_of(path):
    """What the whole lines of a log say; the last may be under way."""
    whole = path.read_text().rpartition("\n")[0] if path.exists() else ""
    return [json.loads(line) for line in whole.split("\n") if line.strip()]


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode(errors="replace")

    @property
    def s3_code(self):
        """The error code, whether the answer is XML or JSON."""
        text = self.text
        if text.lstrip().startswith("{"):
            return self.json()["error"]["code"]
        if "<Code>" in text:
            return text.split("<Code>", 1)[1].split("</Code>", 1)[0]
        return None

    def __repr__(self):
        return f"<{self.status} {self.s3_code} {self.text[:300]!r}>"


def eventually(question, timeout=120, step=0.02):
    """Asks until the answer is true; returns the last answer. Only what never comes true takes the whole time."""
    deadline = time.monotonic() + timeout
    while True:
        answer = question()
        if answer or time.monotonic() > deadline:
            return answer
        time.sleep(step)
