"""Stores without keys: Gatehouse proves itself by its own tokens, and keeps the sessions that it gets for them."""

import json
import subprocess

import pytest
from botocore.exceptions import ClientError

from support.clients import s3_client
from support.federation import federated_bucket, new_key, trusting_store
from support.gatehouse import Gatehouse, binary, eventually
from support.load import Load
from support.people import FULL
from support.ports import free_port
from support.toml_text import toml_text

CALLER = {
    "access_key_id": FULL.access_key, "secret_access_key": FULL.secret_key, "principal_name": "full",
    "allowed_scopes": [{"bucket": "*", "actions": ["*"]}],
}


def config(issuer, keys, *buckets):
    return {
        "keys": {"oidc_provider_keys": [f"file:{path}" for path in keys], "oidc_provider_issuer": issuer},
        "buckets": list(buckets),
        "credentials": [CALLER],
        "users": [{"name": "reader", "api_key": "reader-key-0123456789", "allowed_buckets": ["*"]}],
    }


def caller(gate):
    return s3_client(gate.endpoint, FULL.access_key, FULL.secret_key)


def ready_detail(gate, name):
    checks = gate.request("GET", "/-/ready", admin=True).json()["checks"]
    return next((check for check in checks if check["name"] == name), None)


@pytest.fixture(scope="module")
def federated(tmp_path_factory):
    """Gatehouse and a store that trusts it; the key that the store was made with is used to make the bucket alone."""
    folder = tmp_path_factory.mktemp("federated")
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    key, _ = new_key(folder, "first")
    store = trusting_store("trust", folder / "store", issuer, "photos")
    gate = Gatehouse(folder / "gate", config(issuer, [key], federated_bucket(store)), port=port).start()
    store.start()
    s3_client(store.endpoint, store.access_key, store.secret_key).create_bucket(Bucket="photos")
    yield gate, store
    gate.stop()
    store.stop()


def test_objects_flow_without_a_key_anywhere(federated):
    gate, store = federated
    assert store.secret_key not in gate.config_path.read_text()
    s3 = caller(gate)
    s3.put_object(Bucket="photos", Key="a/one.txt", Body=b"one")
    assert s3.get_object(Bucket="photos", Key="a/one.txt")["Body"].read() == b"one"
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="photos")["Contents"]] == ["a/one.txt"]
    upload = s3.create_multipart_upload(Bucket="photos", Key="parts")["UploadId"]
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(
            Bucket="photos", Key="parts", UploadId=upload, PartNumber=number, Body=bytes([number]) * (5 << 20))["ETag"]}
        for number in (1, 2)
    ]
    s3.complete_multipart_upload(Bucket="photos", Key="parts", UploadId=upload, MultipartUpload={"Parts": parts})
    assert s3.head_object(Bucket="photos", Key="parts")["ContentLength"] == 10 << 20
    s3.delete_object(Bucket="photos", Key="parts")


def test_the_stores_policy_holds_for_the_session(federated):
    gate, _ = federated
    with pytest.raises(ClientError) as refused:
        caller(gate).put_object(Bucket="photos", Key="forbidden/x", Body=b"x")
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_metrics_and_readiness_tell_of_the_credential(federated):
    gate, _ = federated
    caller(gate).put_object(Bucket="photos", Key="m", Body=b"m")
    assert 0 < gate.metric("gatehouse_credentials_expiry_seconds", backend="photos") <= 12 * 3600
    assert gate.metric("gatehouse_credential_exchanges_total", backend="photos") >= 1
    check = ready_detail(gate, "credential:photos")
    assert check["ok"] and "GatehouseData" in check["detail"]


def test_nothing_secret_is_written(federated):
    gate, _ = federated
    caller(gate).put_object(Bucket="photos", Key="m", Body=b"m")
    written = gate.everything_written()
    assert "eyJ" not in written and "Signature=" not in written


def test_keys_roll_over_under_load_without_a_failed_request(federated):
    gate, store = federated
    caller(gate).put_object(Bucket="photos", Key="rolled", Body=b"rolled")
    new, new_id = new_key(gate.folder, "new")
    issuer = gate.config["keys"]["oidc_provider_issuer"]
    first = gate.config["keys"]["oidc_provider_keys"][0].removeprefix("file:")
    bucket = gate.config["buckets"][0]
    with Load(gate.port, "/photos/rolled", {"x-api-key": "reader-key-0123456789"}, b"rolled", threads=4) as load:
        # Published first, then signing, then alone. A subject of its own has another session each time.
        for step, keys in enumerate([[first, new], [new, first], [new]]):
            before = gate.metric("gatehouse_credential_exchanges_total", backend="photos")
            bucket["backend_options"]["oidc_subject"] = f"photos-gateway-{step}"
            gate.write_config(config(issuer, keys, bucket))
            published = lambda: len(json.loads(gate.request("GET", "/.well-known/jwks.json").body)["keys"]) == len(keys)
            assert eventually(published)
            done = load.done
            assert eventually(lambda: load.done > done + 50)
            assert eventually(lambda: ready_detail(gate, "credential:photos")["ok"]), gate.process.output()
    assert load.failures == []
    assert json.loads(gate.request("GET", "/.well-known/jwks.json").body)["keys"][0]["kid"] == new_id


def command(gate, *arguments):
    return subprocess.run(
        [binary(), *arguments, "--config", gate.config_path, "--json"], capture_output=True, text=True, env=gate.env
    )


