"""A bucket behind a prefix lists like a bucket that holds only those keys: page for page, element for element."""

import itertools
from urllib.parse import unquote_plus

import pytest
from botocore.exceptions import ClientError
from support.clients import s3_client
from support.people import FULL, account, everywhere

KEYS = [
    "a", "a b", "a&b<c>", "a/b", "a/b/c", "a/b/d", "b//c", "dir/", "dir/x", "e::f::g", "e::f::h", "e::i",
    "tilde~", "v2/area/x", "v2/", "z\"'", "ü/ö", "üü", "日本/語", "😀", "(1)", "=q?", "long/" + "k" * 200,
]
PREFIX = "v2/area/"
# SeaweedFS encodes keys and not NextMarker: with these a client of the store itself loses its way.
ODD = ["a b", "a%2Fb", "a+b", "a/b"]


def elements(answer, explicit_encoding):
    """What a client sees of a page; without what differs from bucket to bucket or from request to request."""
    left = {key: value for key, value in answer.items() if value and key not in ("ResponseMetadata", "Name", "Bucket")}
    if explicit_encoding:
        # A space may be written in two ways. SeaweedFS does not encode markers.
        for entry in left.get("Contents", []) + left.get("Versions", []):
            entry["Key"] = unquote_plus(entry["Key"])
        for entry in left.get("CommonPrefixes", []):
            entry["Prefix"] = unquote_plus(entry["Prefix"])
        for marker in ("NextMarker", "Marker", "StartAfter", "Prefix"):
            left.pop(marker, None)
    for kind in ("Contents", "Versions", "DeleteMarkers", "Uploads"):
        for entry in left.get(kind, []):
            for volatile in ("LastModified", "Initiated", "UploadId", "VersionId", "ETag"):
                entry.pop(volatile, None)
    for token in ("NextContinuationToken", "ContinuationToken", "NextUploadIdMarker", "UploadIdMarker"):
        if left.get(token):
            left[token] = "..."
    return left


@pytest.fixture(scope="module")
def twins(tmp_path_factory, north):
    """(client, plain bucket, prefixed bucket) of a gateway whose two buckets hold the same keys."""
    from support.gatehouse import Gatehouse

    store = s3_client(north.endpoint, north.access_key, north.secret_key)
    for bucket in ("twin-plain", "twin-shared"):
        store.create_bucket(Bucket=bucket)
    for key in KEYS:
        store.put_object(Bucket="twin-plain", Key=key, Body=b"x")
        store.put_object(Bucket="twin-shared", Key=PREFIX + key, Body=b"x")
    for key in ODD:
        store.put_object(Bucket="twin-shared", Key="odd/" + key, Body=b"x")
    # Neighbours, and the prefix itself as an object.
    for key in (PREFIX, "v2/are", "v2/area", "v2/areas/a", "v2/area0", "v1/area/a", "v3"):
        try:
            store.put_object(Bucket="twin-shared", Key=key, Body=b"")
        except store.exceptions.ClientError:
            pass
    for bucket, prefix in (("twin-plain", ""), ("twin-shared", PREFIX)):
        for key in ("up/1", "up/1", "up/2", "up/3/x", "vp"):
            store.create_multipart_upload(Bucket=bucket, Key=prefix + key)
    store.create_multipart_upload(Bucket="twin-shared", Key="v2/elsewhere")
    config = {
        "accounts": [account("north", north, ["twin-plain"])],
        "buckets": [{
            "name": "twin-prefixed", "account": "north", "backend_prefix": PREFIX.rstrip("/"),
            "backend_options": {"bucket_name": "twin-shared"},
        }, {
            "name": "twin-odd", "account": "north", "backend_prefix": "odd",
            "backend_options": {"bucket_name": "twin-shared"},
        }],
        "credentials": [FULL.entry(everywhere())],
    }
    gateway = Gatehouse(tmp_path_factory.mktemp("twins"), config).start()
    yield s3_client(gateway.endpoint, FULL.access_key, FULL.secret_key)
    gateway.stop()


def pages(call, bucket, first, follow):
    """Every page, as a client that follows what the answers say sees them; as many as a listing that ends can have."""
    found, more = [], dict(first)
    encoded = "EncodingType" in first
    while len(found) <= len(KEYS) + 5:
        try:
            answer = call(Bucket=bucket, **more)
        except ClientError as refusal:
            return [*found, refusal.response["Error"]["Code"]]
        following = follow(answer)
        found.append(elements(answer, encoded))
        if not answer.get("IsTruncated") or not following or encoded:
            break
        more.update(following)
    return found


def difference(query, plain, hidden):
    """The query, and the first page of each that differs."""
    both = itertools.zip_longest(plain, hidden)
    number, (one, other) = next((n, pair) for n, pair in enumerate(both) if pair[0] != pair[1])
    return f"{query}: page {number}\n  plain:  {one}\n  prefix: {other}"


