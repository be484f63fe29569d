"""What is written down: every request, every decision, and never a secret."""

import json
import os
import stat
import time

import pytest

from support.clients import run, s3_client, signed
from support.gatehouse import binary, eventually
from support.people import ALICE, FULL, LISTER, everywhere
from support.stub_store import response

PLANTED_QUERY = "planted-query-value-1f0e3dad99908345"
PLANTED_TOKEN = "planted-bearer-token-98f13708210194c4"
PLANTED_COOKIE = "planted-cookie-3c59dc048e8850243be8"
JSON_OF_ALICE = {**ALICE.headers, "content-type": "application/json"}
BACKEND_SECRET = "planted-backend-secret-6ea9ab1baa0efb9e"


@pytest.fixture
def gate(gateway, stub_store):
    return gateway({
        "accounts": [
            {"name": "stub", "backend_type": "s3", "buckets": ["photos", "docs"],
             "backend_options": {"endpoint": stub_store(response(body=b"ok")).endpoint, "region": "us-east-1",
                                 "access_key_id": "AKBACKEND00000000000", "secret_access_key": BACKEND_SECRET}}
        ],
        "credentials": [FULL.entry(everywhere()), LISTER.entry(everywhere("list"))],
        "users": [ALICE.entry("user", ["photos"])],
    })


def audit_verify(gate, *arguments):
    return run([binary(), "audit", "verify", gate.audit_path, *arguments], gate.env)


def test_no_secret_reaches_any_log_or_answer(gate):
    """Good and bad credentials of every kind, in every place they can stand; then everything written is searched."""
    s3 = s3_client(gate.endpoint, FULL.access_key, FULL.secret_key)
    s3.get_object(Bucket="photos", Key="x")
    answers, secrets = [], [
        FULL.secret_key, LISTER.secret_key, ALICE.api_key, BACKEND_SECRET, PLANTED_QUERY, PLANTED_TOKEN, PLANTED_COOKIE,
    ]
    url = s3.generate_presigned_url(
        "get_object", Params={"Bucket": "photos", "Key": "x", "ResponseContentDisposition": PLANTED_QUERY}
    )
    secrets.append(url.split("X-Amz-Signature=")[1].split("&")[0])
    path = url.removeprefix(gate.endpoint)
    answers.append(gate.request("GET", path))
    answers.append(gate.request("GET", path + "&tampered=1"))
    headers = signed("GET", gate.endpoint + "/photos/x", FULL.access_key, FULL.secret_key)
    secrets.append(headers["Authorization"].split("Signature=")[1])
    answers.append(gate.request("GET", "/photos/x", headers))
    answers.append(gate.request("GET", "/photos/y", headers))
    answers.append(gate.request("GET", "/docs/x", {**headers, "Cookie": f"session={PLANTED_COOKIE}"}))
    answers.append(gate.request("GET", "/photos/x", ALICE.headers))
    answers.append(gate.request("GET", "/docs/x", ALICE.headers))
    answers.append(gate.request("GET", "/photos/x", {"x-api-key": PLANTED_TOKEN}))
    answers.append(gate.request("GET", "/photos/x", {"Authorization": f"Bearer {PLANTED_TOKEN}"}))
    answers.append(gate.request("GET", "/photos/x", {"Authorization": f"Basic {PLANTED_TOKEN}"}))
    answers.append(gate.request("GET", f"/photos/x?X-Amz-Security-Token={PLANTED_TOKEN}&X-Amz-Signature={PLANTED_TOKEN}"))
    answers.append(gate.request("GET", f"/photos/x?AWSAccessKeyId=a&Expires=1&Signature={PLANTED_TOKEN}"))
    answers.append(gate.request("PUT", f"/photos/x?nonsense={PLANTED_QUERY}", ALICE.headers, b"x"))
    answers.append(gate.request("GET", "/-/health?secret=" + PLANTED_QUERY))
    answers.append(gate.request("POST", "/login", {}, f"api_key={PLANTED_TOKEN}", admin=True))
    eventually(lambda: len(gate.access_log()) >= 13)
    time.sleep(0.3)
    written = gate.everything_written() + gate.metrics() + "".join(answer.text for answer in answers)
    assert len(gate.access_log()) >= 13 and gate.audit_log(), "nothing was logged, so nothing was searched"
    for secret in secrets:
        assert secret not in written, f"{secret[:12]}... was written in the clear"


def test_access_log_says_who_did_what(gate):
    gate.request("GET", "/photos/seen%20key", {**ALICE.headers, "User-Agent": "test-agent/1"})
    answer = gate.request("GET", "/docs/x", ALICE.headers)
    # Each event loop brings its lines by itself, so they may come in any order.
    assert eventually(lambda: len([line for line in gate.access_log() if line["verdict"] != "undecided"]) >= 2)
    lines = {line["path"]: line for line in gate.access_log()}
    allowed = next(line for path, line in lines.items() if path.startswith("/photos/seen"))
    assert allowed["principal"] == "user:alice" and allowed["method"] == "GET" and allowed["status"] == 200
    assert allowed["bytes_out"] == 2 and allowed["user_agent"] == "test-agent/1" and allowed["client"] == "127.0.0.1"
    denied = lines["/docs/x"]
    assert denied["status"] == 403 and denied["reason"]
    assert denied["request_id"] == answer.headers["x-amz-request-id"]
    assert denied["reason"] not in answer.text, "the reason of a denial was sent to the caller"


