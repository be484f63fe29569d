"""TLS, PROXY protocol, forwarded addresses, and what is sent on to stores."""

import http.client
import socket
import ssl
import struct
import time

import pytest
from cryptography import x509

from support.authority import Authority
from support.clients import presigned, s3_client, signed
from support.gatehouse import eventually
from support.people import ALICE, FULL, everywhere
from support.raw import RawConnection
from support.stub_store import response, s3_error


def config(store, **more):
    return {
        "accounts": [
            {"name": "stub", "backend_type": "s3", "buckets": ["photos"],
             "backend_options": {
                 "endpoint": store.endpoint, "region": "eu-west-9",
                 "access_key_id": "AKBACKEND00000000000", "secret_access_key": "backend-secret-of-the-stub",
             }}
        ],
        "credentials": [FULL.entry(everywhere())],
        "users": [ALICE.entry("user", ["photos"])],
        **more,
    }


def served_serial(port, authority):
    context = ssl.create_default_context(cafile=str(authority))
    with socket.create_connection(("127.0.0.1", port), timeout=120) as raw:
        with context.wrap_socket(raw, server_hostname="localhost") as connection:
            return x509.load_der_x509_certificate(connection.getpeercert(binary_form=True)).serial_number


def test_tls_listener_and_certificate_reload_without_a_lost_request(gateway, stub_store, tmp_path):
    folder = tmp_path / "gatehouse"
    folder.mkdir()
    authority = Authority()
    first = authority.write(folder)
    store = stub_store(response(body=b"over tls"))
    gate = gateway(
        config(store, server={"tls": {"certificate": "file:tls.crt", "private_key": "file:tls.key"}}),
        tls=folder / "ca.crt",
    )
    assert served_serial(gate.port, folder / "ca.crt") == first
    s3 = s3_client(gate.endpoint, FULL.access_key, FULL.secret_key, verify=str(folder / "ca.crt"))
    assert s3.get_object(Bucket="photos", Key="x")["Body"].read() == b"over tls"
    kept = gate.connection()
    kept.request("GET", "/photos/x", headers=ALICE.headers)
    assert kept.getresponse().read() == b"over tls"
    second = authority.write(folder)
    assert eventually(lambda: served_serial(gate.port, folder / "ca.crt") == second)
    kept.request("GET", "/photos/x", headers=ALICE.headers)
    assert kept.getresponse().read() == b"over tls", "an open connection was lost over the reload"


def test_tls_speaks_http11_and_nothing_older_than_tls12(gateway, stub_store, tmp_path):
    folder = tmp_path / "gatehouse"
    folder.mkdir()
    Authority().write(folder)
    gate = gateway(
        config(stub_store(), server={"tls": {"certificate": "file:tls.crt", "private_key": "file:tls.key"}}),
        tls=folder / "ca.crt",
    )
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection(("127.0.0.1", gate.port), timeout=120) as raw:
        with context.wrap_socket(raw, server_hostname="localhost") as connection:
            assert connection.selected_alpn_protocol() == "http/1.1"
    answer = gate.request("GET", "/-/health")
    assert answer.headers["Strict-Transport-Security"], "no HSTS although clients come over https"


