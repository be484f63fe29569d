"""Pages of other origins: preflights, the fields on every answer, and a real browser."""

import http.server
import json
import shutil
import subprocess
import threading

import pytest
from support.browser import needs_chromium
from support.clients import presigned
from support.people import FULL, account, everywhere
from support.raw import RawConnection

APP = "https://app.example.com"
VARY = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"


@pytest.fixture(scope="module")
def page_origin():
    """An origin with an empty page, for a browser to stand on."""

    class Page(http.server.BaseHTTPRequestHandler):
        html = b"<!doctype html>"

        def do_GET(self):
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(Page.html)))
            self.end_headers()
            self.wfile.write(Page.html)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", Page
    server.shutdown()


@pytest.fixture(scope="module")
def cors_gate(tmp_path_factory, north, page_origin):
    from support.gatehouse import Gatehouse

    rule = {
        "allowed_origins": [APP, page_origin[0]], "allowed_methods": ["GET", "PUT", "HEAD"],
        "allowed_headers": ["content-type", "x-amz-*"], "expose_headers": ["x-amz-meta-colour"], "max_age": "10m",
    }
    store = {"bucket_name": "shared"}
    config = {
        "server": {"domains": ["s3.localhost"], "cors": [{"allowed_origins": [APP]}]},
        "accounts": [account("north", north, ["docs"])],
        "buckets": [
            {"name": "web", "account": "north", "backend_prefix": "web", "backend_options": store, "cors": [rule]},
            {"name": "single", "account": "north", "backend_prefix": "one", "backend_options": store,
             "anonymous_access": True, "cors": {"allowed_origins": ["*"]}},
        ],
        "credentials": [FULL.entry(everywhere())],
    }
    gateway = Gatehouse(tmp_path_factory.mktemp("cors"), config).start()
    yield gateway
    gateway.stop()


def preflight(gate, target, origin=APP, method="PUT", headers="content-type", host="127.0.0.1"):
    asked = {"Host": host, "Origin": origin, "Access-Control-Request-Method": method}
    if headers:
        asked["Access-Control-Request-Headers"] = headers
    with RawConnection(gate.port) as connection:
        return connection.request("OPTIONS", target, asked).answer()


@pytest.mark.parametrize("path, host", [("/web/a/b%20c", "127.0.0.1"), ("/a/b%20c", "WEB.s3.localhost.:9000")])
def test_preflight_needs_no_credential(cors_gate, path, host):
    status, headers, body = preflight(cors_gate, path, host=host)
    assert (status, body) == (200, b"")
    assert headers["access-control-allow-origin"] == APP
    assert headers["access-control-allow-methods"] == "GET, PUT, HEAD"
    assert headers["access-control-allow-headers"] == "content-type"
    assert headers["access-control-max-age"] == "600"
    assert headers["vary"] == VARY
    assert "x-amz-request-id" in headers


@pytest.mark.parametrize("change", [
    {"origin": "https://evil.example"}, {"method": "DELETE"}, {"headers": "authorization"}, {"target": "/nobodys/key"},
    {"target": "/"},
])
def test_preflight_that_no_rule_allows_is_403(cors_gate, change):
    status, headers, body = preflight(cors_gate, **{"target": "/web/key", **change})
    assert status == 403 and b"<Code>AccessForbidden</Code>" in body and b"CORSResponse" in body
    assert not [name for name in headers if name.startswith("access-control-")]


def test_a_single_table_is_one_rule_for_everybody(cors_gate):
    status, headers, _ = preflight(cors_gate, "/single/key", "https://any.example", "GET", None)
    assert status == 200 and headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in headers


