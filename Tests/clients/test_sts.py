"""STS: callers exchange their identity tokens for sessions, and use them with whatever they have."""

import base64
import json
import os
import sys
import threading
import time
from datetime import datetime, timezone
from urllib.parse import urlencode

import pytest
import requests
from botocore.exceptions import ClientError

from support.chunked import SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER, ChunkedPut
from support.clients import run, s3_client, signed
from support.gatehouse import binary, eventually
from support.issuer import Issuer, SigningKey, unsigned
from support.people import ALICE, FULL, MODELS, ROOT, everywhere, within
from support.seaweed import venv_binary
from support.sts import ARN, Session, exchange, sts_client

AUDIENCE = "sts.files.example.com"
SUBJECT = "repo:org/app:ref:refs/heads/main"


@pytest.fixture
def issuer():
    made = Issuer()
    yield made
    made.stop()


def role(issuer, role_id="deployer", scopes=None, **more):
    return {
        "role_id": role_id, "trusted_oidc_issuers": [issuer.url], "required_audiences": [AUDIENCE],
        "subject_conditions": ["repo:org/app:*"],
        "allowed_scopes": scopes or [{"bucket": "docs", "prefixes": ["{org}/"], "actions": ["read", "list", "write"]}],
        **more,
    }


@pytest.fixture
def config(tmp_path, issuer):
    (tmp_path / "files").mkdir()

    def make(*roles, **more):
        return {
            "accounts": [{"name": "local", "backend_type": "file", "buckets": ["docs", "photos"],
                          "backend_options": {"path": str(tmp_path / "files")}}],
            "users": [ALICE.entry("user", ["photos"]), ROOT.entry("admin", ["*"])],
            "credentials": [FULL.entry(everywhere()), MODELS.entry([within("photos", ["models/"], "*")])],
            "roles": list(roles) or [role(issuer)],
            **more,
        }

    return make


def token(issuer, subject=SUBJECT, **claims):
    return issuer.token(subject, **{"aud": AUDIENCE, "org": "acme", **claims})


def refused(call):
    with pytest.raises(ClientError) as error:
        call()
    return error.value.response["Error"]["Code"]


# Unmodified clients


def web_identity(gate, issuer, folder):
    """What a CI system sets."""
    path = folder / "token"
    path.write_text(token(issuer))
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(path), "AWS_ROLE_ARN": ARN + "deployer", "AWS_ROLE_SESSION_NAME": "build-7",
        "AWS_ENDPOINT_URL_STS": gate.endpoint, "AWS_ENDPOINT_URL_S3": gate.endpoint, "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(folder),
    }


def test_aws_cli_with_a_token_file(gateway, config, issuer, tmp_path):
    gate = gateway(config())
    env = web_identity(gate, issuer, tmp_path)
    (tmp_path / "a.txt").write_text("from the command line")
    aws = venv_binary("aws")
    for command in (["s3", "cp", tmp_path / "a.txt", "s3://docs/acme/a.txt"], ["s3", "ls", "s3://docs/acme/"],
                    ["s3", "cp", "s3://docs/acme/a.txt", tmp_path / "b.txt"]):
        done = run([aws, *command], env)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "b.txt").read_text() == "from the command line"
    done = run([aws, "s3", "cp", tmp_path / "a.txt", "s3://docs/other/a.txt"], env)
    assert done.returncode != 0 and "AccessDenied" in done.stderr
    done = run([aws, "sts", "get-caller-identity"], env)
    assert json.loads(done.stdout)["Arn"] == "arn:aws:sts::000000000000:assumed-role/deployer/build-7"
    lines = eventually(lambda: [
        line for line in gate.audit_log() if line.get("action") == "put_object" and line.get("verdict") == "allowed"])
    assert lines and lines[0]["who"] == "role:deployer:build-7"


def test_boto3_with_a_token_file(gateway, config, issuer, tmp_path):
    gate = gateway(config())
    script = (
        "import boto3; s3 = boto3.client('s3'); s3.put_object(Bucket='docs', Key='acme/x', Body=b'boto');"
        "print(s3.get_object(Bucket='docs', Key='acme/x')['Body'].read().decode())"
    )
    done = run([sys.executable, "-c", script], web_identity(gate, issuer, tmp_path))
    assert done.returncode == 0 and done.stdout.strip() == "boto", done.stderr


