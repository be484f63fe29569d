"""Every operation of docs/s3-compatibility.md: at a store, through Gatehouse in front of it, and at the embedded store."""

import json
import os
import threading
from dataclasses import dataclass

import pytest
from botocore.exceptions import ClientError

from support.clients import s3_client, signed
from support.gatehouse import Gatehouse
from support.operations import SELECT, STEPS, Script, documented, key_headers
from support.people import FULL, Key, account, everywhere
from support.stub_store import response

NAMED = [
    "*", "configure", "create_bucket", "delete_bucket", "restore_object", "bypass_governance",
    *(f"{verb}_object_{what}" for verb in ("get", "put") for what in ("acl", "version_acl", "retention", "legal_hold")),
]
IN_FORMS = {"PostObject"}

# Where SeaweedFS is alone, and Gatehouse answers as S3 does: what each of them says.
DIFFERENT = {
    "GetBucketLocation": lambda result: sorted(result.shape)[0],
    "PutObjectACL-malformed": lambda result: result.code,
}
OURS_AND_THEIRS = {
    "GetBucketLocation": ("/LocationConstraint", "/CreateBucketConfiguration"),
    "PutObjectACL-malformed": ("MalformedXML", "InvalidRequest"),
}


def test_script_has_every_operation():
    assert {step.operation for step in STEPS} == set(documented()) - IN_FORMS


@pytest.fixture(scope="module")
def front(tmp_path_factory, north, south):
    """A gateway whose one account owns every bucket, with an embedded store beside it."""
    folder = tmp_path_factory.mktemp("operations")
    (folder / "files").mkdir()
    gateway = Gatehouse(folder, {
        "accounts": [account("store", south, ["*"]), account("fixed", north, ["photos"])],
        "buckets": [
            {"name": "local", "backend_type": "file", "backend_options": {"path": str(folder / "files")}},
            {"name": "shown-as", "account": "fixed", "backend_options": {"bucket_name": "kept-as"}},
        ],
        "credentials": [FULL.entry(everywhere(*NAMED))],
    }).start()
    yield gateway
    gateway.stop()


@pytest.fixture(scope="module")
def direct(south):
    return Script(south.endpoint, "operations-direct", Key(south.access_key, south.secret_key, "store")).results


@pytest.fixture(scope="module")
def through(front):
    return Script(front.endpoint, "operations-through", FULL).results


@pytest.fixture(scope="module")
def embedded(front):
    return Script(front.endpoint, "local", FULL).results


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_gatehouse_answers_as_the_store_does(direct, through, step):
    ours, theirs = through[step.name], direct[step.name]
    if step.name in DIFFERENT:
        said = DIFFERENT[step.name]
        assert (said(ours), said(theirs)) == OURS_AND_THEIRS[step.name]
        return
    assert (ours.status, ours.code) == (theirs.status, theirs.code), f"{ours.text}\n{theirs.text}"
    assert ours.shape == theirs.shape
    assert ours.headers == theirs.headers


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_embedded_store_has_what_the_table_says(embedded, step):
    if step.operation in ("CreateBucket", "DeleteBucket"):
        return  # of a bucket that the configuration names: test_accounts
    found = embedded[step.name]
    table = documented()
    has = table[step.operation]["file"] and step.what != "customer-key"
    if step.what == "tagged" and step.method == "PUT":
        has = table["PutObjectTagging"]["file"]
    if has:
        assert found.status not in (500, 501), found.text
    else:
        # The answer to HEAD has no code.
        assert (found.status, found.code) == (501, "NotImplemented")


def test_policy_of_a_renamed_bucket_speaks_of_the_clients_name(front, north_s3):
    """The store keeps its own name in the policy, the client reads and writes its own."""
    north_s3.create_bucket(Bucket="kept-as")
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject",' \
             '"Resource":"arn:aws:s3:::shown-as/open/*"}]}'
    s3 = s3_client(front.endpoint, FULL.access_key, FULL.secret_key)
    s3.put_bucket_policy(Bucket="shown-as", Policy=policy)
    kept = json.loads(north_s3.get_bucket_policy(Bucket="kept-as")["Policy"])
    assert kept["Statement"][0]["Resource"] in ("arn:aws:s3:::kept-as/open/*", ["arn:aws:s3:::kept-as/open/*"])
    shown = s3.get_bucket_policy(Bucket="shown-as")["Policy"]
    assert "arn:aws:s3:::shown-as/open/*" in shown and "kept-as" not in shown
    with pytest.raises(ClientError) as caught:
        s3.put_bucket_policy(Bucket="shown-as", Policy=policy.replace("shown-as/open", "kept-as"))
    assert caught.value.response["Error"]["Code"] == "MalformedPolicy"


def test_selection_streams_and_passes_unaltered(gateway, stub_store):
    """Events reach the client while the store still makes them, byte by byte as they were."""
    first, second = os.urandom(5000), os.urandom(70000)
    gone_on = threading.Event()

    def answer(_):
        yield response(headers=[("Content-Type", "application/octet-stream"), ("Transfer-Encoding", "chunked")],
                       length=False)
        yield b"%x\r\n" % len(first) + first + b"\r\n"
        assert gone_on.wait(240)
        yield b"%x\r\n" % len(second) + second + b"\r\n0\r\n\r\n"

    alone = gateway({
        "accounts": [account("stub", StoreAt(stub_store(answer)), ["photos"])],
        "credentials": [FULL.entry(everywhere())],
    })
    url = alone.endpoint + "/photos/a.csv?select&select-type=2"
    headers = signed("POST", url, FULL.access_key, FULL.secret_key, {}, SELECT)
    connection = alone.connection()
    connection.request("POST", "/photos/a.csv?select&select-type=2", SELECT, headers)
    stream = connection.getresponse()
    assert stream.read(len(first)) == first
    gone_on.set()
    assert stream.read() == second
    connection.close()


def test_customer_keys_reach_the_store_and_no_log(gateway, stub_store):
    store = stub_store()
    alone = gateway({
        "accounts": [account("stub", StoreAt(store), ["photos"])],
        "credentials": [FULL.entry(everywhere())],
    })
    fields = key_headers()
    headers = signed("GET", alone.endpoint + "/photos/a.txt", FULL.access_key, FULL.secret_key, fields)
    assert alone.request("GET", "/photos/a.txt", headers).status == 200
    secret = fields["x-amz-server-side-encryption-customer-key"]
    assert store.seen[-1].header("x-amz-server-side-encryption-customer-key") == secret
    alone.stop()
    assert secret not in alone.everything_written()


@dataclass
class StoreAt:
    """A stub store as `account` wants it."""

    stub: object
    access_key: str = "AKSTUB000000EXAMPLE"
    secret_key: str = "stub-secret-0123456789abcdef0123456789abcdef"

    @property
    def endpoint(self):
        return self.stub.endpoint
