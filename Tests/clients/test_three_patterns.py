"""Examples/three-patterns, started as its users start it: who reaches whose file, in each of the three ways."""

import os
import subprocess
import time

import jwt
import pytest
import urllib3

from support.gatehouse import ROOT, binary
from support.gateways import nginx_binary
from support.ports import free_port
from support.seaweed import venv_binary

EXAMPLE = ROOT / "Examples" / "three-patterns"


class Application:
    def __init__(self, folder):
        self.folder = folder
        self.ports = {name: free_port() for name in ("PORT", "ADMIN_PORT", "GATEWAY_PORT")}
        self.ports["STORE_PORT"] = free_port(also_offset=10000)
        more = [free_port(also_offset=10000) for _ in range(3)]
        env = {
            **os.environ, **{name: str(port) for name, port in self.ports.items()},
            "STORE_PORTS": " ".join(map(str, more)), "GATEHOUSE": str(binary()), "WEED": venv_binary("weed"),
            "NGINX": nginx_binary(),
        }
        self.output = folder / "run.log"
        self.process = subprocess.Popen([EXAMPLE / "run", folder], env=env, stdout=self.output.open("w"),
                                        stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 300
        while not (folder / "ready").exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(self.output.read_text())
            time.sleep(0.1)
        self.secret = dict(line.split("=", 1) for line in (folder / "secrets").read_text().split())["TOKEN_SECRET"]
        self.http = urllib3.PoolManager(retries=urllib3.Retry(redirect=3, remove_headers_on_redirect=["Authorization"]))

    def token(self, subject, **claims):
        now = int(time.time())
        claims = {"iss": "three-patterns", "aud": "gatehouse", "sub": subject, "exp": now + 60, **claims}
        return jwt.encode(claims, self.secret, "HS256")

    def get(self, pattern, owner, subject, method="GET", token=None):
        port = self.ports["GATEWAY_PORT" if pattern == "gateway" else "PORT"]
        path = {
            "proxy": f"/api/01-backend-proxy/of/{owner}/hello.txt",
            "gateway": f"/s3/{owner}-bucket/hello.txt",
            "redirect": f"/api/03-presigned-uri/of/{owner}/hello.txt",
        }[pattern]
        token = token or (self.token(subject) if subject else None)
        headers = {"Authorization": "Bearer " + token} if token else {}
        return self.http.request(method, f"http://127.0.0.1:{port}{path}", headers=headers)

    def stop(self):
        self.process.terminate()
        self.process.wait()


@pytest.fixture(scope="module")
def application(tmp_path_factory):
    made = Application(tmp_path_factory.mktemp("three-patterns"))
    yield made
    made.stop()


@pytest.mark.parametrize("pattern", ["proxy", "gateway", "redirect"])
@pytest.mark.parametrize("subject, owner, status", [
    ("alice", "alice", 200), ("bob", "bob", 200), ("alice", "bob", 403), ("bob", "alice", 403), ("carol", "alice", 403),
    ("../alice", "alice", 403), ("*", "alice", 403), (None, "alice", 401),
])
def test_access_matrix(application, pattern, subject, owner, status):
    answer = application.get(pattern, owner, subject)
    assert answer.status == status, answer.data
    if status == 200:
        assert answer.data == f"hello from {owner}".encode()
    else:
        assert b"hello from" not in answer.data


@pytest.mark.parametrize("pattern", ["proxy", "gateway", "redirect"])
def test_a_token_of_somebody_else_is_none(application, pattern):
    now = int(time.time())
    forged = jwt.encode({"iss": "three-patterns", "aud": "gatehouse", "sub": "alice", "exp": now + 60}, "x" * 64, "HS256")
    for token in (forged, application.token("alice", aud="other"), application.token("alice", exp=now - 600)):
        assert application.get(pattern, "alice", None, token=token).status == 401


@pytest.mark.parametrize("path", ["/api/01-backend-proxy/file/hello.txt", "/api/03-presigned-uri/file/hello.txt"])
def test_the_same_path_is_everybodys_own_file(application, path):
    for subject in ("alice", "bob"):
        answer = application.http.request(
            "GET", f"http://127.0.0.1:{application.ports['PORT']}{path}",
            headers={"Authorization": "Bearer " + application.token(subject)},
        )
        assert (answer.status, answer.data) == (200, f"hello from {subject}".encode())
