"""Fixtures: two SeaweedFS accounts, the gateway that most tests share, and gateways made to measure.

`--oracle` runs the tests of the S3 surface against SeaweedFS itself, without Gatehouse: they must hold there too.
"""

import json
from dataclasses import dataclass

import pytest

from support.clients import CommandLine, s3_client
from support.faults import FaultProxy
from support.gatehouse import Gatehouse
from support.people import FROZEN_POLICY, FULL, NORTH_SECRET, REPORT_POLICY, SOUTH_SECRET, front_door
from support.resolve import resolve_localhost_names
from support.seaweed import Seaweed
from support.stub_store import StubStore

resolve_localhost_names()


def pytest_addoption(parser):
    parser.addoption("--oracle", action="store_true", help="run the S3 surface tests against the store itself")


@dataclass
class Target:
    """A bucket somewhere, and who may do everything in it."""

    name: str
    endpoint: str
    bucket: str
    access_key: str
    secret_key: str

    def client(self, **options):
        return s3_client(self.endpoint, self.access_key, self.secret_key, **options)


@pytest.fixture(scope="session")
def north(tmp_path_factory):
    store = Seaweed("north", tmp_path_factory.mktemp("north"), "AKNORTH000000EXAMPLE", NORTH_SECRET).start()
    client = s3_client(store.endpoint, store.access_key, store.secret_key)
    for bucket in ("photos", "docs", "shared", "open-data"):
        client.create_bucket(Bucket=bucket)
    yield store
    store.stop()


@pytest.fixture(scope="session")
def south(tmp_path_factory):
    store = Seaweed("south", tmp_path_factory.mktemp("south"), "AKSOUTH000000EXAMPLE", SOUTH_SECRET).start()
    s3_client(store.endpoint, store.access_key, store.secret_key).create_bucket(Bucket="logs")
    yield store
    store.stop()


@pytest.fixture(scope="session")
def north_s3(north):
    """The store itself, to see what really arrived."""
    return s3_client(north.endpoint, north.access_key, north.secret_key)


@pytest.fixture(scope="session")
def south_s3(south):
    return s3_client(south.endpoint, south.access_key, south.secret_key)


@pytest.fixture(scope="session")
def gate(tmp_path_factory, north, south):
    """The gateway that most tests share. Tests keep to keys of their own."""
    folder = tmp_path_factory.mktemp("gate")
    files = folder / "files"
    files.mkdir()
    (folder / "policies").mkdir()
    (folder / "policies" / "reports.json").write_text(json.dumps(REPORT_POLICY))
    (folder / "policies" / "frozen.json").write_text(json.dumps(FROZEN_POLICY))
    gateway = Gatehouse(folder, front_door(north, south, files)).start()
    yield gateway
    gateway.stop()


@pytest.fixture(scope="session")
def s3(gate):
    """boto3 as the caller that may do everything."""
    return s3_client(gate.endpoint, FULL.access_key, FULL.secret_key)


@pytest.fixture(scope="session")
def command_line(request, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    if request.config.getoption("--oracle"):
        store = request.getfixturevalue("north")
        return CommandLine(store.endpoint, store.access_key, store.secret_key, home)
    gate = request.getfixturevalue("gate")
    return CommandLine(gate.endpoint, FULL.access_key, FULL.secret_key, home)


@pytest.fixture(scope="module")
def everything(desk):
    """boto3 at a module's own `desk`, as somebody who may do everything there."""
    return s3_client(desk.endpoint, FULL.access_key, FULL.secret_key)


@pytest.fixture
def gateway(tmp_path):
    """Makes gateways with a configuration of the test's own; stops them all at the end."""
    made = []

    def make(config, name="gatehouse", start=True, **options):
        instance = Gatehouse(tmp_path / name, config, name=name, **options)
        made.append(instance)
        return instance.start() if start else instance

    yield make
    for instance in made:
        instance.stop()


@pytest.fixture
def fault_proxy():
    """Makes fault proxies; stops them all at the end."""
    made = []

    def make(upstream_port):
        proxy = FaultProxy(upstream_port).start()
        made.append(proxy)
        return proxy

    yield make
    for proxy in made:
        proxy.stop()


@pytest.fixture
def stub_store():
    """Makes scripted stores; stops them all at the end."""
    made = []

    def make(answer=None):
        store = StubStore(answer)
        made.append(store)
        return store

    yield make
    for store in made:
        store.stop()


def pytest_generate_tests(metafunc):
    if "target" in metafunc.fixturenames:
        oracle = metafunc.config.getoption("--oracle")
        names = ["oracle"] if oracle else ["pass-through", "prefixed", "embedded"]
        metafunc.parametrize("target", names, indirect=True, scope="session")


@pytest.fixture(scope="session")
def target(request):
    """The same S3 surface, three ways: a store, a prefix of a store's bucket, the embedded store."""
    if request.param == "oracle":
        store = request.getfixturevalue("north")
        return Target("oracle", store.endpoint, "docs", store.access_key, store.secret_key)
    bucket = {"pass-through": "docs", "prefixed": "prefixed", "embedded": "local"}[request.param]
    gateway = request.getfixturevalue("gate")
    return Target(request.param, gateway.endpoint, bucket, FULL.access_key, FULL.secret_key)
