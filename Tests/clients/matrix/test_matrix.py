"""The same script at a store, at that store through Gatehouse, at the embedded store, and at buckets of Google Cloud
Storage and Azure: nobody can tell them apart.

What does differ stands in `differences.toml`, with the reason. An entry that has nothing to say any more fails the
test as surely as a difference that nobody listed.
"""

import os
import tomllib
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

import sdk_boto3  # noqa: F401  each module registers its cases
import sdk_others  # noqa: F401
import tools  # noqa: F401
from places import Place
from record import CASES, facts
from support.authority import Authority
from support.azure_blob import ACCOUNT, KEY, AzureBlob
from support.clients import s3_client
from support.gatehouse import Gatehouse
from support.google_store import GoogleStore
from support.people import FULL, account, everywhere
from support.ports import free_port
from support.seaweed import Seaweed

pytestmark = pytest.mark.timeout(1200)

PLACES = ("store", "through", "embedded", "google", "azure")
LISTED = tomllib.loads((Path(__file__).parent / "differences.toml").read_text(encoding="utf-8"))["difference"]


def entries_for(place, case_name, scheme):
    """The entries of the list that speak of this case at this place."""
    return [
        entry for entry in LISTED
        if place in entry["at"] and scheme in entry.get("schemes", ("http", "https"))
        and any(fnmatchcase(case_name, pattern) for pattern in entry["cases"])
    ]


def covers(entry, path):
    return any(fnmatchcase(path, pattern) for pattern in entry.get("facts", ["*"]))


def leaves(value, path=""):
    """{dotted path: value} of nested facts."""
    if not isinstance(value, dict) or not value:
        return {path: value}
    found = {}
    for key, item in value.items():
        found.update(leaves(item, f"{path}.{key}" if path else str(key)))
    return found


def differences(shown, name):
    """{path: what differs there}. At the store itself: what it refuses, and what it does not keep."""
    store, here = leaves(shown["store"]), leaves(shown[name])
    if name == "store":
        return {path: repr(value) for path, value in store.items() if path == "error" or (path == "same" and not value)}
    return {
        path: f"{store.get(path)!r} at the store, {here.get(path)!r} at {name}"
        for path in sorted({*store, *here}) if store.get(path) != here.get(path)
    }


@pytest.fixture(scope="session")
def places(tmp_path_factory):
    """{(name, scheme): Place}. One store, with a bucket for each way to it."""
    folder = tmp_path_factory.mktemp("matrix")
    Authority().write(folder)
    https = free_port()
    store = Seaweed("matrix", folder / "store", "AKMATRIX00000EXAMPLE", "matrix-secret-5d41402abc4b2a76b9719d911017",
                    arguments=[f"-s3.port.https={https}", f"-s3.cert.file={folder / 'tls.crt'}",
                               f"-s3.key.file={folder / 'tls.key'}"]).start()
    admin = s3_client(store.endpoint, store.access_key, store.secret_key)
    for bucket in ("matrix-store", "matrix-http", "matrix-https"):
        admin.create_bucket(Bucket=bucket)
    google = GoogleStore(credentials={"GOOGMATRIX": "hmac-secret"}, buckets=("matrix-at-google",)).start()
    azure = AzureBlob(free_port(), ["matrix-at-azure"]).start()
    gates, ports = [], {}
    for scheme in ("http", "https"):
        ports[scheme] = {"store": store.port if scheme == "http" else https}
        (folder / f"files-{scheme}").mkdir()
        certificates = {"certificate": f"file:{folder / 'tls.crt'}", "private_key": f"file:{folder / 'tls.key'}"}
        gate = Gatehouse(folder / f"gate-{scheme}", {
            "server": {"region": "us-east-1", "tls": certificates if scheme == "https" else None},
            "accounts": [account("store", store, [f"matrix-{scheme}"])],
            "buckets": [{"name": "matrix-files", "backend_type": "file",
                         "backend_options": {"path": str(folder / f"files-{scheme}")}},
                        {"name": "matrix-google", "backend_type": "gcs", "backend_options": {
                            "endpoint": google.endpoint, "bucket_name": "matrix-at-google",
                            "hmac_access_id": "GOOGMATRIX", "hmac_secret": "hmac-secret"}},
                        {"name": "matrix-azure", "backend_type": "azure", "backend_options": {
                            "endpoint": azure.endpoint, "account_name": ACCOUNT, "access_key": KEY,
                            "container_name": "matrix-at-azure"}}],
            "credentials": [FULL.entry(everywhere())],
        }, tls=folder / "ca.crt" if scheme == "https" else False).start()
        gates.append(gate)
        ports[scheme].update(through=gate.port, embedded=gate.port, google=gate.port, azure=gate.port)
    made = {}
    for scheme in ("http", "https"):
        where = [("store", "matrix-store"), ("through", f"matrix-{scheme}"), ("embedded", "matrix-files")]
        for name, bucket in where + ([("google", "matrix-google"), ("azure", "matrix-azure")] if scheme == "http" else []):
            keys = (store if name == "store" else FULL)
            (home := folder / f"{name}-{scheme}").mkdir()
            made[name, scheme] = Place(name, scheme, ports[scheme][name], bucket, keys.access_key, keys.secret_key,
                                       folder / "ca.crt", home)
    yield made
    for gate in gates:
        gate.stop()
    google.stop()
    azure.stop()
    store.stop()


