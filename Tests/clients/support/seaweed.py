"""SeaweedFS, the real S3 store behind the gateway in these tests."""

import json
import shutil
import sys
import urllib.request
from pathlib import Path

from .ports import free_port
from .process import Process


def venv_binary(name):
    """A program of the virtual environment these tests run in, or of the PATH."""
    beside = Path(sys.prefix) / "bin" / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        raise RuntimeError(f"{name} is not installed; run `Scripts/install test`")
    return found


class Seaweed:
    """One account: one store with one key pair. `restart` keeps data and port."""

    def __init__(self, name, folder, access_key, secret_key, arguments=()):
        self.name = name
        self.arguments = list(arguments)
        self.folder = Path(folder)
        self.access_key = access_key
        self.secret_key = secret_key
        self.ports = {part: free_port(also_offset=10000) for part in ("master", "volume", "filer", "s3", "admin")}
        (self.folder / "data" / "admin").mkdir(parents=True)
        identity = {
            "name": "admin",
            "credentials": [{"accessKey": access_key, "secretKey": secret_key}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        (self.folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        self.process = None

    @property
    def port(self):
        return self.ports["s3"]

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        ports = self.ports
        self.process = Process(
            f"seaweed-{self.name}",
            [
                venv_binary("weed"), "mini", f"-dir={self.folder / 'data'}",
                "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false",
                f"-master.port={ports['master']}", f"-volume.port={ports['volume']}", f"-filer.port={ports['filer']}",
                f"-s3.port={ports['s3']}", "-s3.port.iceberg=0", "-s3.port.lance=0", "-webdav=false",
                "-admin.ui=false", f"-admin.port={ports['admin']}", f"-s3.config={self.folder / 's3.json'}",
                "-s3.domainName=s3.localhost", "-filer.disableDirListing", *self.arguments,
            ],
            self.folder,
        )
        self.process.wait_until(self._healthy, timeout=180, step=0.05)
        return self

    def _healthy(self):
        with urllib.request.urlopen(self.endpoint + "/healthz", timeout=2) as answer:
            return answer.status == 200

    def stop(self):
        if self.process:
            self.process.stop()

    def kill(self):
        self.process.kill()

    def restart(self):
        self.kill()
        return self.start()
