"""Uploads by browser forms: signed by boto3 in both versions, sent by urllib3, curl and by hand."""

import base64
import datetime
import hashlib
import hmac
import http.client
import json
import random
import shutil
import subprocess
import urllib.parse

import boto3
import pytest
import urllib3
from botocore.config import Config

from support.gatehouse import eventually
from support.people import FULL, PARTNER, READER, account, everywhere

MIB = 1 << 20


def signer(endpoint, key=FULL, version=None, addressing="path"):
    config = {"s3": {"addressing_style": addressing}, **({"signature_version": version} if version else {})}
    return boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=key.access_key,
        aws_secret_access_key=key.secret_key, config=Config(**config),
    )


def post(url, fields, file=b"content", filename="photo.jpg", headers=None):
    """(status, headers, body) of a form as urllib3 and requests write it."""
    parts = [*fields.items(), ("file", (filename, file, "application/octet-stream"))]
    answer = urllib3.PoolManager().request(
        "POST", url, fields=parts, headers=headers or {}, redirect=False, retries=False, timeout=120
    )
    return answer.status, answer.headers, answer.data


def form(client, bucket, key, conditions=(), fields=None, expires=300):
    return client.generate_presigned_post(
        bucket, key, Fields=dict(fields or {}), Conditions=list(conditions), ExpiresIn=expires
    )


@pytest.fixture(params=["s3v4", None], ids=["v4", "v2"])
def client(request, gate):
    """boto3 with version 4, and in its default for us-east-1, which is version 2."""
    return signer(gate.endpoint, version=request.param)