@pytest.mark.parametrize("behind_balancer", [False, True])
def test_plain_http_on_the_tls_port_ends_without_a_word(gateway, stub_store, tmp_path, behind_balancer):
    folder = tmp_path / "gatehouse"
    folder.mkdir()
    Authority().write(folder)
    store = stub_store(response(body=b"ok"))
    server = {"tls": {"certificate": "file:tls.crt", "private_key": "file:tls.key"}}
    if behind_balancer:
        server |= {"proxy_protocol": True, "trusted_proxies": ["127.0.0.0/8"]}
    gate = gateway(config(store, server=server), start=False, tls=folder / "ca.crt")
    gate.ready_on_admin = behind_balancer
    gate.start()
    preamble = b"PROXY TCP4 203.0.113.9 127.0.0.1 5555 9000\r\n" if behind_balancer else b""
    for request in ("GET /photos/x HTTP/1.1\r\nHost: a\r\n\r\n", "G", "PUT /photos/x HTTP/1.1\r\n" + "a: b\r\n" * 50_000):
        with RawConnection(gate.port) as connection:
            connection.send(preamble)
            connection.send(request)
            status, headers, body = connection.answer()
            assert (status, headers["connection"]) == (400, "close") and body == b"This port speaks https, not plain http.\r\n"
            assert connection.rest() == b""
    assert store.seen == []
    # What is neither is TLS's to refuse; what is TLS is served.
    with RawConnection(gate.port) as connection:
        connection.send(preamble + b"\x00nothing\r\n\r\n")
        assert not connection.rest().startswith(b"HTTP")
    if not behind_balancer:
        assert gate.request("GET", "/photos/x", ALICE.headers).status == 200


def test_backend_certificate_is_verified(gateway, tmp_path):
    """A store whose certificate nobody vouches for is not spoken to; with `ca_certificate` it is."""
    import threading

    folder = tmp_path / "gatehouse"
    context = Authority().listening(folder)
    listener = socket.create_server(("127.0.0.1", 0))
    requests = []

    def serve():
        while True:
            try:
                raw, _ = listener.accept()
                with context.wrap_socket(raw, server_side=True) as connection:
                    requests.append(connection.recv(65536))
                    connection.sendall(response(body=b"secure"))
            except ssl.SSLError:
                continue
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    endpoint = f"https://localhost:{listener.getsockname()[1]}"

    def options(**more):
        return {"endpoint": endpoint, "region": "us-east-1", "connect_timeout": "2s", **more}

    gate = gateway({
        "buckets": [
            {"name": "trusted", "backend_type": "s3",
             "backend_options": options(bucket_name="b", ca_certificate="file:ca.crt")},
            {"name": "unknown-issuer", "backend_type": "s3", "backend_options": options(bucket_name="b")},
        ],
        "users": [ALICE.entry("user", ["*"])],
    })
    bad = gate.request("GET", "/unknown-issuer/x", ALICE.headers)
    # Over the bucket that trusts it, the store may have been asked what it is.
    assert bad.status in (502, 503) and not [raw for raw in requests if not raw.startswith(b"GET / ")]
    good = gate.request("GET", "/trusted/x", ALICE.headers)
    assert (good.status, good.body) == (200, b"secure")
    listener.close()


def last_client(gate, path):
    lines = eventually(lambda: [line for line in gate.access_log() if line["path"] == path])
    assert lines, f"no access log line for {path}"
    return lines[-1]["client"]


@pytest.mark.parametrize("version", [1, 2])
def test_proxy_protocol_gives_the_clients_address(gateway, stub_store, version):
    gate = gateway(
        config(stub_store(response(body=b"ok")), server={"proxy_protocol": True, "trusted_proxies": ["127.0.0.0/8"]}),
        start=False,
    )
    gate.ready_on_admin = True
    gate.start()
    if version == 1:
        preamble = b"PROXY TCP4 203.0.113.9 127.0.0.1 5555 9000\r\n"
    else:
        addresses = socket.inet_aton("203.0.113.9") + socket.inet_aton("127.0.0.1") + struct.pack("!HH", 5555, 9000)
        preamble = b"\r\n\r\n\0\r\nQUIT\n" + bytes([0x21, 0x11]) + struct.pack("!H", len(addresses)) + addresses
    with RawConnection(gate.port) as connection:
        connection.send(preamble)
        status, _, body = connection.request("GET", f"/photos/v{version}", ALICE.headers).answer()
        assert (status, body) == (200, b"ok")
    assert last_client(gate, f"/photos/v{version}") == "203.0.113.9"


def test_proxy_protocol_is_required_where_it_is_configured(gateway, stub_store):
    gate = gateway(
        config(stub_store(), server={"proxy_protocol": True, "trusted_proxies": ["127.0.0.0/8"]}), start=False
    )
    gate.ready_on_admin = True
    gate.start()
    with RawConnection(gate.port) as connection:
        connection.request("GET", "/-/health")
        assert not connection.rest().startswith(b"HTTP/1.1 200")