def test_metrics_count_requests_bytes_and_refusals(gate):
    for _ in range(3):
        gate.request("GET", "/photos/x", ALICE.headers)
    gate.request("GET", "/docs/x", ALICE.headers)
    gate.request("GET", "/photos/x", {"x-api-key": "wrong"})
    # The end of a request is counted when its answer is on its way.
    assert eventually(lambda: gate.metric("gatehouse_request_seconds_count") >= 5)
    assert gate.metric("gatehouse_requests_total", status="200") >= 3
    assert gate.metric("gatehouse_requests_total", status="403") >= 1
    assert gate.metric("gatehouse_auth_failures_total") >= 1
    assert gate.metric("gatehouse_bytes_total", direction="out") >= 6
    assert gate.metric("gatehouse_backend_seconds_count") >= 3
    assert "alice" not in gate.metrics(), "labels come from closed lists only"


def test_labels_do_not_grow_with_what_clients_send(gate):
    for n in range(50):
        gate.request("GET", f"/made-up-bucket-{n}/x", ALICE.headers)
        gate.request("PUT", f"/photos/x?made-up-{n}", ALICE.headers, b"x")
    assert "made-up" not in gate.metrics()


def test_audit_chain_holds_and_shows_tampering(gate):
    for n in range(20):
        gate.request("GET", f"/photos/{n}", ALICE.headers)
    gate.request("GET", "/docs/x", ALICE.headers)
    assert eventually(lambda: len(gate.audit_log()) >= 21)
    gate.stop()
    good = audit_verify(gate)
    assert good.returncode == 0, good.stdout + good.stderr
    as_json = audit_verify(gate, "--json")
    assert json.loads(as_json.stdout)["lines"] >= 21
    lines = gate.audit_path.read_text().splitlines(keepends=True)
    denied = next(number for number, line in enumerate(lines) if '"denied"' in line)
    assert json.loads(lines[denied])["who"] == "user:alice"
    gate.audit_path.write_text("".join(lines).replace('"denied"', '"allowed"'))
    bad = audit_verify(gate)
    assert bad.returncode != 0 and f"{denied + 1}" in bad.stdout + bad.stderr
    gate.audit_path.write_text("".join(lines[:5] + lines[6:]))
    assert audit_verify(gate).returncode != 0


def test_audit_chain_continues_over_a_restart(gate):
    gate.request("GET", "/photos/x", ALICE.headers)
    assert eventually(gate.audit_log)
    gate.stop()
    before = len(gate.audit_log())
    gate.start()
    gate.request("GET", "/photos/x", ALICE.headers)
    assert eventually(lambda: len(gate.audit_log()) > before)
    gate.stop()
    assert audit_verify(gate).returncode == 0


def test_audit_survives_a_crash_with_an_intact_chain(gate):
    for n in range(30):
        gate.request("GET", f"/photos/{n}", ALICE.headers)
    assert eventually(lambda: len(gate.audit_log()) >= 30)
    gate.process.kill()
    gate.start()
    gate.request("GET", "/photos/x", ALICE.headers)
    gate.stop()
    assert audit_verify(gate).returncode == 0


# The admin listener


def test_admin_socket_is_for_its_owner_only(gate):
    sockets = [
        path for path in gate.folder.rglob("*") if stat.S_ISSOCK(os.lstat(path).st_mode)
    ]
    assert sockets, "no admin socket in the state directory"
    for path in sockets:
        assert stat.S_IMODE(os.lstat(path).st_mode) == 0o600


def test_files_with_secrets_or_decisions_are_for_their_owner_only(gate):
    gate.request("GET", "/photos/x", ALICE.headers)
    assert eventually(gate.audit_log)
    for path in [gate.audit_path, *(gate.folder / "state").iterdir()]:
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_admin_listener_needs_an_admin_and_a_known_host(gate):
    assert gate.request("GET", "/metrics", admin=True).status == 200
    assert gate.request("GET", "/-/health", admin=True).status == 200
    assert gate.request("GET", "/api/config", admin=True).status in (302, 303, 401, 403)
    assert gate.request("GET", "/api/config", ALICE.headers, admin=True).status in (401, 403)
    assert gate.request("GET", "/api/config", {"Host": "evil.example.com"}, admin=True).status in (400, 403, 421)


def test_admin_listener_serves_no_objects(gate):
    assert gate.request("GET", "/photos/x", ALICE.headers, admin=True).status in (401, 403, 404)


def test_a_refused_call_of_the_api_is_no_matter_of_a_store(gate):
    for _ in range(3):
        assert gate.request("POST", "/-/v1/downloads", JSON_OF_ALICE, b"{}").status == 400
    assert eventually(lambda: len([line for line in gate.access_log() if line["status"] == 400]) == 3)
    assert "not passed on" not in gate.process.output()


def test_a_store_s_answer_that_is_replaced_is_told_to_whoever_runs_it(gateway, stub_store):
    refusal = response(403, body=b"<Error><Code>InvalidAccessKeyId</Code></Error>", reason="Forbidden")
    gate = gateway({
        "accounts": [
            {"name": "stub", "backend_type": "s3", "buckets": ["photos"],
             "backend_options": {"endpoint": stub_store(refusal).endpoint, "region": "us-east-1",
                                 "access_key_id": "AKBACKEND00000000000", "secret_access_key": BACKEND_SECRET}}
        ],
        "users": [ALICE.entry("user", ["photos"])],
    })
    assert gate.request("GET", "/photos/x", ALICE.headers).status == 502
    assert eventually(lambda: "not passed on" in gate.process.output())
    # The next request on the same connection has nothing to do with it.
    told = gate.process.output().count("not passed on")
    connection = gate.connection()
    connection.request("GET", "/photos/x", headers=ALICE.headers)
    connection.getresponse().read()
    connection.request("POST", "/-/v1/downloads", body=b"{}", headers=JSON_OF_ALICE)
    assert connection.getresponse().status == 400
    connection.close()
    assert eventually(lambda: any(line["status"] == 400 for line in gate.access_log()))
    assert gate.process.output().count("not passed on") == told + 1