def test_boto3s_sts_in_full(gateway, config, issuer):
    gate = gateway(config())
    answer = sts_client(gate).assume_role_with_web_identity(
        RoleArn=ARN + "deployer", RoleSessionName="run-1", WebIdentityToken=token(issuer), DurationSeconds=900
    )
    assert answer["SubjectFromWebIdentityToken"] == SUBJECT and answer["Audience"] == AUDIENCE
    assert answer["Provider"] == issuer.url
    session = Session(gate, answer["Credentials"])
    left = (session.expiration - datetime.now(timezone.utc)).total_seconds()
    assert 880 < left <= 900
    assert answer["AssumedRoleUser"]["AssumedRoleId"] == session.id + ":run-1"
    assert session.sts().get_caller_identity()["Account"] == "000000000000"
    issued = [line for line in gate.audit_log() if line.get("issued", {}).get("kind") == "session"]
    assert [line["issued"]["id"] for line in issued] == [session.id] and issued[0]["who"] == "role:deployer:run-1"
    assert SUBJECT in issued[0]["reason"]
    counted = lambda: gate.metric("gatehouse_requests_total", operation="assume_role_with_web_identity", status="200")
    assert eventually(lambda: counted() == 1)


def test_every_way_to_sign_with_a_session(gateway, config, issuer):
    gate = gateway(config())
    session = Session.of(gate, exchange(gate, token(issuer)))
    data = bytes(range(256)) * 400
    session.s3().put_object(Bucket="docs", Key="acme/plain", Body=data)
    session.s3(checksums="when_supported").put_object(Bucket="docs", Key="acme/summed", Body=data)
    for form in (SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER):
        put = ChunkedPut(gate.endpoint, "/docs/acme/chunked", data, form, session.access_key, session.secret_key,
                         headers={"x-amz-security-token": session.token})
        assert put.send(gate).status == 200, form
    for version in ("s3v4", "s3"):
        client = session.s3(signature_version=version)
        for key, status in (("acme/plain", 200), ("other/plain", 403)):
            url = client.generate_presigned_url("get_object", {"Bucket": "docs", "Key": key}, ExpiresIn=60)
            assert "ecurity-" in url
            answer = requests.get(url, timeout=120)
            assert answer.status_code == status, (version, key, answer.text)
            assert status != 200 or answer.content == data
            assert requests.get(url[:-1] + ("A" if url[-1] != "A" else "B"), timeout=120).status_code in (400, 403)
    form = session.s3().generate_presigned_post("docs", "acme/form", ExpiresIn=60)
    sent = requests.post(form["url"], data=form["fields"], files={"file": b"form"}, timeout=120)
    assert sent.status_code == 204, sent.text
    assert session.s3().get_object(Bucket="docs", Key="acme/form")["Body"].read() == b"form"
    written = gate.everything_written()
    assert session.token not in written and session.secret_key not in written


def test_form_query_and_own_path(gateway, config, issuer):
    gate = gateway(config(server={"domains": ["s3.test"]}))
    for method, path in (("POST", "/"), ("GET", "/"), ("POST", "/-/sts"), ("GET", "/-/sts")):
        Session.of(gate, exchange(gate, token(issuer), method=method, path=path)).s3().list_objects_v2(
            Bucket="docs", Prefix="acme/")
    form = {"Host": "docs.s3.test", "Content-Type": "application/x-www-form-urlencoded"}
    answer = gate.request("POST", "/", form, "Action=GetCallerIdentity&Version=2011-06-15")
    assert "sts.amazonaws.com" not in answer.text and answer.status >= 400


# Who is not trusted


def test_forged_and_misdirected_tokens(gateway, config, issuer):
    gate = gateway(config(role(issuer), role(issuer, "open", subject_conditions=["*"])))
    good = token(issuer)
    assert exchange(gate, good).status == 200
    other = Issuer()
    now = int(time.time())
    bad = {
        "unsigned": (unsigned(good), 400, "InvalidIdentityToken"),
        "unsigned in capitals": (unsigned(good, "NONE"), 400, "InvalidIdentityToken"),
        "foreign key": (token(issuer, key=SigningKey("first")), 400, "InvalidIdentityToken"),
        "expired": (token(issuer, exp=now - 61), 400, "ExpiredTokenException"),
        "without an end": (token(issuer, exp=None), 403, "IDPRejectedClaim"),
        "not yet": (token(issuer, nbf=now + 3600), 400, "InvalidIdentityToken"),
        "foreign audience": (token(issuer, aud="sts.amazonaws.com"), 400, "InvalidIdentityToken"),
        "no audience": (token(issuer, aud=None), 403, "IDPRejectedClaim"),
        "another issuer": (token(other), 400, "InvalidIdentityToken"),
        "claims to be of the issuer": (token(other, iss=issuer.url), 400, "InvalidIdentityToken"),
        "issuer with a slash": (token(issuer, iss=issuer.url + "/"), 400, "InvalidIdentityToken"),
        "garbage": ("a.b.c", 400, "InvalidIdentityToken"), "truncated": (good[:-4], 400, "InvalidIdentityToken"),
        "changed": (good[:-8] + "AAAAAAAA", 400, "InvalidIdentityToken"),
        "longer name": (token(issuer, "repo:org/app-evil:ref:refs/heads/main"), 403, "AccessDenied"),
        "name around it": (token(issuer, "x-repo:org/app:main"), 403, "AccessDenied"),
        "other case": (token(issuer, "repo:ORG/app:main"), 403, "AccessDenied"),
    }
    other.stop()
    for what, (text, status, code) in bad.items():
        answer = exchange(gate, text)
        assert (answer.status, answer.s3_code) == (status, code), (what, answer)
        assert text not in answer.text and "AccessKeyId" not in answer.text
    assert exchange(gate, token(issuer, "repo:org/app-evil:main"), role="open").status == 200
    assert exchange(gate, good, role="missing").s3_code == "AccessDenied"
    assert eventually(lambda: gate.metric("gatehouse_auth_failures_total", reason="token_signature") > 0)
    assert good not in gate.everything_written()


