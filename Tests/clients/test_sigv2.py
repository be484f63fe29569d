"""URLs as boto3 makes them for us-east-1 where no signature version is set: with version 2."""

import time
import urllib.parse
import urllib.request

import boto3
import pytest
from botocore.config import Config

from support.gatehouse import eventually
from support.nasty_keys import NASTY_KEYS, seaweedfs_keeps
from support.people import FULL, READER, account, everywhere
from test_presigned import fetch


def v2_client(endpoint, key=FULL, addressing="path"):
    """boto3 as in every tutorial: no signature_version."""
    return boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=key.access_key,
        aws_secret_access_key=key.secret_key, config=Config(s3={"addressing_style": addressing}),
    )


def sign(client, operation, expires=300, **parameters):
    url = client.generate_presigned_url(operation, Params=parameters, ExpiresIn=expires)
    assert "AWSAccessKeyId=" in url and "X-Amz-" not in url, "this botocore no longer signs with version 2"
    return url


@pytest.fixture(params=["path", "virtual"])
def door(request, gate):
    """A client of the gateway in either addressing style."""
    endpoint = gate.endpoint if request.param == "path" else gate.endpoint.replace("127.0.0.1", "s3.localhost")
    return v2_client(endpoint, addressing=request.param)


@pytest.mark.parametrize("bucket", ["photos", "prefixed", "local"])
def test_valet_key(door, s3, bucket):
    """An upload URL with a content type, then a download URL: the code of every tutorial."""
    upload = door.generate_presigned_url(
        ClientMethod="put_object",
        Params={"Bucket": bucket, "Key": "users/42/uploads/a b.jpg", "ContentType": "image/jpeg", "ContentLength": 9},
        ExpiresIn=300,
    )
    assert "AWSAccessKeyId=" in upload
    assert fetch("PUT", upload, b"some jpeg", {"Content-type": "image/jpeg"})[0] == 200
    download = door.generate_presigned_url(
        ClientMethod="get_object", Params={"Bucket": bucket, "Key": "users/42/uploads/a b.jpg"}, ExpiresIn=3600
    )
    assert fetch("GET", download) == (200, b"some jpeg")
    assert s3.head_object(Bucket=bucket, Key="users/42/uploads/a b.jpg")["ContentType"] == "image/jpeg"
    assert fetch("PUT", upload, b"some html", {"Content-type": "text/html"})[0] == 403


@pytest.mark.parametrize("key", [key for key in NASTY_KEYS if seaweedfs_keeps(key)])
def test_nasty_keys(door, key):
    put = sign(door, "put_object", Bucket="photos", Key="v2/" + key)
    assert fetch("PUT", put, key.encode())[0] == 200
    assert fetch("GET", sign(door, "get_object", Bucket="photos", Key="v2/" + key)) == (200, key.encode())


