"""Bearer tokens: who has one of a configured identity provider is known, and nobody else."""

import json
import signal
import threading
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from support.gatehouse import eventually
from support.issuer import Issuer, SigningKey, unsigned
from support.load import Load
from support.people import ALICE
from support.stub_store import response

SECRET = "shared-secret-of-the-application-0123456789"
BODY = b"token"


@pytest.fixture
def issuer():
    made = Issuer()
    yield made
    made.stop()


@pytest.fixture
def config(stub_store):
    def make(*providers, **more):
        return {
            "accounts": [
                {"name": "stub", "backend_type": "s3", "buckets": ["alice-bucket", "bob-bucket"],
                 "backend_options": {"endpoint": stub_store(response(body=BODY)).endpoint, "region": "us-east-1"}}
            ],
            "users": [ALICE.entry("user", ["alice-bucket"])],
            "identity_providers": list(providers),
            **more,
        }

    return make


def status(gate, headers, path="/alice-bucket/x", method="GET"):
    return gate.request(method, path, headers).status


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "ES256", "ES384"])
def test_every_algorithm_by_discovery(gateway, issuer, config, algorithm):
    issuer.keys = [SigningKey("k", algorithm)]
    gate = gateway(config(issuer.entry()))
    assert status(gate, issuer.bearer()) == 200
    assert status(gate, issuer.bearer("bob")) == 403
    assert status(gate, issuer.bearer("bob"), "/bob-bucket/x") == 200


def test_matrix_of_a_shared_secret(gateway, config):
    """Two people, two buckets, tokens the application signs itself: each reaches their own and nothing else."""
    provider = {
        "name": "app", "issuer": "my-app", "audiences": ["gatehouse"], "shared_secret": SECRET,
        "allowed_scopes": [{"bucket": "{sub}-bucket", "prefixes": [], "actions": ["read", "write"]}],
    }
    gate = gateway(config(provider))

    def bearer(subject, secret=SECRET, algorithm="HS256", **more):
        claims = {"iss": "my-app", "aud": ["gatehouse"], "sub": subject, "exp": time.time() + 60, **more}
        return {"Authorization": "Bearer " + jwt.encode(claims, secret, algorithm)}

    for subject in ("alice", "bob"):
        for owner in ("alice", "bob"):
            for method in ("GET", "HEAD", "PUT"):
                expected = 200 if subject == owner else 403
                assert status(gate, bearer(subject), f"/{owner}-bucket/x", method) == expected
    assert status(gate, bearer("alice"), "/alice-bucket/x", "DELETE") == 403
    assert status(gate, bearer("alice", algorithm="HS512")) == 401
    assert status(gate, bearer("alice", secret=SECRET[::-1])) == 401
    for subject in ("", "*", "..", "a/b", "{sub}", "alice-bucket/../bob"):
        assert status(gate, bearer(subject)) in (401, 403)


def test_forged_and_misdirected_tokens(gateway, issuer, config):
    issuer.keys = [SigningKey("k", "RS256")]
    gate = gateway(config(issuer.entry()))
    good = issuer.token()
    pem = issuer.keys[0].private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    claims = jwt.decode(good, options={"verify_signature": False})
    # PyJWT refuses to make this one by its front door.
    confused = jwt.api_jws.PyJWS()
    confused._algorithms["HS256"].prepare_key = lambda key: key
    bad = {
        "unsigned": unsigned(good),
        "unsigned in capitals": unsigned(good, "NONE"),
        "public key as secret": confused.encode(json.dumps(claims).encode(), pem, "HS256", {"kid": "k"}),
        "foreign key": issuer.token(key=SigningKey("k", "RS256")),
        "expired": issuer.token(exp=int(time.time()) - 61),
        "without an end": issuer.token(exp=None),
        "not yet": issuer.token(nbf=int(time.time()) + 3600),
        "other audience": issuer.token(aud="other"),
        "no audience": issuer.token(aud=None),
        "issuer with a slash": issuer.token(iss=issuer.url + "/"),
        "nobody": issuer.token(sub=None) if False else issuer.token("") ,
        "critical extension": issuer.token(header={"crit": ["b64"], "b64": True}),
        "truncated": good[:-4],
        "padded": good + "=",
        "garbage": "a.b.c",
        "huge": good.split(".")[0] + "." + "A" * 20_000 + ".x",
    }
    for what, token in bad.items():
        answer = gate.request("GET", "/alice-bucket/x", {"Authorization": "Bearer " + token})
        assert answer.status in (400, 401, 403), what
        assert answer.headers["content-type"] == "application/json", what
        assert token not in answer.text, what
    assert status(gate, {"Authorization": "Bearer " + good}) == 200
    for reason in ("token_algorithm", "token_signature", "expired_token", "token_audience", "malformed_token"):
        assert eventually(lambda: gate.metric("gatehouse_auth_failures_total", reason=reason) > 0), reason


