"""Who calls in these tests, and the configuration of the gateway that most of them share."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Key:
    access_key: str
    secret_key: str
    principal: str

    def entry(self, scopes, **more):
        """Its `[[credentials]]` table."""
        return {
            "access_key_id": self.access_key,
            "secret_access_key": self.secret_key,
            "principal_name": self.principal,
            "enabled": True,
            **more,
            "allowed_scopes": scopes,
        }


@dataclass(frozen=True)
class User:
    name: str
    api_key: str

    @property
    def headers(self):
        return {"x-api-key": self.api_key}

    def entry(self, role, buckets, **more):
        """Its `[[users]]` table."""
        return {"name": self.name, "api_key": self.api_key, "role": role, "allowed_buckets": buckets, **more}


FULL = Key("AKFULL0000000EXAMPLE", "full/Secret+0123456789abcdefghijklmnopqrst", "everything")
READER = Key("AKREADER00000EXAMPLE", "reader/Secret+123456789abcdefghijklmnopqr", "reader")
MODELS = Key("AKMODELS00000EXAMPLE", "models/Secret+123456789abcdefghijklmnopqr", "models")
LISTER = Key("AKLISTER00000EXAMPLE", "lister/Secret+123456789abcdefghijklmnopqr", "lister")
DISABLED = Key("AKDISABLED000EXAMPLE", "disabled/Secret+456789abcdefghijklmnopqrs", "disabled")
EXPIRED = Key("AKEXPIRED0000EXAMPLE", "expired/Secret+3456789abcdefghijklmnopqrs", "expired")
PARTNER = Key("AKPARTNER0000EXAMPLE", "partner/Secret+3456789abcdefghijklmnopqrs", "partner")

ALICE = User("alice", "alice-api-key-5d41402abc4b2a76b9719d91")
ROOT = User("root", "root-api-key-7d793037a0760186574b0282")
WATCHER = User("watcher", "watcher-api-key-9bf31c7ff062936a96d3")

NORTH_SECRET = "north-backend-secret-8f14e45fceea167a5a36dedd"
SOUTH_SECRET = "south-backend-secret-c9f0f895fb98ab9159f51fd0"

REPORT_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "HomeFolder",
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            "Resource": "arn:aws:s3:::docs/home/${aws:username}/*",
        },
        {
            "Sid": "ListHome",
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::docs",
            "Condition": {"StringLike": {"s3:prefix": "home/${aws:username}/*"}},
        },
        {
            "Sid": "NobodyTouchesTheLedger",
            "Effect": "Deny",
            "Action": "s3:*",
            "Resource": "arn:aws:s3:::docs/home/*/ledger.csv",
        },
    ],
}
FROZEN_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Deny", "Action": ["s3:DeleteObject"], "Resource": "arn:aws:s3:::photos/frozen/*"},
        {
            "Effect": "Deny",
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::photos/elsewhere/*",
            "Condition": {"IpAddress": {"aws:SourceIp": ["127.0.0.0/8", "::1/128"]}},
        },
    ],
}


def everywhere(*actions):
    return [{"bucket": "*", "prefixes": [], "actions": list(actions) or ["*"]}]


def within(bucket, prefixes, *actions):
    return {"bucket": bucket, "prefixes": prefixes, "actions": list(actions)}


def account(name, store, buckets, **options):
    """The `[[accounts]]` table of a SeaweedFS instance, or of a proxy in front of it."""
    return {
        "name": name,
        "backend_type": "s3",
        "buckets": buckets,
        "backend_options": {
            "endpoint": store.endpoint,
            "region": "us-east-1",
            "access_key_id": store.access_key,
            "secret_access_key": store.secret_key,
            **options,
        },
    }


def front_door(north, south, files):
    """Two accounts, virtual buckets of every kind, one caller of every kind."""
    return {
        "server": {"domains": ["s3.localhost"], "region": "us-east-1", "max_object_size": "64MiB"},
        "accounts": [account("north", north, ["photos", "docs"]), account("south", south, ["*"])],
        "buckets": [
            {
                "name": "prefixed", "account": "north", "backend_prefix": "v2/area",
                "backend_options": {"bucket_name": "shared"},
            },
            {
                "name": "public", "account": "north", "anonymous_access": True,
                "backend_options": {"bucket_name": "open-data"},
            },
            {"name": "local", "backend_type": "file", "backend_options": {"path": str(files)}},
        ],
        "users": [
            ALICE.entry("user", ["photos"]),
            ROOT.entry("admin", ["*"]),
            WATCHER.entry("readonly", ["photos", "docs"]),
        ],
        "credentials": [
            FULL.entry(everywhere()),
            READER.entry(everywhere("read", "list")),
            MODELS.entry([within("photos", ["models/production/", "exact"], "read", "list", "write")]),
            LISTER.entry([within("docs", [], "list")]),
            DISABLED.entry(everywhere(), enabled=False),
            EXPIRED.entry(everywhere(), expires_at="2020-01-01T00:00:00Z"),
            PARTNER.entry([within("photos", ["partner/"], "get_object")]),
        ],
        "policies": [
            {"name": "reports", "applies_to": ["key:partner"], "document": "file:policies/reports.json"},
            {"name": "frozen", "applies_to": ["*"], "document": "file:policies/frozen.json"},
        ],
    }
