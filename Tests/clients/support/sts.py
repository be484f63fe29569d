"""Sessions: got from Gatehouse as SDKs get them."""

import re
from urllib.parse import urlencode

import boto3
from botocore.config import Config

from .clients import s3_client

VERSION = "2011-06-15"
ARN = "arn:aws:iam::123456789012:role/"


def exchange(gate, token, role="deployer", name="run-1", method="POST", path="/", **more):
    """AssumeRoleWithWebIdentity by hand; the answer as it came."""
    form = urlencode({"Action": "AssumeRoleWithWebIdentity", "Version": VERSION, "RoleArn": ARN + role,
                      "RoleSessionName": name, "WebIdentityToken": token, **more})
    if method == "GET":
        return gate.request("GET", f"{path}?{form}")
    return gate.request("POST", path, {"Content-Type": "application/x-www-form-urlencoded"}, form)


def sts_client(gate, access_key=None, secret_key=None, token=None):
    """boto3's own; unsigned where no key is given."""
    return boto3.client(
        "sts", endpoint_url=gate.endpoint, region_name="us-east-1", aws_access_key_id=access_key or "unused",
        aws_secret_access_key=secret_key or "unused", aws_session_token=token,
        config=Config(retries={"max_attempts": 0}),
    )


class Session:
    """What STS answered, and S3 with it."""

    def __init__(self, gate, credentials):
        self.gate = gate
        self.access_key = credentials["AccessKeyId"]
        self.secret_key = credentials["SecretAccessKey"]
        self.token = credentials["SessionToken"]
        self.expiration = credentials["Expiration"]

    @classmethod
    def of(cls, gate, answer):
        """From an answer by hand."""
        assert answer.status == 200, answer
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
        return cls(gate, {name: re.search(f"<{name}>([^<]+)</{name}>", answer.text)[1] for name in names})

    @property
    def id(self):
        return self.access_key.removeprefix("GHSTS")

    def s3(self, **options):
        return s3_client(self.gate.endpoint, self.access_key, self.secret_key, aws_session_token=self.token, **options)

    def sts(self):
        return sts_client(self.gate, self.access_key, self.secret_key, self.token)
