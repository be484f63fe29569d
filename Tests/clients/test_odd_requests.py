"""Requests that nobody sends by accident: numbers, names, documents and bodies at and beyond what S3 allows.

Each is refused with the word that S3 has for it, or taken for exactly one thing; nothing is written that was not asked for.
"""

import base64
import hashlib
import hmac
import json
import random
import time

import pytest
from botocore.exceptions import ClientError

from support.chunked import SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER, ChunkedPut, crc32
from support.clients import signed
from support.people import FULL, ROOT
from support.raw import RawConnection
from test_forms import by_hand, send

MIB = 1 << 20


def ask(gate, method, path, headers=None, body=b""):
    """A request whose hash is signed as the body is."""
    given = signed(method, gate.endpoint + path, FULL.access_key, FULL.secret_key, headers or {}, body,
                   payload_hash=hashlib.sha256(body).hexdigest())
    answer = gate.request(method, path, given, body)
    return answer.status, answer.s3_code


def untouched(north_s3, prefix):
    return "Contents" not in north_s3.list_objects_v2(Bucket="photos", Prefix=prefix)


# Chunked bodies


@pytest.mark.parametrize("length", [
    "+5", "-5", " 5x", "0x5", "5,5", "5.0", "1e1", "", "99999999999999999999", "18446744073709551621", "-0", "５",
])
def test_a_decoded_length_that_is_no_number(gate, north_s3, length):
    chunked = ChunkedPut(gate.endpoint, "/photos/odd/length", b"hello", UNSIGNED_TRAILER, None, None)
    chunked.headers.update({**ROOT.headers, "x-amz-decoded-content-length": length.encode()})
    answer = chunked.send(gate)
    assert answer.status == 400 and answer.s3_code == "InvalidArgument", answer
    assert untouched(north_s3, "odd/length")


@pytest.mark.parametrize("form", [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER])
@pytest.mark.parametrize("line, code", [
    (b"+5", "IncompleteBody"), (b"-5", "IncompleteBody"), (b" 5", "IncompleteBody"), (b"0x5", "IncompleteBody"),
    (b"", "IncompleteBody"), (b"00000000000000005", "IncompleteBody"), (b"ffffffffffffffff", "IncompleteBody"),
    (b"8000000000000005", "IncompleteBody"), (b"6", "IncompleteBody"), (b"5\n", "IncompleteBody"), (b"5\x00", "IncompleteBody"),
    (b"5" + b"0" * 4000, "IncompleteBody"),
])
def test_a_chunk_s_size_that_is_none(gate, north_s3, form, line, code):
    chunked = ChunkedPut(gate.endpoint, "/photos/odd/size", b"hello", form, FULL.access_key, FULL.secret_key)
    end = chunked.body.index(b";") if form != UNSIGNED_TRAILER else chunked.body.index(b"\r\n")
    answer = chunked.send(gate, line + chunked.body[end:])
    assert (answer.status, answer.s3_code) == (400, code)
    assert untouched(north_s3, "odd/size")


@pytest.mark.parametrize("form, change", [
    (SIGNED, lambda extension: extension + extension),
    (SIGNED, lambda extension: b""),
    (SIGNED, lambda extension: b";a=b" + extension),
    (SIGNED, lambda extension: extension + b";a=b"),
    (SIGNED, lambda extension: extension.replace(b"chunk-signature", b"Chunk-Signature")),
    (SIGNED, lambda extension: extension[:-64] + extension[-64:].upper()),
    (SIGNED, lambda extension: extension[:-1]),
    (SIGNED, lambda extension: extension + b" "),
    (UNSIGNED_TRAILER, lambda extension: b";chunk-signature=" + b"0" * 64),
    (UNSIGNED_TRAILER, lambda extension: b";a=b"),
])
def test_chunk_extensions_other_than_one_signature(gate, north_s3, form, change):
    chunked = ChunkedPut(gate.endpoint, "/photos/odd/extension", b"hello", form, FULL.access_key, FULL.secret_key)
    line, rest = chunked.body.split(b"\r\n", 1)
    answer = chunked.send(gate, b"5" + change(line[1:]) + b"\r\n" + rest)
    assert (answer.status, answer.s3_code) in [(403, "SignatureDoesNotMatch"), (400, "IncompleteBody")], answer
    assert untouched(north_s3, "odd/extension")


