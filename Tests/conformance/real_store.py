"""A pytest plugin: moto's S3 cases ask the store that the environment names, and moto pretends nothing.

`mock_aws` becomes empty, so that boto3 goes where AWS_ENDPOINT_URL_S3 says. Before each case the store is emptied, at the
store itself. Nobody but this machine is reached. The result of each case goes to CONFORMANCE_RESULTS, with whether the
case asked the endpoint anything at all: a case that did not says nothing about it.
"""

import contextlib
import http.client
import json
import os
import random
import socket
import urllib.request
import uuid
from urllib.parse import quote, urlsplit

import boto3
import moto
import moto.core.decorator
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = urlsplit(os.environ["AWS_ENDPOINT_URL_S3"])
results = {}
asked = 0
names = random.Random()


class NothingMocked(contextlib.ContextDecorator):
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False

    start = __enter__

    def stop(self):
        """Nothing was started."""


def nothing_mocked(function=None, config=None):
    return NothingMocked() if function is None else function


moto.mock_aws = moto.core.decorator.mock_aws = nothing_mocked


def count_requests():
    put = http.client.HTTPConnection.putrequest

    def counted(connection, *arguments, **options):
        global asked
        asked += connection.port == ENDPOINT.port
        return put(connection, *arguments, **options)

    http.client.HTTPConnection.putrequest = counted


def stay_on_this_machine():
    resolve = socket.getaddrinfo

    def resolved(host, *arguments, **options):
        name = (host or b"localhost").decode() if isinstance(host, bytes) else host or "localhost"
        if name not in ("localhost", "127.0.0.1", "::1"):
            raise socket.gaierror(socket.EAI_NONAME, f"{name} is not of this machine")
        return resolve(host, *arguments, **options)

    socket.getaddrinfo = resolved


def name_alike_in_every_run():
    """Cases name their buckets at random, and some pass only if the names happen to sort as they were made."""
    uuid.uuid4 = lambda: uuid.UUID(bytes=names.randbytes(16), version=4)


class Store:
    """The store behind the endpoint, to start each case from nothing."""

    def __init__(self):
        self.filer = os.environ["CONFORMANCE_FILER"]
        self.s3 = boto3.client(
            "s3", endpoint_url=os.environ["CONFORMANCE_STORE"], region_name="us-east-1",
            aws_access_key_id=os.environ["CONFORMANCE_STORE_KEY"],
            aws_secret_access_key=os.environ["CONFORMANCE_STORE_SECRET"], config=Config(s3={"addressing_style": "path"}),
        )

    def empty(self):
        for bucket in self.s3.list_buckets()["Buckets"]:
            name = bucket["Name"]
            try:
                self.s3.delete_bucket(Bucket=name)
            except ClientError:
                self.remove(name)

    def remove(self, name):
        """What is not empty, or locked: its folder goes first, which asks nobody, then the bucket."""
        request = urllib.request.Request(
            f"{self.filer}/buckets/{quote(name)}?recursive=true&ignoreRecursiveError=true", method="DELETE")
        with urllib.request.urlopen(request, timeout=20):
            pass
        with contextlib.suppress(ClientError):
            self.s3.delete_bucket(Bucket=name)


@pytest.fixture(scope="session")
def the_store():
    return Store()


@pytest.fixture(autouse=True)
def from_nothing(the_store, request):
    global asked
    the_store.empty()
    names.seed(request.node.nodeid)
    asked = 0


def pytest_configure():
    count_requests()
    name_alike_in_every_run()
    stay_on_this_machine()


def pytest_runtest_logreport(report):
    entry = results.setdefault(report.nodeid, {"outcome": "passed", "asked": 0, "says": ""})
    if report.when == "call":
        entry["asked"] = asked
    if report.outcome != "passed" and entry["outcome"] == "passed":
        entry["outcome"] = report.outcome
        entry["says"] = str(report.longrepr)[-1500:]


def pytest_sessionfinish():
    with open(os.environ["CONFORMANCE_RESULTS"], "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)