@pytest.mark.parametrize(
    "case_, scheme", [(case_, scheme) for case_ in CASES for scheme in case_.schemes],
    ids=lambda value: value if isinstance(value, str) else value.name)
def test_shows_the_same_at_every_place(places, case_, scheme):
    shown = {name: facts(case_, places[name, scheme]) for name in PLACES if (name, scheme) in places}
    for name in shown:
        found, entries = differences(shown, name), entries_for(name, case_.name, scheme)
        unlisted = {path: text for path, text in found.items() if not any(covers(entry, path) for entry in entries)}
        assert not unlisted, f"at {name}, and differences.toml does not list it: {unlisted}"
        idle = [entry["why"] for entry in entries if not any(covers(entry, path) for path in found)]
        assert not idle, f"at {name}, differences.toml lists what does not differ any more: {idle}"


def test_the_list_of_differences_names_cases_that_exist():
    names = {case_.name for case_ in CASES}
    assert len(names) == len(CASES), [name for name, count in Counter(c.name for c in CASES).items() if count > 1]
    for entry in LISTED:
        idle = [pattern for pattern in entry["cases"] if not any(fnmatchcase(name, pattern) for name in names)]
        assert not idle, idle
        assert set(entry["at"]) <= set(PLACES) and entry["why"]


DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = {"google": DOCS / "google-cloud-storage.md", "azure": DOCS / "azure.md"}
BEGIN = "<!-- From Tests/clients/matrix/differences.toml: GATEHOUSE_WRITE_DOCS=1 make test-clients ARGS='-k page_about' -->"


def page(place):
    """The document about a store, as the list says it."""
    rows = [
        f"| {', '.join(f'`{case}`' for case in entry['cases'])} | {', '.join(f'`{fact}`' for fact in entry.get('facts', ['*']))} "
        f"| {entry['why']} |"
        for entry in LISTED if place in entry["at"]
    ]
    table = "\n".join(["| scripts | what they show | why |", "|---|---|---|", *rows])
    return PAGES[place].read_text(encoding="utf-8").partition(BEGIN)[0] + BEGIN + "\n\n" + table + "\n"


@pytest.mark.parametrize("place", PAGES)
def test_the_page_about_a_store_lists_what_differs_there(place):
    if os.environ.get("GATEHOUSE_WRITE_DOCS"):
        PAGES[place].write_text(page(place), encoding="utf-8")
    assert PAGES[place].read_text(encoding="utf-8") == page(place)