TRAILER = f"x-amz-checksum-crc32:{crc32(b'hello')}\r\n".encode()


@pytest.mark.parametrize("trailer, code", [
    (TRAILER + TRAILER, "MalformedTrailerError"),
    (TRAILER + TRAILER.replace(b"crc32", b"CRC32"), "MalformedTrailerError"),
    (TRAILER + b"x-amz-checksum-sha256:AAAA\r\n", "MalformedTrailerError"),
    (TRAILER + b"x-amz-meta-a:b\r\n", "MalformedTrailerError"),
    (TRAILER + b"x-amz-trailer-signature:" + b"0" * 64 + b"\r\n", "MalformedTrailerError"),
    (b" " + TRAILER, "MalformedTrailerError"),
    (TRAILER.replace(b":", b" :"), "MalformedTrailerError"),
    (TRAILER.replace(b":", b"="), "MalformedTrailerError"),
    (TRAILER.replace(b"\r\n", b",AAAAAA==\r\n"), "MalformedTrailerError"),
    (b"x-amz-checksum-crc32:\r\n", "MalformedTrailerError"),
    (b"x-amz-checksum-crc32:" + b"A" * 5000 + b"\r\n", "MalformedTrailerError"),
    (b"\r\n" + TRAILER, "MalformedTrailerError"),
])
def test_trailers_other_than_the_one_announced(gate, north_s3, trailer, code):
    chunked = ChunkedPut(gate.endpoint, "/photos/odd/trailer", b"hello", UNSIGNED_TRAILER, FULL.access_key, FULL.secret_key)
    answer = chunked.send(gate, b"5\r\nhello\r\n0\r\n" + trailer + b"\r\n")
    assert (answer.status, answer.s3_code) == (400, code)
    assert untouched(north_s3, "odd/trailer")


@pytest.mark.parametrize("announced", [
    ["x-amz-checksum-crc32", "x-amz-checksum-crc32"], ["x-amz-checksum-crc32", "x-amz-checksum-sha256"],
    ["x-amz-checksum-crc32,x-amz-checksum-sha256"], ["x-amz-checksum-crc32,"], ["x-amz-checksum-md5"], [""],
])
def test_a_trailer_announced_twice_or_as_something_else(gate, north_s3, announced):
    chunked = ChunkedPut(gate.endpoint, "/photos/odd/announced", b"hello", UNSIGNED_TRAILER, None, None)
    del chunked.headers["x-amz-trailer"], chunked.headers["Host"]
    fields = [*chunked.headers.items(), *ROOT.headers.items(), *(("x-amz-trailer", value) for value in announced),
              ("Host", f"127.0.0.1:{gate.port}"), ("Content-Length", str(len(chunked.body)))]
    head = "PUT /photos/odd/announced HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
    with RawConnection(gate.port) as connection:
        connection.send(head.encode() + chunked.body)
        status, _, _ = connection.answer()
    assert status in (400, 501)
    assert untouched(north_s3, "odd/announced")


# Numbers


@pytest.mark.parametrize("number", ["0", "10001", "%2B1", "-1", "1.0", "", "1%00", "99999999999999999999", "0x1", "%201"])
@pytest.mark.parametrize("bucket", ["photos", "local", "prefixed"])
def test_part_numbers_that_are_none(gate, s3, bucket, number):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="odd/parts")["UploadId"]
    try:
        status, code = ask(gate, "PUT", f"/{bucket}/odd/parts?partNumber={number}&uploadId={upload}", body=b"x")
        assert status in (400, 501) and code in ("InvalidArgument", "NotImplemented", "InvalidRequest", "InvalidURI"), code
        assert "Parts" not in s3.list_parts(Bucket=bucket, Key="odd/parts", UploadId=upload)
    finally:
        s3.abort_multipart_upload(Bucket=bucket, Key="odd/parts", UploadId=upload)


