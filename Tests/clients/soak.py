"""A mixed load for some minutes: nothing fails, and memory does not grow.

    python Tests/clients/soak.py MINUTES

Reads, writes, lists, deletes, refusals and aborted downloads against a store that answers at once, so that the
gateway and not the store is what is exercised. Passes if no request failed and resident memory grew by less than
1 MB per 100,000 requests, measured after a warm-up; a run too short to tell growth from an allocator's noise passes below
that noise.
"""

import http.client
import os
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from support.clients import presigned  # noqa: E402
from support.gatehouse import Gatehouse  # noqa: E402
from support.people import ALICE, FULL, everywhere  # noqa: E402
from support.stub_store import StubStore, response  # noqa: E402

SMALL = os.urandom(1500)
LARGE = os.urandom(300_000)
LISTING = (
    b'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    b"<Name>b</Name><Prefix>v2/</Prefix><KeyCount>1</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>"
    b"<Contents><Key>v2/a</Key><LastModified>2027-01-01T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag>"
    b"<Size>1</Size><StorageClass>STANDARD</StorageClass></Contents></ListBucketResult>"
)
GROWTH_LIMIT = 1_000_000 / 100_000
"""Bytes per request."""
NOISE = 3_000_000
"""What an allocator may keep or give back at any moment: the bound only where the limit for so few requests is lower."""


def answer(seen):
    if seen.method == "GET" and "list-type" in seen.target:
        return response(headers=[("Content-Type", "application/xml")], body=LISTING)
    if seen.method == "GET":
        return response(headers=[("ETag", '"e"')], body=LARGE if "large" in seen.target else SMALL)
    if seen.method == "DELETE":
        return response(204, reason="No Content", length=False)
    return response(headers=[("ETag", '"e"')])


class Client(threading.Thread):
    """Chooses at random what to do next, and checks each answer."""

    def __init__(self, gate, seed, until):
        super().__init__(daemon=True)
        self.gate, self.until = gate, until
        self.random = random.Random(seed)
        self.done, self.failures = 0, []

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.gate.port, timeout=120)
        while time.monotonic() < self.until:
            try:
                self.step(connection)
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection.close()
            self.done += 1
        connection.close()

    def step(self, connection):
        which = self.random.random()
        key = f"{self.random.randrange(5000)}"
        if which < 0.70:
            self.expect(connection, "GET", f"/photos/{key}", 200, SMALL)
        elif which < 0.78:
            url = presigned("GET", f"{self.gate.endpoint}/photos/p{key}", FULL.access_key, FULL.secret_key)
            self.expect(connection, "GET", url.removeprefix(self.gate.endpoint), 200, SMALL, {})
        elif which < 0.84:
            self.expect(connection, "PUT", f"/photos/{key}", 200, b"", body=SMALL)
        elif which < 0.88:
            self.expect(connection, "GET", "/prefixed?list-type=2", 200)
        elif which < 0.91:
            self.expect(connection, "DELETE", f"/photos/{key}", 204, b"")
        elif which < 0.94:
            self.expect(connection, "GET", f"/forbidden-{key}/x", (403, 404))
        elif which < 0.96:
            self.expect(connection, "GET", f"/photos/{key}", (401, 403, 429), None, {"x-api-key": f"wrong-{key}"})
        elif which < 0.98:
            self.expect(connection, "GET", f"/photos/large-{key}", 200, LARGE)
        else:
            connection.request("GET", f"/photos/large-{key}", headers=ALICE.headers)
            connection.getresponse().read(1000)
            connection.close()

    def expect(self, connection, method, path, status, content=None, headers=None, body=None):
        connection.request(method, path, body=body, headers=ALICE.headers if headers is None else headers)
        got = connection.getresponse()
        received = got.read()
        wanted = status if isinstance(status, tuple) else (status,)
        if got.status not in wanted or (content is not None and received != content):
            self.failures.append(f"{method} {path.split('?')[0]}: {got.status}, {len(received)} bytes")
        if got.will_close:
            connection.close()


def config(store):
    options = {"endpoint": store.endpoint, "region": "us-east-1"}
    return {
        "accounts": [
            {"name": "stub", "backend_type": "s3", "buckets": ["photos"], "backend_options": options}
        ],
        "buckets": [
            {"name": "prefixed", "account": "stub", "backend_prefix": "v2", "backend_options": {"bucket_name": "b"}}
        ],
        "credentials": [FULL.entry(everywhere())],
        "users": [ALICE.entry("user", ["photos", "prefixed"], requests="100000000/1h")],
    }


def allowed_growth(requests):
    """Bytes that resident memory may grow by over so many requests."""
    return max(NOISE, GROWTH_LIMIT * requests)


def soak(minutes, folder, report=print):
    """(requests, failures, bytes of growth, whether it is within the bound)."""
    store = StubStore(answer)
    store.remember = False
    gate = Gatehouse(folder, config(store)).start()
    try:
        seconds = minutes * 60
        warm_up = min(60, seconds / 4)
        end = time.monotonic() + seconds
        clients = [Client(gate, seed, end) for seed in range(8)]
        for client in clients:
            client.start()
        time.sleep(warm_up)
        warm, warm_done = gate.process.resident_bytes(), sum(client.done for client in clients)
        while time.monotonic() < end:
            time.sleep(min(30, max(0.1, end - time.monotonic())))
            report(f"{sum(c.done for c in clients):>9} requests, {gate.process.resident_bytes() / 1e6:.1f} MB")
        for client in clients:
            client.join(180)
        requests = sum(client.done for client in clients)
        failures = [failure for client in clients for failure in client.failures]
        growth = gate.process.resident_bytes() - warm
        bound = allowed_growth(requests - warm_done)
        per_100_000 = growth / max(1, requests - warm_done) * 100_000
        report(
            f"{requests} requests, {len(failures)} failed; resident memory {growth / 1e6:+.2f} MB since the warm-up "
            f"(bound {bound / 1e6:.2f} MB), {per_100_000 / 1e6:+.3f} MB per 100,000 requests"
        )
        return requests, failures, growth, growth < bound
    finally:
        gate.stop()
        store.stop()


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as folder:
        requests, failures, _, within = soak(minutes, Path(folder) / "gatehouse")
    for failure in failures[:20]:
        print(failure)
    sys.exit(0 if requests > 1000 and not failures and within else 1)


if __name__ == "__main__":
    main()
