"""Where stores' credentials come from, and what happens when they don't: services that fail, hang and change."""

import base64
import json
import subprocess
import threading
import urllib.parse
from datetime import datetime, timezone

import pytest

from support.careless_store import CarelessStore
from support.federation import ROLE, new_key
from support.gatehouse import binary, eventually
from support.stub_store import response
from support.token_service import EntraID, GoogleTokens, Metadata, SecurityTokens

READER = {"name": "reader", "api_key": "reader-key-0123456789", "allowed_buckets": ["*"]}
KEY = {"x-api-key": "reader-key-0123456789"}


@pytest.fixture
def service():
    made = []

    def make(kind, **options):
        made.append(kind(**options))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def bucket(store, **options):
    return {
        "name": "photos", "backend_type": "s3", "checksums": "pass",
        "backend_options": {"endpoint": store.endpoint, "region": "eu-west-1", **options},
    }


def oidc(folder, store, tokens, **options):
    path, _ = new_key(folder, "key")
    return {
        "keys": {"oidc_provider_keys": [f"file:{path}"], "oidc_provider_issuer": "https://gatehouse.example.com"},
        "users": [READER],
        "buckets": [bucket(store, auth_type="oidc", oidc_role_arn=ROLE, sts_endpoint=tokens.endpoint, **options)],
    }


def credential_of(seen):
    return seen.header("authorization").split("Credential=")[1].split("/")[0]


def check(gate):
    checks = gate.request("GET", "/-/ready", admin=True).json()["checks"]
    return next(one for one in checks if one["name"] == "credential:photos")


def test_many_cold_requests_are_one_exchange(gateway, stub_store, service, tmp_path):
    store, tokens = stub_store(response(body=b"x")), service(SecurityTokens)
    tokens.delay = 1.0
    gate = gateway(oidc(tmp_path, store, tokens))
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(gate.request("GET", "/photos/x", KEY).status)) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 100
    assert len(tokens.asked) == 1
    assert {credential_of(seen) for seen in store.seen} == {"ASIASESSION1"}
    assert {seen.header("x-amz-security-token") for seen in store.seen} == {"session-token-1"}


def test_a_slow_renewal_stops_nobody(gateway, stub_store, service, tmp_path):
    store, tokens = stub_store(response(body=b"x")), service(SecurityTokens, lifetime=24)
    gate = gateway(oidc(tmp_path, store, tokens))
    assert gate.request("GET", "/photos/x", KEY).status == 200
    tokens.may_answer.clear()
    try:
        assert eventually(lambda: len(tokens.asked) == 2)
        # Whoever waited for the renewal would have no answer yet.
        assert gate.request("GET", "/photos/x", KEY, timeout=30).status == 200
        assert {credential_of(seen) for seen in store.seen} == {"ASIASESSION1"}
    finally:
        tokens.may_answer.set()
    assert eventually(
        lambda: gate.request("GET", "/photos/x", KEY).status == 200 and len({credential_of(s) for s in store.seen}) == 2
    ), "nothing was renewed"