def test_a_token_for_sessions_is_no_bearer_token_and_no_session_token(gateway, config, issuer):
    gate = gateway(config())
    good = token(issuer)
    session = Session.of(gate, exchange(gate, good))
    assert gate.request("GET", "/docs/acme/x", {"Authorization": "Bearer " + good}).status == 401
    session.token = good
    assert refused(lambda: session.s3().get_object(Bucket="docs", Key="acme/x")) == "InvalidToken"


def test_an_issuer_that_is_away_is_said_to_be(gateway, config, issuer):
    issuer.away = True
    gate = gateway(config())
    answer = exchange(gate, token(issuer))
    assert (answer.status, answer.s3_code) == (400, "IDPCommunicationError")
    issuer.away = False
    assert eventually(lambda: exchange(gate, token(issuer)).status == 200)


def test_missing_claims_permit_nothing(gateway, config, issuer):
    scopes = [{"bucket": "docs", "prefixes": ["{team}/"], "actions": ["*"]},
              {"bucket": "photos", "prefixes": [], "actions": ["list"]}]
    gate = gateway(config(role(issuer, scopes=scopes)))
    session = Session.of(gate, exchange(gate, token(issuer)))
    for key in ("x", "/x", "acme/x", "{team}/x"):
        assert refused(lambda key=key: session.s3().get_object(Bucket="docs", Key=key)) == "AccessDenied"
    session.s3().list_objects_v2(Bucket="photos")
    with_team = Session.of(gate, exchange(gate, token(issuer, team="blue")))
    with_team.s3().put_object(Bucket="docs", Key="blue/x", Body=b"")
    for team in ("", "..", "a/b", "*", "{org}"):
        odd = Session.of(gate, exchange(gate, token(issuer, team=team)))
        assert refused(lambda odd=odd: odd.s3().get_object(Bucket="docs", Key="blue/x")) == "AccessDenied"


# Tokens


