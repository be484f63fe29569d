"""Who may do what: API keys, scopes, policy documents, anonymous readers."""

import pytest
from botocore.exceptions import ClientError

from support.clients import s3_client
from support.people import (
    ALICE, DISABLED, EXPIRED, FULL, LISTER, MODELS, PARTNER, READER, ROOT, WATCHER, User,
)


def as_key(gate, key):
    return s3_client(gate.endpoint, key.access_key, key.secret_key)


def refused(call, **arguments):
    """(status, code) of a call that must fail."""
    with pytest.raises(ClientError) as error:
        call(**arguments)
    answer = error.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


@pytest.fixture(scope="module", autouse=True)
def objects(s3):
    for bucket, key in [
        ("photos", "api/cat.jpg"), ("docs", "api/report.txt"), ("photos", "models/production/m1"),
        ("photos", "models/staging/m1"), ("photos", "exact"), ("photos", "exact/child"), ("photos", "exactly-not"),
        ("photos", "partner/a"), ("docs", "home/partner/notes.txt"), ("docs", "home/partner/ledger.csv"),
        ("docs", "home/other/notes.txt"), ("photos", "frozen/x"), ("photos", "elsewhere/x"), ("public", "open.txt"),
    ]:
        s3.put_object(Bucket=bucket, Key=key, Body=f"{bucket}/{key}".encode())


# API keys


def test_user_reads_lists_writes_and_deletes_on_allowed_buckets(gate):
    put = gate.request("PUT", "/photos/api/by-key", {**ALICE.headers, "Content-Type": "text/x-a"}, b"with a key")
    assert put.status == 200, put
    got = gate.request("GET", "/photos/api/by-key", ALICE.headers)
    assert (got.status, got.body, got.headers["Content-Type"]) == (200, b"with a key", "text/x-a")
    listed = gate.request("GET", "/photos?list-type=2&prefix=api/", ALICE.headers)
    assert listed.status == 200 and b"<Key>api/by-key</Key>" in listed.body
    assert gate.request("HEAD", "/photos/api/by-key", ALICE.headers).status == 200
    assert gate.request("DELETE", "/photos/api/by-key", ALICE.headers).status == 204
    assert gate.request("GET", "/photos/api/by-key", ALICE.headers).status == 404


def test_user_has_nothing_on_other_buckets(gate):
    for method in ("GET", "PUT", "DELETE"):
        answer = gate.request(method, "/docs/api/report.txt", ALICE.headers, b"x" if method == "PUT" else None)
        assert (answer.status, answer.s3_code) == (403, "AccessDenied")
    assert gate.request("GET", "/docs?list-type=2", ALICE.headers).status == 403


def test_readonly_user_reads_and_lists_only(gate, north_s3):
    assert gate.request("GET", "/docs/api/report.txt", WATCHER.headers).body == b"docs/api/report.txt"
    assert gate.request("GET", "/docs?list-type=2", WATCHER.headers).status == 200
    assert gate.request("PUT", "/docs/api/report.txt", WATCHER.headers, b"x").status == 403
    assert gate.request("DELETE", "/docs/api/report.txt", WATCHER.headers).status == 403
    assert gate.request("POST", "/docs/api/multi?uploads", WATCHER.headers).status == 403
    assert north_s3.get_object(Bucket="docs", Key="api/report.txt")["Body"].read() == b"docs/api/report.txt"


def test_admin_reaches_every_bucket(gate):
    assert gate.request("GET", "/docs/api/report.txt", ROOT.headers).status == 200
    assert gate.request("GET", "/photos/api/cat.jpg", ROOT.headers).status == 200


def test_errors_for_api_keys_are_json_except_for_listings(gate):
    answer = gate.request("GET", "/photos/api/none", ALICE.headers)
    assert answer.status == 404 and answer.headers["Content-Type"].startswith("application/json")
    error = answer.json()["error"]
    assert error["code"] == "NoSuchKey" and error["message"]
    assert error["resource"] == "/photos/api/none"
    assert error["request_id"] == answer.headers["x-amz-request-id"]
    listing = gate.request("GET", "/docs?list-type=2", ALICE.headers)
    assert listing.status == 403 and b"<Code>AccessDenied</Code>" in listing.body