@pytest.mark.parametrize("bucket", ["photos", "local"])
@pytest.mark.parametrize("given", [
    "bytes=0-10", "bytes=10-10", "bytes=0-99999999999999999999", "bytes=5-2", "bytes=-5", "bytes=5-", "bytes=0-1,3-4", "0-5",
    "bytes=+0-5", "bytes=0 - 5", "bytes= 0-5", "",
])
def test_a_copied_range_lies_within_its_source(gate, s3, bucket, given):
    s3.put_object(Bucket="local", Key="odd/ten", Body=b"0123456789")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="odd/copied")["UploadId"]
    try:
        headers = {"x-amz-copy-source": "/local/odd/ten", "x-amz-copy-source-range": given}
        got, code = ask(gate, "PUT", f"/{bucket}/odd/copied?partNumber=1&uploadId={upload}", headers)
        # S3's word for a range beyond the end is InvalidRange with 416, or InvalidArgument with 400.
        assert got in (400, 416) and code in ("InvalidArgument", "InvalidRange", "InvalidRequest"), (got, code)
        assert "Parts" not in s3.list_parts(Bucket=bucket, Key="odd/copied", UploadId=upload)
    finally:
        s3.abort_multipart_upload(Bucket=bucket, Key="odd/copied", UploadId=upload)


@pytest.mark.parametrize("source", [
    "", "/", "photos", "photos/", "/photos", "photos/a/../b", "photos/%2e%2e/b", "photos/a?versionId=", "photos/a?uploadId=b",
    "photos/a?versionId=1&versionId=2", "arn:aws:s3:us-east-1:123456789012:accesspoint/a/object/b", "photos/%zz", "UPPER/a",
    "photos/" + "a" * 1025, "photos/a?versionId=../b",
])
@pytest.mark.parametrize("bucket", ["photos", "local"])
def test_copy_sources_that_are_none(gate, north_s3, bucket, source):
    status, code = ask(gate, "PUT", f"/{bucket}/odd/copy", {"x-amz-copy-source": source})
    assert 400 <= status < 500 or status == 501, (status, code)
    assert untouched(north_s3, "odd/copy")


@pytest.mark.parametrize("bucket", ["photos", "local", "prefixed"])
@pytest.mark.parametrize("query", [
    "max-keys=-1", "max-keys=%2B5", "max-keys=99999999999999999999", "max-keys=a", "max-keys=1.5",
    "list-type=2&max-keys=-1", "list-type=3", "list-type=2&encoding-type=gzip", "encoding-type=gzip",
    "list-type=2&continuation-token=", "list-type=2&continuation-token=%00", "list-type=2&continuation-token=" + "A" * 4000,
    "list-type=2&max-keys=1&max-keys=2", "uploads&max-uploads=-1", "versions&version-id-marker=a",
])
def test_listings_asked_for_in_odd_ways(gate, bucket, query):
    status, code = ask(gate, "GET", f"/{bucket}?{query}")
    # Where S3 and stores differ, at least it is theirs to say; never an error of ours.
    assert status in (200, 400, 501), (status, code)


@pytest.mark.parametrize("query", ["max-keys=-1", "max-keys=a", "list-type=2&max-keys=-1", "list-type=2&encoding-type=gzip",
                                   "list-type=2&continuation-token="])
def test_listings_that_s3_refuses_are_refused_by_the_embedded_store(gate, query):
    assert ask(gate, "GET", f"/local?{query}") == (400, "InvalidArgument")


@pytest.mark.parametrize("bucket", ["photos", "local"])
@pytest.mark.parametrize("given", [
    "bytes=0-18446744073709551615", "bytes=18446744073709551616-", "bytes=-18446744073709551616", "bytes=-0", "bytes=--1",
    "bytes=a-b", "bytes=", "lines=0-1", "bytes=0-0," * 2000 + "5-5", "bytes=1-0",
])
def test_ranges_that_are_none_are_no_error_of_ours(gate, s3, bucket, given):
    s3.put_object(Bucket=bucket, Key="odd/ranged", Body=b"0123456789")
    status, code = ask(gate, "GET", f"/{bucket}/odd/ranged", {"Range": given})
    assert status in (200, 206, 400, 416, 501), (status, code)


# Documents


def delete(objects):
    return f'<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{objects}</Delete>'.encode()


def one(key):
    return f"<Object><Key>{key}</Key></Object>"