def test_every_answer_carries_the_fields(cors_gate):
    url = f"{cors_gate.endpoint}/web/fields"
    origin = {"Origin": APP}

    def ask(method, url, body=None, headers=None):
        asked = {**origin, **(headers or {})}
        return cors_gate.request(method, url[len(cors_gate.endpoint):], headers=asked, body=body)

    def link(method):
        return presigned(method, url, FULL.access_key, FULL.secret_key)

    stored = ask("PUT", link("PUT"), b"text")
    answers = [stored, ask("GET", link("GET")), ask("HEAD", link("HEAD")),
               ask("GET", link("GET"), headers={"If-None-Match": stored.headers["ETag"]}),
               ask("GET", link("GET") + "0"), ask("GET", url), ask("GET", url + "/%zz"), ask("GET", link("GET") + "&x=y"),
               ask("GET", presigned("GET", url + "-none", FULL.access_key, FULL.secret_key))]
    assert [answer.status for answer in answers][:4] == [200, 200, 200, 304]
    assert all(answer.status >= 400 for answer in answers[4:])
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == APP
        assert "ETag" in answer.headers["access-control-expose-headers"]
        assert "Origin" in answer.headers["vary"]
        assert len(answer.headers.get_all("access-control-allow-origin")) == len(answer.headers.get_all("vary")) == 1


def test_answers_without_an_origin_say_what_they_vary_by(cors_gate):
    answer = cors_gate.request("GET", "/web/none")
    assert answer.headers["vary"] == VARY and "access-control-allow-origin" not in answer.headers


def test_our_own_paths_have_the_servers_rules(cors_gate):
    assert preflight(cors_gate, "/-/health", method="GET", headers=None)[0] == 200
    assert preflight(cors_gate, "/-/health", "https://evil.example", "GET", None)[0] == 403
    answer = cors_gate.request("GET", "/-/health", headers={"Origin": APP})
    assert answer.status == 200 and answer.headers["access-control-allow-origin"] == APP


def test_a_bucket_without_rules_has_those_of_its_store(cors_gate, north_s3):
    rule = {"AllowedOrigins": ["https://store.example"], "AllowedMethods": ["GET"], "AllowedHeaders": ["x-amz-*"]}
    north_s3.put_bucket_cors(Bucket="docs", CORSConfiguration={"CORSRules": [rule]})
    try:
        status, headers, _ = preflight(cors_gate, "/docs/key", "https://store.example", "GET", "x-amz-date")
        assert status == 200 and headers["access-control-allow-origin"] == "https://store.example"
        status, headers, body = preflight(cors_gate, "/docs/key", "https://evil.example", "GET", None)
        assert status == 403 and b"AccessForbidden" in body
    finally:
        north_s3.delete_bucket_cors(Bucket="docs")


@needs_chromium
def test_a_page_in_a_browser_puts_and_gets(cors_gate, page_origin, tmp_path):
    """The page stands on one origin and the bucket on another: preflight, PUT, ETag, GET, and a refusal it can read."""
    origin, page = page_origin
    key = f"{cors_gate.endpoint}/web/from a browser.txt".replace(" ", "%20")
    links = {method: presigned(method, key, FULL.access_key, FULL.secret_key) for method in ("PUT", "GET")}
    page.html = ("""<!doctype html><pre id=out></pre><script>
    const links = LINKS, out = {};
    (async () => {
      try {
        const put = await fetch(links.PUT, {method: "PUT", body: "from a page", headers: {"content-type": "text/x-page"}});
        out.put = [put.status, put.headers.get("etag"), !!put.headers.get("x-amz-request-id")];
        const got = await fetch(links.GET);
        out.get = [got.status, await got.text(), got.headers.get("content-type")];
        const refused = await fetch(links.GET + "0");
        out.refused = [refused.status, (await refused.text()).includes("<Code>")];
        out.forbidden = await fetch(links.GET, {method: "DELETE"}).then(() => "let through", () => "kept from the page");
      } catch (error) { out.error = String(error); }
      document.getElementById("out").textContent = "RESULT" + JSON.stringify(out) + "END";
    })();
    </script>""".replace("LINKS", json.dumps(links))).encode()
    done = subprocess.run(
        [shutil.which("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=10000", "--dump-dom", origin + "/"],
        capture_output=True, text=True, timeout=300,
    )
    assert "RESULT{" in done.stdout, done.stdout[-500:] + done.stderr[-500:]
    out = json.loads(done.stdout.split("RESULT", 1)[1].split("END", 1)[0])
    assert "error" not in out, out
    assert out["put"][0] == 200 and out["put"][1].startswith('"') and out["put"][2]
    assert out["get"] == [200, "from a page", "text/x-page"]
    assert out["refused"] == [400, True] and out["forbidden"] == "kept from the page"
