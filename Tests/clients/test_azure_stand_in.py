"""The stand-in for Azure itself, driven by Microsoft's own SDK: it says yes to what is right, and no to what is not."""

import base64
import datetime

import pytest
import requests
from azure.core import MatchConditions
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceExistsError
from azure.core.exceptions import ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobServiceClient, ContentSettings, generate_blob_sas

from support.azure_blob import ACCOUNT, KEY, AzureBlob
from support.ports import free_port

OTHER_KEY = base64.b64encode(b"another key").decode()


@pytest.fixture(scope="module")
def store():
    stand_in = AzureBlob(free_port()).start()
    yield stand_in
    stand_in.stop()


def service(store, key=KEY):
    return BlobServiceClient(store.endpoint, {"account_name": ACCOUNT, "account_key": key}, retry_total=0)


def soon(**more):
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**(more or {"minutes": 5}))


@pytest.fixture(scope="module")
def container(store):
    return service(store).get_container_client("pictures")


def test_blobs_are_kept_read_listed_and_deleted(container):
    blob = container.get_blob_client("a b/ü+&=.txt")
    blob.upload_blob(b"0123456789", metadata={"one": "1", "a_b": "2", "ab": "3"},
                     content_settings=ContentSettings(content_type="text/plain", cache_control="no-cache"))
    assert blob.download_blob().readall() == b"0123456789"
    assert blob.download_blob(offset=3, length=4).readall() == b"3456"
    properties = blob.get_blob_properties()
    assert (properties.size, properties.metadata["a_b"]) == (10, "2")
    assert properties.content_settings.content_type == "text/plain"
    for index in range(5):
        container.upload_blob(f"list/{index}/x", b"")
    assert [found.name for found in container.list_blobs(name_starts_with="list/", results_per_page=2)] == [
        f"list/{index}/x" for index in range(5)]
    assert [found.name for found in container.walk_blobs("list/")] == [f"list/{index}/" for index in range(5)]
    blob.delete_blob()
    with pytest.raises(ResourceNotFoundError):
        blob.get_blob_properties()


def test_blocks_become_a_blob_when_they_are_listed(container):
    blob = container.get_blob_client("blocks")
    for index in range(3):
        blob.stage_block(f"{index:03}", bytes([65 + index]) * 4)
    assert blob.get_block_list("uncommitted")[1][0].size == 4
    blob.commit_block_list([BlobBlock("002"), BlobBlock("000")], metadata={"n": "2"})
    assert blob.download_blob().readall() == b"CCCCAAAA"
    with pytest.raises(HttpResponseError) as refused:
        blob.commit_block_list([BlobBlock("999")])
    assert refused.value.error_code == "InvalidBlockList"


def test_conditions_hold(container):
    blob = container.get_blob_client("conditions")
    blob.upload_blob(b"1")
    etag = blob.get_blob_properties().etag
    with pytest.raises(ResourceExistsError):
        blob.upload_blob(b"2")
    blob.upload_blob(b"3", overwrite=True)
    with pytest.raises(ResourceModifiedError):
        blob.upload_blob(b"4", overwrite=True, etag=etag, match_condition=MatchConditions.IfNotModified)


def test_another_key_signs_nothing(store):
    with pytest.raises(ClientAuthenticationError):
        service(store, OTHER_KEY).get_container_client("pictures").upload_blob("never", b"")
    assert "never" not in store.containers["pictures"].blobs


@pytest.mark.parametrize("permission, right, wrong", [("r", "GET", "PUT"), ("w", "PUT", "GET"), ("d", "DELETE", "GET")])
def test_a_url_does_what_it_is_for(store, container, permission, right, wrong):
    container.upload_blob("signed", b"content", overwrite=True)
    token = generate_blob_sas(ACCOUNT, "pictures", "signed", account_key=KEY, permission=permission, expiry=soon(),
                              protocol="https,http", content_type="image/png")
    url = f"{store.endpoint}/pictures/signed?{token}"
    fields = {"x-ms-blob-type": "BlockBlob"}
    assert requests.request(wrong, url, headers=fields, data=b"").status_code == 403
    answer = requests.request(right, url, headers=fields, data=b"new" if right == "PUT" else None)
    assert answer.status_code < 300, answer.text
    if right == "GET":
        assert answer.headers["content-type"] == "image/png"
    assert requests.get(url.replace("signed?", "other?")).status_code == 403
    assert requests.get(url.replace("image/png", "text/html")).status_code == 403


def test_a_url_to_create_writes_nothing_over(store, container):
    container.upload_blob("there", b"before")
    for name, status in (("there", 403), ("free", 201), ("free", 403)):
        token = generate_blob_sas(ACCOUNT, "pictures", name, account_key=KEY, permission="c", expiry=soon())
        answer = requests.put(f"{store.endpoint}/pictures/{name}?{token}", headers={"x-ms-blob-type": "BlockBlob"}, data=b"x")
        assert answer.status_code == status
    assert store.containers["pictures"].blobs["there"].content == b"before"


def test_time_is_held_against_urls_and_dates(store, container):
    container.upload_blob("old", b"x")
    token = generate_blob_sas(ACCOUNT, "pictures", "old", account_key=KEY, permission="r", expiry=soon(minutes=-1))
    assert requests.get(f"{store.endpoint}/pictures/old?{token}").status_code == 403
    late = {"x-ms-date": "Mon, 01 Jan 2024 00:00:00 GMT", "x-ms-version": "2021-12-02", "authorization": "Bearer t"}
    store.tokens.add("t")
    assert requests.get(f"{store.endpoint}/pictures/old", headers=late).headers["x-ms-error-code"] == "AuthenticationFailed"


def test_a_bearer_gets_a_key_that_signs(store):
    store.tokens.add("of-the-application")

    # The SDK sends tokens over TLS only; what it asks for is asked here as it asks it.
    fields = {"authorization": "Bearer of-the-application", "x-ms-version": "2021-12-02",
              "x-ms-date": datetime.datetime.now(datetime.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")}
    body = f"<KeyInfo><Start>{soon(minutes=-5):%Y-%m-%dT%H:%M:%SZ}</Start><Expiry>{soon(hours=1):%Y-%m-%dT%H:%M:%SZ}</Expiry></KeyInfo>"
    url = f"{store.endpoint}/?restype=service&comp=userdelegationkey"
    assert requests.post(url, data=body, headers={**fields, "authorization": "Bearer other"}).status_code == 401
    assert requests.post(url, data=body, headers=fields).status_code == 200
    key = next(iter(store.delegation_keys.values()))
    store.containers["pictures"].blobs["delegated"] = store._new(None, b"content")
    token = generate_blob_sas(ACCOUNT, "pictures", "delegated", user_delegation_key=key, permission="r", expiry=soon())
    assert requests.get(f"{store.endpoint}/pictures/delegated?{token}").content == b"content"
    forged = generate_blob_sas(ACCOUNT, "pictures", "delegated", account_key=OTHER_KEY, permission="r", expiry=soon())
    assert requests.get(f"{store.endpoint}/pictures/delegated?{forged}").status_code == 403