ODD_DOCUMENTS = {
    "1001 keys": delete("".join(one(f"odd/none-{n}") for n in range(1001))),
    "no keys": delete(""),
    "an empty key": delete(one("")),
    "two keys in one": delete("<Object><Key>odd/kept</Key><Key>odd/other</Key></Object>"),
    "no key in one": delete("<Object><VersionId>a</VersionId></Object>"),
    "a doctype": b'<!DOCTYPE Delete [<!ENTITY k "odd/kept">]>' + delete(one("&k;")),
    "an entity nobody declared": delete(one("&k;")),
    "a character that is none": delete(one("odd/&#0;kept")),
    "a parameter entity": b'<!DOCTYPE a [<!ENTITY % b SYSTEM "http://127.0.0.1:1/">%b;]>' + delete(one("a")),
    "laughs": b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>' + delete(one("&b;")),
    "depth": b"<Delete>" + b"<a>" * 50_000 + b"</a>" * 50_000 + b"</Delete>",
    "depth that never ends": b"<Delete>" * 200_000,
    "a huge attribute": f'<Delete a="{"b" * (1900 * 1024)}">{one("odd/kept")}<'.encode(),
    "many attributes": ("<Delete " + " ".join(f'a{n:x}=""' for n in range(190_000)) + f">{one('odd/kept')}</Delete>").encode(),
    "many elements": delete("<a/>" * 200_000),
    "two roots": delete(one("odd/kept")) + delete(one("odd/kept")),
    "text behind it": delete(one("odd/kept")) + b"x",
    "another root": b"<Deleted>" + one("odd/kept").encode() + b"</Deleted>",
    "another encoding": '<?xml version="1.0" encoding="UTF-16"?>'.encode() + delete(one("odd/kept")),
    "sixteen bits": delete(one("odd/kept")).decode().encode("utf-16"),
    "bytes that are no text": delete(one("odd/kept")).replace(b"kept", b"\xff\xfe"),
    "nothing": b"",
    "JSON": b'{"Objects":[{"Key":"odd/kept"}]}',
    "a document cut short": delete(one("odd/kept"))[:-3],
    "an instruction without data, in a document cut short": delete("<?a?>" * 3 + one("odd/kept"))[:-3],
    "an attribute twice": delete(one("odd/kept")).replace(b"<Object>", b'<Object a="1" a="2">'),
    "a dot segment": delete(one("odd/../odd/kept")),
    "beyond its limit": delete(one("odd/kept") + " " * (2 * MIB)),
}