def test_accept_header_decides_the_form_of_errors(gate):
    xml = gate.request("GET", "/photos/api/none", {**ALICE.headers, "Accept": "application/xml"})
    assert b"<Code>NoSuchKey</Code>" in xml.body
    json = gate.request("GET", "/public/none", {"Accept": "application/json"})
    assert json.json()["error"]["code"] == "NoSuchKey"


def test_unknown_api_key_is_refused_also_on_a_public_bucket(gate):
    for path in ("/photos/api/cat.jpg", "/public/open.txt", "/public?list-type=2"):
        answer = gate.request("GET", path, User("nobody", "wrong-key-000000000000000000").headers)
        assert answer.status in (401, 403), answer
    assert gate.request("GET", "/photos/api/cat.jpg", {"x-api-key": ""}).status in (400, 401, 403)


def test_large_body_with_an_api_key(gate, north_s3):
    import os

    body = os.urandom(9_000_000)
    assert gate.request("PUT", "/photos/api/large", ALICE.headers, body).status == 200
    assert north_s3.get_object(Bucket="photos", Key="api/large")["Body"].read() == body


# Scopes


def test_scope_ends_where_its_prefix_ends(gate):
    s3 = as_key(gate, MODELS)
    assert s3.get_object(Bucket="photos", Key="models/production/m1")["Body"].read() == b"photos/models/production/m1"
    s3.put_object(Bucket="photos", Key="models/production/m2", Body=b"new")
    assert refused(s3.get_object, Bucket="photos", Key="models/staging/m1") == (403, "AccessDenied")
    assert refused(s3.get_object, Bucket="photos", Key="models/production") == (403, "AccessDenied")
    assert refused(s3.get_object, Bucket="docs", Key="models/production/m1") == (403, "AccessDenied")
    assert refused(s3.delete_object, Bucket="photos", Key="models/production/m1") == (403, "AccessDenied")


def test_prefix_without_a_slash_is_a_key_or_a_folder(gate):
    s3 = as_key(gate, MODELS)
    assert s3.get_object(Bucket="photos", Key="exact")["Body"].read() == b"photos/exact"
    assert s3.get_object(Bucket="photos", Key="exact/child")["Body"].read() == b"photos/exact/child"
    assert refused(s3.get_object, Bucket="photos", Key="exactly-not") == (403, "AccessDenied")


def test_listing_must_lie_inside_the_scope(gate):
    s3 = as_key(gate, MODELS)
    listed = s3.list_objects_v2(Bucket="photos", Prefix="models/production/")
    assert "models/production/m1" in [entry["Key"] for entry in listed["Contents"]]
    for prefix in ("", "models/", "models/production", "exact"):
        assert refused(s3.list_objects_v2, Bucket="photos", Prefix=prefix) == (403, "AccessDenied"), prefix


def test_action_groups(gate):
    reader, lister = as_key(gate, READER), as_key(gate, LISTER)
    assert reader.get_object(Bucket="docs", Key="api/report.txt")["Body"].read()
    assert refused(reader.put_object, Bucket="docs", Key="api/x", Body=b"")[0] == 403
    assert lister.list_objects_v2(Bucket="docs")["KeyCount"] > 0
    assert refused(lister.get_object, Bucket="docs", Key="api/report.txt")[0] == 403


def test_acl_and_tagging_headers_need_their_own_actions(gate):
    """`write` holds put_object and put_object_tagging, but no ACL."""
    s3 = as_key(gate, MODELS)
    assert refused(
        s3.put_object, Bucket="photos", Key="models/production/acl", Body=b"", ACL="public-read"
    )[0] in (403, 501)


def test_copy_needs_read_at_the_source(gate, s3):
    models = as_key(gate, MODELS)
    source = {"Bucket": "photos", "Key": "models/staging/m1"}
    assert refused(models.copy_object, Bucket="photos", Key="models/production/c", CopySource=source)[0] == 403
    inside = {"Bucket": "photos", "Key": "models/production/m1"}
    models.copy_object(Bucket="photos", Key="models/production/c", CopySource=inside)


