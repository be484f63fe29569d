"""Azure and Google without a key anywhere: Gatehouse is the OIDC provider, the cloud's token service fetches its documents
and verifies its token, and the store believes nothing but the token that came of it.
"""

import json
import subprocess
import time
import urllib.error
import urllib.request
from datetime import datetime

import pytest
from support.clients import s3_client
from support.clouds import AzureCloud, GoogleCloud
from support.federation import new_key
from support.gatehouse import Gatehouse, binary, eventually
from support.load import Load
from support.people import ALICE, FULL, everywhere
from support.ports import free_port
from support.slots import complete, issue, use

CLOUDS = [AzureCloud, GoogleCloud]
MIB = 1 << 20


def config(issuer, keys, *buckets, **more):
    return {
        "keys": {"oidc_provider_keys": [f"file:{path}" for path in keys], "oidc_provider_issuer": issuer},
        "buckets": list(buckets), "credentials": [FULL.entry(everywhere())], "users": [ALICE.entry("user", ["*"])],
        "uploads": {"allowed_content_types": ["image/*"]},
        "ext_authz": {"gateways": ["127.0.0.1/32"]},
        "routes": [{"path": "/read/{key*}", "methods": ["GET"], "bucket": "photos", "key": "{key}",
                    "delivery": "redirect", "ttl": "30s"}],
        **more,
    }


class Front:
    """A gateway, the cloud behind it, and what was made for both."""

    def __init__(self, kind, folder):
        self.folder, self.port = folder, free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.cloud = kind(self.issuer)
        self.key, _ = new_key(folder, "first")
        self.gate = Gatehouse(folder / "gate", config(self.issuer, [self.key], self.cloud.bucket()), port=self.port)

    def start(self):
        self.gate.start()
        return self

    def stop(self):
        self.gate.stop()
        self.cloud.stop()

    @property
    def s3(self):
        return s3_client(self.gate.endpoint, FULL.access_key, FULL.secret_key)

    def download(self, key, **more):
        body = json.dumps({"bucket": "photos", "key": key, **more}).encode()
        return self.gate.request(
            "POST", "/-/v1/downloads", {**ALICE.headers, "content-type": "application/json"}, body)

    def check(self, name):
        checks = self.gate.request("GET", "/-/ready", admin=True).json()["checks"]
        return next((one for one in checks if one["name"] == name), None)


@pytest.fixture(scope="module", params=CLOUDS, ids=lambda kind: kind.kind)
def front(request, tmp_path_factory):
    made = Front(request.param, tmp_path_factory.mktemp(request.param.kind)).start()
    yield made
    made.stop()


@pytest.fixture
def fresh(request, tmp_path):
    """One of a test's own, not started."""
    made = []

    def make(kind):
        made.append(Front(kind, tmp_path))
        return made[-1]

    yield make
    for one in made:
        one.stop()


EACH = pytest.mark.parametrize("kind", CLOUDS, ids=lambda kind: kind.kind)


def fetch(url, headers=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=120) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read()


def leads_to(front, url):
    return "store" if url.startswith(front.cloud.store.endpoint) else "gatehouse"


# What flows


def test_objects_flow_without_a_key_anywhere(front):
    s3, cloud = front.s3, front.cloud
    s3.put_object(Bucket="photos", Key="a/one.txt", Body=b"one", ContentType="text/plain", Metadata={"a": "1"})
    assert cloud.content("a/one.txt") == b"one"
    read = s3.get_object(Bucket="photos", Key="a/one.txt")
    assert (read["Body"].read(), read["Metadata"]) == (b"one", {"a": "1"})
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="photos", Prefix="a/")["Contents"]] == ["a/one.txt"]
    upload = s3.create_multipart_upload(Bucket="photos", Key="parts")["UploadId"]
    parts = [{"PartNumber": number, "ETag": s3.upload_part(
        Bucket="photos", Key="parts", UploadId=upload, PartNumber=number, Body=bytes([number]) * (5 * MIB))["ETag"]}
        for number in (1, 2)]
    s3.complete_multipart_upload(Bucket="photos", Key="parts", UploadId=upload, MultipartUpload={"Parts": parts})
    assert s3.head_object(Bucket="photos", Key="parts")["ContentLength"] == 10 * MIB
    s3.copy_object(Bucket="photos", Key="copied", CopySource={"Bucket": "photos", "Key": "a/one.txt"})
    assert cloud.content("copied") == b"one"
    s3.delete_objects(Bucket="photos", Delete={"Objects": [{"Key": "parts"}, {"Key": "copied"}]})
    assert cloud.content("parts") is None and cloud.content("copied") is None
    assert cloud.authorizations() == {"Bearer"}, "nothing goes out unsigned, or signed with a key"
    assert {(claims["iss"], claims["sub"]) for claims in cloud.tokens.believed} == {(front.issuer, "s3-proxy")}
    options = front.gate.config["buckets"][0]["backend_options"]
    assert not {"access_key", "hmac_secret", "service_account_key"} & options.keys()