def test_proxy_preamble_of_somebody_who_may_not_speak_for_others_is_not_read(gateway, stub_store):
    store = stub_store(response(body=b"ok"))
    gate = gateway(
        config(store, server={"proxy_protocol": True, "trusted_proxies": ["10.0.0.0/8"]}), start=False
    )
    gate.ready_on_admin = True
    gate.start()
    for preamble in (b"PROXY TCP4 10.0.0.9 127.0.0.1 5555 9000\r\n", b""):
        with RawConnection(gate.port) as connection:
            try:
                connection.send(preamble)
                connection.request("GET", "/photos/x", ALICE.headers)
                assert connection.rest() == b""
            except OSError:
                pass
    assert store.seen == []
    time.sleep(0.3)
    assert gate.access_log() == []


def test_errors_behind_a_trusted_proxy_name_what_its_host_names(gateway, stub_store):
    store = stub_store()
    store.stop()
    gate = gateway(config(store, server={"trusted_proxies": ["127.0.0.0/8"], "domains": ["s3.example.com"]}))
    forwarded = {"X-Forwarded-Host": "photos.s3.example.com"}
    denied = gate.request("GET", "/a/b", forwarded)
    assert denied.status == 403 and b"<Resource>/photos/a/b</Resource>" in denied.body
    # The store that can't be reached is said by another part than what is denied.
    away = gate.request("GET", "/a", {**ALICE.headers, **forwarded})
    assert away.status == 503 and away.json()["error"]["resource"] == "/photos/a"


def test_forwarded_address_counts_only_from_a_trusted_proxy(gateway, stub_store):
    store = stub_store(response(body=b"ok"))
    forwarded = {"X-Forwarded-For": "198.51.100.7, 203.0.113.9, 127.0.0.2", **ALICE.headers}
    trusting = gateway(config(store, server={"trusted_proxies": ["127.0.0.0/8"]}), name="trusting")
    trusting.request("GET", "/photos/forwarded", forwarded)
    assert last_client(trusting, "/photos/forwarded") == "203.0.113.9", "the rightmost that is no trusted proxy"
    plain = gateway(config(store), name="plain")
    plain.request("GET", "/photos/forwarded", forwarded)
    assert last_client(plain, "/photos/forwarded") == "127.0.0.1"


def test_signature_may_be_for_the_forwarded_host_of_a_trusted_proxy(gateway, stub_store):
    store = stub_store(response(body=b"ok"))
    headers = signed("GET", "https://files.example.com/photos/x", FULL.access_key, FULL.secret_key)
    headers = {**headers, "X-Forwarded-Host": "files.example.com", "X-Forwarded-Proto": "https"}
    trusting = gateway(config(store, server={"trusted_proxies": ["127.0.0.0/8"]}), name="trusting")
    assert trusting.request("GET", "/photos/x", headers).status == 200
    plain = gateway(config(store), name="plain")
    assert plain.request("GET", "/photos/x", headers).status == 403


@pytest.mark.parametrize("way", ["presigned", "header"])
def test_signature_for_one_buckets_host_opens_no_other_bucket(gateway, stub_store, way):
    """Proxies exist that pass a client's own X-Forwarded-Host on: the bucket it names must be the signed one."""
    store = stub_store(response(body=b"ok"))
    settings = config(store, server={"trusted_proxies": ["127.0.0.0/8"], "domains": ["s3.example.com"]})
    settings["accounts"][0]["buckets"] = ["alpha", "bravo"]
    settings["users"] = []
    gate = gateway(settings)
    url, headers = "http://alpha.s3.example.com/key", {"Host": "alpha.s3.example.com"}
    target = "/key"
    if way == "presigned":
        target = presigned("GET", url, FULL.access_key, FULL.secret_key).removeprefix("http://alpha.s3.example.com")
    else:
        headers |= signed("GET", url, FULL.access_key, FULL.secret_key)
    for other in ("bravo.s3.example.com", "BRAVO.S3.example.com:80", "nobodys.s3.example.com", "s3.example.com"):
        answer = gate.request("GET", target, {**headers, "X-Forwarded-Host": other})
        assert (answer.status, answer.s3_code) == (403, "SignatureDoesNotMatch"), other
    assert store.seen == [], "another bucket was read"
    for same in ({}, {"X-Forwarded-Host": "alpha.s3.example.com"}):
        assert gate.request("GET", target, {**headers, **same}).status == 200
    assert [seen.target for seen in store.seen] == ["/alpha/key"] * 2