def test_no_byte_of_a_token_can_be_changed(gateway, config, issuer):
    gate = gateway(config())
    session = Session.of(gate, exchange(gate, token(issuer)))
    session.s3().put_object(Bucket="docs", Key="acme/x", Body=b"x")
    good = base64.urlsafe_b64decode(session.token + "=" * (-len(session.token) % 4))
    # Version, key id, session id and nonce, then some of what is encrypted, and the tag.
    for place in [*range(0, 37, 3), 40, len(good) // 2, len(good) - 16, len(good) - 1]:
        changed = bytearray(good)
        changed[place] ^= 1
        session.token = base64.urlsafe_b64encode(bytes(changed)).rstrip(b"=").decode()
        assert refused(lambda: session.s3().get_object(Bucket="docs", Key="acme/x")) == "InvalidToken", place


def test_sessions_outlive_a_restart(gateway, config, issuer):
    gate = gateway(config())
    session = Session.of(gate, exchange(gate, token(issuer)))
    gate.stop()
    gate.start()
    session.s3().put_object(Bucket="docs", Key="acme/x", Body=b"x")


def test_keys_are_replaced_while_sessions_are_used(gateway, config, issuer, tmp_path):
    made = [json.loads(run([binary(), "key", "new", "session", "--json"]).stdout)["session_token_key"] for _ in range(2)]
    gate = gateway(config(keys={"session_token_keys": ["env:OLD"]}), env={"OLD": made[0], "NEW": made[1]})
    old = Session.of(gate, exchange(gate, token(issuer)))
    old.s3().put_object(Bucket="docs", Key="acme/x", Body=b"x")
    works = lambda session: session.s3().get_object(Bucket="docs", Key="acme/x")  # noqa: E731
    gate.write_config(config(keys={"session_token_keys": ["env:NEW", "env:OLD"]}))

    def key_id(session):
        return base64.urlsafe_b64decode(session.token[:12])[1:9]

    def fresh():
        works(old)
        session = Session.of(gate, exchange(gate, token(issuer)))
        return session if key_id(session) != key_id(old) else None

    new = eventually(fresh)
    assert new
    works(new)
    works(old)
    gate.write_config(config(keys={"session_token_keys": ["env:NEW"]}))
    assert eventually(lambda: gate.request("GET", "/").status and _refuses(old))
    assert refused(lambda: works(old)) == "InvalidToken"
    works(new)


def _refuses(session, code=None):
    """Whether it is of no use any more; for the reason given, if there is one."""
    try:
        session.s3().get_object(Bucket="docs", Key="acme/x")
    except ClientError as error:
        return code is None or error.response["Error"]["Code"] == code
    return False


def test_a_changed_role_takes_effect_at_once(gateway, config, issuer):
    gate = gateway(config())
    session = Session.of(gate, exchange(gate, token(issuer)))
    session.s3().put_object(Bucket="docs", Key="acme/x", Body=b"x")
    gate.write_config(config(role(issuer, scopes=[within("photos", [], "list")])))
    assert eventually(lambda: _refuses(session))
    session.s3().list_objects_v2(Bucket="photos")
    gate.write_config(config(role(issuer, "another")))
    assert eventually(lambda: _refuses(session, "InvalidToken"))


def test_allowed_roles_concern_sessions_alone(gateway, config, issuer, tmp_path):
    wide = [{"bucket": "*", "prefixes": [], "actions": ["*"]}]
    settings = config(role(issuer, scopes=wide), role(issuer, "other", scopes=wide))
    account = {"account": "local"}
    settings["accounts"][0]["buckets"] = ["photos"]
    settings["buckets"] = [
        {"name": "docs", **account, "allowed_roles": ["deployer"]}, {"name": "closed", **account, "allowed_roles": []},
        {"name": "open", **account, "anonymous_access": True, "allowed_roles": ["other"]},
    ]
    gate = gateway(settings)
    deployer, other = (Session.of(gate, exchange(gate, token(issuer), role=name)) for name in ("deployer", "other"))
    reach = {
        name: [bucket for bucket in ("docs", "closed", "open", "photos")
               if not _fails(session.s3(), bucket)]
        for name, session in (("deployer", deployer), ("other", other))
    }
    assert reach == {"deployer": ["docs", "photos"], "other": ["open", "photos"]}
    key = Session(gate, {"AccessKeyId": FULL.access_key, "SecretAccessKey": FULL.secret_key, "SessionToken": None,
                         "Expiration": None})
    assert not any(_fails(key.s3(), bucket) for bucket in ("docs", "closed", "open", "photos"))
    names = [bucket["Name"] for bucket in deployer.s3().list_buckets()["Buckets"]]
    assert names == ["docs", "photos"]


def _fails(client, bucket):
    try:
        client.list_objects_v2(Bucket=bucket)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDenied"
        return True
    return False


# AssumeRole


READ = {"Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::photos/models/*"}]}


def test_own_rights_narrowed_by_a_policy(gateway, config):
    gate = gateway(config())
    sts = sts_client(gate, MODELS.access_key, MODELS.secret_key)
    for arn in (ARN + "self", "arn:xxx:xxx:xxx:xxxx"):
        answer = sts.assume_role(RoleArn=arn, RoleSessionName="narrow", Policy=json.dumps(READ))
        assert 0 < answer["PackedPolicySize"] < 100
        session = Session(gate, answer["Credentials"])
        whole = Session(gate, sts.assume_role(RoleArn=arn, RoleSessionName="whole")["Credentials"])
        whole.s3().put_object(Bucket="photos", Key="models/x", Body=b"x")
        assert session.s3().get_object(Bucket="photos", Key="models/x")["Body"].read() == b"x"
        assert refused(lambda: session.s3().put_object(Bucket="photos", Key="models/x", Body=b"")) == "AccessDenied"
        assert refused(lambda: whole.s3().put_object(Bucket="photos", Key="x", Body=b"")) == "AccessDenied"
        identity = session.sts().get_caller_identity()
        assert identity["UserId"] == f"key:{MODELS.principal}"
    assert refused(lambda: sts.assume_role(RoleArn=ARN + "self", RoleSessionName="x1", Policy="{}")) == (
        "MalformedPolicyDocument")