@pytest.mark.parametrize("bucket", ["photos", "local", "prefixed"])
@pytest.mark.parametrize("name", ODD_DOCUMENTS)
def test_documents_of_deletion_that_are_none(gate, s3, bucket, name):
    s3.put_object(Bucket=bucket, Key="odd/kept", Body=b"kept")
    body, began = ODD_DOCUMENTS[name], time.monotonic()
    status, code = ask(gate, "POST", f"/{bucket}?delete", body=body,
                       headers={"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()})
    assert status == 400 and code in ("MalformedXML", "MaxMessageLengthExceeded", "InvalidArgument", "InvalidURI",
                                      "MissingRequestBodyError", "InvalidRequest"), (status, code)
    assert time.monotonic() - began < 60
    assert s3.get_object(Bucket=bucket, Key="odd/kept")["Body"].read() == b"kept"


@pytest.mark.parametrize("bucket", ["photos", "local", "prefixed"])
def test_an_instruction_without_data_ends_nothing_but_itself(gate, s3, bucket):
    """`<?a?>` once ended the process: FoundationXML takes for granted that an instruction has data."""
    s3.put_object(Bucket=bucket, Key="odd/instructed", Body=b"x")
    body = delete("<?a?>" + one("odd/instructed") + "<?b c?>")
    status, _ = ask(gate, "POST", f"/{bucket}?delete", body=body,
                    headers={"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()})
    assert status == 200
    assert gate.status_of("/-/health") == 200
    with pytest.raises(ClientError):
        s3.head_object(Bucket=bucket, Key="odd/instructed")


@pytest.mark.parametrize("bucket", ["photos", "local", "prefixed"])
def test_a_key_to_be_deleted_twice_is_gone_once(gate, s3, bucket):
    for key in ("odd/twice", "odd/cdata & more", "odd/once"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    body = (b"\xef\xbb\xbf" if bucket == "local" else b"") + delete(
        one("odd/twice") * 2 + "<!-- " + one("odd/once") + " -->" + "<Object><Key><![CDATA[odd/cdata & more]]></Key></Object>")
    status, _ = ask(gate, "POST", f"/{bucket}?delete", body=body,
                    headers={"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()})
    assert status == 200
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket, Prefix="odd/").get("Contents", [])
            if entry["Key"] in ("odd/twice", "odd/cdata & more", "odd/once")] == ["odd/once"]


@pytest.mark.parametrize("bucket", ["photos", "local"])
@pytest.mark.parametrize("parts", [
    "<Part><PartNumber>0</PartNumber><ETag>a</ETag></Part>", "<Part><PartNumber>10001</PartNumber><ETag>a</ETag></Part>",
    "<Part><PartNumber>+1</PartNumber><ETag>{etag}</ETag></Part>", "<Part><PartNumber>1</PartNumber></Part>",
    "<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>" * 2, "<Part><ETag>{etag}</ETag></Part>",
    "<Part><PartNumber>1</PartNumber><PartNumber>2</PartNumber><ETag>{etag}</ETag></Part>", "",
    "<Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part><Other/>",
    "<Part><PartNumber>99999999999999999999</PartNumber><ETag>a</ETag></Part>",
])
def test_completions_that_are_none(gate, s3, bucket, parts):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="odd/completed")["UploadId"]
    etag = s3.upload_part(Bucket=bucket, Key="odd/completed", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
    body = f"<CompleteMultipartUpload>{parts.replace('{etag}', etag)}</CompleteMultipartUpload>".encode()
    try:
        status, code = ask(gate, "POST", f"/{bucket}/odd/completed?uploadId={upload}", body=body)
        assert status == 400 and code in ("MalformedXML", "InvalidPart", "InvalidPartOrder", "InvalidArgument"), (status, code)
        with pytest.raises(ClientError):
            s3.head_object(Bucket=bucket, Key="odd/completed")
    finally:
        s3.abort_multipart_upload(Bucket=bucket, Key="odd/completed", UploadId=upload)


DOCUMENTS = {
    "?delete": ("POST", delete("<Quiet>false</Quiet>" + one("odd/mutated-none") + one("odd/mutated-&amp;-none"))),
    "/odd/mutated?tagging": ("PUT", b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"),
    "/odd/mutated?uploadId={upload}": ("POST", b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>&quot;0123456789"
                                               b"abcdef0123456789abcdef&quot;</ETag></Part></CompleteMultipartUpload>"),
}
PIECES = [b"<", b">", b"/>", b"<?a?>", b"<?", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<!DOCTYPE a>", b"&", b"&#0;", b"&a;", b'"',
          b"\x00", b"\xff", "\u00fc".encode(), b"<Object>", b"</Object>", b"<Key>odd/mutated-kept</Key>", b"<Part>", b"\r\n"]


@pytest.mark.parametrize("bucket", ["photos", "local"])
@pytest.mark.parametrize("query", DOCUMENTS)
def test_mutated_documents(gate, s3, bucket, query):
    """Two hundred of each: never an error of ours, and what no document names stays."""
    dice = random.Random(f"{bucket}{query}")
    for key in ("odd/mutated-kept", "odd/mutated"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"kept")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="odd/mutated")["UploadId"]
    method, original = DOCUMENTS[query]
    seen = set()
    for _ in range(200):
        body = bytearray(original)
        for _ in range(dice.randint(1, 3)):
            place = dice.randrange(len(body))
            match dice.randrange(5):
                case 0: body[place] = dice.randrange(256)
                case 1: del body[place:place + dice.randint(1, 20)]
                case 2: body[place:place] = dice.choice(PIECES)
                case 3: body[place:place] = body[place:place + dice.randint(1, 60)]
                case 4: body[place:] = b"" if place else b"<"
            body = body or bytearray(b"<")
        status, code = ask(gate, method, f"/{bucket}{query.replace('{upload}', upload)}", body=bytes(body),
                           headers={"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()})
        assert status < 500 or code == "NotImplemented", (status, code, bytes(body))
        seen.add(status)
        if b"odd/mutated-kept" not in body:
            assert s3.get_object(Bucket=bucket, Key="odd/mutated-kept")["Body"].read() == b"kept", bytes(body)
    assert 400 in seen
    assert s3.get_object(Bucket=bucket, Key="odd/mutated")["Body"].read() == b"kept"
    s3.abort_multipart_upload(Bucket=bucket, Key="odd/mutated", UploadId=upload)


# Forms


def policy_of(document):
    return base64.b64encode(document if isinstance(document, bytes) else document.encode()).decode()


GOOD = json.dumps({"expiration": "2999-01-01T00:00:00Z", "conditions": [{"bucket": "photos"}, {"key": "odd/form"}]})


@pytest.mark.parametrize("document", [
    GOOD.replace('"conditions"', '"expiration": "2000-01-01T00:00:00Z", "conditions"'),
    GOOD[:-1] + ', "conditions": []}',
    GOOD.replace('{"key": "odd/form"}', '{"key": "odd/form", "key": "odd/other"}'),
    GOOD.replace('{"key": "odd/form"}', '{"key": "odd/form", "acl": "public-read"}'),
    GOOD.replace('{"key": "odd/form"}', '["content-length-range", 0, 1e3]'),
    GOOD.replace('{"key": "odd/form"}', '["content-length-range", -1, 5]'),
    GOOD.replace('{"key": "odd/form"}', '["matches", "$key", ".*"]'),
    GOOD[:-1] + ', "Version": "1"}', GOOD + GOOD, GOOD + " x", "[" * 5000, '"' + "a" * 30_000, "{}", "null", b"\xff",
    GOOD.replace("2999-01-01T00:00:00Z", "tomorrow"),
])
def test_policies_of_forms_that_can_be_read_in_two_ways(gate, north_s3, document):
    policy = policy_of(document)
    signature = base64.b64encode(hmac.new(FULL.secret_key.encode(), policy.encode(), hashlib.sha1).digest()).decode()
    fields = [("key", "odd/form"), ("AWSAccessKeyId", FULL.access_key), ("policy", policy), ("signature", signature)]
    status, code = send(gate, by_hand(fields, b"x"))
    assert status == 400 and code in ("InvalidPolicyDocument", "MaxPostPreDataLengthExceeded"), (status, code)
    assert untouched(north_s3, "odd/form")


# Two framings at once


@pytest.mark.parametrize("bucket", ["photos", "local"])
@pytest.mark.parametrize("form", [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER])
@pytest.mark.parametrize("size", [0, 5, 100_000])
def test_chunks_within_the_chunks_of_http(gate, s3, bucket, form, size):
    """Some SDKs send aws-chunked bodies without a Content-Length: both framings are taken off, one after the other."""
    data, key = bytes(n % 251 for n in range(size)), f"odd/framed-{form}-{size}"
    chunked = ChunkedPut(gate.endpoint, f"/{bucket}/{key}", data, form, FULL.access_key, FULL.secret_key)
    body = chunked.body
    pieces = [body[at:at + 7001] for at in range(0, len(body), 7001)]
    framed = b"".join(b"%x\r\n" % len(piece) + piece + b"\r\n" for piece in pieces)
    headers = {**chunked.headers, "Transfer-Encoding": "chunked"}
    for ending, status in ((b"0\r\n\r\n", 200), (b"0\r\nx-amz-checksum-crc32: AAAAAA==\r\n\r\n", 200), (b"1\r\nx\r\n0\r\n\r\n", 400)):
        with RawConnection(gate.port) as connection:
            connection.request("PUT", chunked.path, headers, framed + ending)
            assert connection.answer()[0] == status, ending
        if status == 200:
            assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == data
            s3.delete_object(Bucket=bucket, Key=key)
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket, Prefix=key)


def test_a_chunked_body_asked_about_first_is_authorized_before_it_comes(gate):
    chunked = ChunkedPut(gate.endpoint, "/nobodys-bucket/k", b"hello", UNSIGNED_TRAILER, None, None)
    head = "PUT /nobodys-bucket/k HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in chunked.headers.items())
    with RawConnection(gate.port) as connection:
        connection.send(head + f"Content-Length: {len(chunked.body)}\r\nExpect: 100-continue\r\n\r\n")
        assert connection.head()[0] == 403