def test_store_sees_a_clean_request_signed_with_its_own_credential(gateway, stub_store):
    store = stub_store(response(headers=[("ETag", '"e"')]))
    gate = gateway(config(store))
    gate.request(
        "PUT", "/photos/a%20b%2Bc%2F%C3%BC", {
            **ALICE.headers, "Cookie": "session=1", "X-Forwarded-For": "1.2.3.4", "Forwarded": "for=1.2.3.4",
            "Connection": "x-drop-me", "X-Drop-Me": "1", "Content-Type": "text/x-a", "x-amz-meta-colour": "blue",
            "x-amz-storage-class": "STANDARD", "Cache-Control": "no-cache", "TE": "trailers", "Proxy-Authorization": "x",
        }, b"body",
    )
    seen = store.seen[0]
    assert (seen.method, seen.target, seen.body) == ("PUT", "/photos/a%20b%2Bc/%C3%BC", b"body")
    for name in ("cookie", "x-api-key", "x-forwarded-for", "forwarded", "x-drop-me", "te", "proxy-authorization"):
        assert seen.header(name) is None, name
    assert seen.header("content-type") == "text/x-a" and seen.header("cache-control") == "no-cache"
    assert seen.header("x-amz-meta-colour") == "blue" and seen.header("x-amz-storage-class") == "STANDARD"
    assert seen.header("host") == store.endpoint.removeprefix("http://")
    authorization = seen.header("authorization")
    assert "AKBACKEND00000000000/" in authorization and "/eu-west-9/s3/aws4_request" in authorization
    signed_names = authorization.split("SignedHeaders=")[1].split(",")[0].split(";")
    for name, _ in seen.headers:
        assert not name.lower().startswith("x-amz-") or name.lower() in signed_names, f"{name} is not signed"
    assert seen.count("host") == seen.count("content-length") == seen.count("authorization") == 1


@pytest.mark.parametrize("verb", ["GET", "HEAD"])
def test_ranges_and_conditions_of_reads_reach_the_store(gateway, stub_store, verb):
    store = stub_store(response(206, headers=[("ETag", '"e"'), ("Content-Range", "bytes 2-5/10")], body=b"2345"))
    gate = gateway(config(store))
    asked = {"Range": "bytes=2-5", "If-Range": '"e"', "If-Match": '"e"', "If-None-Match": '"f"',
             "If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT", "If-Unmodified-Since": "Mon, 01 Jan 2040 00:00:00 GMT"}
    answer = gate.request(verb, "/photos/a", {**ALICE.headers, **asked})
    assert (answer.status, answer.headers["content-range"]) == (206, "bytes 2-5/10")
    assert {name: store.seen[-1].header(name.lower()) for name in asked} == asked


def test_signed_payload_hash_is_passed_on(gateway, stub_store):
    import hashlib

    store = stub_store(response(headers=[("ETag", '"e"')]))
    gate = gateway(config(store))
    s3_client(gate.endpoint, FULL.access_key, FULL.secret_key).put_object(
        Bucket="photos", Key="hashed", Body=b"known content"
    )
    assert store.seen[0].header("x-amz-content-sha256") == hashlib.sha256(b"known content").hexdigest()
    assert FULL.access_key not in store.seen[0].header("authorization")