def test_into_a_role_only_who_is_listed(gateway, config, issuer):
    listed = role(issuer, "reader", scopes=[within("photos", [], "read", "list")],
                  trusted_principals=[f"key:{MODELS.principal}", "user:alice", "role:deployer:*"])
    gate = gateway(config(role(issuer), listed))
    answer = sts_client(gate, MODELS.access_key, MODELS.secret_key).assume_role(
        RoleArn=ARN + "reader", RoleSessionName="r1")
    session = Session(gate, answer["Credentials"])
    session.s3().list_objects_v2(Bucket="photos")
    assert refused(lambda: session.s3().put_object(Bucket="photos", Key="models/x", Body=b"")) == "AccessDenied"
    full = sts_client(gate, FULL.access_key, FULL.secret_key)
    assert refused(lambda: full.assume_role(RoleArn=ARN + "reader", RoleSessionName="r1")) == "AccessDenied"
    wrong = sts_client(gate, FULL.access_key, MODELS.secret_key)
    assert refused(lambda: wrong.assume_role(RoleArn=ARN + "self", RoleSessionName="r1")) == "SignatureDoesNotMatch"
    # With an API key, and from a session.
    form = "Action=AssumeRole&Version=2011-06-15&RoleArn=reader&RoleSessionName=a1"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    Session.of(gate, gate.request("POST", "/", {**headers, **ALICE.headers}, form)).s3().list_objects_v2(Bucket="photos")
    assert gate.request("POST", "/", {**headers, **ROOT.headers}, form).s3_code == "AccessDenied"
    assert gate.request("POST", "/", headers, form).s3_code == "MissingAuthenticationToken"
    deployer = Session.of(gate, exchange(gate, token(issuer), DurationSeconds="900"))
    child = deployer.sts().assume_role(RoleArn=ARN + "reader", RoleSessionName="c1", DurationSeconds=3600)
    left = (child["Credentials"]["Expiration"] - datetime.now(timezone.utc)).total_seconds()
    assert left <= 900, "a child outlives its parent"
    Session(gate, child["Credentials"]).s3().list_objects_v2(Bucket="photos")


def test_a_session_gives_nothing_on(gateway, config, issuer):
    """What it hands out itself ends with it, and a grant would not."""
    gate = gateway(config())
    session = Session.of(gate, exchange(gate, token(issuer)))
    body = json.dumps({"subject": "user:alice", "bucket": "docs", "prefix": "acme/", "actions": ["get_object"],
                       "expires_at": "2099-01-01T00:00:00Z"}).encode()
    headers = signed("POST", gate.endpoint + "/-/v1/grants", session.access_key, session.secret_key,
                     {"content-type": "application/json", "x-amz-security-token": session.token}, body)
    assert gate.request("POST", "/-/v1/grants", headers, body).status == 403


def narrowed(gate, who, policy):
    """A session of somebody who has an API key, with a policy of its own."""
    form = urlencode({"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": ARN + "self", "RoleSessionName": "narrow",
                      "Policy": json.dumps(policy)})
    headers = {"Content-Type": "application/x-www-form-urlencoded", **who.headers}
    return Session.of(gate, gate.request("POST", "/", headers, form))