def test_without_a_credential_the_client_is_told_503_and_the_operator_why(gateway, stub_store, service, tmp_path):
    store, tokens = stub_store(response(body=b"x")), service(SecurityTokens)
    tokens.mode = "fail"
    gate = gateway(oidc(tmp_path, store, tokens))
    answer = gate.request("GET", "/photos/x", KEY)
    assert (answer.status, answer.s3_code) == (503, "BackendCredentialUnavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert "AccessDenied" not in answer.text and "sts:" not in answer.text
    assert not [seen for seen in store.seen if seen.target.startswith("/photos/")], "nothing goes out unsigned"
    detail = check(gate)
    assert not detail["ok"] and "answered 403 AccessDenied: Not authorized to perform" in detail["detail"]
    assert gate.metric("gatehouse_credential_failures_total", backend="photos") >= 1
    assert eventually(lambda: gate.metric("gatehouse_inflight_requests") == 0)
    token = tokens.asked[0][3].split("WebIdentityToken=")[1]
    assert token not in gate.everything_written() and "eyJ" not in gate.everything_written()
    tokens.mode = "ok"
    assert eventually(lambda: gate.request("GET", "/photos/x", KEY).status == 200)
    assert check(gate)["ok"]


def test_a_token_service_that_hangs_is_given_up(gateway, stub_store, service, tmp_path):
    store, tokens = stub_store(response(body=b"x")), service(SecurityTokens)
    tokens.mode = "hang"
    gate = gateway(oidc(tmp_path, store, tokens))
    answer = gate.request("GET", "/photos/x", KEY)
    assert (answer.status, answer.s3_code) == (503, "BackendCredentialUnavailable")


def test_roles_are_assumed_one_from_the_other(gateway, stub_store, service, tmp_path):
    store, tokens = stub_store(response(body=b"x")), service(SecurityTokens)
    second = "arn:aws:iam::210987654321:role/Second"
    gate = gateway(oidc(tmp_path, store, tokens, role_chain=[second]))
    assert gate.request("GET", "/photos/x", KEY).status == 200
    assert credential_of(store.seen[-1]) == "ASIASESSION2"
    _, _, headers, body = tokens.asked[1]
    assert "Action=AssumeRole&" in body and "Second" in body
    signed = {name.lower(): value for name, value in headers.items()}
    assert "Credential=ASIASESSION1/" in signed["authorization"] and "/eu-west-1/sts/aws4_request" in signed["authorization"]
    assert signed["x-amz-security-token"] == "session-token-1"


@pytest.mark.parametrize("mode", ["put", "post"])
def test_a_slot_says_when_what_it_is_used_with_ends(gateway, service, tmp_path, mode):
    """A store's credential of five minutes: no URL that it signs lasts longer, nor is the slot good for more."""
    store, tokens = service(CarelessStore), service(SecurityTokens, lifetime=300)
    gate = gateway(oidc(tmp_path, store, tokens))
    assert eventually(lambda: check(gate)["ok"])
    wish = {"bucket": "photos", "key": "a.png", "content_type": "image/png", "size": 3, "ttl": "10m", "mode": mode}

    def asked(**more):
        fields = {**KEY, "content-type": "application/json"}
        answer = gate.request("POST", "/-/v1/uploads", fields, json.dumps({**wish, **more}).encode())
        assert answer.status == 201, answer.text
        return answer.json()

    def left(text):
        return (datetime.fromisoformat(text) - datetime.now(timezone.utc)).total_seconds()

    slot = asked()
    assert 0 < left(slot["upload"]["expires_at"]) <= 300
    assert slot["upload"]["capped_by"] == "backend_credential"
    assert (slot["expires_at"], slot["capped_by"]) == (slot["upload"]["expires_at"], "backend_credential")
    short = asked(ttl="20s", key="b.png")
    assert left(short["expires_at"]) <= 20 and "capped_by" not in short and "capped_by" not in short["upload"]
    parts = asked(mode="multipart", key="c.png")
    assert left(parts["expires_at"]) > 500, "its URLs are made one by one"


def test_a_token_in_a_file(gateway, stub_store, service, tmp_path):
    store, tokens = stub_store(response(body=b"x")), service(SecurityTokens)
    (tmp_path / "token").write_text("head.claims.signature\n")
    env = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"), "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/Pod"}
    config = {"users": [READER], "buckets": [bucket(store, auth_type="web-identity", sts_endpoint=tokens.endpoint)]}
    gate = gateway(config, env=env)
    assert gate.request("GET", "/photos/x", KEY).status == 200
    assert "WebIdentityToken=head.claims.signature" in tokens.asked[0][3]


@pytest.mark.parametrize("kind", ["ec2", "container"])
def test_what_the_machine_is_given(gateway, stub_store, service, tmp_path, kind):
    store, machine = stub_store(response(body=b"x")), service(Metadata)
    if kind == "ec2":
        env = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": machine.endpoint}
    else:
        (tmp_path / "agent").write_text("agent-token")
        env = {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": machine.endpoint + "/container",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "agent"),
        }
    gate = gateway({"users": [READER], "buckets": [bucket(store, auth_type="instance")]}, env=env)
    assert gate.request("GET", "/photos/x", KEY).status == 200
    assert credential_of(store.seen[-1]) == "ASIAMACHINE"
    assert store.seen[-1].header("x-amz-security-token") == "machine-token"


def test_the_environments_key(gateway, stub_store):
    store = stub_store(response(body=b"x"))
    env = {"AWS_ACCESS_KEY_ID": "AKENVIRONMENT", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "env-token"}
    gate = gateway({"users": [READER], "buckets": [bucket(store, auth_type="env")]}, env=env)
    assert gate.request("GET", "/photos/x", KEY).status == 200
    assert credential_of(store.seen[-1]) == "AKENVIRONMENT"
    assert store.seen[-1].header("x-amz-security-token") == "env-token"


def test_trust_prints_exactly_what_the_bucket_needs(gateway, stub_store, service, tmp_path):
    store, tokens = stub_store(response(body=b"x")), service(SecurityTokens)
    config = oidc(tmp_path, store, tokens, bucket_name="backend-bucket", oidc_subject="photos")
    config["buckets"][0]["backend_options"]["oidc_role_arn"] = "arn:aws:iam::123456789012:role/DataProxyAccess"
    config["buckets"][0]["backend_prefix"] = "v2"
    gate = gateway(config, start=False)
    command = [binary(), "trust", "aws", "photos", "--config", gate.config_path, "--json"]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, env=gate.env).stdout)
    assert said["trust_policy"]["Statement"] == [{
        "Effect": "Allow",
        "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/gatehouse.example.com"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {
            "gatehouse.example.com:aud": "sts.amazonaws.com", "gatehouse.example.com:sub": "photos",
        }},
    }]
    places = {(each["Resource"], json.dumps(each.get("Condition"))) for each in said["permission_policy"]["Statement"]}
    assert places == {
        ("arn:aws:s3:::backend-bucket/v2/*", "null"),
        ("arn:aws:s3:::backend-bucket", '{"StringLike": {"s3:prefix": "v2/*"}}'),
        ("arn:aws:s3:::backend-bucket", "null"),
    }
    assert any("create-open-id-connect-provider --url https://gatehouse.example.com" in line for line in said["commands"])
    text = subprocess.run(command[:-1], capture_output=True, text=True, check=True, env=gate.env).stdout
    assert "PRIVATE" not in text and "create-role --role-name DataProxyAccess" in text


