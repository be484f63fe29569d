"""`gatehouse serve` with nothing at all: a working store, and one that forgets nothing."""

import hashlib
import json
import os
import random
import signal
import stat
import threading
import time

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, HTTPClientError

from support.clients import CommandLine, s3_client
from support.gatehouse import Gatehouse, eventually


class EmbeddedDefault(Gatehouse):
    """The quick start: no configuration, only addresses and a data folder."""

    def __init__(self, folder):
        super().__init__(folder)
        self.data = self.folder / "data"
        self.arguments = [
            "--listen", f"127.0.0.1:{self.port}", "--admin-listen", f"127.0.0.1:{self.admin_port}",
            "--data", str(self.data),
        ]

    @property
    def credentials(self):
        return json.loads((self.data / ".gatehouse" / "credentials.json").read_text())

    def s3(self, **options):
        given = self.credentials
        return s3_client(given["endpoint"], given["access_key_id"], given["secret_access_key"], **options)


@pytest.fixture
def default(tmp_path):
    gate = EmbeddedDefault(tmp_path / "embedded")
    yield gate.start()
    gate.stop()


def test_quick_start_gives_a_bucket_and_credentials(default):
    path = default.data / ".gatehouse" / "credentials.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    given = default.credentials
    assert set(given) >= {"endpoint", "bucket", "access_key_id", "secret_access_key", "api_key"}
    assert given["endpoint"] == default.endpoint and given["bucket"] == "demo"
    s3 = default.s3()
    s3.put_object(Bucket="demo", Key="hello.txt", Body=b"hello")
    assert s3.get_object(Bucket="demo", Key="hello.txt")["Body"].read() == b"hello"
    answer = default.request("GET", "/demo/hello.txt", {"x-api-key": given["api_key"]})
    assert (answer.status, answer.body) == (200, b"hello")
    assert default.request("GET", "/demo/hello.txt").status == 403


