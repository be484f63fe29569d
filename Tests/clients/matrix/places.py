"""Where the matrix runs: at a store directly, at the same store through Gatehouse, at the embedded store."""

import os
import re
import ssl
from dataclasses import dataclass
from pathlib import Path

from support.clients import run
from support.seaweed import venv_binary


@dataclass(frozen=True)
class Place:
    """A bucket behind an endpoint, and a folder for what a case writes to disk."""

    name: str
    scheme: str
    port: int
    bucket: str
    access_key: str
    secret_key: str
    authority: Path
    folder: Path

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    @property
    def endpoint(self):
        return f"{self.scheme}://{self.host}"

    @property
    def tls(self):
        return ssl.create_default_context(cafile=str(self.authority))

    def url(self, key=""):
        return f"{self.endpoint}/{self.bucket}/{key}"

    def neutral(self, value):
        """The same value with what differs by place named alike, so that answers can be compared."""
        if isinstance(value, dict):
            return {self.neutral(key): self.neutral(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.neutral(item) for item in value]
        if isinstance(value, str):
            value = value.replace(self.endpoint, "ENDPOINT").replace(self.host, "HOST")
            value = value.replace(str(self.folder), "FOLDER")
            return re.sub(rf"\b{re.escape(self.bucket)}\b", "BUCKET", value)
        return value

    def environment(self):
        """For command-line tools: credentials and a home of their own, everything else as installed."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CA_BUNDLE": str(self.authority),
            "HOME": str(self.folder),
        }

    def tool(self, name, *arguments):
        """What a tool of the virtual environment says; a failure is a failure of the case."""
        done = run([venv_binary(name), "--endpoint-url", self.endpoint, *arguments], self.environment())
        if done.returncode != 0:
            raise ToolFailed(name, done.returncode, done.stdout + done.stderr)
        return done.stdout


class ToolFailed(Exception):
    """A tool's exit code, with the first S3 error code that it printed."""

    def __init__(self, tool, code, output):
        found = re.search(r"\((\w+)\) when calling|status code: (\d+)|(\w+): The ", output)
        word = next((group for group in found.groups() if group), "") if found else output.strip()[-200:]
        super().__init__(f"{tool} exit {code} {word}".strip())