def test_overrides_versions_and_ranges(door, s3):
    s3.put_object(Bucket="photos", Key="v2/overrides", Body=b"0123456789")
    url = sign(
        door, "get_object", Bucket="photos", Key="v2/overrides",
        ResponseContentDisposition='attachment; filename="x & y=ü.txt"', ResponseContentType="text/plain",
    )
    request = urllib.request.Request(url, headers={"Range": "bytes=2-4"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        assert (answer.status, answer.read()) == (206, b"234")
        assert answer.headers["Content-Type"] == "text/plain"
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=\"x & y=")
    url = sign(door, "get_object", Bucket="photos", Key="v2/overrides", VersionId="null")
    assert fetch("GET", url.replace("versionId=null", "versionId=nill"))[0] == 403
    assert fetch("GET", url.replace("versionId=null&", ""))[0] == 403


def test_metadata_of_the_url_reaches_the_store(door, s3):
    url = sign(door, "put_object", Bucket="photos", Key="v2/metadata", Metadata={"one": "a b", "two": "c&d"})
    assert fetch("PUT", url, b"x", {"x-amz-meta-one": "a b", "x-amz-meta-two": "c&d"})[0] == 200
    assert s3.head_object(Bucket="photos", Key="v2/metadata")["Metadata"] == {"one": "a b", "two": "c&d"}
    assert fetch("PUT", url, b"x", {"x-amz-meta-one": "other"})[0] == 400
    assert fetch("PUT", url, b"x", {"x-amz-meta-three": "more"})[0] == 403


def test_the_verb_is_signed(door, s3):
    s3.put_object(Bucket="photos", Key="v2/verb", Body=b"kept")
    get, head = (sign(door, name, Bucket="photos", Key="v2/verb") for name in ("get_object", "head_object"))
    assert fetch("HEAD", head)[0] == 200
    for method, url in [("HEAD", get), ("PUT", get), ("DELETE", get), ("GET", head)]:
        assert fetch(method, url, b"gone" if method == "PUT" else None)[0] == 403
    assert s3.get_object(Bucket="photos", Key="v2/verb")["Body"].read() == b"kept"
    for subresource in ("acl", "tagging", "attributes", "uploads", "retention"):
        assert fetch("GET", get + "&" + subresource)[0] == 403


def test_deletion_and_listing(door, s3):
    s3.put_object(Bucket="photos", Key="v2/gone/now", Body=b"x")
    status, body = fetch("GET", sign(door, "list_objects_v2", Bucket="photos", Prefix="v2/gone/"))
    assert status == 200 and b"<Key>v2/gone/now</Key>" in body
    assert fetch("DELETE", sign(door, "delete_object", Bucket="photos", Key="v2/gone/now"))[0] == 204
    assert fetch("GET", sign(door, "get_object", Bucket="photos", Key="v2/gone/now"))[0] == 404


def test_expiry(gate):
    client = v2_client(gate.endpoint)
    url = sign(client, "get_object", expires=1, Bucket="public", Key="open.txt")
    time.sleep(2.2)
    status, body = fetch("GET", url)
    assert status == 403 and b"AccessDenied" in body and b"xpired" in body
    status, body = fetch("GET", sign(client, "get_object", expires=8 * 86400, Bucket="public", Key="open.txt"))
    assert status == 400 and b"AuthorizationQueryParametersError" in body


def test_a_url_is_no_more_than_its_signer(gate, s3):
    s3.put_object(Bucket="public", Key="v2/open.txt", Body=b"open")
    reader = v2_client(gate.endpoint, READER)
    assert fetch("PUT", sign(reader, "put_object", Bucket="photos", Key="v2/reader"), b"x")[0] == 403
    url = sign(reader, "get_object", Bucket="public", Key="v2/open.txt")
    assert fetch("GET", url) == (200, b"open")
    parts = urllib.parse.urlsplit(url)
    for name in ("AWSAccessKeyId", "Signature", "Expires"):
        query = [pair for pair in urllib.parse.parse_qsl(parts.query) if pair[0] != name]
        lacking = parts._replace(query=urllib.parse.urlencode(query)).geturl()
        # Without the other two an Expires is nobody's credential, and says nothing.
        assert fetch("GET", lacking)[0] == 403
        changed = [(k, v[::-1] if k == name else v) for k, v in urllib.parse.parse_qsl(parts.query)]
        assert fetch("GET", parts._replace(query=urllib.parse.urlencode(changed)).geturl())[0] in (400, 403)


def test_switched_off_and_header_form(gateway, north, s3, gate):
    instance = gateway({
        "server": {"sigv2_presigned": False},
        "accounts": [account("north", north, ["photos"])],
        "buckets": [{
            "name": "public", "account": "north", "anonymous_access": True,
            "backend_options": {"bucket_name": "open-data"},
        }],
        "credentials": [FULL.entry(everywhere())],
    })
    s3.put_object(Bucket="public", Key="v2/open.txt", Body=b"open")
    status, body = fetch("GET", sign(v2_client(instance.endpoint), "get_object", Bucket="public", Key="v2/open.txt"))
    assert status == 400 and b"InvalidRequest" in body and b"AWS4-HMAC-SHA256" in body
    for endpoint in (instance.endpoint, gate.endpoint):
        status, body = fetch("GET", endpoint + "/public/v2/open.txt", None, {"Authorization": "AWS AKFULL:c2ln"})
        assert status == 400 and b"AWS4-HMAC-SHA256" in body


def test_the_logs_say_so(gateway, north, s3):
    instance = gateway({
        "accounts": [account("north", north, ["photos"])],
        "credentials": [FULL.entry(everywhere())],
    })
    s3.put_object(Bucket="photos", Key="v2/audited", Body=b"x")
    url = sign(v2_client(instance.endpoint), "get_object", Bucket="photos", Key="v2/audited")
    assert fetch("GET", url)[0] == 200
    assert eventually(lambda: any(line.get("key") == "v2/audited" for line in instance.audit_log()))
    line = next(line for line in instance.audit_log() if line.get("key") == "v2/audited")
    assert line["who"] == "key:everything" and "sigv2 presigned" in line["reason"]
    signature = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["Signature"][0]
    assert signature not in instance.everything_written()