@pytest.mark.parametrize("size", [0, 1, 65_000, 66_000, 5 * MIB])
@pytest.mark.parametrize("bucket", ["photos", "prefixed", "local"])
def test_upload(client, s3, bucket, size):
    key = f"forms/{size} ü+&.bin"
    signed = form(client, bucket, key, [{"Content-Type": "image/png"}], {"Content-Type": "image/png"})
    body = random.Random(size).randbytes(size)
    status, headers, answer = post(signed["url"], signed["fields"], body)
    assert (status, answer) == (204, b"")
    assert headers["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert headers["Location"].endswith(f"/{bucket}/" + urllib.parse.quote(key))
    stored = s3.get_object(Bucket=bucket, Key=key)
    assert stored["Body"].read() == body and stored["ContentType"] == "image/png"


def test_default_is_version_2(gate):
    assert "AWSAccessKeyId" in form(signer(gate.endpoint), "photos", "k")["fields"]


def test_virtual_host(gate, s3):
    client = signer(gate.endpoint.replace("127.0.0.1", "s3.localhost"), addressing="virtual", version="s3v4")
    signed = form(client, "photos", "forms/virtual")
    assert "//photos.s3.localhost" in signed["url"]
    assert post(signed["url"], signed["fields"])[0] == 204
    assert s3.get_object(Bucket="photos", Key="forms/virtual")["Body"].read() == b"content"


def test_filename_in_the_key(client, s3):
    signed = form(client, "photos", "forms/in/${filename}", [["starts-with", "$x-amz-meta-name", ""]])
    fields = {**signed["fields"], "x-amz-meta-name": "<${filename}>"}
    assert post(signed["url"], fields, filename="C:\\pictures\\the one.jpg")[0] == 204
    stored = s3.get_object(Bucket="photos", Key="forms/in/the one.jpg")
    assert stored["Metadata"] == {"name": "<the one.jpg>"}
    assert post(signed["url"], signed["fields"] | {"x-amz-meta-name": ""}, filename="..")[0] == 400
    # What is judged is the key that it becomes.
    signed = form(client, "photos", "forms/in/${filename}", [["starts-with", "$key", "forms/in/a"]])
    assert post(signed["url"], signed["fields"], filename="b.jpg")[0] == 403


def test_success_actions(client, s3):
    for wanted, got in [("200", 200), ("201", 201), ("204", 204), ("404", 204), ("", 204)]:
        field = {"success_action_status": wanted}
        signed = form(client, "photos", "forms/a&b", [["starts-with", "$success_action_status", ""]], field)
        status, headers, body = post(signed["url"], signed["fields"])
        assert status == got
        assert (b"<PostResponse>" in body) == (got == 201)
        if got == 201:
            assert b"<Bucket>photos</Bucket>" in body and b"<Key>forms/a&amp;b</Key>" in body
            assert headers["Location"].encode() in body.replace(b"&amp;", b"&")
            assert hashlib.md5(b"content").hexdigest().encode() in body
    for name in ("success_action_redirect", "redirect"):
        field = {name: "https://app.example.com/done?step=2#top"}
        signed = form(client, "photos", "forms/a&b", [field], field)
        status, headers, _ = post(signed["url"], signed["fields"])
        assert status == 303
        etag = hashlib.md5(b"content").hexdigest()
        assert headers["Location"] == (
            f"https://app.example.com/done?step=2&bucket=photos&key=forms%2Fa%26b&etag=%22{etag}%22#top"
        )


@pytest.mark.parametrize("url", ["javascript:alert(1)", "/relative", "https://a\r\nset-cookie: b", "ftp://a/", "https://"])
def test_redirects_lead_to_web_pages(client, s3, url):
    field = {"success_action_redirect": url}
    signed = form(client, "photos", "forms/redirected", [["starts-with", "$success_action_redirect", ""]], field)
    status, headers, _ = post(signed["url"], signed["fields"])
    assert status == 400 and "set-cookie" not in headers
    assert "Contents" not in s3.list_objects_v2(Bucket="photos", Prefix="forms/redirected")


def test_fields_become_what_the_object_has(client, s3):
    fields = {
        "Content-Type": "text/plain", "Cache-Control": "no-store", "Content-Disposition": "attachment",
        "x-amz-meta-one": "1", "x-ignore-this": "x",
    }
    signed = form(client, "photos", "forms/fields", [{k: v} for k, v in fields.items()], fields)
    assert post(signed["url"], signed["fields"])[0] == 204
    stored = s3.head_object(Bucket="photos", Key="forms/fields")
    assert stored["Metadata"] == {"one": "1"} and stored["CacheControl"] == "no-store"
    assert stored["ContentDisposition"] == "attachment" and stored["ContentType"] == "text/plain"


def refused(s3, signed, code, status, file=b"content", change=None, **options):
    fields = {**signed["fields"], **(change or {})}
    fields = {name: value for name, value in fields.items() if value is not None}
    got, _, body = post(signed["url"], fields, file, **options)
    assert got == status and f"<Code>{code}</Code>".encode() in body, body
    assert "Contents" not in s3.list_objects_v2(Bucket="photos", Prefix="forms/never"), "it was stored all the same"


def test_violations_store_nothing(client, s3):
    good = form(client, "photos", "forms/never", [["content-length-range", 2, 10]])
    refused(s3, good, "AccessDenied", 403, change={"key": "forms/never2"})
    refused(s3, good, "AccessDenied", 403, change={"acl": "public-read"})
    refused(s3, good, "AccessDenied", 403, change={"Content-Type": "text/html"})
    refused(s3, good, "EntityTooSmall", 400, b"1")
    refused(s3, good, "EntityTooLarge", 400, b"12345678901")
    refused(s3, good, "EntityTooLarge", 400, b"1" * 300_000)
    changed = base64.b64encode(
        base64.b64decode(good["fields"]["policy"]).replace(b"forms/never", b"forms/neves")
    ).decode()
    refused(s3, good, "SignatureDoesNotMatch", 403, change={"policy": changed, "key": "forms/neves"})
    proof = "x-amz-signature" if "x-amz-signature" in good["fields"] else "signature"
    refused(s3, good, "InvalidArgument", 400, change={proof: None})
    refused(s3, good, "SignatureDoesNotMatch", 403, change={proof: "0"})
    refused(s3, good, "InvalidArgument", 400, change={"policy": None})
    refused(s3, good, "InvalidArgument", 400, change={"key": None})
    refused(s3, good, "InvalidToken", 400, change={"x-amz-security-token": "t"})
    expired = form(client, "photos", "forms/never", expires=-5)
    status, _, body = post(expired["url"], expired["fields"])
    assert status == 403 and b"Policy expired" in body


def test_a_form_is_no_more_than_its_signer(gate, s3):
    for key in (READER, PARTNER):
        refused(s3, form(signer(gate.endpoint, key, "s3v4"), "photos", "forms/never"), "AccessDenied", 403)


def test_two_credentials_and_none(gate, client, s3):
    good = form(client, "photos", "forms/never")
    for headers in ({"x-api-key": "root-api-key-7d793037a0760186574b0282"}, {"Authorization": "Bearer a.b.c"}):
        status, _, _ = post(good["url"], good["fields"], headers=headers)
        assert status == 400
    # Nobody signed it: an anonymous caller, who may not, also on a bucket that everybody may read.
    for bucket in ("photos", "public"):
        assert post(f"{gate.endpoint}/{bucket}", {"key": "forms/never"})[0] == 403
    assert "Contents" not in s3.list_objects_v2(Bucket="photos", Prefix="forms/never")


def test_an_api_key_in_the_head_needs_no_policy(gate, s3):
    headers = {"x-api-key": "root-api-key-7d793037a0760186574b0282"}
    assert post(gate.endpoint + "/photos", {"key": "forms/by-key"}, headers=headers)[0] == 204
    assert s3.get_object(Bucket="photos", Key="forms/by-key")["Body"].read() == b"content"
    status, _, _ = post(gate.endpoint + "/photos", {"key": "k"}, headers={**headers, "x-amz-acl": "public-read"})
    assert status == 400


@pytest.mark.parametrize("size", [7, 100_000])
def test_curl(client, s3, tmp_path, size):
    signed = form(client, "photos", "forms/curl/${filename}")
    file = tmp_path / "a b.bin"
    file.write_bytes(b"x" * size)
    fields = [part for name, value in signed["fields"].items() for part in ("-F", f"{name}={value}")]
    done = subprocess.run(
        [shutil.which("curl"), "-sS", "-w", "%{http_code}", *fields, "-F", f"file=@{file}", signed["url"]],
        capture_output=True, text=True, timeout=300,
    )
    assert done.stdout == "204", done
    assert s3.get_object(Bucket="photos", Key="forms/curl/a b.bin")["Body"].read() == b"x" * size


def by_hand(fields, file, boundary="b0und4ry", ending=None):
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in fields]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'.encode()
    return b"".join(parts) + head + file + (f"\r\n--{boundary}--\r\n".encode() if ending is None else ending)


