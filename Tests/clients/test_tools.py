"""aws, s5cmd and curl as people use them, on a pass-through bucket and on the embedded store."""

import hashlib
import os

import pytest

from support.clients import run


@pytest.fixture(params=["photos", "local"])
def bucket(request):
    if request.param == "local" and request.config.getoption("--oracle"):
        pytest.skip("the oracle has no embedded store")
    return request.param


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_aws_copies_lists_moves_and_removes(command_line, bucket, tmp_path):
    (tmp_path / "small").write_bytes(b"small file")
    (tmp_path / "large").write_bytes(os.urandom(20_000_000))
    cli, base = command_line, f"s3://{bucket}/aws-cli"
    cli.aws("s3", "cp", str(tmp_path / "small"), f"{base}/a b+c/ü.txt", "--content-type", "text/x-a")
    cli.aws("s3", "cp", str(tmp_path / "large"), f"{base}/large.bin")
    listed = cli.aws("s3", "ls", "--recursive", f"{base}/").stdout
    assert "aws-cli/a b+c/ü.txt" in listed and "20000000 aws-cli/large.bin" in listed
    cli.aws("s3", "cp", f"{base}/large.bin", str(tmp_path / "back"))
    assert digest(tmp_path / "large") == digest(tmp_path / "back")
    cli.aws("s3", "mv", f"{base}/a b+c/ü.txt", f"{base}/moved.txt")
    head = cli.aws("s3api", "head-object", "--bucket", bucket, "--key", "aws-cli/moved.txt").stdout
    assert "text/x-a" in head
    cli.aws("s3", "rm", "--recursive", f"{base}/")
    assert cli.aws("s3", "ls", "--recursive", f"{base}/", check=False).stdout == ""


def test_aws_sync_both_ways(command_line, bucket, tmp_path):
    source, back = tmp_path / "source", tmp_path / "back"
    for name in ("one", "deep/er/two", "with space", "ünïcode"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(os.urandom(3000))
    command_line.aws("s3", "sync", str(source), f"s3://{bucket}/sync/")
    command_line.aws("s3", "sync", f"s3://{bucket}/sync/", str(back))
    files = {path.relative_to(source): digest(path) for path in source.rglob("*") if path.is_file()}
    assert files == {path.relative_to(back): digest(path) for path in back.rglob("*") if path.is_file()}
    again = command_line.aws("s3", "sync", "--size-only", str(source), f"s3://{bucket}/sync/").stdout
    assert "upload:" not in again


def test_aws_sync_of_empty_files_does_not_stall(command_line, bucket, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for n in range(40):
        (source / f"{n:02}").write_bytes(b"x" * (n % 2))
    command_line.aws("--cli-read-timeout", "45", "s3", "sync", str(source), f"s3://{bucket}/emptied/")
    listed = command_line.aws("s3", "ls", f"s3://{bucket}/emptied/").stdout
    assert len(listed.splitlines()) == 40


def test_aws_presign_is_fetched_by_curl(command_line, bucket, tmp_path):
    (tmp_path / "file").write_bytes(b"presigned by the cli")
    command_line.aws("s3", "cp", str(tmp_path / "file"), f"s3://{bucket}/presigned by cli.txt")
    url = command_line.aws("s3", "presign", f"s3://{bucket}/presigned by cli.txt").stdout.strip()
    assert command_line.curl(url, sign=False).stdout == "presigned by the cli"


def test_s5cmd_copies_lists_and_removes_many(command_line, bucket, tmp_path):
    files = tmp_path / "files"
    files.mkdir()
    for n in range(40):
        (files / f"file {n}").write_bytes(os.urandom(2000 + n))
    base = f"s3://{bucket}/s5cmd"
    command_line.s5cmd("cp", f"{files}/", f"{base}/")
    listed = command_line.s5cmd("ls", f"{base}/*").stdout
    assert len(listed.splitlines()) == 40
    command_line.s5cmd("cp", f"{base}/*", f"{tmp_path}/back/")
    for n in range(40):
        assert digest(files / f"file {n}") == digest(tmp_path / "back" / f"file {n}")
    command_line.s5cmd("rm", f"{base}/*")
    assert command_line.s5cmd("ls", f"{base}/*", check=False).stdout.strip() == ""


def test_curl_with_its_own_signature(command_line, bucket, tmp_path):
    (tmp_path / "file").write_bytes(b"x" * 100_000)
    url = f"{command_line.endpoint}/{bucket}/curl/a%20file.bin"
    put = command_line.curl("-T", tmp_path / "file", "-w", "%{http_code}", url)
    assert put.stdout.endswith("200"), put.stdout + put.stderr
    got = command_line.curl("-o", tmp_path / "back", "-w", "%{http_code}", url)
    assert got.stdout == "200" and digest(tmp_path / "file") == digest(tmp_path / "back")
    part = command_line.curl("-r", "10-19", "-w", " %{http_code}", url)
    assert part.stdout == "xxxxxxxxxx 206"
    gone = command_line.curl("-X", "DELETE", "-w", "%{http_code}", url)
    assert gone.stdout == "204"


def test_curl_listing(command_line, bucket):
    done = command_line.curl("-w", "%{http_code}", f"{command_line.endpoint}/{bucket}?list-type=2&max-keys=2")
    assert done.stdout.endswith("200") and "<ListBucketResult" in done.stdout


def test_curl_with_an_api_key(gate):
    from support.people import ALICE

    url = f"{gate.endpoint}/photos/curl-by-key"
    key = ["-H", f"x-api-key: {ALICE.api_key}"]
    put = run(["curl", "-sS", "-w", "%{http_code}", *key, "--data-binary", "by key", "-X", "PUT", url])
    assert put.stdout == "200", put.stdout + put.stderr
    assert run(["curl", "-sS", *key, url]).stdout == "by key"