def test_urls_lead_to_the_store(front):
    front.s3.put_object(Bucket="photos", Key="dir/ü +.txt", Body=b"by URL", ContentType="text/plain")
    answer = front.download("dir/ü +.txt", ttl="60s", filename="a b.txt")
    signed = answer.json()
    assert (answer.status, signed["via"], leads_to(front, signed["url"])) == (200, "store", "store")
    assert fetch(signed["url"], signed["headers"]) == (200, b"by URL")
    assert fetch(signed["url"].replace("dir/", "dor/"), signed["headers"])[0] == 403
    assert ("skoid=" in signed["url"]) == (front.cloud.kind == "azure")
    batch = [{"bucket": "photos", "key": f"k{n}"} for n in range(20)]
    answer = front.gate.request("POST", "/-/v1/downloads", {**ALICE.headers, "content-type": "application/json"},
                                json.dumps({"items": batch}).encode()).json()
    assert {item["via"] for item in answer["items"]} == {"store"} and len({item["url"] for item in answer["items"]}) == 20


def test_a_url_never_outlives_what_signs_it(front):
    longest = front.download("x", ttl="7d").json()
    seconds = datetime.fromisoformat(longest["expires_at"]).timestamp() - time.time()
    assert longest["capped_by"] == "backend_credential"
    assert 11 * 3600 < seconds <= 24 * 3600, "longer than the access token, as long as the signing key"


def test_a_route_redirects_to_the_store(front):
    front.s3.put_object(Bucket="photos", Key="routed", Body=b"routed")
    answer = front.gate.request("GET", "/read/routed", ALICE.headers)
    assert (answer.status, leads_to(front, answer.headers["location"])) == (302, "store")
    assert fetch(answer.headers["location"]) == (200, b"routed")


def test_an_upload_slot_is_used_at_the_store(front):
    slot = issue(front.gate, 10)
    assert leads_to(front, slot["upload"]["url"]) == "store"
    assert use(slot, b"0123456789") in (200, 201)
    done = complete(front.gate, slot)
    assert (done.status, front.cloud.content(slot["key"])) == (200, b"0123456789")


def test_no_gateway_is_given_a_token(front):
    answer = front.gate.request("GET", "/-/authz/envoy/photos/a/one.txt", ALICE.headers)
    assert answer.status == 403
    assert "authorization" not in {name.lower() for name in answer.headers}


def test_readiness_and_metrics_tell_of_what_was_obtained(front):
    assert front.check("credential:photos")["ok"]
    assert front.gate.metric("gatehouse_credentials_expiry_seconds", backend="photos", use="requests") > 0
    key = front.check("url_credential:photos")
    if front.cloud.kind == "azure":
        assert key["ok"] and "user delegation key" in key["detail"]
        assert front.gate.metric("gatehouse_credentials_expiry_seconds", backend="photos", use="urls") > 80_000
    else:
        front.download("x")
        assert "signed" in front.check("url_credential:photos")["detail"]
        assert front.gate.metric("gatehouse_url_signatures_total", backend="photos", result="made") >= 1


def test_nothing_secret_is_written(front):
    front.s3.put_object(Bucket="photos", Key="m", Body=b"m")
    front.download("m")
    written = front.gate.everything_written()
    assert not any(secret in written for secret in ("eyJ", "sig=", "X-Goog-Signature", *front.cloud.store.tokens))


# Keys and their ends


