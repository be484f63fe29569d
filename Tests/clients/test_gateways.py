"""Envoy, nginx, Traefik and Caddy in front of the stores, with Gatehouse deciding and signing for them."""

import hashlib
import hmac
import json
import os
import urllib.parse

import pytest
from botocore.exceptions import ClientError

from support.azure_blob import ACCOUNT, KEY, AzureBlob
from support.clients import presigned, run, s3_client, signed
from support.gatehouse import Gatehouse, binary, eventually
from support.gateways import Gateway
from support.google_store import GoogleStore
from support.issuer import Issuer
from support.people import ALICE, FULL, ROOT, Key, User, account, everywhere, within
from support.ports import free_port
from support.stub_store import StubStore
from support.sts import Session, exchange

BOB = User("bob", "bob-api-key-2f1d0a8c1e5b7d93440c1f7a")
SHARED_SECRET = "between-gateway-and-gatehouse-8c1e5b7d"
WRITER = Key("AKWRITER00000EXAMPLE", "writer/Secret+123456789abcdefghijklmnopqr", "writer")
AUDIENCE = "sts.files.example.com"
KINDS = ["envoy", "nginx", "traefik", "caddy"]


def front(photos_store, bob_store, **more):
    return {
        "server": {"region": "us-east-1", "trusted_proxies": ["127.0.0.0/8"]},
        "accounts": [account("north", photos_store, ["photos", "docs"])],
        "buckets": [
            {
                "name": "prefixed", "account": "north", "backend_prefix": "v2/area",
                "backend_options": {"bucket_name": "shared"},
            },
            {
                "name": "bobs", "backend_type": "s3",
                "backend_options": account("", bob_store, [])["backend_options"] | {"bucket_name": "logs"},
            },
            {"name": "local", "backend_type": "file", "backend_options": {"path": "files"}},
        ],
        "users": [ALICE.entry("user", ["photos"]), BOB.entry("user", ["bobs"]), ROOT.entry("admin", ["*"])],
        "credentials": [FULL.entry(everywhere()), WRITER.entry([within("photos", ["w/"], "write")])],
        "ext_authz": {"shared_secret": SHARED_SECRET, **more},
    }


@pytest.fixture(scope="module")
def asked(tmp_path_factory, north, south):
    """The Gatehouse that the gateways ask."""
    folder = tmp_path_factory.mktemp("asked")
    (folder / "files").mkdir()
    gatehouse = Gatehouse(folder, front(north, south)).start()
    yield gatehouse
    gatehouse.stop()


@pytest.fixture(scope="module", params=KINDS)
def gateway_kind(request, asked, tmp_path_factory):
    instance = Gateway(request.param, asked, tmp_path_factory.mktemp(request.param)).start()
    yield instance
    instance.stop()


@pytest.fixture(scope="module")
def through(gateway_kind):
    """boto3 through the gateway, as the caller that may do everything."""
    return s3_client(gateway_kind.endpoint + "/s3", FULL.access_key, FULL.secret_key)


NAMES = [
    "plain.txt", "with space", "plus+plus", "ünï/cødé 日本", "a%20b", "a//b", "semi;colon", "q?mark#hash", "p(1)'*!~.txt"
]