def findings(done, subject):
    document = json.loads(done.stdout)
    [one] = [one for one in document["examinations"] if one["subject"].startswith(subject)]
    return {finding["check"]: finding for finding in one["findings"]}


def test_trust_check_finds_everything_in_order(federated):
    gate, _ = federated
    done = command(gate, "trust", "check")
    assert done.returncode == 0, done.stdout + done.stderr
    issuer = findings(done, "issuer")
    assert issuer["discovery"]["verdict"] == "note" and issuer["keys"]["verdict"] == "ok"
    store = findings(done, "photos")
    assert {name: store[name]["verdict"] for name in ("credential", "reachable", "bucket", "write", "read", "delete")} == {
        "credential": "ok", "reachable": "ok", "bucket": "ok", "write": "ok", "read": "ok", "delete": "ok",
    }
    listed = caller(gate).list_objects_v2(Bucket="photos", Prefix=".gatehouse/")
    assert listed["KeyCount"] == 0


def test_trust_check_finds_a_key_that_is_not_published(federated, tmp_path):
    gate, _ = federated
    other, _ = new_key(tmp_path, "other")
    issuer = gate.config["keys"]["oidc_provider_issuer"]
    wrong = Gatehouse(tmp_path / "wrong", config(issuer, [other], *gate.config["buckets"]))
    done = command(wrong, "trust", "check")
    assert done.returncode == 1
    assert "another configuration runs there" in findings(done, "issuer")["keys"]["detail"]
    assert findings(done, "photos")["credential"]["verdict"] == "failed"


def test_doctor_says_what_the_store_does_and_does_not(federated):
    gate, _ = federated
    done = command(gate, "doctor", "photos")
    assert done.returncode == 0, done.stdout + done.stderr
    store = findings(done, "photos")
    assert store["conditional writes"]["verdict"] == "ok"
    assert store["payload hash"]["verdict"] == "note", "SeaweedFS does not verify it"
    assert store["checksums"]["verdict"] == "ok"
    assert store["clock"]["verdict"] == "ok"
    assert store["unsigned fields"]["verdict"] == "ok"


# What `trust aws` prints


ACTIONS_OF_THE_BUCKET = {
    "s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "s3:GetBucketLocation",
}
"""Service Authorization Reference, "Actions defined by Amazon S3": the resource type is the bucket."""
ACTIONS_WITH_A_PREFIX = {"s3:ListBucket", "s3:ListBucketVersions"}
"""Of these, what knows the condition key s3:prefix."""
READS = {"GetObject", "HeadObject", "GetObjectTagging", "GetObjectAttributes"}
LISTS = {"ListObjects", "ListObjectsV2", "ListObjectVersions", "ListMultipartUploads", "ListParts", "GetBucketLocation"}
WRITES = {
    "PutObject", "CopyObject", "CreateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload",
    "AbortMultipartUpload", "PutObjectTagging", "DeleteObjectTagging", "DeleteObject", "DeleteObjects",
}
NEEDS = {
    "HeadObject": {"s3:GetObject"}, "ListObjects": {"s3:ListBucket"}, "ListObjectsV2": {"s3:ListBucket"},
    "ListObjectVersions": {"s3:ListBucketVersions"}, "ListMultipartUploads": {"s3:ListBucketMultipartUploads"},
    "ListParts": {"s3:ListMultipartUploadParts"}, "CopyObject": {"s3:PutObject", "s3:GetObject"},
    "CreateMultipartUpload": {"s3:PutObject"}, "UploadPart": {"s3:PutObject"}, "UploadPartCopy": {"s3:PutObject", "s3:GetObject"},
    "CompleteMultipartUpload": {"s3:PutObject"}, "DeleteObjects": {"s3:DeleteObject"},
}
"""Where it is not the operation's own name."""


@pytest.mark.parametrize("flags", [[], ["--read-only"]], ids=["all", "read-only"])
@pytest.mark.parametrize("prefix", ["", "v2"])
def test_trust_aws_prints_a_policy_that_allows_what_is_sent_for_the_bucket(federated, tmp_path, prefix, flags):
    gate, store = federated
    key, _ = new_key(tmp_path, "key")
    bucket = {**federated_bucket(store), "backend_prefix": prefix}
    path = tmp_path / "gatehouse.toml"
    path.write_text(toml_text(config(gate.endpoint, [key], bucket)))
    done = subprocess.run([binary(), "trust", "aws", bucket["name"], "--config", path, "--json", *flags],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    statements = json.loads(done.stdout)["permission_policy"]["Statement"]
    allowed = {action for statement in statements for action in statement["Action"]}
    for operation in READS | LISTS | (set() if flags else WRITES):
        assert NEEDS.get(operation, {f"s3:{operation}"}) <= allowed, operation
    if flags:
        assert not any(action.startswith(("s3:Put", "s3:Delete", "s3:Abort")) for action in allowed)
    for statement in statements:
        actions, is_of_objects = set(statement["Action"]), "/" in statement["Resource"]
        # AWS ignores an action on a resource that it is not about, and refuses what is under a key that it does not know.
        assert actions.isdisjoint(ACTIONS_OF_THE_BUCKET) if is_of_objects else actions <= ACTIONS_OF_THE_BUCKET
        if is_of_objects:
            assert statement["Resource"].endswith("/v2/*" if prefix else "/*")
        elif "Condition" in statement:
            assert statement["Condition"] == {"StringLike": {"s3:prefix": "v2/*"}} and actions <= ACTIONS_WITH_A_PREFIX
        else:
            assert not prefix or actions.isdisjoint(ACTIONS_WITH_A_PREFIX)
