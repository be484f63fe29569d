"""The clients people use, pointed at an endpoint."""

import os
import shutil
import subprocess

import boto3
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from .seaweed import venv_binary


def s3_client(endpoint, access_key, secret_key, addressing="path", region="us-east-1", retries=0, **options):
    """boto3 without its own retries, so that a failed request is seen; with the checksum setting of plain bodies."""
    config = Config(
        s3={"addressing_style": addressing},
        signature_version=options.pop("signature_version", "s3v4"),
        request_checksum_calculation=options.pop("checksums", "when_required"),
        response_checksum_validation="when_required",
        retries={"max_attempts": retries, "mode": "standard"},
        connect_timeout=120,
        read_timeout=options.pop("read_timeout", 120),
        max_pool_connections=options.pop("max_pool_connections", 10),
        tcp_keepalive=True,
    )
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        region_name=region,
        config=config,
        **options,
    )



def body_of(client, bucket, key):
    """What an object holds; None where there is none."""
    try:
        return client.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 404, error
        return None


def signed(method, url, access_key, secret_key, headers=None, body=b"", region="us-east-1", payload_hash=None, token=None):
    """The headers of a SigV4 request, computed by botocore."""
    request = AWSRequest(method=method, url=url, data=body, headers=dict(headers or {}))
    if payload_hash is not None:
        request.headers["X-Amz-Content-SHA256"] = payload_hash
    signer = S3SigV4Auth(Credentials(access_key, secret_key, token), "s3", region)
    if payload_hash is not None:
        signer.payload = lambda _: payload_hash
        signer._should_sha256_sign_payload = lambda _: True
    signer.add_auth(request)
    return dict(request.headers.items())


def presigned(method, url, access_key, secret_key, expires=300, headers=None, region="us-east-1"):
    """A SigV4 query URL, computed by botocore."""
    request = AWSRequest(method=method, url=url, headers=dict(headers or {}))
    S3SigV4QueryAuth(Credentials(access_key, secret_key), "s3", region, expires).add_auth(request)
    return request.url


def run(command, env=None, input=None, timeout=300):
    """A finished command; its output is text."""
    return subprocess.run(
        [str(part) for part in command], env=env, input=input, capture_output=True, text=True, timeout=timeout
    )


class CommandLine:
    """aws, s5cmd and curl with one identity at one endpoint."""

    def __init__(self, endpoint, access_key, secret_key, folder):
        self.endpoint, self.access_key, self.secret_key = endpoint, access_key, secret_key
        (folder / ".aws").mkdir()
        # For us-east-1 the aws cli still presigns with SigV2 unless it is told not to.
        (folder / ".aws" / "config").write_text("[default]\ns3 =\n    signature_version = s3v4\n")
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith("AWS_")},
            "AWS_ACCESS_KEY_ID": access_key,
            "AWS_SECRET_ACCESS_KEY": secret_key,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
            "HOME": str(folder),
        }

    def aws(self, *arguments, check=True):
        done = run([venv_binary("aws"), "--endpoint-url", self.endpoint, *arguments], self.env)
        if check:
            assert done.returncode == 0, f"aws {arguments}: {done.stdout}{done.stderr}"
        return done

    def s5cmd(self, *arguments, check=True):
        done = run([venv_binary("s5cmd"), "--endpoint-url", self.endpoint, "--retry-count", "0", *arguments], self.env)
        if check:
            assert done.returncode == 0, f"s5cmd {arguments}: {done.stdout}{done.stderr}"
        return done

    def curl(self, *arguments, sign=True):
        """curl's own SigV4. Before version 8 it leaves out `x-amz-content-sha256`, which S3 requires."""
        signing = ["--aws-sigv4", "aws:amz:us-east-1:s3", "--user", f"{self.access_key}:{self.secret_key}",
                   "-H", "x-amz-content-sha256: UNSIGNED-PAYLOAD"]
        return run(
            [shutil.which("curl"), "-sS", "--max-time", "240", *(signing if sign else []), *arguments], self.env
        )
