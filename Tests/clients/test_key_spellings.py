"""Keys that SeaweedFS takes for other keys: a backslash is a slash there, several slashes are one, and one in front none.

What protects a key protects every spelling of it.
"""

import json
import time

import pytest

from support.clients import run, s3_client
from support.gatehouse import Gatehouse, binary
from support.people import ALICE, FULL, ROOT
from support.raw import RawConnection
from support.slots import complete, desk_config, issue, use

SECRET = "spelt/secret/x"
SPELLINGS = ["spelt/secret%5Cx", "spelt%5Csecret%5Cx", "spelt//secret/x", "spelt/secret//x", "/spelt/secret/x", "%5Cspelt/secret/x"]


def ask(gateway, method, path, who=ROOT, headers=None, body=b""):
    with RawConnection(gateway.port) as raw:
        return raw.request(method, path, {**who.headers, **(headers or {})}, body).answer(method)


@pytest.fixture(scope="module")
def door(tmp_path_factory, north, north_s3):
    folder = tmp_path_factory.mktemp("spellings")
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::photos/spelt/secret/*"},
        {"Effect": "Deny", "Action": "s3:ListBucket", "Resource": "*", "Condition": {"StringLike": {"s3:prefix": "spelt/secret/*"}}},
    ]}
    (folder / "secret.json").write_text(json.dumps(policy))
    config = desk_config(folder, north)
    config["users"] = [ALICE.entry("user", ["photos"]), ROOT.entry("admin", ["*"])]
    config["policies"] = [{"name": "secret", "applies_to": ["*"], "document": f"file:{folder / 'secret.json'}"}]
    north_s3.put_object(Bucket="photos", Key=SECRET, Body=b"the secret")
    north_s3.put_object(Bucket="photos", Key="spelt/open", Body=b"open")
    gateway = Gatehouse(folder / "gate", config).start()
    yield gateway
    gateway.stop()


@pytest.mark.parametrize("key", [SECRET, *SPELLINGS])
def test_an_object_that_is_denied_is_denied_by_every_spelling(door, north_s3, key):
    for method in ("GET", "HEAD", "DELETE"):
        assert ask(door, method, f"/photos/{key}")[0] == 403, method
    assert ask(door, "PUT", f"/photos/{key}", body=b"overwritten")[0] == 403
    assert ask(door, "PUT", "/photos/spelt/stolen", headers={"x-amz-copy-source": f"/photos/{key}"})[0] == 403
    document = f"<Delete><Object><Key>{key.replace('%5C', chr(92))}</Key></Object></Delete>".encode()
    assert b"<Code>AccessDenied</Code>" in ask(door, "POST", "/photos?delete", body=document)[2]
    assert north_s3.get_object(Bucket="photos", Key=SECRET)["Body"].read() == b"the secret"
    kept = [entry["Key"] for entry in north_s3.list_objects_v2(Bucket="photos", Prefix="spelt/").get("Contents", [])]
    assert kept == ["spelt/open", SECRET]


@pytest.mark.parametrize("prefix", ["spelt/secret/", "spelt/secret//", "/spelt/secret/", "spelt//secret/"])
def test_a_folder_that_is_denied_is_not_listed_by_another_spelling(door, prefix):
    assert ask(door, "GET", f"/photos?list-type=2&prefix={prefix}")[0] == 403


def test_keys_that_no_rule_is_about_are_read_as_before(door):
    for key in ("spelt/open", "spelt//open", "spelt%5Copen", "/spelt/open"):
        assert ask(door, "GET", f"/photos/{key}")[2] == b"open", key


@pytest.mark.parametrize("key", ["/", "%5C", "//"])
def test_a_key_of_slashes_alone_writes_nothing(door, north_s3, key):
    before = [entry["Key"] for entry in north_s3.list_objects_v2(Bucket="photos")["Contents"]]
    assert ask(door, "PUT", f"/photos/{key}", body=b"x")[0] == 403
    assert [entry["Key"] for entry in north_s3.list_objects_v2(Bucket="photos")["Contents"]] == before


def test_quarantine_is_nobody_s_by_any_spelling(door, north_s3):
    body = b"0123456789"
    slot = issue(door, len(body), overwrite=True)
    assert use(slot, body) == 200
    hidden = next(entry["Key"] for entry in north_s3.list_objects_v2(Bucket="photos")["Contents"]
                  if entry["Key"].endswith(slot["key"]))
    for key in (hidden.replace("/", "%5C"), hidden.replace("/", "//"), "/" + hidden, hidden.replace(".gatehouse/", ".gatehouse//")):
        for method in ("GET", "HEAD", "DELETE"):
            assert ask(door, method, f"/photos/{key}")[0] == 403, (method, key)
        assert ask(door, "PUT", f"/photos/{key}", body=b"attacker's")[0] == 403
        assert ask(door, "PUT", "/photos/spelt/stolen", headers={"x-amz-copy-source": f"/photos/{key}"})[0] == 403
    assert complete(door, slot).status == 200
    assert ask(door, "GET", f"/photos/{slot['key']}")[2] == body


def test_listings_tell_nothing_of_quarantine(door, north_s3):
    slot = issue(door, 10, overwrite=True)
    assert use(slot, b"0123456789") == 200
    client = s3_client(door.endpoint, FULL.access_key, FULL.secret_key)
    # Quarantine comes first, and others may have left any number of objects behind it.
    stored = [entry["Key"] for entry in north_s3.list_objects_v2(Bucket="photos")["Contents"]]
    wanted = [key for key in stored if not key.startswith(".gatehouse/quarantine/")][:40]
    for operation, token in (("list_objects", "NextMarker"), ("list_objects_v2", "NextContinuationToken")):
        for delimiter in ({}, {"Delimiter": "zz"}):
            shown, more = [], {}
            for _ in stored:
                page = getattr(client, operation)(Bucket="photos", MaxKeys=1, **delimiter, **more)
                shown += [entry["Key"] for entry in page.get("Contents", [])]
                assert slot["id"] not in str(page) and slot["key"] not in str(page.get(token))
                if not page["IsTruncated"] or len(shown) == len(wanted):
                    break
                following = page.get(token) or page["Contents"][-1]["Key"]
                more = {"Marker" if operation == "list_objects" else "ContinuationToken": following}
            assert shown == wanted, (operation, delimiter)
    status, _, body = ask(door, "GET", "/photos?versions&max-keys=1")
    assert status == 200 and slot["id"].encode() not in body


def test_a_quarantine_that_is_configured_is_protected(tmp_path, gateway, north):
    config = desk_config(tmp_path, north, quarantine_prefix="qq/")
    config["users"].append(ROOT.entry("admin", ["*"]))
    gate = gateway(config)
    for key in ("qq/x", "qq//x", "/qq/x", "%5Cqq/x", "qq%5Cx"):
        for method in ("GET", "HEAD", "DELETE"):
            assert ask(gate, method, f"/photos/{key}")[0] == 403, (method, key)
        assert ask(gate, "PUT", f"/photos/{key}", body=b"x")[0] == 403, key
    assert ask(gate, "PUT", "/photos/.gatehouse/quarantine/x", body=b"x")[0] == 200
    assert ask(gate, "DELETE", "/photos/.gatehouse/quarantine/x")[0] == 204


def test_a_link_to_a_key_with_another_spelling_holds(door):
    assert ask(door, "PUT", "/photos/spelt/dd//e", who=ALICE, body=b"linked")[0] == 200
    body = json.dumps({"subject": "link", "bucket": "photos", "key": "spelt/dd//e", "actions": ["get_object"],
                       "expires_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))}).encode()
    status, _, answer = ask(door, "POST", "/-/v1/grants", who=ALICE, headers={"content-type": "application/json"}, body=body)
    assert status == 201, answer
    link = json.loads(answer)["link"]
    with RawConnection(door.port) as raw:
        assert raw.request("GET", "/-/l/" + link.split("/-/l/")[1]).answer()[2] == b"linked"


def test_doctor_says_that_keys_have_several_spellings(door):
    done = run([binary(), "doctor", "photos", "--config", door.config_path, "--json"], env=door.env)
    [report] = [one for one in json.loads(done.stdout)["examinations"] if one["subject"].startswith("photos")]
    findings = [finding for finding in report["findings"] if finding["check"] == "keys"]
    assert [finding["verdict"] for finding in findings] == ["note"], done.stdout
    assert "a backslash" in findings[0]["detail"]