def test_batch_delete_is_decided_key_by_key(gate, s3, north_s3):
    """The policy freezes frozen/ for everybody, the full key included."""
    s3.put_object(Bucket="photos", Key="thawed/x", Body=b"x")
    answer = s3.delete_objects(
        Bucket="photos", Delete={"Objects": [{"Key": "thawed/x"}, {"Key": "frozen/x"}]}
    )
    assert [entry["Key"] for entry in answer.get("Deleted", [])] == ["thawed/x"]
    assert [(entry["Key"], entry["Code"]) for entry in answer["Errors"]] == [("frozen/x", "AccessDenied")]
    assert north_s3.head_object(Bucket="photos", Key="frozen/x")


def test_disabled_and_expired_keys_have_nothing(gate):
    for key in (DISABLED, EXPIRED):
        status, _ = refused(as_key(gate, key).get_object, Bucket="photos", Key="exact")
        assert status == 403
        status, _ = refused(as_key(gate, key).get_object, Bucket="public", Key="open.txt")
        assert status == 403, "a refused credential fell through to the anonymous right"


# Policy documents


def test_policy_allows_a_home_folder_by_name(gate):
    s3 = as_key(gate, PARTNER)
    assert s3.get_object(Bucket="docs", Key="home/partner/notes.txt")["Body"].read()
    s3.put_object(Bucket="docs", Key="home/partner/new.txt", Body=b"mine")
    assert refused(s3.get_object, Bucket="docs", Key="home/other/notes.txt")[0] == 403
    assert s3.list_objects_v2(Bucket="docs", Prefix="home/partner/")["KeyCount"] >= 2
    assert refused(s3.list_objects_v2, Bucket="docs", Prefix="home/")[0] == 403


def test_explicit_deny_wins_over_everything(gate, s3):
    assert refused(as_key(gate, PARTNER).get_object, Bucket="docs", Key="home/partner/ledger.csv")[0] == 403
    assert refused(s3.delete_object, Bucket="photos", Key="frozen/x")[0] == 403
    assert gate.request("DELETE", "/photos/frozen/x", ROOT.headers).status == 403
    assert s3.get_object(Bucket="photos", Key="frozen/x")["Body"].read()


def test_policy_condition_on_the_source_address(s3):
    assert refused(s3.get_object, Bucket="photos", Key="elsewhere/x")[0] == 403


# Anonymous readers


def test_public_bucket_is_read_and_listed_without_credentials(gate):
    assert gate.request("GET", "/public/open.txt").body == b"public/open.txt"
    assert gate.request("HEAD", "/public/open.txt").status == 200
    assert b"<Key>open.txt</Key>" in gate.request("GET", "/public?list-type=2").body


def test_anonymous_writes_nothing_and_sees_no_private_bucket(gate, north_s3):
    assert gate.request("PUT", "/public/new", body=b"x").status == 403
    assert gate.request("DELETE", "/public/open.txt").status == 403
    for path in ("/photos/exact", "/photos?list-type=2", "/photos/none"):
        answer = gate.request("GET", path)
        assert (answer.status, answer.s3_code) == (403, "AccessDenied")
    assert north_s3.head_object(Bucket="open-data", Key="open.txt")


def test_any_valid_caller_has_the_anonymous_rights_too(gate):
    assert gate.request("GET", "/public/open.txt", ALICE.headers).status == 200
    assert as_key(gate, PARTNER).get_object(Bucket="public", Key="open.txt")["Body"].read()


# ListBuckets


def names(answer):
    return {entry["Name"] for entry in answer["Buckets"]}


def test_bucket_list_shows_a_caller_only_what_it_may_list(gate):
    assert {"photos", "docs", "prefixed", "public", "local"} <= names(as_key(gate, FULL).list_buckets())
    assert names(as_key(gate, LISTER).list_buckets()) <= {"docs", "public"}
    assert "docs" in names(as_key(gate, LISTER).list_buckets())
    alice = gate.request("GET", "/", ALICE.headers)
    assert b"<Name>photos</Name>" in alice.body and b"<Name>docs</Name>" not in alice.body


def test_bucket_list_shows_nothing_private_to_anonymous_callers(gate):
    answer = gate.request("GET", "/")
    assert answer.status in (200, 403)
    for private in (b"photos", b"docs", b"prefixed", b"local", b"shared", b"open-data"):
        assert b"<Name>" + private + b"</Name>" not in answer.body