def send(gate, body, path="/photos", boundary="b0und4ry", headers=None):
    answer = gate.request(
        "POST", path, {"Content-Type": f"multipart/form-data; boundary={boundary}", **(headers or {})}, body
    )
    return answer.status, answer.s3_code


def test_what_ends_otherwise_is_not_stored(gate, client, s3):
    fields = list(form(client, "photos", "forms/never")["fields"].items())
    for size in (100, 200_000):
        for ending in (b"\r\n--b0und4ry--\r\nmore", b"\r\n--b0und4ry", b"", b"\r\n--b0und4ry\r\n" + by_hand([("a", "b")], b"")):
            assert send(gate, by_hand(fields, b"x" * size, ending=ending)) == (400, "MalformedPOSTRequest")
        inside = b"x" * 50 + b"\r\n--b0und4ry--\r\n" + b"x" * size
        assert send(gate, by_hand(fields, inside)) == (400, "MalformedPOSTRequest")
    # Long files without the last line's end were announced two bytes too short to the store.
    assert send(gate, by_hand(fields, b"x" * 200_000, ending=b"\r\n--b0und4ry--")) == (400, "MalformedPOSTRequest")
    assert "Contents" not in s3.list_objects_v2(Bucket="photos", Prefix="forms/never")


def test_other_bodies_and_framings(gate):
    assert gate.request("POST", "/photos", {"Content-Type": "text/plain", "x-api-key": "root-api-key-7d793037a0760186574b0282"}, b"x").status == 412
    answer = gate.request("POST", "/photos", {
        "Content-Type": "multipart/form-data; boundary=a", "Transfer-Encoding": "chunked",
    }, iter([b"--a"]))
    assert answer.status == 411
    assert send(gate, b"x" * 30_000) == (400, "MalformedPOSTRequest")
    assert send(gate, by_hand([("key", "k"), ("x-ignore-a", "a" * 30_000)], b"")) == (400, "MaxPostPreDataLengthExceeded")