def test_printed_lines_can_be_pasted(default):
    """What it prints for aws and curl works as it stands in a shell."""
    import subprocess

    from support.seaweed import venv_binary

    eventually(lambda: "Ctrl-C" in default.process.output())
    text = default.process.output()
    lines = [line.strip().removeprefix("$ ") for line in text.splitlines()]
    pasted = [line for line in lines if line.startswith(("export ", "aws ", "curl "))]
    assert any(line.startswith("aws ") for line in pasted) and any(line.startswith("curl ") for line in pasted), text
    assert default.credentials["endpoint"] in text
    (default.folder / "README.md").write_text("read me\n")
    environment = {
        **default.env, "PATH": os.path.dirname(venv_binary("aws")) + ":" + os.environ["PATH"],
        "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(default.folder),
    }
    done = subprocess.run(
        ["bash", "-e", "-c", "\n".join(pasted)], env=environment, cwd=default.folder, capture_output=True, text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "README.md" in done.stdout and "read me" in done.stdout and "<Error>" not in done.stdout


@pytest.mark.parametrize("name", ['with "quotes"', "back\\slash", "tab\there", "uml\u00e4ut #1"])
def test_folder_may_have_any_name(tmp_path, name):
    gate = EmbeddedDefault(tmp_path / "embedded")
    gate.data = gate.folder / name
    gate.arguments[-1] = str(gate.data)
    try:
        gate.start()
        gate.s3().put_object(Bucket="demo", Key="kept", Body=b"kept")
        assert (gate.data / ".gatehouse" / "gatehouse.db").exists() and (gate.data / "index.sqlite").exists()
    finally:
        gate.stop()


def test_credentials_and_objects_are_the_same_after_a_restart(default):
    default.s3().put_object(Bucket="demo", Key="kept", Body=b"kept", Metadata={"a": "b"})
    before = default.credentials
    default.stop()
    default.start()
    assert default.credentials == before
    got = default.s3().get_object(Bucket="demo", Key="kept")
    assert (got["Body"].read(), got["Metadata"]) == (b"kept", {"a": "b"})


def test_aws_cli_on_the_quick_start(default, tmp_path):
    given = default.credentials
    cli = CommandLine(given["endpoint"], given["access_key_id"], given["secret_access_key"], tmp_path)
    (tmp_path / "file").write_bytes(os.urandom(100_000))
    cli.aws("s3", "cp", str(tmp_path / "file"), "s3://demo/folder/file")
    assert "folder/file" in cli.aws("s3", "ls", "--recursive", "s3://demo/").stdout
    cli.aws("s3", "cp", "s3://demo/folder/file", str(tmp_path / "back"))
    assert (tmp_path / "file").read_bytes() == (tmp_path / "back").read_bytes()


@pytest.mark.parametrize("path", [
    "/demo/../../etc/passwd", "/demo/%2e%2e/%2e%2e/etc/passwd", "/demo/..%2f..%2fetc%2fpasswd",
    "/demo/.gatehouse/../x", "/demo/a/%2e%2e/%2e%2e/x",
])
def test_traversal_is_impossible(default, path):
    from support.raw import RawConnection

    with RawConnection(default.port) as connection:
        status, _, body = connection.request("GET", path, {"x-api-key": default.credentials["api_key"]}).answer()
    assert status == 400 and b"root:" not in body


def test_private_files_of_the_gateway_are_no_objects(default):
    headers = {"x-api-key": default.credentials["api_key"]}
    for path in ("/.gatehouse/credentials.json", "/demo/.gatehouse/credentials.json",
                 "/%2egatehouse/credentials.json"):
        answer = default.request("GET", path, headers)
        assert answer.status >= 400 and default.credentials["secret_access_key"] not in answer.text


@pytest.mark.slow
def test_kill_at_any_instant_loses_nothing_acknowledged_and_shows_nothing_partial(default):
    """Writers of small, large and multipart objects; SIGKILL in the middle; again and again on the same data."""
    chance = random.Random(20130524)
    acknowledged, attempted, lock = {}, {}, threading.Lock()

    def write(round_, worker, stopping):
        s3, n = default.s3(), 0
        while not stopping.is_set():
            n += 1
            key = f"r{round_}/w{worker}/{n % 9}"
            body = os.urandom(chance.choice([1, 500, 5_000, 70_000, 900_000]))
            digest = hashlib.md5(body).hexdigest()
            with lock:
                attempted.setdefault(key, set()).add(digest)
            try:
                if worker == 0 and n % 3 == 0:
                    upload = s3.create_multipart_upload(Bucket="demo", Key=key)["UploadId"]
                    where = {"Bucket": "demo", "Key": key, "UploadId": upload}
                    part = s3.upload_part(**where, PartNumber=1, Body=body)
                    s3.complete_multipart_upload(
                        **where, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
                    )
                else:
                    s3.put_object(Bucket="demo", Key=key, Body=body)
            except (ClientError, EndpointConnectionError, HTTPClientError, OSError):
                return
            with lock:
                acknowledged[key] = digest
                # From here on only this version or a later one may be seen.
                attempted[key] = {digest}

    for round_ in range(4):
        stopping = threading.Event()
        writers = [threading.Thread(target=write, args=(round_, worker, stopping)) for worker in range(3)]
        for writer in writers:
            writer.start()
        assert eventually(lambda: any(key.startswith(f"r{round_}/") for key in list(acknowledged)))
        time.sleep(0.4 + chance.random())
        default.process.kill()
        stopping.set()
        for writer in writers:
            writer.join(240)
        default.start()
        s3 = default.s3()
        listed = {}
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket="demo"):
            listed.update({entry["Key"]: entry for entry in page.get("Contents", [])})
        missing = set(acknowledged) - set(listed)
        assert not missing, f"acknowledged and gone: {sorted(missing)[:5]}"
        for key, entry in listed.items():
            got = s3.get_object(Bucket="demo", Key=key)
            body = got["Body"].read()
            assert hashlib.md5(body).hexdigest() in attempted[key], f"{key} is neither of its versions"
            assert len(body) == entry["Size"] and got["ETag"] == entry["ETag"]
        with lock:
            for key in listed:
                digest = hashlib.md5(s3.get_object(Bucket="demo", Key=key)["Body"].read()).hexdigest()
                acknowledged[key], attempted[key] = digest, {digest}
    assert len(acknowledged) >= 4, "nothing was written, so nothing was tried"


def test_unfinished_files_are_swept_away(default):
    """After a crash in the middle of uploads no temporary file stays for good."""
    stop = threading.Event()

    def write():
        s3 = default.s3()
        while not stop.is_set():
            try:
                s3.put_object(Bucket="demo", Key="sweep", Body=os.urandom(3_000_000))
            except Exception:
                return

    writer = threading.Thread(target=write)
    writer.start()
    time.sleep(0.5)
    default.process.kill()
    stop.set()
    writer.join(240)
    default.start()

    def bytes_on_disk():
        return sum(path.stat().st_size for path in default.data.rglob("*") if path.is_file())

    assert eventually(lambda: bytes_on_disk() < 12_000_000)


def test_termination_is_clean(default):
    default.s3().put_object(Bucket="demo", Key="x", Body=b"x")
    default.process.signal(signal.SIGTERM)
    assert default.process.wait() == 0


def test_folder_with_a_long_path_has_no_admin_socket_but_serves(tmp_path):
    folder = tmp_path / ("long" * 20)
    gateway = Gatehouse(folder, arguments=["--data", str(folder / "data")])
    gateway.arguments += ["--listen", f"127.0.0.1:{gateway.port}", "--admin-listen", f"127.0.0.1:{gateway.admin_port}"]
    gateway.start()
    try:
        assert gateway.status_of("/-/ready") == 200
        assert "no admin socket" in gateway.process.output()
    finally:
        gateway.stop()