def test_answers_of_stores_are_cleaned(gateway, stub_store):
    store = stub_store(response(
        headers=[("Set-Cookie", "a=1"), ("WWW-Authenticate", "Basic"), ("Keep-Alive", "timeout=1"),
                 ("X-Forwarded-For", "10.0.0.1"), ("ETag", '"e"'), ("x-amz-meta-kept", "1"),
                 ("Last-Modified", "Fri, 01 Jan 2027 00:00:00 GMT")],
        body=b"clean",
    ))
    answer = gateway(config(store)).request("GET", "/photos/x", ALICE.headers)
    assert answer.body == b"clean" and answer.headers["x-amz-meta-kept"] == "1" and answer.headers["ETag"] == '"e"'
    for name in ("Set-Cookie", "WWW-Authenticate", "Keep-Alive", "X-Forwarded-For"):
        assert answer.headers[name] is None, name


@pytest.mark.parametrize(
    "code, status",
    [("InvalidAccessKeyId", 403), ("SignatureDoesNotMatch", 403), ("ExpiredToken", 400), ("RequestTimeTooSkewed", 403)],
)
def test_trouble_with_our_own_credential_is_not_the_clients_fault(gateway, stub_store, code, status):
    gate = gateway(config(stub_store(s3_error(status, code))))
    answer = gate.request("GET", "/photos/x", ALICE.headers)
    assert (answer.status, answer.s3_code) == (502, "BackendAuthFailed")
    assert "hidden" not in answer.text and "upstream-id" not in answer.text


def test_plain_denial_of_the_store_is_access_denied(gateway, stub_store):
    answer = gateway(config(stub_store(s3_error(403, "AccessDenied")))).request("GET", "/photos/x", ALICE.headers)
    assert (answer.status, answer.s3_code) == (403, "AccessDenied")
    assert "hidden" not in answer.text


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_of_stores_are_neither_followed_nor_passed_on(gateway, stub_store, status):
    store = stub_store(response(status, [("Location", "http://169.254.169.254/"), ("x-amz-bucket-region", "eu-1")]))
    answer = gateway(config(store)).request("GET", "/photos/x", ALICE.headers)
    assert answer.status == 502 and answer.headers["Location"] is None
    assert len(store.seen) == 1


def test_nonsense_from_a_store_is_a_clean_502(gateway, stub_store):
    for nonsense in (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
                     b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello",
                     b"HTTP/9.9 banana\r\n\r\n"):
        answer = gateway(config(stub_store(nonsense)), name=f"g{len(nonsense)}").request(
            "GET", "/photos/x", ALICE.headers
        )
        assert answer.status == 502 and answer.json()["error"]["code"], nonsense


def test_complete_that_fails_late_inside_a_200_is_passed_on_as_an_error_body(gateway, stub_store):
    body = b'<?xml version="1.0"?><Error><Code>InternalError</Code><Message>late</Message></Error>'
    store = stub_store(response(body=body, headers=[("Content-Type", "application/xml")]))
    gate = gateway(config(store))
    s3 = s3_client(gate.endpoint, FULL.access_key, FULL.secret_key)
    with pytest.raises(Exception) as error:
        s3.complete_multipart_upload(
            Bucket="photos", Key="x", UploadId="u", MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": '"e"'}]}
        )
    assert "InternalError" in str(error.value)


def test_gzip_and_lengthless_answers_pass_unchanged(gateway, stub_store):
    import gzip

    packed = gzip.compress(b"text" * 1000)
    lengthless = response(headers=[("Content-Encoding", "gzip"), ("Connection", "close")], length=False) + packed
    store = stub_store(lengthless)
    store.close_after_answer = True
    answer = gateway(config(store)).request("GET", "/photos/x", ALICE.headers)
    assert answer.headers["Content-Encoding"] == "gzip" and answer.body == packed
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n3;x=y\r\nefg\r\n0\r\n\r\n"
    answer = gateway(config(stub_store(chunked)), name="chunked").request("GET", "/photos/x", ALICE.headers)
    assert answer.body == b"abcdefg"