@pytest.mark.parametrize("version", ["s3v4", None], ids=["v4", "v2"])
def test_mutated_forms(gateway, north, s3, version):
    """Hundreds of spoiled forms: never an error of ours, and whatever is stored is what the signer permitted.

    At a gateway of their own and from many addresses: failed signatures are limited by address.
    """
    gate = gateway({
        "accounts": [account("north", north, ["photos"])],
        "credentials": [FULL.entry(everywhere())],
    })
    signed = form(signer(gate.endpoint, version=version), "photos", "forms/mutated", [["content-length-range", 0, 2000]])
    original = by_hand(list(signed["fields"].items()), b"some content\r\nof a file")
    chance = random.Random(7)
    statuses = {}
    for turn in range(500):
        body = bytearray(original)
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(body))
            match chance.randrange(4):
                case 0: body[place] = chance.randrange(256)
                case 1: del body[place:place + chance.randint(1, 30)]
                case 2: body[place:place] = b"\r\n"
                case 3: body[place:place] = body[place:place + chance.randint(1, 60)]
        connection = http.client.HTTPConnection(
            "127.0.0.1", gate.port, timeout=120, source_address=(f"127.0.1.{turn // 4 + 1}", 0)
        )
        connection.request("POST", "/photos", bytes(body), {"Content-Type": "multipart/form-data; boundary=b0und4ry"})
        status = connection.getresponse().status
        connection.close()
        statuses[status] = statuses.get(status, 0) + 1
    assert all(status < 500 and status != 429 for status in statuses), statuses
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket="photos", Prefix="forms/mutated").get("Contents", [])]
    assert set(keys) <= {"forms/mutated"}, keys
    assert gate.status_of("/-/health") == 200


def test_the_aws_way_by_hand(gate, s3):
    """A form as the documentation writes it, for every kind of condition at once."""
    expiration = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    policy = base64.b64encode(json.dumps({
        "expiration": expiration,
        "conditions": [
            {"bucket": "photos"}, ["starts-with", "$key", "forms/hand/"], ["eq", "$success_action_status", "201"],
            ["starts-with", "$Content-Type", "image/"], ["content-length-range", 1, 1000],
            ["starts-with", "$x-amz-meta-tag", ""],
        ],
    }).encode()).decode()
    signature = base64.b64encode(hmac.new(FULL.secret_key.encode(), policy.encode(), hashlib.sha1).digest()).decode()
    fields = [
        ("key", "forms/hand/${filename}"), ("AWSAccessKeyId", FULL.access_key), ("Policy", policy),
        ("Signature", signature), ("success_action_status", "201"), ("Content-Type", "image/png"),
        ("x-amz-meta-tag", "a"),
    ]
    assert send(gate, by_hand(fields, b"png"))[0] == 201
    assert s3.get_object(Bucket="photos", Key="forms/hand/f")["Body"].read() == b"png"


def test_switched_off_and_logged(gateway, north, gate, s3):
    instance = gateway({
        "server": {"sigv2_presigned": False},
        "accounts": [account("north", north, ["photos"])],
        "credentials": [FULL.entry(everywhere())],
    })
    signed = form(signer(instance.endpoint), "photos", "forms/never")
    status, _, body = post(signed["url"], signed["fields"])
    assert status == 400 and b"AWS4-HMAC-SHA256" in body
    signed = form(signer(instance.endpoint, version="s3v4"), "photos", "forms/logged")
    assert post(signed["url"], signed["fields"])[0] == 204
    assert eventually(lambda: any(line.get("key") == "forms/logged" for line in instance.audit_log()))
    line = next(line for line in instance.audit_log() if line.get("key") == "forms/logged")
    assert line["action"] == "post_object" and "sigv4 form" in line["reason"] and line["who"] == "key:everything"
    assert signed["fields"]["x-amz-signature"] not in instance.everything_written()