def allowing(*actions, resource="photos/*"):
    return {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": list(actions), "Resource": f"arn:aws:s3:::{resource}"}]}


def by_session(gate, session, method, path, body=None):
    data = b"" if body is None else json.dumps(body).encode()
    fields = {"content-type": "application/json"} if body is not None else {}
    headers = signed(method, gate.endpoint + path, session.access_key, session.secret_key, fields, data,
                     token=session.token)
    return gate.request(method, path, headers, data or None)


def test_a_narrowed_session_of_an_admin_administers_nothing_of_others(gateway, config):
    gate = gateway(config())
    given = {"subject": "user:root", "bucket": "photos", "key": "a", "actions": ["get_object"],
             "expires_at": "2099-01-01T00:00:00Z"}
    fields = {**ALICE.headers, "content-type": "application/json"}
    grants = []
    for changes in ({}, {"subject": "user:bob"}):
        answer = gate.request("POST", "/-/v1/grants", fields, json.dumps({**given, **changes}).encode())
        assert answer.status == 201, answer.text
        grants.append(answer.json()["id"])
    answer = gate.request("POST", "/-/v1/uploads", fields,
                          json.dumps({"bucket": "photos", "key": "a", "content_type": "image/png", "size": 5}).encode())
    assert answer.status == 201, answer.text
    slot = f"/-/v1/uploads/{answer.json()['id']}"

    def seen(session):
        return [grant["id"] for grant in by_session(gate, session, "GET", "/-/v1/grants").json()["grants"]]

    everything = narrowed(gate, ROOT, {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    for session, visible in [(narrowed(gate, ROOT, allowing("s3:GetObject", resource="photos/b")), []),
                             (narrowed(gate, ROOT, allowing("s3:GetObject")), grants[:1]), (everything, grants[:1])]:
        # What root was given itself, where its policy lets it use that; and nothing of what others have.
        assert seen(session) == visible
        for grant in grants:
            assert by_session(gate, session, "DELETE", f"/-/v1/grants/{grant}").status == 404
        assert by_session(gate, session, "GET", slot).status == 404
        assert by_session(gate, session, "DELETE", slot).status == 404
    assert sorted(grant["id"] for grant in gate.request("GET", "/-/v1/grants", ROOT.headers).json()["grants"]) == sorted(grants)
    assert gate.request("GET", slot, ROOT.headers).status == 200


def test_a_narrowed_session_takes_back_what_its_policy_lets_it_give(gateway, config):
    gate = gateway(config())
    fields = {**ALICE.headers, "content-type": "application/json"}

    def made(path, **body):
        answer = gate.request("POST", path, fields, json.dumps({"bucket": "photos", **body}).encode())
        assert answer.status == 201, answer.text
        return f"{path}/{answer.json()['id']}"

    later = "2099-01-01T00:00:00Z"
    grant = made("/-/v1/grants", subject="user:bob", key="a", actions=["get_object"], expires_at=later)
    folder = made("/-/v1/grants", subject="user:bob", prefix="in/", actions=["list", "get_object"], expires_at=later)
    link = made("/-/v1/grants", subject="link", key="a", actions=["get_object"], expires_at=later)
    slot = made("/-/v1/uploads", key="a", content_type="image/png", size=5)
    reader = narrowed(gate, ALICE, allowing("s3:GetObject"))
    for path in (grant, folder, link, slot):
        assert by_session(gate, reader, "DELETE", path).status == 404, path
    assert by_session(gate, reader, "GET", slot).status == 404
    shown = [entry["id"] for entry in by_session(gate, reader, "GET", "/-/v1/grants").json()["grants"]]
    assert sorted(shown) == sorted(path.rsplit("/", 1)[1] for path in (grant, link))
    sharer = narrowed(gate, ALICE, allowing("gatehouse:Share", resource="photos/a"))
    assert by_session(gate, sharer, "DELETE", link).status == 404
    assert by_session(gate, sharer, "DELETE", folder).status == 404
    assert by_session(gate, sharer, "DELETE", grant).status == 200
    linker = narrowed(gate, ALICE, allowing("gatehouse:ShareLink"))
    assert by_session(gate, linker, "DELETE", link).status == 200
    everywhere = narrowed(gate, ALICE, allowing("gatehouse:Share"))
    assert by_session(gate, everywhere, "DELETE", folder).status == 200
    writer = narrowed(gate, ALICE, allowing("s3:PutObject", resource="photos/a"))
    assert by_session(gate, writer, "GET", slot).status == 200
    assert by_session(gate, writer, "DELETE", slot).status == 204
    # What was created under a key is repeated to those who may see it.
    for path, body, missing in (
        ("/-/v1/grants", {"subject": "user:bob", "key": "a", "actions": ["get_object"], "expires_at": later}, writer),
        ("/-/v1/uploads", {"key": "b", "content_type": "image/png", "size": 5}, reader),
    ):
        data = json.dumps({"bucket": "photos", **body}).encode()
        key = {**fields, "idempotency-key": "once"}
        first = gate.request("POST", path, key, data)
        assert first.status == 201, first.text
        assert gate.request("POST", path, key, data).json()["id"] == first.json()["id"]
        again = {"content-type": "application/json", "idempotency-key": "once"}
        again = signed("POST", gate.endpoint + path, missing.access_key, missing.secret_key, again, data, token=missing.token)
        assert gate.request("POST", path, again, data).status == 404
    # A session that nothing narrows is whoever it is of.
    form = urlencode({"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": ARN + "self", "RoleSessionName": "whole"})
    headers = {"Content-Type": "application/x-www-form-urlencoded", **ROOT.headers}
    whole = Session.of(gate, gate.request("POST", "/", headers, form))
    other = made("/-/v1/grants", subject="user:bob", key="a", actions=["get_object"], expires_at=later)
    assert by_session(gate, whole, "DELETE", other).status == 200


def test_urls_on_behalf_of_a_session_end_with_it(gateway, config, issuer):
    gate = gateway(config())
    session = Session.of(gate, exchange(gate, token(issuer), DurationSeconds="900"))
    session.s3().put_object(Bucket="docs", Key="acme/x", Body=b"x")
    body = json.dumps({"bucket": "docs", "key": "acme/x", "ttl": "6h"}).encode()
    headers = signed("POST", gate.endpoint + "/-/v1/downloads", session.access_key, session.secret_key,
                     {"content-type": "application/json", "x-amz-security-token": session.token}, body)
    made = gate.request("POST", "/-/v1/downloads", headers, body).json()
    assert made["capped_by"] == "caller_credential"
    assert requests.get(made["url"], timeout=120).content == b"x"
    revoke(gate, "session", session.id)
    assert requests.get(made["url"], timeout=120).status_code == 400


def test_explain_knows_sessions(gateway, config, issuer):
    gate = gateway(config())
    session = Session.of(gate, exchange(gate, token(issuer)))
    url = session.s3().generate_presigned_url("get_object", {"Bucket": "docs", "Key": "acme/x"}, ExpiresIn=60)

    def explain(text):
        done = run([binary(), "explain", "--config", gate.config_path, "--json", text], env=gate.env)
        told = json.loads(done.stdout)
        assert session.secret_key not in done.stdout and session.token not in done.stdout
        return told, [finding["code"] for finding in told["findings"] if finding["code"] != "note"]

    told, findings = explain(url)
    assert told["decision"]["outcome"] == "allowed" and findings == []
    assert told["caller"]["principal"] == "role:deployer:run-1" and told["signature"]["verdict"] == "right"
    assert explain(url.replace("acme/x", "acme/y"))[0]["signature"]["verdict"] == "wrong"
    at = url.index("X-Amz-Security-Token=") + 60
    assert explain(url[:at] + ("A" if url[at] != "A" else "B") + url[at + 1:])[1] == ["unknown_access_key"]
    revoke(gate, "session", session.id)
    assert explain(url)[0]["decision"]["outcome"] == "unauthenticated"


# Revocation


def revoke(gate, *arguments, code=0):
    done = run([binary(), "revoke", *arguments, "--config", gate.config_path, "--json"], env=gate.env)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_a_revoked_session_is_refused_within_a_second_under_load(gateway, config, issuer):
    gate = gateway(config())
    victim, other = (Session.of(gate, exchange(gate, token(issuer), name=name)) for name in ("victim", "other"))
    other.s3().put_object(Bucket="docs", Key="acme/x", Body=b"x")
    seen, stop = [], threading.Event()

    def use(session, name):
        client = session.s3()
        while not stop.is_set():
            asked = time.monotonic()
            try:
                client.get_object(Bucket="docs", Key="acme/x")["Body"].read()
                seen.append((name, asked, "fine"))
            except ClientError as error:
                seen.append((name, asked, error.response["Error"]["Code"]))

    threads = [threading.Thread(target=use, args=(session, name))
               for session, name in ((victim, "victim"), (victim, "victim"), (other, "other"))]
    for thread in threads:
        thread.start()
    assert eventually(lambda: len(seen) > 60)
    told = revoke(gate, "session", victim.id)
    done = time.monotonic()
    assert told["kind"] == "session" and told["id"] == victim.id
    mark = len(seen)
    assert eventually(lambda: len(seen) > mark + 60)
    stop.set()
    for thread in threads:
        thread.join()
    # At once where it was asked for: whatever begins after the answer.
    assert {what for name, asked, what in seen if name == "victim" and asked > done} == {"ExpiredToken"}
    assert {what for name, asked, what in seen if name == "other"} == {"fine"}
    assert eventually(lambda: any(line.get("action") == "revoke" for line in gate.audit_log()))
    assert eventually(lambda: gate.metric("gatehouse_auth_failures_total", reason="revoked") > 0)


def test_a_revocation_outlives_a_restart(gateway, config, issuer):
    gate = gateway(config())
    session = Session.of(gate, exchange(gate, token(issuer)))
    session.s3().put_object(Bucket="docs", Key="acme/x", Body=b"x")
    revoke(gate, "role", "deployer")
    assert _refuses(session)
    gate.stop()
    gate.start()
    assert _refuses(session)


def test_a_role_and_a_block(gateway, config, issuer):
    gate = gateway(config())
    old = Session.of(gate, exchange(gate, token(issuer)))
    old.s3().list_objects_v2(Bucket="docs", Prefix="acme/")
    revoke(gate, "role", "deployer")
    assert _refuses(old)
    new = Session.of(gate, exchange(gate, token(issuer)))
    new.s3().list_objects_v2(Bucket="docs", Prefix="acme/")
    assert revoke(gate, "role", "deployer", "--block")["blocked"] is True
    assert _refuses(new) and exchange(gate, token(issuer)).s3_code == "AccessDenied"
    assert revoke(gate, "role", "deployer", "--unblock")["blocked"] is False
    assert exchange(gate, token(issuer)).status == 200 and _refuses(new)


def test_a_user_and_a_block(gateway, config, issuer):
    gate = gateway(config())
    child = Session(gate, sts_client(gate, FULL.access_key, FULL.secret_key).assume_role(
        RoleArn=ARN + "self", RoleSessionName="c1")["Credentials"])
    child.s3().list_buckets()
    revoke(gate, "user", f"key:{FULL.principal}")
    assert refused(lambda: child.s3().list_buckets()) == "ExpiredToken"
    assert gate.request("GET", "/photos", ALICE.headers).status == 200
    revoke(gate, "user", "alice", "--block")
    assert gate.request("GET", "/photos", ALICE.headers).status >= 400
    revoke(gate, "user", "alice", "--unblock")
    assert gate.request("GET", "/photos", ALICE.headers).status == 200


@pytest.mark.parametrize("block", [[], ["--block"]])
def test_what_somebody_gave_ends_with_them(gateway, config, block):
    gate = gateway(config())
    s3_client(gate.endpoint, FULL.access_key, FULL.secret_key).put_object(Bucket="docs", Key="a", Body=b"given")

    def give(subject):
        return gate.request("POST", "/-/v1/grants", {**ROOT.headers, "content-type": "application/json"}, json.dumps(
            {"subject": subject, "bucket": "docs", "prefix": "", "actions": ["get_object"],
             "expires_at": "2099-01-01T00:00:00Z"})).json()

    give("user:alice")
    link = give("link")["link"].removeprefix(gate.endpoint) + "a"
    assert gate.request("GET", "/docs/a", ALICE.headers).body == b"given"
    assert gate.request("GET", link).body == b"given"
    revoke(gate, "user", "root", *block)
    for _ in range(2):
        assert gate.request("GET", "/docs/a", ALICE.headers).status == 403
        assert gate.request("GET", link).status == 404
        gate.stop()
        gate.start()
    if block:
        revoke(gate, "user", "root", "--unblock")
        assert gate.request("GET", link).status == 404, "what was issued up to then stays ended"
    give("user:alice")
    assert gate.request("GET", "/docs/a", ALICE.headers).body == b"given"


def test_a_blocked_admin_lifts_no_block(gateway, config):
    gate = gateway(config())
    page = gate.request("GET", "/login", admin=True)
    form_cookie = page.headers["set-cookie"].split(";")[0]
    csrf = page.text.split('name="csrf" value="')[1].split('"')[0]
    answer = gate.request("POST", "/login", {"cookie": form_cookie, "content-type": "application/x-www-form-urlencoded"},
                          f"csrf={csrf}&api_key={ROOT.api_key}".encode(), admin=True)
    assert answer.status == 303, answer.text
    cookies = [value.split(";")[0] for value in answer.headers.get_all("set-cookie")]
    cookie = {"cookie": next(value for value in cookies if value.startswith("gatehouse_session="))}
    assert gate.request("GET", "/api/sessions", cookie, admin=True).status == 200
    revoke(gate, "user", "root", "--block")
    order = json.dumps({"kind": "user", "id": "user:root", "unblock": True}).encode()
    assert gate.request("GET", "/api/sessions", cookie, admin=True).status == 401
    assert gate.request("GET", "/api/sessions", ROOT.headers, admin=True).status == 403
    assert gate.request("POST", "/api/sessions/revoke", ROOT.headers, order, admin=True).status == 403
    assert gate.request("GET", "/docs", ROOT.headers).status >= 400
    # The command line of whoever runs it does.
    revoke(gate, "user", "root", "--unblock")
    assert gate.request("GET", "/api/sessions", ROOT.headers, admin=True).status == 200
    assert gate.request("GET", "/api/sessions", cookie, admin=True).status == 401


@pytest.mark.parametrize("caller", ["access key", "API key"])
def test_a_session_ends_with_the_key_it_was_got_with(gateway, config, caller):
    made = config()
    gate = gateway(made)
    if caller == "access key":
        got = sts_client(gate, FULL.access_key, FULL.secret_key).assume_role(
            RoleArn=ARN + "self", RoleSessionName="c1")["Credentials"]
        session = Session(gate, got)
        made["credentials"][0]["secret_access_key"] = "another/Secret+0123456789abcdefghijklmnop"
    else:
        form = "Action=AssumeRole&Version=2011-06-15&RoleArn=self&RoleSessionName=c1"
        session = Session.of(gate, gate.request(
            "POST", "/", {**ROOT.headers, "content-type": "application/x-www-form-urlencoded"}, form.encode()))
        made["users"][1]["api_key"] = "another-api-key-0123456789abcdef"
    session.s3().list_objects_v2(Bucket="docs")
    gate.write_config(made)
    assert eventually(lambda: _refuses(session, "InvalidAccessKeyId"))


def test_a_grant_is_revoked_from_the_command_line(gateway, config):
    gate = gateway(config())
    grant = gate.request("POST", "/-/v1/grants", {**ROOT.headers, "content-type": "application/json"}, json.dumps(
        {"subject": "user:alice", "bucket": "docs", "prefix": "", "actions": ["list"],
         "expires_at": "2099-01-01T00:00:00Z"})).json()
    assert gate.request("GET", "/docs", ALICE.headers).status == 200
    assert revoke(gate, "grant", grant["id"])["kind"] == "grant"
    assert gate.request("GET", "/docs", ALICE.headers).status == 403


def test_what_is_misspelt_is_not_revoked_in_vain(gateway, config):
    gate = gateway(config())
    for arguments in (("role", "deployr"), ("user", "allice"), ("user", "key:nobody"), ("grant", "0" * 32),
                      ("session", "nonsense"), ("user", "link:x")):
        assert revoke(gate, *arguments, code=1)["error"]["message"], arguments
    assert run([binary(), "revoke", "session", "0" * 32, "--block"]).returncode == 64
    listed = gate.request("GET", "/api/sessions", ROOT.headers, admin=True)
    assert listed.status == 200 and listed.json() == {"revocations": []}
    assert gate.request("GET", "/api/sessions", ALICE.headers, admin=True).status == 403
    assert gate.request("POST", "/api/sessions/revoke", None, "{}", admin=True).status == 401
    revoke(gate, "user", "alice")
    [entry] = gate.request("GET", "/api/sessions", ROOT.headers, admin=True).json()["revocations"]
    assert (entry["kind"], entry["id"], entry["blocked"]) == ("user", "user:alice", False)
