"""Clouds that believe Gatehouse for nothing but its own documents: token services that fetch the issuer's discovery and
keys over HTTP, verify what they are shown, and hand out tokens that their store knows; and such a store for each.
"""

import base64
import json
import re
import secrets
import urllib.parse
import urllib.request
from urllib.error import URLError

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from .azure_blob import ACCOUNT, AzureBlob
from .google_store import GoogleStore
from .ports import free_port
from .token_service import Service

SUBJECTS = re.compile(r"s3-proxy(-\d+)?")
TENANT = "6f1e6a4e-0000-4000-8000-000000000001"
CLIENT = "6f1e6a4e-0000-4000-8000-000000000002"
PROVIDER = "projects/1/locations/global/workloadIdentityPools/pool/providers/gatehouse"
EMAIL = "data@project.iam.gserviceaccount.com"


class NotBelieved(Exception):
    """`why`: "unreachable", "issuer", "signature", "audience" or "subject"."""

    def __init__(self, why):
        super().__init__(why)
        self.why = why


def believe(token, issuer, audience):
    """The token's claims, if it is the issuer's by what the issuer publishes now, and meant for this audience."""
    try:
        with urllib.request.urlopen(issuer + "/.well-known/openid-configuration", timeout=30) as answer:
            discovered = json.load(answer)
        with urllib.request.urlopen(discovered["jwks_uri"], timeout=30) as answer:
            published = jwt.PyJWKSet.from_dict(json.load(answer))
    except (URLError, OSError, ValueError):
        raise NotBelieved("unreachable")
    if discovered["issuer"] != issuer:
        raise NotBelieved("issuer")
    try:
        key = published[jwt.get_unverified_header(token)["kid"]]
        claims = jwt.decode(token, key, algorithms=[key.algorithm_name], audience=audience, issuer=issuer,
                            options={"require": ["iss", "sub", "aud", "exp", "iat", "jti"]})
    except jwt.InvalidAudienceError:
        raise NotBelieved("audience")
    except jwt.InvalidIssuerError:
        raise NotBelieved("issuer")
    except (jwt.PyJWTError, KeyError):
        raise NotBelieved("signature")
    if claims["exp"] - claims["iat"] > 600:
        raise NotBelieved("signature")
    if not SUBJECTS.fullmatch(claims["sub"]):
        raise NotBelieved("subject")
    return claims


class Believer(Service):
    """A token service with one issuer that it trusts. `believed` are the claims of the tokens it was shown."""

    def __init__(self, issuer, audience, store):
        self.issuer, self.audience, self.store = issuer, audience, store
        self.believed = []
        super().__init__()

    def believe(self, token):
        claims = believe(token, self.issuer, self.audience)
        self.believed.append(claims)

    def issue(self, kind):
        token = f"{kind}-{secrets.token_urlsafe(24)}"
        self.store.tokens.add(token)
        return token


class VerifyingEntra(Believer):
    """Microsoft Entra ID with a federated credential, in its own words where it refuses."""

    WORDS = {
        "unreachable": "AADSTS50166: The keys of the external provider could not be fetched.",
        "issuer": "AADSTS700211: No matching federated identity record found for presented assertion issuer.",
        "signature": "AADSTS700027: Client assertion failed signature validation.",
        "audience": "AADSTS700212: No matching federated identity record found for presented assertion audience.",
        "subject": "AADSTS700213: No matching federated identity record found for presented assertion subject.",
    }

    def answer(self, method, path, headers, body):
        form = dict(urllib.parse.parse_qsl(body, strict_parsing=True))
        wanted = {
            "grant_type": "client_credentials", "client_id": CLIENT, "scope": "https://storage.azure.com/.default",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        }
        if (method, path) != ("POST", f"/{TENANT}/oauth2/v2.0/token") or any(form.get(n) != v for n, v in wanted.items()):
            return self.refusal(400, "invalid_request", "AADSTS900144: the request body is not as it must be.")
        try:
            self.believe(form["client_assertion"])
        except NotBelieved as refused:
            return self.refusal(401, "invalid_client", self.WORDS[refused.why])
        answer = {"token_type": "Bearer", "expires_in": self.lifetime, "access_token": self.issue("entra")}
        return 200, "application/json", json.dumps(answer)

    @staticmethod
    def refusal(status, code, text):
        return status, "application/json", json.dumps({"error": code, "error_description": text})


