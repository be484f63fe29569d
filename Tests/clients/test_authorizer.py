"""[authorizer]: the application is asked last, may veto, and is not waited for longer than the configuration says."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from support.clients import s3_client
from support.gatehouse import eventually
from support.issuer import Issuer
from support.people import ALICE, FULL, User, everywhere
from support.ports import free_port
from support.stub_store import response


BOB = User("bob", "bob-api-key-7c1d0f2e4b6a8899aabbccdd")


class Application:
    """Vetoes keys that contain "veto". `answer` replaces what it says, `delay` makes it late."""

    def __init__(self):
        self.port = free_port()
        self.asked = []
        self.answer = None
        self.status = 200
        self.delay = 0
        self.ttl = None
        application = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                question = json.loads(self.rfile.read(int(self.headers["content-length"])))
                application.asked.append(question)
                time.sleep(application.delay)
                body = application.answer
                if body is None:
                    results = [{"allow": "veto" not in (item["key"] or "")} for item in question["requests"]]
                    if application.ttl is not None:
                        results = [{**result, "ttl": application.ttl} for result in results]
                    body = json.dumps({"results": results})
                self.send_response(application.status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body.encode())
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def section(self, **more):
        return {"url": f"http://127.0.0.1:{self.port}/authorize", "timeout": "10s", **more}


@pytest.fixture
def application():
    made = Application()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def make(gateway, stub_store, application):
    def make(store=None, **more):
        store = store or stub_store(response(body=b"ok"))
        return gateway({
            "accounts": [
                {"name": "stub", "backend_type": "s3", "buckets": ["photos", "docs"],
                 "backend_options": {"endpoint": store.endpoint, "region": "us-east-1"}}
            ],
            "users": [ALICE.entry("user", ["photos"])],
            "credentials": [FULL.entry(everywhere())],
            "authorizer": application.section(),
            **more,
        })

    return make


def test_veto_and_what_the_application_is_told(make, application):
    issuer = Issuer()
    try:
        scopes = [{"bucket": "photos", "prefixes": ["{sub}/"], "actions": ["read"]}]
        gate = make(identity_providers=[issuer.entry(allowed_scopes=scopes)])
        token = issuer.bearer(plan="gold", seats=[1, 2])
        assert gate.request("GET", "/photos/alice/a%20b", token).status == 200
        assert gate.request("GET", "/photos/alice/veto", token).status == 403
        assert gate.request("GET", "/photos/bob/x", token).status == 403
        assert len(application.asked) == 2, "asked about what is denied anyway"
        question = application.asked[0]
        assert question["principal"] == "idp:auth:alice" and question["source_ip"] == "127.0.0.1"
        assert question["claims"]["plan"] == "gold" and question["claims"]["seats"] == [1, 2]
        assert question["requests"] == [{"action": "get_object", "bucket": "photos", "key": "alice/a b"}]
    finally:
        issuer.stop()
    assert eventually(lambda: any(entry.get("reason") == "authorizer" for entry in gate.audit_log()))


@pytest.mark.parametrize("is_asked", [True, False])
def test_what_a_counted_grant_permits_is_carried_here_and_nowhere_else(gateway, stub_store, application, is_asked):
    application.ttl = 60
    store = stub_store(response(body=b"ok"))
    gate = gateway({
        "accounts": [
            {"name": "stub", "backend_type": "s3", "buckets": ["photos"],
             "backend_options": {"endpoint": store.endpoint, "region": "us-east-1", "access_key_id": "AK",
                                 "secret_access_key": "store-secret-0123456789"}}
        ],
        "users": [ALICE.entry("user", ["photos"]), BOB.entry("user", [])],
        **({"authorizer": application.section()} if is_asked else {}),
    })

    def post(path, who, **body):
        return gate.request("POST", "/-/v1/" + path, {**who.headers, "content-type": "application/json"},
                            json.dumps({"bucket": "photos", **body}).encode())

    given = post("grants", ALICE, subject="user:bob", prefix="", actions=["get_object", "put_object"], max_uses=5,
                 expires_at="2099-01-01T00:00:00Z")
    assert given.status == 201, given
    led_here = post("downloads", BOB, key="a")
    assert (led_here.status, led_here.json()["via"]) == (200, "gatehouse"), led_here
    to_the_store = post("downloads", BOB, key="a", via="store")
    assert (to_the_store.status, to_the_store.s3_code) == (409, "ProxyOnly")
    for mode in ["put", "post", "multipart"]:
        slot = post("uploads", BOB, key="b", content_type="image/png", size=3, mode=mode)
        assert (slot.status, slot.s3_code) == (409, "ProxyOnly"), slot
    if is_asked:
        vetoed = post("uploads", BOB, key="veto", content_type="image/png", size=3)
        assert (vetoed.status, vetoed.s3_code) == (403, "AccessDenied"), vetoed
    assert gate.request("GET", "/photos/a", BOB.headers).status == 200


def test_answers_are_remembered_for_as_long_as_they_say(make, application):
    gate = make()
    for _ in range(3):
        assert gate.request("GET", "/photos/a", ALICE.headers).status == 200
    assert len(application.asked) == 3
    application.ttl = 60
    for _ in range(5):
        assert gate.request("GET", "/photos/b", ALICE.headers).status == 200
        assert gate.request("GET", "/photos/veto", ALICE.headers).status == 403
    assert len(application.asked) == 5
    application.ttl = 1
    assert gate.request("GET", "/photos/c", ALICE.headers).status == 200
    assert len(application.asked) == 6
    assert eventually(lambda: gate.request("GET", "/photos/c", ALICE.headers).status == 200 and len(application.asked) > 6)


@pytest.mark.parametrize("trouble", [
    {"answer": "{}"}, {"answer": '{"results":[]}'}, {"answer": '{"results":[{"allow":"yes"}]}'},
    {"answer": '{"results":[{"allow":false,"allow":true}]}'}, {"answer": '{"results":[{"allow":true},{"allow":true}]}'},
    {"answer": '{"results":[{"allow":true,"ttl":-1}]}'}, {"status": 500}, {"status": 302}, {"delay": 120},
    {"answer": " " * 200_000},
])
@pytest.mark.parametrize("on_error, status", [("deny", 403), ("allow", 200)])
def test_no_proper_answer_in_time(make, application, trouble, on_error, status):
    for name, value in trouble.items():
        setattr(application, name, value)
    gate = make(authorizer=application.section(timeout="300ms", on_error=on_error))
    begun = time.monotonic()
    assert gate.request("GET", "/photos/a", ALICE.headers).status == status
    assert time.monotonic() - begun < 60


def test_batch_of_deletions_is_one_question(make, application, north):
    gate = make(store=north, credentials=[FULL.entry(everywhere())], accounts=[
        {"name": "north", "backend_type": "s3", "buckets": ["photos"],
         "backend_options": {"endpoint": north.endpoint, "region": "us-east-1",
                             "access_key_id": north.access_key, "secret_access_key": north.secret_key}}
    ])
    s3 = s3_client(gate.endpoint, FULL.access_key, FULL.secret_key)
    keys = ["authorizer/a", "authorizer/veto", "authorizer/b"]
    north_s3 = s3_client(north.endpoint, north.access_key, north.secret_key)
    for key in keys:
        north_s3.put_object(Bucket="photos", Key=key, Body=b"x")
    answer = s3.delete_objects(Bucket="photos", Delete={"Objects": [{"Key": key} for key in keys]})
    assert sorted(item["Key"] for item in answer["Deleted"]) == ["authorizer/a", "authorizer/b"]
    assert [(item["Key"], item["Code"]) for item in answer["Errors"]] == [("authorizer/veto", "AccessDenied")]
    assert len(application.asked) == 1
    assert [item["key"] for item in application.asked[0]["requests"]] == keys
    left = north_s3.list_objects_v2(Bucket="photos", Prefix="authorizer/")
    assert [item["Key"] for item in left["Contents"]] == ["authorizer/veto"]
