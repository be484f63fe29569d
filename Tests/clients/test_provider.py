"""We as an identity provider: the documents that clouds fetch, and keys that change while they do."""

import base64
import hashlib
import json
import subprocess

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from support.gatehouse import binary, eventually

ISSUER = "https://s3proxy.example.com"
DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/.well-known/jwks.json"


def new_key(*more):
    done = subprocess.run([binary(), "key", "new", "oidc", "--json", *more], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def openssl_key():
    return subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, text=True, check=True).stdout.strip()


def thumbprint(jwk):
    """RFC 7638, computed here."""
    members = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}[jwk["kty"]]
    text = json.dumps({name: jwk[name] for name in members}, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def published(gate):
    return json.loads(gate.request("GET", KEYS).body)["keys"]


def test_documents_from_the_environment_alone_as_the_seed_has_them(gateway):
    pem = openssl_key()
    gate = gateway({}, env={"OIDC_PROVIDER_KEY": pem, "OIDC_PROVIDER_ISSUER": ISSUER})
    answer = gate.request("GET", DISCOVERY)
    assert answer.status == 200 and answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert json.loads(answer.body) == {
        "issuer": ISSUER, "jwks_uri": ISSUER + KEYS, "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
    }
    [key] = published(gate)
    assert set(key) == {"kty", "alg", "use", "kid", "n", "e"}
    assert (key["kty"], key["alg"], key["use"], key["kid"]) == ("RSA", "RS256", "sig", thumbprint(key))
    private = serialization.load_pem_private_key(pem.encode(), None)
    token = jwt.encode({"aud": "x"}, private, "RS256")
    assert jwt.decode(token, jwt.PyJWK(key).key, ["RS256"], audience="x")
    assert pem.splitlines()[5] not in gate.request("GET", KEYS).text


def test_head_and_hosts_and_methods(gateway):
    config = {"server": {"domains": ["s3.test"]}}
    gate = gateway(config, env={"OIDC_PROVIDER_KEY": openssl_key(), "OIDC_PROVIDER_ISSUER": ISSUER})
    assert gate.request("HEAD", KEYS).status == 200
    assert gate.request("POST", KEYS).status == 404
    # There every path is a key.
    assert gate.request("GET", KEYS, {"Host": "bucket.s3.test"}).status in (403, 404)
    assert b"keys" not in gate.request("GET", KEYS, {"Host": "bucket.s3.test"}).body


def test_nobody_without_a_key_is_a_provider(gateway):
    gate = gateway({})
    for path in (DISCOVERY, KEYS):
        answer = gate.request("GET", path)
        assert answer.status == 404 and json.loads(answer.body)["error"]["code"] == "NotFound"


@pytest.mark.parametrize("options,algorithm", [((), "RS256"), (("--p256",), "ES256")])
def test_new_keys_can_be_served(gateway, options, algorithm):
    made = new_key(*options)
    assert made["algorithm"] == algorithm
    gate = gateway({}, env={"OIDC_PROVIDER_KEY": made["private_key"], "OIDC_PROVIDER_ISSUER": ISSUER})
    [key] = published(gate)
    assert key["kid"] == made["kid"] == thumbprint(key) and key["alg"] == algorithm


def test_a_key_is_added_in_front_and_the_old_one_taken_away_while_serving(gateway, tmp_path):
    old, new = new_key(), new_key("--p256")
    for name, key in (("old", old), ("new", new)):
        (tmp_path / f"{name}.pem").write_text(key["private_key"])

    def config(*names):
        return {"keys": {"oidc_provider_keys": [f"file:{tmp_path}/{name}.pem" for name in names],
                         "oidc_provider_issuer": ISSUER}}

    gate = gateway(config("old"))
    for names, kids in [(("old", "new"), [old, new]), (("new", "old"), [new, old]), (("new",), [new])]:
        gate.write_config(config(*names))
        assert eventually(lambda: [key["kid"] for key in published(gate)] == [key["kid"] for key in kids])
    assert json.loads(gate.request("GET", DISCOVERY).body)["id_token_signing_alg_values_supported"] == ["ES256"]