def test_keys_roll_over_under_load_without_a_failed_request(gateway, issuer, config):
    gate = gateway(config(issuer.entry()))
    first = issuer.keys[0]
    failures, stop = [], threading.Event()

    def fresh_tokens():
        """Every request with a token of its own, signed by the newest key."""
        while not stop.is_set():
            answer = gate.request("GET", "/alice-bucket/x", issuer.bearer(jti=str(time.monotonic_ns())))
            if answer.status != 200:
                failures.append((answer.status, answer.text))

    threads = [threading.Thread(target=fresh_tokens) for _ in range(4)]
    with Load(gate.port, "/alice-bucket/x", issuer.bearer(key=first), BODY, threads=2) as load:
        for thread in threads:
            thread.start()
        load.wait_for(50)
        issuer.delay = 0.3
        issuer.keys = [first, SigningKey("second", "RS256")]
        load.wait_for(200)
        time.sleep(1)
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == [] and load.failures == []
    assert issuer.asked.count("/jwks") == 2


def test_issuer_away_at_the_start_and_later(gateway, issuer, config):
    issuer.away = True
    gate = gateway(config(issuer.entry()))
    token = issuer.bearer()
    answer = gate.request("GET", "/alice-bucket/x", token)
    assert answer.status == 503 and int(answer.headers["retry-after"]) >= 1
    assert status(gate, ALICE.headers) == 200
    ready = gate.request("GET", "/-/ready", admin=True)
    assert ready.status == 200
    check = next(check for check in ready.json()["checks"] if check["name"] == "identity_provider:auth")
    assert not check["ok"]
    issuer.away = False
    assert eventually(lambda: status(gate, token) == 200)
    issuer.away = True
    assert status(gate, issuer.bearer(jti="known key")) == 200
    answer = gate.request("GET", "/alice-bucket/x", issuer.bearer(key=SigningKey("unknown")))
    assert answer.status == 503 and "retry-after" in answer.headers


def test_slow_issuer_delays_its_own_bearers_only(gateway, issuer, config):
    other = Issuer()
    try:
        gate = gateway(config(issuer.entry(), other.entry("other", audiences=["gatehouse"])))
        assert eventually(lambda: status(gate, issuer.bearer()) == 200)
        issuer.may_answer.clear()
        answers = []
        unknown = issuer.bearer(key=SigningKey("unknown"))
        waiting = threading.Thread(target=lambda: answers.append(status(gate, unknown)))
        waiting.start()
        assert eventually(lambda: len(issuer.asked) > 2)
        assert status(gate, other.bearer()) == 200
        assert status(gate, issuer.bearer(jti="another with a known key")) == 200
        assert status(gate, ALICE.headers) == 200
        assert answers == []
        issuer.may_answer.set()
        waiting.join()
        assert answers == [401]
    finally:
        issuer.may_answer.set()
        other.stop()


@pytest.mark.parametrize("trouble", ["redirect", "padding", "discovery"])
def test_documents_that_are_not_believed(gateway, issuer, config, trouble):
    honest = Issuer()
    try:
        honest.keys = issuer.keys
        if trouble == "redirect":
            issuer.redirect = honest.url
        elif trouble == "padding":
            issuer.padding = 1 << 20
        else:
            issuer.discovery = lambda: {"issuer": issuer.url + "/", "jwks_uri": issuer.url + "/jwks"}
        gate = gateway(config(issuer.entry()))
        assert status(gate, issuer.bearer()) == 503
        assert honest.asked == []
    finally:
        honest.stop()


