"""Listings: every page of every form, once, in order, without the backend's prefix."""

import pytest

KEYS = sorted(
    [f"lists/{folder}/{n:02}" for folder in ("aa", "b b", "c&c", "ü") for n in range(7)]
    + [f"lists/top-{n}" for n in range(5)]
)


@pytest.fixture(scope="module")
def filled():
    done = set()

    def fill(target):
        if target.name not in done:
            s3 = target.client()
            for key in KEYS:
                s3.put_object(Bucket=target.bucket, Key=key, Body=key.encode())
            done.add(target.name)
        return target.client()

    return fill


def by_bytes(keys):
    return sorted(keys, key=lambda key: key.encode())


@pytest.mark.parametrize("page", [1, 3, 10, 1000])
def test_v2_pages_cover_every_key_once_in_order(target, filled, page):
    s3, found, token, pages = filled(target), [], None, 0
    while True:
        more = {"ContinuationToken": token} if token else {}
        answer = s3.list_objects_v2(Bucket=target.bucket, Prefix="lists/", MaxKeys=page, **more)
        found += [entry["Key"] for entry in answer.get("Contents", [])]
        pages += 1
        assert answer["KeyCount"] == len(answer.get("Contents", [])) <= page
        assert pages <= len(KEYS) + 1, "the listing does not end"
        if not answer["IsTruncated"]:
            break
        token = answer["NextContinuationToken"]
    assert found == by_bytes(KEYS)


@pytest.mark.parametrize("page", [1, 4, 1000])
def test_v1_markers_cover_every_key_once_in_order(target, filled, page):
    s3, found, marker, pages = filled(target), [], "", 0
    while True:
        answer = s3.list_objects(Bucket=target.bucket, Prefix="lists/", MaxKeys=page, Marker=marker)
        found += [entry["Key"] for entry in answer.get("Contents", [])]
        pages += 1
        assert pages <= len(KEYS) + 1, "the listing does not end"
        if not answer["IsTruncated"]:
            break
        marker = answer.get("NextMarker") or answer["Contents"][-1]["Key"]
    assert found == by_bytes(KEYS)


@pytest.mark.parametrize("page", [1, 2, 1000])
@pytest.mark.parametrize("form", ["v1", "v2"])
def test_folders_are_listed_once_across_pages(target, filled, form, page):
    s3, folders, keys = filled(target), [], []
    pages = s3.get_paginator("list_objects" if form == "v1" else "list_objects_v2").paginate(
        Bucket=target.bucket, Prefix="lists/", Delimiter="/", PaginationConfig={"PageSize": page}
    )
    for number, answer in enumerate(pages):
        assert number < 30, "the listing does not end"
        folders += [entry["Prefix"] for entry in answer.get("CommonPrefixes", [])]
        keys += [entry["Key"] for entry in answer.get("Contents", [])]
    assert folders == by_bytes(["lists/aa/", "lists/b b/", "lists/c&c/", "lists/ü/"])
    assert keys == by_bytes([key for key in KEYS if key.startswith("lists/top-")])


def test_start_after_begins_behind_the_key(target, filled):
    answer = filled(target).list_objects_v2(Bucket=target.bucket, Prefix="lists/", StartAfter="lists/top-2")
    behind = [key for key in KEYS if key.encode() > b"lists/top-2"]
    assert [entry["Key"] for entry in answer["Contents"]] == by_bytes(behind)
    assert answer["Prefix"] == "lists/"
    assert answer["StartAfter"] == "lists/top-2"


def test_prefix_inside_a_name(target, filled):
    answer = filled(target).list_objects_v2(Bucket=target.bucket, Prefix="lists/b b/0")
    assert [entry["Key"] for entry in answer["Contents"]] == [f"lists/b b/{n:02}" for n in range(7)]


def test_listing_of_nothing_is_empty_not_an_error(target, filled):
    answer = filled(target).list_objects_v2(Bucket=target.bucket, Prefix="lists/none/")
    assert answer.get("Contents", []) == [] and answer["KeyCount"] == 0 and not answer["IsTruncated"]


def test_entries_carry_size_and_etag(target, filled):
    s3 = filled(target)
    entry = s3.list_objects_v2(Bucket=target.bucket, Prefix="lists/top-1")["Contents"][0]
    assert entry["Size"] == len("lists/top-1")
    assert entry["ETag"] == s3.head_object(Bucket=target.bucket, Key="lists/top-1")["ETag"]


def test_head_bucket_and_location(target):
    s3 = target.client()
    assert s3.head_bucket(Bucket=target.bucket)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert s3.get_bucket_location(Bucket=target.bucket)["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_embedded_store_lists_in_the_order_of_bytes(gate, s3):
    """SeaweedFS sorts folder by folder (`a` before `a b`); the contract, and the embedded store, sort whole keys."""
    keys = ["order/a/1", "order/a b/1", "order/a+b", "order/a", "order/Z", "order/ü", "order/z/", "order/a/0/x"]
    for key in keys:
        s3.put_object(Bucket="local", Key=key, Body=b"x")
    found = []
    for page in s3.get_paginator("list_objects_v2").paginate(
        Bucket="local", Prefix="order/", PaginationConfig={"PageSize": 3}
    ):
        found += [entry["Key"] for entry in page["Contents"]]
    assert found == by_bytes(keys)