@pytest.mark.parametrize("name", NAMES)
def test_objects_go_through_the_gateway(through, gateway_kind, north_s3, name):
    key = f"gw-{gateway_kind.kind}/{name}"
    if gateway_kind.kind == "traefik" and "//" in name:
        # It refuses such a path after it has rewritten it, whatever it is told.
        with pytest.raises(ClientError, match="400"):
            through.put_object(Bucket="photos", Key=key, Body=b"1")
        return
    data = os.urandom(1 << 20)
    through.put_object(Bucket="photos", Key=key, Body=data, ContentType="image/x-test", Metadata={"colour": "blue"})
    stored = north_s3.get_object(Bucket="photos", Key=key)
    assert stored["Body"].read() == data
    assert stored["ContentType"] == "image/x-test" and stored["Metadata"] == {"colour": "blue"}
    assert through.get_object(Bucket="photos", Key=key)["Body"].read() == data
    part = through.get_object(Bucket="photos", Key=key, Range="bytes=1000-1999")
    assert part["Body"].read() == data[1000:2000] and part["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert through.head_object(Bucket="photos", Key=key)["ContentLength"] == 1 << 20
    listed = through.list_objects_v2(Bucket="photos", Prefix=key, MaxKeys=5)
    assert [entry["Key"] for entry in listed["Contents"]] == [key]
    through.delete_object(Bucket="photos", Key=key)
    with pytest.raises(ClientError):
        north_s3.head_object(Bucket="photos", Key=key)


def test_multipart_uploads_go_through(through, gateway_kind, north_s3):
    key = f"gw-{gateway_kind.kind}/in parts"
    upload = through.create_multipart_upload(Bucket="photos", Key=key)["UploadId"]
    data = [os.urandom(5 << 20), os.urandom(1000)]
    parts = [
        {"PartNumber": number, "ETag": through.upload_part(
            Bucket="photos", Key=key, UploadId=upload, PartNumber=number, Body=piece)["ETag"]}
        for number, piece in enumerate(data, 1)
    ]
    through.complete_multipart_upload(Bucket="photos", Key=key, UploadId=upload, MultipartUpload={"Parts": parts})
    assert north_s3.get_object(Bucket="photos", Key=key)["Body"].read() == b"".join(data)


def test_a_prefix_and_another_store_are_found(through, gateway_kind, north_s3, south_s3):
    key = f"gw-{gateway_kind.kind}/k"
    through.put_object(Bucket="prefixed", Key=key, Body=b"below")
    assert north_s3.get_object(Bucket="shared", Key="v2/area/" + key)["Body"].read() == b"below"
    through.put_object(Bucket="bobs", Key=key, Body=b"south")
    assert south_s3.get_object(Bucket="logs", Key=key)["Body"].read() == b"south"


def test_who_may_not_hears_so(gateway_kind, north_s3, asked):
    north_s3.put_object(Bucket="photos", Key="gw-mine", Body=b"alice's")
    target = "/s3/photos/gw-mine"
    assert gateway_kind.raw("GET", target, ALICE.headers).body == b"alice's"
    for headers, status in [
        (BOB.headers, 403), ({}, 401), ({"x-api-key": "stranger"}, 401), ({"Authorization": "Bearer a.b.c"}, 401),
        ({"Authorization": "AWS4-HMAC-SHA256 nonsense"}, 401),
    ]:
        answer = gateway_kind.raw("GET", target, headers)
        assert answer.status == status, headers
        assert b"alice" not in answer.body
    assert gateway_kind.raw("DELETE", target, BOB.headers).status == 403
    assert gateway_kind.raw("PUT", target, BOB.headers, b"bob's").status == 403
    assert gateway_kind.raw("GET", "/s3/local/a", ROOT.headers).status in (403, 404)
    assert gateway_kind.raw("POST", "/s3/photos?delete", ROOT.headers, b"<Delete/>").status == 403
    assert gateway_kind.raw("GET", "/s3/prefixed?list-type=2", ROOT.headers).status == 403
    assert north_s3.get_object(Bucket="photos", Key="gw-mine")["Body"].read() == b"alice's"

    def verdicts():
        lines = [line for line in asked.audit_log() if line.get("reason", "").startswith(gateway_kind.kind + ": ")]
        return {line["verdict"] for line in lines}

    assert eventually(lambda: {"allowed", "denied"} <= verdicts())


def test_a_scope_holds(gateway_kind):
    writer = s3_client(gateway_kind.endpoint + "/s3", WRITER.access_key, WRITER.secret_key)
    writer.put_object(Bucket="photos", Key="w/a", Body=b"1")
    for key in ["v/a", "w", "v/a"]:
        with pytest.raises(ClientError) as refused:
            writer.put_object(Bucket="photos", Key=key, Body=b"1")
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_a_client_cannot_ask_by_itself(asked, gateway_kind):
    """Neither past the gateway nor through it."""
    for path in ["/-/authz/envoy/s3/photos/a", "/-/authz/nginx"]:
        headers = {**ROOT.headers, "X-Original-Method": "GET", "X-Original-URI": "/s3/photos/a"}
        assert asked.request("GET", path, headers).status == 404
        assert gateway_kind.raw("GET", path, headers).status == 404


@pytest.fixture
def rules_of_docs(north_s3):
    """The store's own, for one page."""
    rule = {"AllowedOrigins": [PAGE], "AllowedMethods": ["GET", "PUT"], "AllowedHeaders": ["x-api-key", "content-type"]}
    north_s3.put_bucket_cors(Bucket="docs", CORSConfiguration={"CORSRules": [rule]})
    yield
    north_s3.delete_bucket_cors(Bucket="docs")


PAGE = "https://app.example.com"


def preflight(origin, method="PUT", fields="content-type,x-api-key"):
    asked = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": fields}
    return {name: value for name, value in asked.items() if value is not None}


def test_a_browser_s_preflight_is_answered_by_the_store_s_rules(gateway_kind, north_s3, rules_of_docs):
    target = f"/s3/docs/gw-{gateway_kind.kind}-page"
    allowed = gateway_kind.raw("OPTIONS", target, preflight(PAGE))
    assert allowed.status == 200, allowed
    assert allowed.headers["access-control-allow-origin"] == PAGE
    assert "PUT" in allowed.headers["access-control-allow-methods"]
    refused = gateway_kind.raw("OPTIONS", target, preflight("https://evil.example.com"))
    assert refused.status == 403 and "access-control-allow-origin" not in refused.headers
    # What it asks about follows, with the credential that the preflight has none of.
    sent = gateway_kind.raw("PUT", target, {**ROOT.headers, "Origin": PAGE, "Content-Type": "text/plain"}, b"from a page")
    assert sent.status == 200 and sent.headers["access-control-allow-origin"] == PAGE
    assert north_s3.get_object(Bucket="docs", Key=target.rsplit("/", 1)[1])["Body"].read() == b"from a page"
    assert gateway_kind.raw("PUT", target, {"Origin": PAGE, "Content-Type": "text/plain"}, b"1").status == 401


# MARK: - What reaches the store


class Recorded:
    """Gatehouse and one gateway of each kind before a store that only remembers."""

    def __init__(self, folder, store, kind, issuer):
        store.access_key, store.secret_key = "AKSTUB0000000EXAMPLE", "stub-secret-8f14e45fceea167a5a36"
        self.store = store
        scopes = [{"bucket": "photos", "prefixes": ["{org}/"], "actions": ["read", "write"]}]
        self.gatehouse = Gatehouse(folder / "gatehouse", {
            **front(store, store),
            "identity_providers": [issuer.entry(allowed_scopes=scopes, use=["bearer", "sts"],
                                                audiences=["gatehouse", AUDIENCE])],
            "roles": [{"role_id": "deployer", "trusted_oidc_issuers": [issuer.url], "required_audiences": [AUDIENCE],
                       "subject_conditions": ["repo:org/app:*"], "allowed_scopes": scopes}],
        }).start()
        (folder / "gatehouse" / "files").mkdir(exist_ok=True)
        self.gateway = Gateway(kind, self.gatehouse, folder / kind).start()

    def stop(self):
        self.gateway.stop()
        self.gatehouse.stop()


@pytest.fixture(scope="module")
def issuer():
    made = Issuer()
    yield made
    made.stop()


@pytest.fixture(scope="module", params=KINDS)
def recorded(request, tmp_path_factory, issuer):
    store = StubStore()
    instance = Recorded(tmp_path_factory.mktemp("recorded-" + request.param), store, request.param, issuer)
    yield instance
    instance.stop()
    store.stop()


def verify(seen, store):
    """Whether what the store saw is what was signed, reckoned from the wire by hand."""
    authorization = seen.header("authorization")
    fields = dict(part.split("=", 1) for part in authorization.split(" ", 1)[1].replace(", ", ",").split(","))
    names = fields["SignedHeaders"].split(";")
    _, day, region, service, _ = fields["Credential"].split("/")
    path, _, query = seen.target.partition("?")
    items = urllib.parse.parse_qsl(query, keep_blank_values=True)
    canonical_query = "&".join(
        sorted(f"{urllib.parse.quote(k, safe='~')}={urllib.parse.quote(v, safe='~')}" for k, v in items)
    )
    canonical_path = urllib.parse.quote(urllib.parse.unquote_to_bytes(path), safe="/~")
    lines = [seen.method, canonical_path, canonical_query]
    lines += [f"{name}:{' '.join((seen.header(name) or '').split())}" for name in names]
    lines += ["", fields["SignedHeaders"], seen.header("x-amz-content-sha256")]
    scope = f"{day}/{region}/{service}/aws4_request"
    text = "\n".join([
        "AWS4-HMAC-SHA256", seen.header("x-amz-date"), scope, hashlib.sha256("\n".join(lines).encode()).hexdigest()
    ])
    key = ("AWS4" + store.secret_key).encode()
    for part in [day, region, service, "aws4_request"]:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest() == fields["Signature"]


def test_nothing_of_the_caller_reaches_the_store(recorded):
    store, gateway = recorded.store, recorded.gateway
    before = len(store.seen)
    secrets = {
        "Cookie": "session=cookie-secret", "Proxy-Authorization": "Basic cHJveHktc2VjcmV0",
        "X-Gatehouse-Gateway": "client-says-secret", "X-Forwarded-For": "203.0.113.77",
        "X-Original-URI": "/s3/bobs/secret", "X-Gatehouse-Upstream-Path": "/bobs/secret",
        "X-Gatehouse-Upstream-Host": "elsewhere.example.com", "X-Original-Content-Length": "1",
    }
    answer = gateway.raw(
        "PUT", "/s3/photos/a%20b?x-id=PutObject",
        {**ALICE.headers, **secrets, "X-Amz-Meta-Colour": "blue", "Content-Type": "text/plain"}, b"12345",
    )
    assert answer.status == 200, answer
    (seen,) = store.seen[before:]
    assert seen.body == b"12345" and seen.target.startswith("/photos/a%20b")
    assert verify(seen, store)
    assert seen.header("host") == f"127.0.0.1:{store.port}"
    assert "x-amz-meta-colour" in seen.header("authorization")
    text = seen.target + "\n" + "\n".join(f"{name}: {value}" for name, value in seen.headers)
    for secret in [ALICE.api_key, "secret", "203.0.113.77", "elsewhere", SHARED_SECRET, "cHJveHkt"]:
        assert secret not in text, secret
    assert not [name for name, _ in seen.headers if name.lower().startswith(("x-gatehouse", "x-original"))]


def test_tokens_and_presigned_queries_stop_at_the_gateway(recorded):
    store, gateway = recorded.store, recorded.gateway
    before = len(store.seen)
    url = presigned("GET", gateway.endpoint + "/s3/photos/a", FULL.access_key, FULL.secret_key)
    target = url[len(gateway.endpoint):]
    assert gateway.raw("GET", target).status == 403
    assert gateway.raw("GET", target, ALICE.headers).status == 403
    assert gateway.raw("GET", "/s3/photos/a?x-amz-security-token=t", ALICE.headers).status == 403
    # Two credentials are one too many here as everywhere.
    assert gateway.raw("GET", "/s3/photos/a", {**ALICE.headers, "X-Amz-Security-Token": "a-session"}).status == 401
    assert len(store.seen) == before
    headers = signed("GET", gateway.endpoint + "/s3/photos/a", FULL.access_key, FULL.secret_key)
    headers.pop("Host", None)
    assert gateway.raw("GET", "/s3/photos/a", headers).status == 200
    for seen in store.seen[before:]:
        assert seen.header("x-amz-security-token") is None
        assert FULL.access_key not in (seen.header("authorization") or "")
        assert "X-Amz-" not in seen.target and verify(seen, store)


def test_a_preflight_reaches_the_store_unsigned_and_as_a_browser_sends_it(recorded):
    store, gateway = recorded.store, recorded.gateway
    before = len(store.seen)
    assert gateway.raw("OPTIONS", "/s3/photos/a%20b", preflight(PAGE)).status == 200
    (seen,) = store.seen[before:]
    assert (seen.method, seen.target, seen.header("origin")) == ("OPTIONS", "/photos/a%20b", PAGE)
    assert seen.header("access-control-request-method") == "PUT"
    assert seen.header("access-control-request-headers") == "content-type,x-api-key"
    assert seen.header("host") == f"127.0.0.1:{store.port}"
    for name in ("authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"):
        assert not seen.header(name), name
    # What is none, or brings a credential, stops at the gateway.
    for headers in ({}, preflight(PAGE, method=None), preflight(None), {**preflight(PAGE), **ALICE.headers},
                    {**preflight(PAGE), "Authorization": "Bearer a.b.c"}, {**preflight(PAGE), "Cookie": "a=b"}):
        assert gateway.raw("OPTIONS", "/s3/photos/a", headers).status in (401, 403), headers
    assert len(store.seen) == before + 1


def test_a_session_and_a_bearer_token_stop_at_the_gateway(recorded, issuer):
    store, gateway, gatehouse = recorded.store, recorded.gateway, recorded.gatehouse
    session = Session.of(gatehouse, exchange(gatehouse, issuer.token("repo:org/app:main", aud=AUDIENCE, org="acme")))
    bearer = issuer.bearer(org="acme")
    before = len(store.seen)
    target = gateway.endpoint + "/s3/photos/acme/a"
    for method, body in [("PUT", b"12345"), ("GET", b"")]:
        headers = signed(method, target, session.access_key, session.secret_key, body=body, token=session.token)
        headers.pop("Host", None)
        assert "X-Amz-Security-Token" in headers
        assert gateway.raw(method, "/s3/photos/acme/a", headers, body).status == 200
        assert gateway.raw(method, "/s3/photos/acme/a", bearer, body).status == 200
        assert gateway.raw(method, "/s3/photos/else/a", bearer, body).status == 403
    seen = store.seen[before:]
    assert [one.method for one in seen] == ["PUT", "PUT", "GET", "GET"]
    for one in seen:
        assert verify(one, store)
        text = one.target + "\n" + "\n".join(f"{name}: {value}" for name, value in one.headers)
        for secret in [session.token, session.id, session.secret_key, bearer["Authorization"].split(" ")[1]]:
            assert secret not in text
        assert one.header("x-amz-security-token") is None and "Bearer" not in text


# MARK: - Other kinds of stores


@pytest.fixture(scope="module")
def azure():
    store = AzureBlob(free_port(), ["pictures"]).start()
    yield store
    store.stop()


@pytest.fixture(scope="module")
def google():
    store = GoogleStore(credentials={"GOOG1EXAMPLE": "hmac-secret-45c48cce2e2d"}, buckets=("at-google",)).start()
    yield store
    store.stop()


@pytest.fixture(scope="module", params=KINDS)
def elsewhere(request, tmp_path_factory, azure, google, north):
    """One gateway before stores of all three kinds."""
    folder = tmp_path_factory.mktemp("elsewhere-" + request.param)
    at_google = {"endpoint": google.endpoint, "bucket_name": "at-google"}
    gatehouse = Gatehouse(folder / "gatehouse", {
        "server": {"region": "us-east-1", "trusted_proxies": ["127.0.0.0/8"]},
        "accounts": [account("north", north, ["photos"])],
        "buckets": [
            {"name": "azured", "backend_type": "azure", "backend_prefix": "v2/area", "backend_options": {
                "account_name": ACCOUNT, "endpoint": azure.endpoint, "access_key": KEY, "container_name": "pictures"}},
            {"name": "googled", "backend_type": "gcs", "backend_prefix": "v2/area", "backend_options": {
                **at_google, "hmac_access_id": "GOOG1EXAMPLE", "hmac_secret": "hmac-secret-45c48cce2e2d"}},
            {"name": "open", "backend_type": "gcs", "backend_options": at_google},
        ],
        "users": [ALICE.entry("user", ["photos", "azured", "googled"]), BOB.entry("user", ["photos"])],
        "credentials": [FULL.entry(everywhere())],
        "ext_authz": {"shared_secret": SHARED_SECRET},
    }).start()
    gateway = Gateway(request.param, gatehouse, folder / request.param).start()
    gateway.gatehouse = gatehouse
    yield gateway
    gateway.stop()
    gatehouse.stop()


@pytest.mark.parametrize("bucket", ["azured", "googled", "photos"])
def test_stores_of_other_kinds_are_reached(elsewhere, azure, google, bucket):
    gateway, target = elsewhere, f"/s3/{bucket}/gw-{elsewhere.kind}/a%20b%2B"
    body = os.urandom(100_000)
    if (elsewhere.kind, bucket) == ("caddy", "azured"):
        # It writes the path anew, and Azure signs it as it is written.
        assert gateway.raw("PUT", target, ALICE.headers, body).status == 403
        target = target.removesuffix("%2B")
    written = gateway.raw("PUT", target, {**ALICE.headers, "Content-Type": "image/x-test"}, body)
    if (elsewhere.kind, bucket) == ("traefik", "azured"):
        # It does not say how long a body is, which is part of the signature there.
        assert written.status == 403
        assert gateway.gatehouse.request("PUT", target[3:], ALICE.headers, body).status == 200
    else:
        assert written.status in (200, 201), written
    read = gateway.raw("GET", target, ALICE.headers)
    assert (read.status, read.body) == (200, body), read
    part = gateway.raw("GET", target, {**ALICE.headers, "Range": "bytes=10-19"})
    assert (part.status, part.body) == (206, body[10:20])
    assert gateway.raw("HEAD", target, ALICE.headers).headers["content-length"] == "100000"
    for headers, status in [(BOB.headers, 200 if bucket == "photos" else 403), ({}, 401)]:
        assert gateway.raw("GET", target, headers).status == status
    for field in ["x-ms-copy-source", "x-goog-copy-source", "x-oss-acl", "x-obs-acl", "x-cos-acl", "x-minio-force-delete",
                  "x-http-method-override", "x-http-method", "x-method-override"]:
        for method in ["GET", "PUT"]:
            assert gateway.raw(method, target, {**ALICE.headers, field: "/other/secret"}, b"").status == 403, field
    own = signed("GET", gateway.endpoint + target, FULL.access_key, FULL.secret_key)
    own.pop("Host", None)
    assert gateway.raw("GET", target, own).body == body
    assert gateway.raw("DELETE", target, ALICE.headers).status in (200, 202, 204)
    assert gateway.raw("GET", target, ALICE.headers).status == 404
    seen = [dict(fields) for _, path, fields in azure.requests] + [dict(fields) for _, _, fields in google.seen]
    for fields in seen:
        names = {str(name).lower() for name in fields}
        assert not names & {"x-api-key", "x-amz-date", "x-amz-content-sha256", "x-gatehouse-gateway", "cookie"}, names
        assert FULL.access_key not in str(fields)


def test_what_is_not_signed_is_left_out(elsewhere, tmp_path):
    (tmp_path / "g.toml").write_text("""
[[buckets]]
name = "blobs"
backend_type = "azure"
backend_options = { account_name = "acct" }
[[buckets]]
name = "objects"
backend_type = "gcs"
backend_options = {}
""")
    command = [binary(), "gateway-config", elsewhere.kind, "--config", tmp_path / "g.toml", "--json"]
    report = json.loads(run(command).stdout)
    assert [left["bucket"] for left in report["left_out"]] == ["blobs", "objects"]
    assert all("only with" in left["reason"] for left in report["left_out"])


CONFUSING = [
    "/s3/photos/../bobs/a", "/s3/photos/./a", "/s3/photos/a/..", "/s3/photos/%2e%2e/bobs/a", "/s3/photos/%2E%2E/bobs/a",
    "/s3/photos/.%2e/bobs/a", "/s3/photos/..;/bobs/a", "/s3/photos/..%3b/bobs/a", "/s3/photos/..%2fbobs/a",
    "/s3/photos%2f..%2fbobs/a", "/s3/photos/..%5cbobs%5ca", "/s3/photos\\..\\bobs\\a", "/s3/photos/a\\b",
    "/s3/photos/a%5Cb", "/s3/photos%2Fa", "/s3/photos/a%2Fb", "/s3/photos/a%2fb", "/s3/photos//a", "/s3/photos///a//b",
    "//s3/photos/a", "/s3//photos/a", "/./s3/photos/a", "/x/../s3/photos/a", "/s3/bobs/../photos/a",
    "/s3/%70hotos/a", "/s3/%2e%2e/s3/photos/a", "/S3/photos/a", "/s3/PHOTOS/a", "/s3/photos/A", "/s3/photos/a;b",
    "/s3/photos;v=1/a", "/s3/photos/a;b=c/d", "/s3/photos/%00", "/s3/photos/a%00b", "/s3/photos/a%0d%0ab",
    "/s3/photos/a%20b", "/s3/photos/a+b", "/s3/photos/a%2Bb", "/s3/photos/%252e%252e/bobs/a", "/s3/photos/%25",
    "/s3/photos/%", "/s3/photos/%zz", "/s3/photos/%c0%ae%c0%ae/bobs", "/s3/photos/%ff", "/s3/photos/a?b/../c",
    "/s3/photos/a%3Fb", "/s3/photos/a%23b", "/s3/photos/a?prefix=%2e%2e", "/s3/photos?prefix=a+b", "/s3/photos?prefix=a%2Bb",
    "/s3/photos?prefix=a%20b&delimiter=/", "/s3/photos/?list-type=2", "/s3/photos?list-type=2&list-type=1",
    "/s3/photos/a#b", "/s3/photos/a~b(c)'d*e!f", "/s3/photos/:@&=$,", "/s3/photos/[x]{y}|z", "/s3/photos/\"<>^`",
    "/s3/photos/%7Bhttp.request.header.x-api-key%7D", "/s3/photos/$args", "/s3/photos/${1}", "/s3/photos/%24%7B1%7D",
    "/s3", "/s3/", "/s3/photos", "/s3/photos/", "/s3photos/a", "/photos/a", "/s3/photos/s3/photos/a", "*",
    "http://127.0.0.1/s3/photos/a", "http://evil.example.com/s3/photos/a",
]


@pytest.mark.parametrize("written", CONFUSING)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_what_is_decided_about_is_what_is_served(recorded, written, method):
    """alice may read and write photos and nothing else, whatever way there is written."""
    store, gateway = recorded.store, recorded.gateway
    before = len(store.seen)
    answer = gateway.raw(method, written, ALICE.headers)
    seen = store.seen[before:]
    if not seen:
        assert not 200 <= answer.status < 300, answer
        return
    (one,) = seen
    assert verify(one, store), one.target
    path = urllib.parse.unquote_to_bytes(one.target.partition("?")[0])
    assert path == b"/photos" or path.startswith(b"/photos/"), one.target
    assert not {b".", b".."} & set(path.split(b"/"))


# MARK: - The command


@pytest.mark.parametrize("kind", KINDS)
def test_configurations_are_printed(asked, kind):
    printed = run([binary(), "gateway-config", kind, "--config", asked.config_path], env=asked.env)
    assert printed.returncode == 0
    assert "/-/authz/" + kind in printed.stdout and "local is left out" in printed.stderr
    command = [binary(), "gateway-config", kind, "--config", asked.config_path, "--json"]
    report = json.loads(run(command, env=asked.env).stdout)
    assert report["left_out"] == [{"bucket": "local", "reason": "a file backend has no address"}]
    for file in report["files"]:
        assert file["content"] in printed.stdout
        assert "north-backend-secret" not in file["content"]


def test_a_broken_configuration_prints_none(tmp_path):
    (tmp_path / "broken.toml").write_text("[server]\nlisten = 1\n")
    printed = run([binary(), "gateway-config", "nginx", "--config", tmp_path / "broken.toml"])
    assert printed.returncode == 1 and printed.stdout == "" and "server.listen" in printed.stderr