def claims(form):
    """Of the token that was shown."""
    token = urllib.parse.parse_qs(form).get("client_assertion") or urllib.parse.parse_qs(form)["subject_token"]
    return json.loads(base64.urlsafe_b64decode(token[0].split(".")[1] + "=="))


def test_azure_takes_a_bearer_token_that_ours_was_exchanged_for(gateway, stub_store, service, tmp_path):
    store, tokens = stub_store(response(body=b"x", headers=[("ETag", '"0x1"')])), service(EntraID)
    path, _ = new_key(tmp_path, "key")
    gate = gateway({
        "keys": {"oidc_provider_keys": [f"file:{path}"], "oidc_provider_issuer": "https://gatehouse.example.com"},
        "users": [READER],
        "buckets": [{
            "name": "photos", "backend_type": "azure",
            "backend_options": {
                "endpoint": store.endpoint, "account_name": "account", "container_name": "photos", "auth_type": "oidc",
                "tenant_id": "6f1e6a4e-0000-4000-8000-000000000001", "client_id": "6f1e6a4e-0000-4000-8000-000000000002",
                "sts_endpoint": tokens.endpoint,
            },
        }],
    })
    assert gate.request("GET", "/photos/x", KEY).status == 200
    assert store.seen[-1].header("authorization") == "Bearer entra-token-1"
    assert store.seen[-1].header("x-ms-version")
    assert tokens.asked[0][1] == "/6f1e6a4e-0000-4000-8000-000000000001/oauth2/v2.0/token"
    shown = claims(tokens.asked[0][3])
    assert (shown["iss"], shown["sub"], shown["aud"]) == (
        "https://gatehouse.example.com", "s3-proxy", "api://AzureADTokenExchange",
    )
    assert "entra-token" not in gate.everything_written()


def google(folder, store, tokens):
    path, _ = new_key(folder, "key")
    return {
        "keys": {"oidc_provider_keys": [f"file:{path}"], "oidc_provider_issuer": "https://gatehouse.example.com"},
        "users": [READER],
        "buckets": [{
            "name": "photos", "backend_type": "gcs",
            "backend_options": {
                "endpoint": store.endpoint, "bucket_name": "photos", "auth_type": "oidc",
                "workload_provider": "projects/1/locations/global/workloadIdentityPools/p/providers/x",
                "service_account_email": "data@project.iam.gserviceaccount.com", "sts_endpoint": tokens.endpoint,
            },
        }],
    }


def test_google_takes_the_token_of_a_service_account_that_is_impersonated(gateway, stub_store, service, tmp_path):
    store, tokens = stub_store(response(body=b"x", headers=[("ETag", '"1"')])), service(GoogleTokens)
    gate = gateway(google(tmp_path, store, tokens))
    assert gate.request("GET", "/photos/x", KEY).status == 200
    assert store.seen[-1].header("authorization") == "Bearer account-token"
    shown = claims(tokens.asked[0][3])
    assert shown["aud"] == "https://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x"
    assert tokens.asked[1][1].endswith("/serviceAccounts/data%40project.iam.gserviceaccount.com:generateAccessToken")
    assert "-token" not in gate.everything_written()


def test_what_google_says_is_the_operators(gateway, stub_store, service, tmp_path):
    store, tokens = stub_store(response(body=b"x")), service(GoogleTokens)
    tokens.mode = "fail"
    gate = gateway(google(tmp_path, store, tokens))
    answer = gate.request("GET", "/photos/x", KEY)
    assert (answer.status, answer.s3_code) == (503, "BackendCredentialUnavailable")
    assert "answered 400 invalid_grant: Not this one." in check(gate)["detail"]
    assert not [seen for seen in store.seen if seen.target.startswith("/photos/")]


def test_trust_prints_what_google_needs(gateway, stub_store, service, tmp_path):
    gate = gateway(google(tmp_path, stub_store(), service(GoogleTokens)), start=False)
    command = [binary(), "trust", "gcp", "photos", "--config", gate.config_path, "--json"]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, env=gate.env).stdout)
    pool = "iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p"
    assert said["principal"] == f"principal://{pool}/subject/s3-proxy"
    _, provider, account, signer, bucket = said["commands"]
    assert "--issuer-uri=https://gatehouse.example.com" in provider
    assert "--attribute-condition=\"assertion.sub=='s3-proxy'\"" in provider
    assert "add-iam-policy-binding data@project.iam.gserviceaccount.com" in account and said["principal"] in account
    assert "roles/iam.serviceAccountTokenCreator" in signer and "serviceAccount:data@project" in signer
    assert bucket.startswith("gcloud storage buckets add-iam-policy-binding gs://photos --role=roles/storage.objectAdmin")