def test_key_file_is_read_again_when_it_changes(gateway, issuer, config, tmp_path):
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(issuer.jwks()))
    gate = gateway(config(issuer.entry(jwks_file=str(file))))
    old = issuer.bearer()
    assert status(gate, old) == 200
    issuer.keys = [SigningKey("second")]
    assert status(gate, issuer.bearer()) == 401
    file.write_text(json.dumps(issuer.jwks()))
    gate.process.signal(signal.SIGHUP)
    assert eventually(lambda: status(gate, issuer.bearer()) == 200)
    assert status(gate, old) == 401
    assert issuer.asked == []


def test_token_and_signature_do_not_go_together(gateway, issuer, config):
    gate = gateway(config(issuer.entry()))
    answer = gate.request("GET", "/alice-bucket/x", {**issuer.bearer(), **ALICE.headers})
    assert answer.status == 400


def test_no_token_is_written_down(gateway, issuer, config):
    gate = gateway(config(issuer.entry()))
    tokens = [issuer.token(), issuer.token(exp=1), issuer.token(key=SigningKey("x")), unsigned(issuer.token())]
    for token in tokens:
        gate.request("GET", "/alice-bucket/x", {"Authorization": "Bearer " + token})
    assert eventually(lambda: len(gate.access_log()) >= len(tokens))
    assert eventually(lambda: any(entry["principal"] == "idp:auth:alice" for entry in gate.access_log()))
    written = gate.everything_written()
    for token in tokens:
        for part in token.split("."):
            assert not part or part not in written


def test_a_slot_s_key_is_made_of_what_the_token_says(gateway, issuer, tmp_path):
    """Each uploads into a folder of their own, under a name that nobody chose, and into no other's."""
    (tmp_path / "files").mkdir()
    entry = issuer.entry(allowed_scopes=[{"bucket": "inbox", "prefixes": ["users/{sub}/"], "actions": ["read", "write"]}])
    gate = gateway({
        "buckets": [{"name": "inbox", "backend_type": "file", "backend_options": {"path": str(tmp_path / "files")}}],
        "users": [ALICE.entry("user", ["inbox"])],
        "identity_providers": [entry],
    })

    def issue(who, **key):
        body = {"bucket": "inbox", "content_type": "image/png", "size": 5, **key}
        return gate.request("POST", "/-/v1/uploads", {**who, "content-type": "application/json"}, json.dumps(body))

    bearer = issuer.bearer("alice", org="acme", admin=True, path="../bob")
    slots = [issue(bearer, key_template="users/{sub}/{claims.org}-{upload.id}.png").json() for _ in range(2)]
    for slot in slots:
        assert slot["key"] == f"users/alice/acme-{slot['id']}.png"
        upload = slot["upload"]
        sent = gate.request("PUT", upload["url"].split(str(gate.port), 1)[1], upload["headers"], b"12345")
        assert sent.status == 200
        done = gate.request("POST", f"/-/v1/uploads/{slot['id']}/complete", {**bearer, "content-type": "application/json"}, b"{}")
        assert (done.status, done.json()["key"]) == (200, slot["key"])
    # A template is no right.
    assert issue(bearer, key_template="users/bob/{sub}").status == 403
    for template in ("users/{sub}/{nothing}", "users/{sub}/{admin}", "users/{sub}/{path}", "users/{sub}/{exp}"):
        refused = issue(bearer, key_template=template)
        assert (refused.status, refused.s3_code) == (403, "AccessDenied"), template
        assert template.rsplit("{", 1)[1].rstrip("}") in refused.json()["error"]["message"]
    assert issue(issuer.bearer("a/../bob"), key_template="users/{sub}/x").status in (401, 403)
    # Who has no claims has no templates, and keys with braces.
    assert issue(ALICE.headers, key_template="users/{sub}/x").status == 403
    assert issue(ALICE.headers, key_template="{upload.id}").status == 201
    assert issue(ALICE.headers, key="{sub}").json()["key"] == "{sub}"
    for key in ({}, {"key": "a", "key_template": "b"}, {"key_template": "a{"}, {"key_template": ""}, {"key_template": 5}):
        assert issue(ALICE.headers, **key).status == 400, key
    assert issue(ALICE.headers, key_template="../{upload.id}").status == 400
