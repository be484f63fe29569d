"""A store whose token service believes Gatehouse, and nobody's key."""

import base64
import json
import subprocess

from .gatehouse import binary
from .seaweed import Seaweed

ROLE = "arn:aws:iam::role/GatehouseData"


def new_key(folder, name):
    """A private key in a file, as `gatehouse key new oidc` makes it; its path and its id."""
    made = subprocess.run([binary(), "key", "new", "oidc", "--json"], capture_output=True, text=True, check=True)
    key = json.loads(made.stdout)
    path = folder / f"{name}.pem"
    path.write_text(key["private_key"])
    return path, key["kid"]


def trusting_store(name, folder, issuer, bucket, seconds=3600):
    """SeaweedFS with its real token service, which fetches the issuer's keys and enforces a policy on its sessions."""
    folder.mkdir(parents=True, exist_ok=True)
    anyone = {"Federated": "gatehouse"}
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": [
                    "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:AbortMultipartUpload",
                    "s3:CreateMultipartUpload", "s3:UploadPart", "s3:CompleteMultipartUpload", "s3:ListMultipartUploadParts",
                ],
                "Resource": resources,
            },
            {"Effect": "Deny", "Action": ["s3:*"], "Resource": [f"arn:aws:s3:::{bucket}/forbidden/*"]},
            {"Effect": "Allow", "Action": ["sts:ValidateSession"], "Resource": ["*"]},
        ],
    }
    document = {
        "sts": {
            "tokenDuration": f"{seconds}s",
            "maxSessionLength": "12h",
            "issuer": "seaweedfs-sts",
            "signingKey": base64.b64encode(b"a signing key of thirty-two bytes").decode(),
        },
        "providers": [
            {
                "name": "gatehouse",
                "type": "oidc",
                "enabled": True,
                "config": {
                    "issuer": issuer,
                    "clientId": "sts.amazonaws.com",
                    "jwksUri": issuer + "/.well-known/jwks.json",
                    "scopes": ["openid"],
                },
            }
        ],
        "policy": {"defaultEffect": "Deny"},
        "roles": [
            {
                "roleName": "GatehouseData",
                "roleArn": ROLE,
                "trustPolicy": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow", "Principal": anyone, "Action": ["sts:AssumeRoleWithWebIdentity"],
                            "Condition": {"StringEquals": {"seaweed:Subject": "photos-gateway"}},
                        }
                    ],
                },
                "attachedPolicies": ["Data"],
            }
        ],
        "policies": [{"name": "Data", "document": policy}],
    }
    del document["roles"][0]["trustPolicy"]["Statement"][0]["Condition"]
    path = folder / "iam.json"
    path.write_text(json.dumps(document))
    return Seaweed(name, folder, "AKTRUST000000EXAMPLE", "the store's own key, which nobody else has", [f"-s3.iam.config={path}"])


def federated_bucket(store, name="photos", **options):
    """A bucket without a key."""
    return {
        "name": name,
        "backend_type": "s3",
        "backend_options": {
            "endpoint": store.endpoint,
            "bucket_name": "photos",
            "auth_type": "oidc",
            "oidc_role_arn": ROLE,
            "sts_endpoint": store.endpoint,
            **options,
        },
    }
