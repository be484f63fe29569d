"""An account of every other bucket is no second door to what another entry shows in its own way."""

import json

import pytest

from support.clients import body_of, s3_client, signed
from support.gatehouse import Gatehouse
from support.people import FULL, ROOT, account, everywhere

SECRET = "/secret-bucket/v2/top.txt"


@pytest.fixture(scope="module", params=["as it is", "with a slash", "localhost"])
def door(request, tmp_path_factory, south, south_s3):
    """Whether or not both entries write their store's address in one way."""
    folder = tmp_path_factory.mktemp("other-buckets")
    (folder / "none.json").write_text(json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "s3:*", "Resource": ["arn:aws:s3:::my-data", "arn:aws:s3:::my-data/*"]}]}))
    open_account = account("open", south, ["*"])
    options = dict(open_account["backend_options"])
    options["bucket_name"] = "secret-bucket"
    options["endpoint"] = {
        "as it is": options["endpoint"],
        "with a slash": options["endpoint"] + "/",
        "localhost": options["endpoint"].replace("127.0.0.1", "localhost"),
    }[request.param]
    for bucket in ("secret-bucket", "plain-bucket"):
        if bucket not in {entry["Name"] for entry in south_s3.list_buckets()["Buckets"]}:
            south_s3.create_bucket(Bucket=bucket)
    south_s3.put_object(Bucket="secret-bucket", Key="v2/top.txt", Body=b"secret")
    south_s3.put_object(Bucket="plain-bucket", Key="k", Body=b"plain")
    gateway = Gatehouse(folder / "gate", {
        "accounts": [open_account],
        "buckets": [{"name": "my-data", "backend_type": "s3", "backend_prefix": "v2", "allowed_roles": [],
                     "backend_options": options}],
        "users": [ROOT.entry("admin", ["*"])],
        "credentials": [FULL.entry([*everywhere(), {"bucket": "*", "prefixes": [], "actions": ["create_bucket", "delete_bucket"]}])],
        "policies": [{"name": "none", "applies_to": ["*"], "document": f"file:{folder / 'none.json'}"}],
    }).start()
    yield gateway
    gateway.stop()


@pytest.mark.parametrize("method, path", [
    ("GET", SECRET), ("HEAD", SECRET), ("PUT", SECRET), ("DELETE", SECRET), ("GET", "/secret-bucket?list-type=2"),
    ("HEAD", "/secret-bucket"), ("GET", "/secret-bucket?versions"),
])
def test_a_bucket_that_an_entry_renames_has_no_other_name(door, south_s3, method, path):
    answer = door.request(method, path, ROOT.headers, b"overwritten" if method == "PUT" else None)
    assert answer.status == 404, answer
    assert method == "HEAD" or answer.s3_code == "NoSuchBucket"
    assert body_of(south_s3, "secret-bucket", "v2/top.txt") == b"secret"


@pytest.mark.parametrize("method, path", [("GET", "/secret-bucket?versioning"), ("DELETE", "/secret-bucket")])
def test_a_bucket_that_an_entry_renames_is_not_configured_by_its_own_name(door, south_s3, method, path):
    headers = signed(method, door.endpoint + path, FULL.access_key, FULL.secret_key)
    assert door.request(method, path, headers).status in (403, 404)
    assert body_of(south_s3, "secret-bucket", "v2/top.txt") == b"secret"


def test_a_bucket_that_an_entry_renames_is_no_source_of_copies(door, south_s3):
    answer = door.request("PUT", "/plain-bucket/copy", {**ROOT.headers, "x-amz-copy-source": SECRET})
    assert (answer.status, answer.s3_code) == (404, "NoSuchBucket")
    assert body_of(south_s3, "plain-bucket", "copy") is None


def test_a_bucket_that_an_entry_renames_is_not_listed_or_made(door, south_s3):
    everything = s3_client(door.endpoint, FULL.access_key, FULL.secret_key)
    listed = {entry["Name"] for entry in everything.list_buckets()["Buckets"]}
    assert "plain-bucket" in listed and "secret-bucket" not in listed
    assert body_of(everything, "plain-bucket", "k") == b"plain"
    with pytest.raises(everything.exceptions.ClientError) as error:
        everything.create_bucket(Bucket="secret-bucket")
    assert error.value.response["Error"]["Code"] == "BucketAlreadyExists"