def test_keys_roll_over_under_load_without_a_failed_request(front):
    front.s3.put_object(Bucket="photos", Key="rolled", Body=b"rolled")
    new, new_id = new_key(front.folder, "new")
    with Load(front.port, "/photos/rolled", ALICE.headers, b"rolled", threads=4, pause=0.005) as load:
        # Published first, then signing, then alone. A subject of its own has another token each time.
        for step, keys in enumerate([[front.key, new], [new, front.key], [new]]):
            bucket = front.cloud.bucket(oidc_subject=f"s3-proxy-{step}")
            front.gate.write_config(config(front.issuer, keys, bucket))
            shown = lambda: {claims["sub"] for claims in front.cloud.tokens.believed}
            assert eventually(lambda: f"s3-proxy-{step}" in shown()), front.gate.process.output()
            load.wait_for(50)
            assert eventually(lambda: front.check("credential:photos")["ok"])
            assert front.download("rolled").json()["via"] == "store"
    assert load.failures == []
    assert json.loads(front.gate.request("GET", "/.well-known/jwks.json").body)["keys"][0]["kid"] == new_id
    front.gate.write_config(config(front.issuer, [new], front.cloud.bucket()))
    front.key = new


def test_a_key_for_urls_is_renewed_ahead_of_its_end_and_caps_them(fresh):
    front = fresh(AzureCloud)
    front.cloud.store.delegation_lifetime = 24
    front.start()
    front.s3.put_object(Bucket="photos", Key="x", Body=b"x")
    assert eventually(lambda: front.download("x").json()["via"] == "store")
    first = front.download("x", ttl="60s").json()
    assert first["capped_by"] == "backend_credential"
    end, urls = datetime.fromisoformat(first["expires_at"]).timestamp(), set()
    while time.time() <= end + 1 or len(urls) < 2:
        signed = front.download("x", ttl="60s").json()
        assert signed["via"] == "store", "another key is there before the last one ends"
        assert fetch(signed["url"]) == (200, b"x")
        urls.add(signed["url"].split("ske=")[1].split("&")[0])
        time.sleep(0.2)
    assert fetch(first["url"])[0] == 403


# Where nothing signs


def test_without_the_right_to_sign_urls_lead_through_gatehouse(fresh):
    front = fresh(AzureCloud)
    front.cloud.store.may_delegate = False
    front.start()
    front.s3.put_object(Bucket="photos", Key="x", Body=b"x")
    signed = front.download("x").json()
    assert (signed["via"], fetch(signed["url"], signed["headers"])) == ("gatehouse", (200, b"x"))
    assert front.gate.request("GET", "/read/x", ALICE.headers).body == b"x", "carried: a redirect would lead back here"
    key = front.check("url_credential:photos")
    assert not key["ok"] and "answered 403 AuthorizationPermissionMismatch" in key["detail"]
    assert front.gate.metric("gatehouse_credential_failures_total", backend="photos", use="urls") >= 1
    public = front.gate.request("GET", "/-/ready")
    assert (public.status, "Authorization" in public.text) == (200, False)
    assert front.check("credential:photos")["ok"]


def test_where_google_does_not_sign_urls_lead_through_gatehouse_or_there_are_none(fresh):
    front = fresh(GoogleCloud).start()
    front.s3.put_object(Bucket="photos", Key="x", Body=b"x")
    assert front.download("x").json()["via"] == "store"
    for mode in ("fail", "hang"):
        front.cloud.tokens.signs = mode
        signed = front.download("x").json()
        assert (signed["via"], fetch(signed["url"], signed["headers"])) == ("gatehouse", (200, b"x"))
        refused = front.download("x", via="store")
        assert (refused.status, refused.s3_code) == (503, "BackendCredentialUnavailable")
        assert "PERMISSION" not in refused.text and "signBlob" not in refused.text
        redirected = front.gate.request("GET", "/read/x", ALICE.headers)
        assert (redirected.status, redirected.s3_code) == (503, "BackendCredentialUnavailable")
        assert front.s3.get_object(Bucket="photos", Key="x")["Body"].read() == b"x", "objects flow on"
    said = [line for line in front.gate.process.output().splitlines() if "a URL could not be signed" in line]
    assert len([line for line in said if "answered 403 PERMISSION_DENIED" in line]) == 1, "not a line for each"
    trouble = front.check("url_credential:photos")
    assert not trouble["ok"] and "did not answer within" in trouble["detail"]
    assert front.gate.metric("gatehouse_url_signatures_total", backend="photos", result="failed") >= 6
    front.cloud.tokens.signs = "ok"
    assert front.download("x").json()["via"] == "store" and front.check("url_credential:photos")["ok"]
    assert "X-Goog-Signature" not in front.gate.everything_written()


# A service account's own key