class VerifyingGoogle(Believer):
    """Google's STS, IAM credentials and OAuth token endpoint for one service account, whose key it keeps.

    `signs`: "ok", "fail" or "hang", of signBlob alone.
    """

    WORDS = {
        "unreachable": "Error connecting to the given credential's issuer.",
        "issuer": "The issuer in ID Token does not match the expected ones.",
        "signature": "Unable to verify the ID Token signature.",
        "audience": "The audience in ID Token does not match the expected audience.",
        "subject": "The given credential is rejected by the attribute condition.",
    }

    def __init__(self, issuer, audience, store):
        super().__init__(issuer, audience, store)
        self.signs = "ok"
        self.federated, self.accounts = set(), set()
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        store.keys[EMAIL] = self.key.public_key()

    @property
    def key_file(self):
        """Of the same account, as an administrator downloads it."""
        pem = self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                     serialization.NoEncryption()).decode()
        return {"type": "service_account", "project_id": "project", "private_key_id": "k1", "private_key": pem,
                "client_email": EMAIL, "token_uri": self.endpoint + "/token"}

    def answer(self, method, path, headers, body):
        account = f"/v1/projects/-/serviceAccounts/{urllib.parse.quote(EMAIL, safe='')}:"
        do = {"/v1/token": self.exchange, "/token": self.grant, account + "generateAccessToken": self.impersonate,
              account + "signBlob": self.sign}.get(path)
        if method != "POST" or do is None:
            return self.problem(404, "NOT_FOUND", "there is no such method")
        return do(headers.get("authorization", "").removeprefix("Bearer "), body)

    def exchange(self, _, body):
        form = dict(urllib.parse.parse_qsl(body, strict_parsing=True))
        wanted = {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "audience": "//iam.googleapis.com/" + PROVIDER,
            "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "scope": "https://www.googleapis.com/auth/cloud-platform",
        }
        if any(form.get(name) != value for name, value in wanted.items()):
            return self.oauth(400, "invalid_request", "Invalid value.")
        try:
            self.believe(form["subject_token"])
        except NotBelieved as refused:
            return self.oauth(400, "invalid_grant", self.WORDS[refused.why])
        self.federated.add(token := f"federated-{secrets.token_urlsafe(24)}")
        return 200, "application/json", json.dumps({
            "access_token": token, "token_type": "Bearer", "expires_in": self.lifetime,
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        })

    def grant(self, _, body):
        """RFC 7523: an assertion of the service account's own."""
        form = dict(urllib.parse.parse_qsl(body, strict_parsing=True))
        try:
            if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
                raise KeyError("grant_type")
            claims = jwt.decode(form["assertion"], self.key.public_key(), algorithms=["RS256"], issuer=EMAIL,
                                audience=self.endpoint + "/token", options={"require": ["iss", "scope", "aud", "exp", "iat"]})
            if claims["exp"] - claims["iat"] > 3600 or not claims["scope"].endswith("/auth/devstorage.read_write"):
                raise KeyError("scope")
        except (jwt.PyJWTError, KeyError):
            return self.oauth(400, "invalid_grant", "Invalid JWT Signature.")
        return 200, "application/json", json.dumps({
            "access_token": self.issue("granted"), "token_type": "Bearer", "expires_in": self.lifetime,
        })

    def impersonate(self, token, body):
        if token not in self.federated:
            return self.problem(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        if json.loads(body)["scope"] != ["https://www.googleapis.com/auth/cloud-platform"]:
            return self.problem(400, "INVALID_ARGUMENT", "scope")
        self.accounts.add(token := self.issue("account"))
        return 200, "application/json", json.dumps({"accessToken": token, "expireTime": self.expiration()})

    def sign(self, token, body):
        if self.signs == "hang":
            self._over.wait()
        if self.signs == "fail":
            return self.problem(403, "PERMISSION_DENIED", "Permission 'iam.serviceAccounts.signBlob' denied.")
        if token not in self.accounts:
            return self.problem(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        payload = base64.b64decode(json.loads(body)["payload"], validate=True)
        signature = self.key.sign(payload, padding.PKCS1v15(), hashes.SHA256())
        return 200, "application/json", json.dumps({"keyId": "g1", "signedBlob": base64.b64encode(signature).decode()})

    @staticmethod
    def oauth(status, code, text):
        return status, "application/json", json.dumps({"error": code, "error_description": text})

    @staticmethod
    def problem(status, code, text):
        return status, "application/json", json.dumps({"error": {"code": status, "status": code, "message": text}})


class AzureCloud:
    """Entra ID and a storage account; neither knows a key of Gatehouse's."""

    kind, place = "azure", "pictures"

    def __init__(self, issuer):
        self.store = AzureBlob(free_port(), [self.place]).start()
        self.tokens = VerifyingEntra(issuer, "api://AzureADTokenExchange", self.store)

    def bucket(self, name="photos", **options):
        return {"name": name, "backend_type": "azure", "backend_options": {
            "endpoint": self.store.endpoint, "account_name": ACCOUNT, "container_name": self.place, "auth_type": "oidc",
            "tenant_id": TENANT, "client_id": CLIENT, "sts_endpoint": self.tokens.endpoint, **options}}

    def content(self, key):
        blob = self.store.containers[self.place].blobs.get(key)
        return None if blob is None else blob.content

    def authorizations(self):
        return {fields.get("authorization", "").partition(" ")[0] for _, _, fields in self.store.requests}

    def stop(self):
        self.tokens.stop()
        self.store.stop()


class GoogleCloud:
    """Google's STS, IAM and storage; none knows a key of Gatehouse's."""

    kind, place = "gcs", "photos-at-google"

    def __init__(self, issuer):
        self.store = GoogleStore(buckets=(self.place,)).start()
        self.tokens = VerifyingGoogle(issuer, "https://iam.googleapis.com/" + PROVIDER, self.store)

    def bucket(self, name="photos", **options):
        return {"name": name, "backend_type": "gcs", "backend_options": {
            "endpoint": self.store.endpoint, "bucket_name": self.place, "auth_type": "oidc",
            "workload_provider": PROVIDER, "service_account_email": EMAIL, "sts_endpoint": self.tokens.endpoint,
            **options}}

    def content(self, key):
        there = self.store.buckets[self.place].get(key)
        return None if there is None else there.data

    def authorizations(self):
        return {fields.get("authorization", "").partition(" ")[0] for _, _, fields in self.store.seen}

    def stop(self):
        self.tokens.stop()
        self.store.stop()
