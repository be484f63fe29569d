"""Buckets in the host: every way that clients write it, over http and over TLS."""

import socket
import ssl

import pytest
from support.authority import Authority
from support.clients import CommandLine, s3_client, signed
from support.people import FULL, account, everywhere
from support.raw import RawConnection

DOTTED = "with.dots.in-it"


@pytest.fixture(scope="module")
def hosts_config(north):
    store = s3_client(north.endpoint, north.access_key, north.secret_key)
    store.create_bucket(Bucket=DOTTED)
    return {
        "server": {"domains": ["s3.localhost", "deep.s3.localhost"]},
        "accounts": [account("north", north, ["docs", DOTTED])],
        "buckets": [{"name": "public", "account": "north", "anonymous_access": True,
                     "backend_options": {"bucket_name": "open-data"}}],
        "credentials": [FULL.entry(everywhere())],
    }


@pytest.fixture(scope="module")
def host_gate(tmp_path_factory, hosts_config):
    from support.gatehouse import Gatehouse

    gateway = Gatehouse(tmp_path_factory.mktemp("hosts"), hosts_config).start()
    yield gateway
    gateway.stop()


@pytest.fixture(scope="module")
def tls_gate(tmp_path_factory, hosts_config):
    from support.gatehouse import Gatehouse

    folder = tmp_path_factory.mktemp("tls-hosts")
    Authority("s3.localhost", "*.s3.localhost").write(folder)
    tls = {"certificate": "file:tls.crt", "private_key": "file:tls.key"}
    config = {**hosts_config, "server": {**hosts_config["server"], "tls": tls}}
    gateway = Gatehouse(folder, config, tls=folder / "ca.crt").start()
    yield gateway
    gateway.stop()


def ask(gate, host, target="/", headers=None, method="GET"):
    with RawConnection(gate.port) as connection:
        status, fields, body = connection.request(method, target, {"Host": host, **(headers or {})}).answer(method)
    return status, body


@pytest.mark.parametrize("bucket", ["docs", DOTTED])
def test_boto3_over_http(host_gate, bucket):
    s3 = s3_client(f"http://s3.localhost:{host_gate.port}", FULL.access_key, FULL.secret_key, addressing="virtual")
    exercise(s3, bucket)


def test_boto3_over_tls(tls_gate):
    s3 = s3_client(
        f"https://s3.localhost:{tls_gate.port}", FULL.access_key, FULL.secret_key, addressing="virtual",
        verify=str(tls_gate.tls),
    )
    exercise(s3, "docs")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "docs", "Key": "hosts/a +ü"})
    assert url.startswith(f"https://docs.s3.localhost:{tls_gate.port}/hosts/")


def exercise(s3, bucket):
    s3.put_object(Bucket=bucket, Key="hosts/a +ü", Body=b"by host")
    assert s3.get_object(Bucket=bucket, Key="hosts/a +ü")["Body"].read() == b"by host"
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket, Prefix="hosts/")["Contents"]] == ["hosts/a +ü"]
    assert s3.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert bucket in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]


@pytest.mark.parametrize("host", [
    "docs.s3.localhost", "docs.s3.localhost:{port}", "DOCS.S3.LocalHost:{port}", "docs.s3.localhost.",
    "docs.s3.localhost.:{port}", "docs.deep.s3.localhost",
])
def test_host_as_it_was_sent_is_what_was_signed(host_gate, host):
    host = host.format(port=host_gate.port)
    s3_client(host_gate.endpoint, FULL.access_key, FULL.secret_key).put_object(Bucket="docs", Key="sent", Body=b"x")
    headers = signed("GET", f"http://{host}/sent", FULL.access_key, FULL.secret_key, {"Host": host})
    assert ask(host_gate, host, "/sent", headers) == (200, b"x")
    status, body = ask(host_gate, "public.s3.localhost", "/sent", {**headers, "Host": "public.s3.localhost"})
    assert status == 403 and b"SignatureDoesNotMatch" in body


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]:9000", "[::1]", "s3.localhost", "S3.localhost.:80", "else.example"])
def test_path_style_hosts(host_gate, host):
    assert ask(host_gate, host, "/-/health")[0] == 200
    status, body = ask(host_gate, host, "/public/nothing")
    assert status == 404 and b"<Resource>/public/nothing</Resource>" in body


@pytest.mark.parametrize("host, code", [
    ("a_b.s3.localhost", b"InvalidBucketName"), ("ab.s3.localhost", b"InvalidBucketName"),
    ("-docs.s3.localhost", b"InvalidBucketName"), ("a..docs.s3.localhost", b"InvalidBucketName"),
    ("192.168.0.1.s3.localhost", b"InvalidBucketName"), ("nobodys.public.s3.localhost", b"AccessDenied"),
])
def test_labels_that_are_no_bucket(host_gate, host, code):
    status, body = ask(host_gate, host, "/key")
    assert status in (400, 403, 404) and code in body


@pytest.mark.parametrize("host", ["[::1", "[::g]", "s3.localhost:99999", "s3.localhost:", "a b", "user@s3.localhost", ""])
def test_hosts_that_are_none(host_gate, host):
    assert ask(host_gate, host)[0] == 400


def test_a_key_may_look_like_one_of_our_paths_on_a_virtual_host(host_gate):
    status, body = ask(host_gate, "public.s3.localhost", "/-/health-of-nobody")
    assert status == 404 and b"NoSuchKey" in body


def test_ipv6_listener(gateway, hosts_config):
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            port = probe.getsockname()[1]
    except OSError:
        pytest.skip("no IPv6 here")
    gate = gateway({**hosts_config, "server": {**hosts_config["server"], "listen": f"[::1]:{port}"}}, start=False)
    gate.ready_on_admin = True
    gate.start()
    s3 = s3_client(f"http://[::1]:{port}", FULL.access_key, FULL.secret_key)
    s3.put_object(Bucket="docs", Key="six", Body=b"x")
    assert s3.get_object(Bucket="docs", Key="six")["Body"].read() == b"x"


def test_certificate_and_bucket_need_not_agree_for_a_client_that_checks(tls_gate):
    """A bucket with dots is not covered by a wildcard: such clients use the path, where the same object is."""
    context = ssl.create_default_context(cafile=str(tls_gate.tls))
    with socket.create_connection(("127.0.0.1", tls_gate.port)) as raw:
        with pytest.raises(ssl.SSLCertVerificationError):
            context.wrap_socket(raw, server_hostname=f"{DOTTED}.s3.localhost")
    s3 = s3_client(f"https://s3.localhost:{tls_gate.port}", FULL.access_key, FULL.secret_key, verify=str(tls_gate.tls))
    exercise(s3, DOTTED)


def test_aws_cli_with_virtual_addressing(host_gate, tmp_path):
    """The command resolves names by itself; where the system does not know *.localhost, boto3 has shown the same."""
    try:
        socket.gethostbyname("docs.s3.localhost")
    except OSError:
        pytest.skip("the system does not resolve *.localhost")
    line = CommandLine(f"http://s3.localhost:{host_gate.port}", FULL.access_key, FULL.secret_key, tmp_path)
    with (tmp_path / ".aws" / "config").open("a") as config:
        config.write("    addressing_style = virtual\n")
    assert line.aws("s3", "ls", "s3://docs/").returncode == 0