def report(differing):
    return f"{len(differing)} listings differ\n" + "\n".join(differing[:5])


def v2(answer):
    return {"ContinuationToken": answer.get("NextContinuationToken", "")}


def v1(answer):
    entries = answer.get("Contents", [])
    marker = answer.get("NextMarker") or (entries[-1]["Key"] if entries else "")
    return {"Marker": marker} if marker else {}


def version_markers(answer):
    markers = {"KeyMarker": answer.get("NextKeyMarker"),
               "VersionIdMarker": answer.get("NextVersionIdMarker", "")}
    return {name: value for name, value in markers.items() if value}


def upload_markers(answer):
    markers = {"KeyMarker": answer.get("NextKeyMarker"),
               "UploadIdMarker": answer.get("NextUploadIdMarker", "")}
    return {name: value for name, value in markers.items() if value}


def queries():
    for prefix, delimiter, size, after, encoding in itertools.product(
        ("", "a", "a/", "e::", "dir/", "none"), (None, "/", "::", ":"), (1, 2, 7, 1000), (None, "a", "a/b/c", "zz"),
        ("url", None),
    ):
        yield prefix, delimiter, size, after, encoding


def chosen(prefix, delimiter, size, encoding):
    more = {"Prefix": prefix, "MaxKeys": size}
    if delimiter:
        more["Delimiter"] = delimiter
    if encoding:
        more["EncodingType"] = encoding
    return more




@pytest.mark.parametrize("form", ["v1", "v2"])
def test_objects(twins, form):
    s3, differing = twins, []
    for prefix, delimiter, size, after, encoding in queries():
        more = chosen(prefix, delimiter, size, encoding)
        if after:
            more["StartAfter" if form == "v2" else "Marker"] = after
        call, follow = (s3.list_objects_v2, v2) if form == "v2" else (s3.list_objects, v1)
        plain = pages(call, "twin-plain", more, follow)
        hidden = pages(call, "twin-prefixed", more, follow)
        if plain != hidden:
            differing.append(difference(more, plain, hidden))
    assert not differing, report(differing)


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("delimiter", [{}, {"Delimiter": "/"}])
def test_markers_that_look_encoded_lead_on(twins, size, delimiter):
    found = pages(twins.list_objects, "twin-odd", {"MaxKeys": size, **delimiter}, v1)
    names = [entry["Key"] for page in found for entry in page.get("Contents", [])]
    names += [entry["Prefix"] for page in found for entry in page.get("CommonPrefixes", [])]
    assert sorted(names) == sorted(ODD[:3] + (["a/"] if delimiter else ["a/b"]))


def test_versions(twins):
    differing = []
    for prefix, delimiter, size, after, encoding in queries():
        more = chosen(prefix, delimiter, size, encoding)
        if after:
            more["KeyMarker"] = after
        both = [
            pages(twins.list_object_versions, bucket, more, version_markers)
            for bucket in ("twin-plain", "twin-prefixed")
        ]
        if both[0] != both[1]:
            differing.append(difference(more, *both))
    assert not differing, report(differing)


def test_uploads(twins):
    """SeaweedFS orders uploads by their ids, which differ: what all pages hold together is the same."""
    differing = []
    for prefix, delimiter, size in itertools.product(("", "up/", "v"), (None, "/"), (1, 2, 1000)):
        more = chosen(prefix, delimiter, size, None)
        more["MaxUploads"] = more.pop("MaxKeys")
        both = []
        for bucket in ("twin-plain", "twin-prefixed"):
            found = pages(twins.list_multipart_uploads, bucket, more, upload_markers)
            both.append(sorted(entry["Key"] for page in found for entry in page.get("Uploads", [])))
        if both[0] != both[1]:
            differing.append(f"{more}: {both}")
    assert not differing, report(differing)


@pytest.mark.parametrize("bucket", ["twin-plain", "twin-prefixed"])
def test_a_page_of_nothing(twins, bucket):
    answer = twins.list_objects_v2(Bucket=bucket, MaxKeys=0)
    assert answer["KeyCount"] == 0 and not answer["IsTruncated"] and "Contents" not in answer


@pytest.mark.parametrize("change", [{"Prefix": "b"}, {"Prefix": ""}, {"Delimiter": ":"}, {"Delimiter": ""}])
def test_a_token_is_good_for_its_listing_only(twins, change):
    listing = {"Prefix": "a", "Delimiter": "/", "MaxKeys": 1}
    token = twins.list_objects_v2(Bucket="twin-prefixed", **listing)["NextContinuationToken"]
    assert twins.list_objects_v2(Bucket="twin-prefixed", **listing, ContinuationToken=token)["KeyCount"] == 1
    with pytest.raises(twins.exceptions.ClientError) as refusal:
        twins.list_objects_v2(Bucket="twin-prefixed", **{**listing, **change}, ContinuationToken=token)
    assert refusal.value.response["Error"]["Code"] == "InvalidArgument"