def test_a_service_account_s_key_is_shown_to_nobody_but_signs_for_a_token(fresh, tmp_path):
    front = fresh(GoogleCloud)
    path = tmp_path / "account.json"
    path.write_text(json.dumps(front.cloud.tokens.key_file))
    bucket = {"name": "photos", "backend_type": "gcs", "backend_options": {
        "endpoint": front.cloud.store.endpoint, "bucket_name": front.cloud.place, "service_account_key": f"file:{path}"}}
    front.gate.write_config(config(front.issuer, [front.key], bucket))
    front.start()
    front.s3.put_object(Bucket="photos", Key="x", Body=b"x")
    assert front.cloud.authorizations() == {"Bearer"}
    assert [path for _, path, _, _ in front.cloud.tokens.asked] == ["/token"], "one grant for all"
    signed = front.download("x", ttl="7d").json()
    assert (signed["via"], fetch(signed["url"])) == ("store", (200, b"x"))
    assert "capped_by" not in signed, "the key itself signs, and does not end"
    front.cloud.tokens.mode = "fail"
    assert front.check("credential:photos")["ok"]


# What administrators are told


def command(gate, *arguments):
    return subprocess.run([binary(), *arguments, "--config", gate.config_path, "--json"], capture_output=True, text=True,
                          env=gate.env, timeout=60)


def findings(done, subject):
    [one] = [one for one in json.loads(done.stdout)["examinations"] if one["subject"].startswith(subject)]
    return {finding["check"]: finding for finding in one["findings"]}


@pytest.mark.parametrize("arguments", [("trust", "check"), ("doctor", "photos")], ids=["trust", "doctor"])
def test_everything_in_order_is_found_in_order(front, arguments):
    done = command(front.gate, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    store = findings(done, "photos")
    for check in ("credential", "signed URLs", "reachable", "bucket", "write", "read", "conditional writes", "delete"):
        assert store[check]["verdict"] == "ok", store[check]
    if arguments[0] == "trust":
        assert findings(done, "issuer")["keys"]["verdict"] == "ok"
    assert front.s3.list_objects_v2(Bucket="photos", Prefix=".gatehouse/")["KeyCount"] == 0


@EACH
@pytest.mark.parametrize("wrong", ["key", "issuer", "audience"])
def test_what_is_wrong_is_said_precisely(fresh, tmp_path, kind, wrong):
    front = fresh(kind)
    words = front.cloud.tokens.WORDS
    if wrong == "issuer":
        # Nobody listens there.
        front.gate.stop()
        done = command(front.gate, "trust", "check")
        assert findings(done, "issuer")["discovery"]["verdict"] == "failed"
        expected = words["unreachable"]
    else:
        front.start()
        key, bucket = front.key, front.cloud.bucket()
        if wrong == "key":
            key, _ = new_key(tmp_path, "other")
            expected = words["signature"]
        else:
            bucket = front.cloud.bucket(oidc_audience="somebody-else")
            expected = words["audience"]
        other = Gatehouse(tmp_path / "other", config(front.issuer, [key], bucket))
        done = command(other, "trust", "check")
        if wrong == "key":
            assert "another configuration runs there" in findings(done, "issuer")["keys"]["detail"]
        else:
            assert findings(done, "issuer")["keys"]["verdict"] == "ok"
    assert done.returncode == 1
    store = findings(done, "photos")
    assert store["credential"]["verdict"] == "failed" and expected in store["credential"]["detail"]
    assert store["reachable"]["verdict"] == "skipped"
    assert "eyJ" not in done.stdout + done.stderr
    assert command(front.gate, "doctor", "nothing").returncode == 1


def test_trust_azure_prints_what_the_bucket_needs(front):
    if front.cloud.kind != "azure":
        pytest.skip("of Azure")
    done = command(front.gate, "trust", "azure", "photos")
    said = json.loads(done.stdout)
    assert said["federated_credential"] == {
        "name": "gatehouse-pictures", "issuer": front.issuer, "subject": "s3-proxy",
        "audiences": ["api://AzureADTokenExchange"],
    }
    _, data, delegator = said["commands"]
    assert '"Storage Blob Data Contributor"' in data and data.endswith('/blobServices/default/containers/pictures"')
    assert '"Storage Blob Delegator"' in delegator and "containers" not in delegator
    refused = command(front.gate, "trust", "gcp", "photos")
    assert refused.returncode == 1 and "is none at Google" in json.loads(refused.stdout)["error"]["message"]
    assert command(front.gate, "trust", "azure", "nothing").returncode == 1
