"""Presigned URLs: bound to a method, a key, a time and a host."""

import time
import urllib.error
import urllib.request

import pytest

from support.clients import presigned, s3_client
from support.people import FULL, PARTNER, READER


def fetch(method, url, body=None, headers=None):
    """(status, body) with urllib, which adds no header that matters."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    if body is not None and "Content-type" not in request.headers:
        request.add_header("Content-Type", "")
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.read()


@pytest.fixture(scope="module")
def object_url(gate, s3):
    s3.put_object(Bucket="photos", Key="presigned/a +&ü.txt", Body=b"by url")
    return lambda method="get_object", expires=300, client=s3: client.generate_presigned_url(
        method, Params={"Bucket": "photos", "Key": "presigned/a +&ü.txt"}, ExpiresIn=expires
    )


def test_presigned_get(object_url):
    assert fetch("GET", object_url()) == (200, b"by url")


def test_presigned_get_with_range_and_overrides(gate, s3, object_url):
    status, body = fetch("GET", object_url(), headers={"Range": "bytes=3-5"})
    assert (status, body) == (206, b"url")
    url = s3.generate_presigned_url(
        "get_object",
        Params={
            "Bucket": "photos", "Key": "presigned/a +&ü.txt",
            "ResponseContentDisposition": 'attachment; filename="x y.txt"',
        },
    )
    with urllib.request.urlopen(url, timeout=120) as answer:
        assert answer.headers["Content-Disposition"] == 'attachment; filename="x y.txt"'


def test_presigned_put_stores_the_body(gate, s3):
    url = s3.generate_presigned_url("put_object", Params={"Bucket": "photos", "Key": "presigned/put"})
    assert fetch("PUT", url, b"put by url")[0] == 200
    assert s3.get_object(Bucket="photos", Key="presigned/put")["Body"].read() == b"put by url"


def test_presigned_put_of_the_embedded_store(gate, s3):
    url = s3.generate_presigned_url("put_object", Params={"Bucket": "local", "Key": "presigned/put"})
    assert fetch("PUT", url, b"put by url")[0] == 200
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "local", "Key": "presigned/put"})
    assert fetch("GET", url) == (200, b"put by url")


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE"])
def test_get_url_is_good_for_nothing_else(s3, object_url, method):
    assert fetch(method, object_url(), b"overwritten" if method == "PUT" else None)[0] == 403
    assert s3.get_object(Bucket="photos", Key="presigned/a +&ü.txt")["Body"].read() == b"by url"


def test_head_url_is_not_a_get_url(object_url):
    url = object_url("head_object")
    assert fetch("HEAD", url)[0] == 200
    assert fetch("GET", url)[0] == 403


def test_expired_url_is_refused(object_url):
    url = object_url(expires=1)
    time.sleep(2.2)
    status, body = fetch("GET", url)
    assert status == 403 and b"AccessDenied" in body and b"xpired" in body


def test_url_lives_by_its_own_expiry_not_by_the_clock_skew(gate, object_url, monkeypatch):
    """Signed an hour ago for a day: the 15 minutes of header signatures do not apply."""
    import botocore.auth
    import datetime

    hour_ago = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - datetime.timedelta(hours=1)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: hour_ago)
    # Not through a boto3 client: its signer may be another one, with a clock of its own.
    plain = object_url().split("?")[0]
    url = presigned("GET", plain, FULL.access_key, FULL.secret_key, expires=86400)
    assert hour_ago.strftime("%Y%m%dT%H") in url, "the clock of the signer was not turned back"
    assert fetch("GET", url) == (200, b"by url")


def test_changed_key_signature_or_expiry_is_refused(object_url):
    url = object_url()
    assert fetch("GET", url.replace("/presigned/", "/presignee/"))[0] == 403
    assert fetch("GET", url.replace("X-Amz-Expires=300", "X-Amz-Expires=3000"))[0] == 403
    tail = "0" if url[-1] != "0" else "1"
    assert fetch("GET", url[:-1] + tail)[0] == 403
    assert fetch("GET", url + "&response-content-type=text/html")[0] == 403


def test_expiry_beyond_a_week_is_refused(gate):
    url = presigned("GET", f"{gate.endpoint}/photos/presigned/put", FULL.access_key, FULL.secret_key, expires=604801)
    status, body = fetch("GET", url)
    assert status == 400 and b"AuthorizationQueryParametersError" in body


def test_unsigned_amz_header_on_a_url_is_refused(gate, s3):
    url = s3.generate_presigned_url("put_object", Params={"Bucket": "photos", "Key": "presigned/acl"})
    assert fetch("PUT", url, b"x", {"x-amz-acl": "public-read"})[0] == 403


def test_url_reaches_no_further_than_its_signer(gate):
    """The signer may read partner/ only; a URL is never more than that, and never anonymous."""
    partner = s3_client(gate.endpoint, PARTNER.access_key, PARTNER.secret_key)
    url = partner.generate_presigned_url("get_object", Params={"Bucket": "photos", "Key": "presigned/put"})
    assert fetch("GET", url)[0] == 403
    reader = s3_client(gate.endpoint, READER.access_key, READER.secret_key)
    url = reader.generate_presigned_url("put_object", Params={"Bucket": "photos", "Key": "presigned/reader"})
    assert fetch("PUT", url, b"x")[0] == 403


def test_bad_url_on_a_public_bucket_does_not_become_anonymous(gate, s3):
    s3.put_object(Bucket="public", Key="open.txt", Body=b"open")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "public", "Key": "open.txt"})
    assert fetch("GET", url) == (200, b"open")
    tail = "0" if url[-1] != "0" else "1"
    assert fetch("GET", url[:-1] + tail)[0] == 403
