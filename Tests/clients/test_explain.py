"""`gatehouse explain`: through the admin socket of a running instance, whatever way the request was captured."""

import json
import shlex
import time
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

import pytest

from support.clients import run, s3_client
from support.gatehouse import binary
from support.people import ALICE, FULL


def explain(gate, *arguments, text=None, code=None):
    """What it prints as JSON."""
    done = run([binary(), "explain", "--config", gate.config_path, "--json", *arguments], input=text)
    assert done.returncode in (0, 1), done.stderr
    if code is not None:
        assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def codes(explanation):
    return [finding["code"] for finding in explanation["findings"] if finding["code"] != "note"]


@pytest.fixture
def presigned(gate):
    client = s3_client(gate.endpoint, FULL.access_key, FULL.secret_key)
    return client.generate_presigned_url("get_object", {"Bucket": "photos", "Key": "a b+c.txt"}, ExpiresIn=60)


def test_a_presigned_url_that_is_right(gate, presigned):
    told = explain(gate, presigned, code=0)
    assert told["signature"]["verdict"] == "right"
    assert told["understood"]["bucket"] == "photos" and told["understood"]["key"] == "a b+c.txt"
    assert told["understood"]["operation"] == "get_object"
    assert told["caller"]["principal"] == f"key:{FULL.principal}"
    assert told["decision"]["outcome"] == "allowed"
    signature = presigned.split("Signature=")[1].split("&")[0]
    assert signature not in json.dumps(told) and FULL.secret_key not in json.dumps(told)


def test_what_is_wrong_with_a_url_is_named(gate, presigned):
    later = (datetime.now(timezone.utc) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert codes(explain(gate, presigned, "--at", later, code=1)) == ["expired"]
    assert codes(explain(gate, presigned.replace("127.0.0.1", "other.example"), code=1)) == ["wrong_host"]
    assert codes(explain(gate, f"curl -I '{presigned}'", code=1)) == ["wrong_method"]
    assert codes(explain(gate, presigned + "&utm_source=mail", code=1)) == ["query_changed"]


def test_a_captured_request_on_standard_input(gate):
    request = f"GET /photos/a.txt HTTP/1.1\nHost: 127.0.0.1:{gate.port}\nx-api-key: {ALICE.api_key}\n\n"
    told = explain(gate, text=request)
    assert told["caller"] == {"principal": "user:alice", "credential": "API key"}
    assert ALICE.api_key not in json.dumps(told)


def test_people_read_it_too(gate, presigned, tmp_path):
    capture = tmp_path / "request.txt"
    capture.write_text(presigned)
    done = run([binary(), "explain", "--config", gate.config_path, "--file", capture])
    assert done.returncode == 0
    for word in ["Canonical request", "String to sign", "allowed", "a b+c.txt"]:
        assert word in done.stdout


def test_nothing_is_counted_and_nothing_is_carried_out(gate, presigned):
    for _ in range(10):
        explain(gate, presigned.replace("Signature=", "Signature=0"), code=1)
    # What others have asked for meanwhile may come to the log at any time.
    time.sleep(0.3)
    assert [line for line in gate.access_log() if line["path"] == urlsplit(presigned).path] == []


def test_without_an_instance_it_says_so(tmp_path):
    done = run([binary(), "explain", "--socket", tmp_path / "nobody.sock", "http://h/b/k"])
    assert done.returncode == 1 and "no running instance" in done.stderr


def test_what_is_not_understood_is_said(gate):
    done = run([binary(), "explain", "--config", gate.config_path, "ftp://h/b"])
    assert done.returncode == 1 and not done.stdout
    # A sentence for people, without the answer's own form.
    assert done.stderr.startswith("gatehouse: Not understood: ") and "{" not in done.stderr, done.stderr
    assert ".." not in done.stderr
    done = run([binary(), "explain", "--config", gate.config_path, "--json", "ftp://h/b"])
    assert done.returncode == 1 and json.loads(done.stdout)["error"]["code"] == "NotUnderstood"


@pytest.mark.parametrize("flags", ["-v", "-sv"])
def test_what_curl_prints_is_piped_in_as_the_documentation_says(gate, flags):
    told = piped(gate, flags, f"{gate.endpoint}/photos/a.txt")
    assert told["caller"] == {"principal": "user:alice", "credential": "API key"}
    assert told["understood"]["key"] == "a.txt"


def test_of_several_requests_of_curl_s_the_last_is_explained(gate):
    told = piped(gate, "-v", f"{gate.endpoint}/photos/a.txt", f"{gate.endpoint}/photos/b.txt")
    assert told["understood"]["key"] == "b.txt"
    assert any("2 requests" in assumption for assumption in told["assumptions"])


def piped(gate, *arguments):
    """`curl -v … 2>&1 | gatehouse explain`, byte for byte."""
    curl = shlex.join(["curl", "-H", f"x-api-key: {ALICE.api_key}", *arguments])
    command = shlex.join([str(binary()), "explain", "--config", str(gate.config_path), "--json"])
    done = run(["bash", "-c", f"{curl} 2>&1 | {command}"])
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    return json.loads(done.stdout)
