"""Several accounts behind one door: every bucket goes where it belongs, under the name it has there."""

import pytest
from botocore.exceptions import ClientError

from support.clients import s3_client
from support.people import ALICE, FULL, READER


def keys(client, bucket, **options):
    return [entry["Key"] for entry in client.list_objects_v2(Bucket=bucket, **options).get("Contents", [])]


def test_each_bucket_lives_in_its_account(s3, north_s3, south_s3):
    s3.put_object(Bucket="photos", Key="accounts/where", Body=b"north")
    s3.put_object(Bucket="logs", Key="accounts/where", Body=b"south")
    assert north_s3.get_object(Bucket="photos", Key="accounts/where")["Body"].read() == b"north"
    assert south_s3.get_object(Bucket="logs", Key="accounts/where")["Body"].read() == b"south"
    with pytest.raises(ClientError):
        south_s3.head_bucket(Bucket="photos")


def test_account_of_every_other_bucket_creates_and_deletes_buckets(s3, north_s3, south_s3):
    s3.create_bucket(Bucket="fresh-bucket")
    s3.put_object(Bucket="fresh-bucket", Key="a", Body=b"x")
    assert keys(south_s3, "fresh-bucket") == ["a"]
    with pytest.raises(ClientError):
        north_s3.head_bucket(Bucket="fresh-bucket")
    assert "fresh-bucket" in {entry["Name"] for entry in s3.list_buckets()["Buckets"]}
    s3.delete_object(Bucket="fresh-bucket", Key="a")
    s3.delete_bucket(Bucket="fresh-bucket")
    with pytest.raises(ClientError):
        south_s3.head_bucket(Bucket="fresh-bucket")


def test_creating_a_bucket_needs_the_action_by_name(gate, south_s3):
    reader = s3_client(gate.endpoint, READER.access_key, READER.secret_key)
    with pytest.raises(ClientError) as error:
        reader.create_bucket(Bucket="reader-bucket")
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert gate.request("PUT", "/alice-bucket", ALICE.headers).status == 403
    for bucket in ("reader-bucket", "alice-bucket"):
        with pytest.raises(ClientError):
            south_s3.head_bucket(Bucket=bucket)


def test_missing_bucket_is_no_such_bucket(s3):
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket="nobody-made-this", Key="x")
    assert error.value.response["Error"]["Code"] == "NoSuchBucket"


def test_backend_prefix_is_added_below_and_taken_off_above(s3, north_s3):
    s3.put_object(Bucket="prefixed", Key="pre/a b+c", Body=b"prefixed")
    assert north_s3.get_object(Bucket="shared", Key="v2/area/pre/a b+c")["Body"].read() == b"prefixed"
    assert keys(s3, "prefixed", Prefix="pre/") == ["pre/a b+c"]


def test_backend_prefix_hides_what_lies_outside(s3, north_s3):
    north_s3.put_object(Bucket="shared", Key="v2/elsewhere", Body=b"x")
    north_s3.put_object(Bucket="shared", Key="v2/area-51/secret", Body=b"x")
    north_s3.put_object(Bucket="shared", Key="top", Body=b"x")
    for key in keys(s3, "prefixed"):
        assert "secret" not in key and "elsewhere" not in key and key != "top"
        assert s3.head_object(Bucket="prefixed", Key=key)
    folders = s3.list_objects_v2(Bucket="prefixed", Delimiter="/").get("CommonPrefixes", [])
    assert all(not folder["Prefix"].startswith(("v2", "-51")) for folder in folders)


def test_errors_name_the_clients_bucket_and_key_not_the_stores(gate, s3):
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket="prefixed", Key="pre/none")
    text = str(error.value.response)
    assert "v2/area" not in text and "shared" not in text
    answer = gate.request("GET", "/public/none")
    assert "open-data" not in answer.text and answer.s3_code == "NoSuchKey"


def test_virtual_hosted_addressing(gate, s3):
    s3.put_object(Bucket="photos", Key="virtual/a +ü", Body=b"by host")
    hosted = s3_client(
        f"http://s3.localhost:{gate.port}", FULL.access_key, FULL.secret_key, addressing="virtual"
    )
    assert hosted.get_object(Bucket="photos", Key="virtual/a +ü")["Body"].read() == b"by host"
    hosted.put_object(Bucket="photos", Key="virtual/b", Body=b"put by host")
    assert keys(hosted, "photos", Prefix="virtual/") == ["virtual/a +ü", "virtual/b"]
    url = hosted.generate_presigned_url("get_object", Params={"Bucket": "photos", "Key": "virtual/b"})
    assert url.startswith(f"http://photos.s3.localhost:{gate.port}/")
    public = gate.request("GET", "/open-by-host", {"Host": f"public.s3.localhost:{gate.port}"})
    assert public.status == 404 and public.s3_code == "NoSuchKey"


def test_reserved_paths_are_keys_on_virtual_hosts(gate, s3):
    s3.put_object(Bucket="public", Key="-/health", Body=b"a key like any other")
    answer = gate.request("GET", "/-/health", {"Host": f"public.s3.localhost:{gate.port}"})
    assert (answer.status, answer.body) == (200, b"a key like any other")
    assert gate.request("GET", "/-/health").body != b"a key like any other"


def test_copy_inside_an_account(s3):
    s3.put_object(Bucket="photos", Key="accounts/source", Body=b"across buckets")
    s3.copy_object(
        Bucket="docs", Key="accounts/copied", CopySource={"Bucket": "photos", "Key": "accounts/source"}
    )
    assert s3.get_object(Bucket="docs", Key="accounts/copied")["Body"].read() == b"across buckets"


def test_copy_between_accounts_reads_the_bucket_that_was_named(s3, south_s3):
    """A bucket of the same name exists in the other account: the copy must not read that one."""
    south_s3.create_bucket(Bucket="photos")
    try:
        south_s3.put_object(Bucket="photos", Key="accounts/where", Body=b"the wrong one")
        s3.put_object(Bucket="photos", Key="accounts/where", Body=b"the right one")
        s3.copy_object(Bucket="logs", Key="copied", CopySource={"Bucket": "photos", "Key": "accounts/where"})
        assert south_s3.get_object(Bucket="logs", Key="copied")["Body"].read() == b"the right one"
    finally:
        south_s3.delete_object(Bucket="photos", Key="accounts/where")
        south_s3.delete_bucket(Bucket="photos")
