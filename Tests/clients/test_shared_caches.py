"""A cache in front that everybody shares: nginx with `proxy_cache`, as people put it there."""

import os
import pwd

import pytest

from support.clients import presigned, signed
from support.gateways import NGINX_FRAME, nginx_binary
from support.people import ALICE, FULL, everywhere
from support.ports import free_port
from support.process import Process
from support.raw import RawConnection
from support.stub_store import response

CACHE = """
proxy_cache_path {folder}/cache keys_zone=shared:1m;
server {{
    listen 127.0.0.1:{port};
    location / {{
        proxy_pass http://127.0.0.1:{behind};
        proxy_set_header Host $http_host;
        proxy_cache shared;
        add_header X-Cache $upstream_cache_status always;
    }}
}}
"""


@pytest.fixture
def cached(gateway, stub_store, tmp_path):
    """Makes a gateway with a cache in front and a store that says what it is told; asks through the cache."""
    caches = []

    def make(fields, anonymous=False):
        store = stub_store(response(body=b"for alice", headers=fields))
        gate = gateway({
            "buckets": [{
                "name": "photos", "backend_type": "s3", "anonymous_access": anonymous, "backend_options": {
                    "endpoint": store.endpoint, "region": "us-east-1", "access_key_id": "AKBACKEND00000000000",
                    "secret_access_key": "backend-secret-of-the-stub"}}],
            "credentials": [FULL.entry(everywhere())],
            "users": [ALICE.entry("user", ["photos"])],
        })
        folder, port = tmp_path / "nginx", free_port()
        folder.mkdir()
        (folder / "gatehouse.conf").write_text(CACHE.format(folder=folder, port=port, behind=gate.port))
        # Its worker has to reach the folder, which is ours alone.
        user = f"user {pwd.getpwuid(os.getuid()).pw_name};"
        (folder / "nginx.conf").write_text(user + NGINX_FRAME.format(folder=folder))
        nginx = Process(
            "nginx", [nginx_binary(), "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"], folder, cwd=folder
        )
        caches.append(nginx)

        def ask(target, headers=()):
            with RawConnection(port) as connection:
                host = {"Host": f"127.0.0.1:{gate.port}"}
                return connection.request("GET", target, {**host, **dict(headers)}).answer()

        nginx.wait_until(lambda: ask("/-/health")[0] == 200, 120)
        return gate, ask

    yield make
    for cache in caches:
        cache.stop()


@pytest.mark.parametrize("stored", [
    [("Cache-Control", "public, max-age=600")], [("Cache-Control", "max-age=600"), ("Vary", "Accept-Encoding")],
    [("Expires", "Thu, 01 Jan 2099 00:00:00 GMT")], [("Cache-Control", "s-maxage=600"), ("X-Accel-Expires", "600")],
])
def test_object_read_with_an_api_key_is_handed_to_strangers_by_a_shared_cache(cached, stored):
    _, ask = cached(stored)
    for _ in range(2):
        status, headers, body = ask("/photos/private", ALICE.headers)
        assert (status, body) == (200, b"for alice")
        assert headers["cache-control"].startswith("private") and "X-Api-Key" in headers["vary"]
    for strangers in ({}, {"x-api-key": "wrong"}, {"Authorization": "Bearer nothing"}):
        status, headers, body = ask("/photos/private", strangers)
        assert status in (401, 403) and b"for alice" not in body, f"{strangers}: {headers}"


@pytest.mark.parametrize("stored", [
    [("Cache-Control", "public, max-age=600")], [("Cache-Control", "max-age=600"), ("Vary", "Accept-Encoding")],
])
def test_object_that_was_signed_for_is_handed_to_strangers_by_a_shared_cache(cached, stored):
    gate, ask = cached(stored)
    headers = signed("GET", f"{gate.endpoint}/photos/private", FULL.access_key, FULL.secret_key)
    for _ in range(2):
        status, told, body = ask("/photos/private", headers)
        assert (status, body) == (200, b"for alice")
        assert told["cache-control"] == stored[0][1], "clients of S3 are told what is stored"
    for strangers in ({}, {"x-api-key": "wrong"}, {"Authorization": "Bearer nothing"}):
        status, told, body = ask("/photos/private", strangers)
        assert status in (401, 403) and b"for alice" not in body, f"{strangers}: {told}"


def test_what_anybody_may_read_is_still_served_by_the_cache(cached):
    gate, ask = cached([("Cache-Control", "public, max-age=600")], anonymous=True)
    assert ask("/photos/open")[1]["x-cache"] == "MISS"
    assert ask("/photos/open")[1]["x-cache"] == "HIT"
    url = presigned("GET", f"{gate.endpoint}/photos/by-url", FULL.access_key, FULL.secret_key)
    target = url.removeprefix(gate.endpoint)
    assert [ask(target)[1]["x-cache"] for _ in range(2)] == ["MISS", "HIT"]
