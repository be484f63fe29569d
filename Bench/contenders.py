"""The proxies under comparison: each does the same work, forwarding to one origin on pooled connections.

Every contender has one thread for traffic and is pinned to core 0; the origin and the load share core 1.
"""

import datetime
import functools
import http.server
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROXY_CORE, LOAD_CORE = "0", "1"
API_KEY = "bench-api-key-0123456789abcdef0123456789"
ACCESS_KEY, SECRET_KEY = "AKBENCH0000000000000", "bench/secret+key0123456789abcdefghijklmn"
BACKEND_KEY, BACKEND_SECRET = "AKORIGIN000000000000", "origin/secret+key0123456789abcdefghijklm"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def free_pair():
    """A port that is free together with the one 10000 above it, where SeaweedFS puts gRPC."""
    while True:
        port = random.randint(12000, 21500)
        try:
            for each in (port, port + 10000):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", each))
            return port
        except OSError:
            continue


def program(name):
    """Where a program is: the virtual environment first, then the PATH and /usr/sbin."""
    for candidate in (Path(sys.prefix) / "bin" / name, ROOT / ".venv" / "bin" / name, Path("/usr/sbin") / name):
        if candidate.exists():
            return str(candidate)
    found = shutil.which(name)
    if not found:
        raise RuntimeError(f"{name} is not installed; run `Scripts/install bench`")
    return found


class Contender:
    """Subclasses give `name`, `command()` and, where they differ, `path`, `headers` and what they can do."""

    name = ""
    note = ""
    can_put = True
    memory_rows = True

    def __init__(self, folder, origin):
        self.folder = Path(folder) / self.name.replace(" ", "-")
        self.folder.mkdir(parents=True)
        self.origin = origin
        self.port = free_port()
        self.process = None
        self.start_seconds = None
        self.idle_bytes = None

    def command(self):
        raise NotImplementedError

    def environment(self):
        return dict(os.environ)

    def path(self, object_name, method="GET"):
        """The request target of an object."""
        return f"/bench/{object_name}"

    def headers(self):
        return {}

    def url(self, object_name, method="GET"):
        return f"http://127.0.0.1:{self.port}{self.path(object_name, method)}"

    def start(self, core=PROXY_CORE, deadline=30):
        output = open(self.folder / "output.txt", "wb")
        began = time.monotonic()
        self.process = subprocess.Popen(
            ["taskset", "-c", core, *self.command()], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            env=self.environment(), cwd=self.folder, start_new_session=True,
        )
        while True:
            if self.process.poll() is not None or time.monotonic() - began > deadline:
                self.stop()
                raise RuntimeError(f"{self.name} does not start:\n{(self.folder / 'output.txt').read_text()[-3000:]}")
            if self.answers():
                break
            time.sleep(0.001)
        self.start_seconds = time.monotonic() - began
        return self

    def answers(self):
        """Whether a small object comes back whole: ready means that the work can be done."""
        return len(self.answer(self.path("1k"))) > 1024

    def answer(self, target):
        """What is answered to a GET, where that is 200."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.settimeout(2)
                fields = {"Host": f"127.0.0.1:{self.port}", "Connection": "close", **self.headers()}
                head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
                connection.sendall(f"GET {target} HTTP/1.1\r\n{head}\r\n".encode())
                answer = b""
                while piece := connection.recv(65536):
                    answer += piece
                return answer if answer.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200")) else b""
        except OSError:
            return b""

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    @property
    def pid(self):
        return self.process.pid

    def version(self):
        return ""


def first_line(command, words=None):
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    text = (done.stdout + done.stderr).strip().splitlines()
    line = text[0].strip() if text else ""
    return " ".join(line.split()[:words]) if words else line


class Origin(Contender):
    """nginx with the objects on tmpfs: the same upstream for all. PUT bodies are read whole and kept on tmpfs."""

    name = "origin"

    def __init__(self, folder):
        super().__init__(folder, None)
        self.objects = self.folder / "objects"
        (self.objects / "bench").mkdir(parents=True)

    def command(self):
        (self.folder / "nginx.conf").write_text(f"""
daemon off; master_process off; worker_processes 1; pid {self.folder}/pid; error_log {self.folder}/error.log crit;
events {{ worker_connections 8192; }}
http {{
    access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 100000000; keepalive_timeout 600s;
    client_body_temp_path {self.folder}/temp; proxy_temp_path {self.folder}/temp2; fastcgi_temp_path {self.folder}/temp3;
    uwsgi_temp_path {self.folder}/temp4; scgi_temp_path {self.folder}/temp5;
    client_max_body_size 0; client_body_buffer_size 256k; default_type application/octet-stream;
    server {{
        listen 127.0.0.1:{self.port} backlog=4096;
        location / {{ root {self.objects}; dav_methods PUT; }}
    }}
}}
""")
        return [program("nginx"), "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]

    access_key, secret_key = BACKEND_KEY, BACKEND_SECRET

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        return super().start(core=LOAD_CORE)

    def put_size(self):
        """How many bytes the object `put` has that somebody uploaded; 0: there is none."""
        stored = self.objects / "bench" / "put"
        return stored.stat().st_size if stored.exists() else 0

    def forget_put(self):
        (self.objects / "bench" / "put").unlink(missing_ok=True)


class Nginx(Contender):
    name = "nginx"
    note = "large buffers; does not sign"

    def command(self):
        (self.folder / "nginx.conf").write_text(f"""
daemon off; master_process off; worker_processes 1; pid {self.folder}/pid; error_log {self.folder}/error.log crit;
events {{ worker_connections 8192; }}
http {{
    access_log off; tcp_nodelay on; keepalive_requests 100000000; keepalive_timeout 600s;
    client_body_temp_path {self.folder}/temp; proxy_temp_path {self.folder}/temp2; fastcgi_temp_path {self.folder}/temp3;
    uwsgi_temp_path {self.folder}/temp4; scgi_temp_path {self.folder}/temp5;
    upstream origin {{ server 127.0.0.1:{self.origin.port}; keepalive 256; keepalive_requests 100000000; }}
    server {{
        listen 127.0.0.1:{self.port} backlog=4096;
        client_max_body_size 0; client_body_buffer_size 256k;
        location / {{
            proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_buffer_size 64k; proxy_buffers 8 128k; proxy_busy_buffers_size 256k; proxy_max_temp_file_size 0;
            proxy_request_buffering off;
        }}
    }}
}}
""")
        return [program("nginx"), "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]

    def version(self):
        return first_line([program("nginx"), "-v"]).removeprefix("nginx version: ")


class Envoy(Contender):
    name = "Envoy"
    note = "aws_request_signing"

    def command(self):
        config = {
            "static_resources": {
                "listeners": [{
                    "address": {"socket_address": {"address": "127.0.0.1", "port_value": self.port}},
                    "filter_chains": [{"filters": [{
                        "name": "envoy.filters.network.http_connection_manager",
                        "typed_config": {
                            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3"
                                     ".HttpConnectionManager",
                            "stat_prefix": "bench", "normalize_path": False, "merge_slashes": False,
                            "generate_request_id": False, "stream_idle_timeout": "0s",
                            "route_config": {"virtual_hosts": [{
                                "name": "all", "domains": ["*"],
                                "routes": [{
                                    "match": {"prefix": "/"}, "route": {"cluster": "origin", "timeout": "0s"},
                                }],
                            }]},
                            "http_filters": [
                                {
                                    "name": "envoy.filters.http.aws_request_signing",
                                    "typed_config": {
                                        "@type": "type.googleapis.com/envoy.extensions.filters.http."
                                                 "aws_request_signing.v3.AwsRequestSigning",
                                        "service_name": "s3", "region": "us-east-1", "use_unsigned_payload": True,
                                        "host_rewrite": f"127.0.0.1:{self.origin.port}",
                                        "credential_provider": {"inline_credential": {
                                            "access_key_id": BACKEND_KEY, "secret_access_key": BACKEND_SECRET,
                                        }},
                                    },
                                },
                                {
                                    "name": "envoy.filters.http.router",
                                    "typed_config": {
                                        "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
                                        "suppress_envoy_headers": True,
                                    },
                                },
                            ],
                        },
                    }]}],
                }],
                "clusters": [{
                    "name": "origin", "type": "STATIC", "connect_timeout": "1s",
                    "circuit_breakers": {"thresholds": [{"max_connections": 4096, "max_requests": 4096,
                                                         "max_pending_requests": 4096}]},
                    "load_assignment": {"cluster_name": "origin", "endpoints": [{"lb_endpoints": [{"endpoint": {
                        "address": {"socket_address": {"address": "127.0.0.1", "port_value": self.origin.port}},
                    }}]}]},
                }],
            }
        }
        path = self.folder / "envoy.json"
        path.write_text(json.dumps(config))
        return [program("envoy"), "-c", str(path), "--concurrency", "1", "--base-id", str(os.getpid() % 30000),
                "--log-level", "error", "--disable-hot-restart"]

    def version(self):
        done = subprocess.run([program("envoy"), "--version"], capture_output=True, text=True, timeout=60)
        found = re.search(r"/(\d+\.\d+\.\d+)/", done.stdout)
        return "envoy/" + found.group(1) if found else "envoy"


class HAProxy(Contender):
    name = "HAProxy"
    note = "splice; does not sign"

    def command(self):
        (self.folder / "haproxy.cfg").write_text(f"""
global
    nbthread 1
    maxconn 4096
defaults
    mode http
    option http-keep-alive
    http-reuse always
    option splice-request
    option splice-response
    timeout connect 2s
    timeout client 600s
    timeout server 600s
frontend in
    bind 127.0.0.1:{self.port} backlog 4096
    default_backend origin
backend origin
    server origin 127.0.0.1:{self.origin.port} pool-max-conn -1
""")
        return [program("haproxy"), "-db", "-f", str(self.folder / "haproxy.cfg")]

    def version(self):
        return " ".join(first_line([program("haproxy"), "-v"]).split()[:3])


class Gatehouse(Contender):
    """Everything on: authentication, a policy document, limits, metrics, audit log and access log, both on tmpfs."""

    name = "Gatehouse, API key"
    note = "authentication, policy, limits, metrics, audit and access log on; signs"

    def command(self):
        folder = self.folder
        policy = {
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::bench/frozen/*",
            }],
        }
        (folder / "policy.json").write_text(json.dumps(policy))
        (folder / "gatehouse.toml").write_text(f"""
[server]
listen = "127.0.0.1:{self.port}"
admin_listen = "127.0.0.1:{free_port()}"

[state]
store = "sqlite:{folder}/gatehouse.db"

[[accounts]]
name = "origin"
backend_type = "s3"
buckets = ["bench"]
[accounts.backend_options]
endpoint = "{self.origin.endpoint}"
region = "us-east-1"
{self.store_credential()}

[[users]]
name = "bench"
api_key = "{API_KEY}"
role = "user"
allowed_buckets = ["bench"]
requests = "1000000000/1h"

[[credentials]]
access_key_id = "{ACCESS_KEY}"
secret_access_key = "{SECRET_KEY}"
principal_name = "bench"
requests = "1000000000/1h"
[[credentials.allowed_scopes]]
bucket = "bench"
prefixes = []
actions = ["read", "list", "write"]

[[policies]]
name = "frozen"
applies_to = ["*"]
document = "file:policy.json"

[access_log]
path = "{folder}/access.log"
format = "json"

[audit]
path = "{folder}/audit.jsonl"
""")
        return [str(gatehouse_binary()), "serve", "--config", str(folder / "gatehouse.toml"), "--loops", "1"]

    def store_credential(self):
        """Of the account's `backend_options`: how Gatehouse is known to the store."""
        return f'access_key_id = "{self.origin.access_key}"\nsecret_access_key = "{self.origin.secret_key}"'

    def headers(self):
        return {"x-api-key": API_KEY}

    def version(self):
        return "gatehouse " + first_line([str(gatehouse_binary()), "version"]).removeprefix("gatehouse ")


class EmbeddedGatehouse(Gatehouse):
    """What starts without a configuration: a store in a folder, on tmpfs, and nothing else. It is started and stands idle."""

    name = "Gatehouse, embedded store"
    note = "without a configuration; ready when its bucket is listed; starting and standing idle only"

    def command(self):
        return [
            str(gatehouse_binary()), "serve", "--loops", "1", "--listen", f"127.0.0.1:{self.port}",
            "--admin-listen", f"127.0.0.1:{free_port()}",
        ]

    def headers(self):
        credentials = self.folder / "data" / ".gatehouse" / "credentials.json"
        return {"x-api-key": json.loads(credentials.read_text())["api_key"]} if credentials.exists() else {}

    def answers(self):
        return bool(self.answer("/demo?list-type=2"))


class PresignedGatehouse(Gatehouse):
    name = "Gatehouse, presigned"
    note = "the same, every request a SigV4 query URL"
    can_put = False
    memory_rows = False

    def headers(self):
        return {}

    def path(self, object_name, method="GET"):
        from botocore.auth import S3SigV4QueryAuth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        request = AWSRequest(method=method, url=f"http://127.0.0.1:{self.port}/bench/{object_name}")
        S3SigV4QueryAuth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", "us-east-1", 604800).add_auth(request)
        return request.url.removeprefix(f"http://127.0.0.1:{self.port}")


def gatehouse_binary():
    return Path(os.environ.get("GATEHOUSE_BINARY", ROOT / ".build" / "release" / "gatehouse"))


class Seaweed(Contender):
    """SeaweedFS: the store behind rclone, which needs one that speaks S3, and behind Gatehouse for comparison."""

    name = "SeaweedFS"
    access_key, secret_key = BACKEND_KEY, BACKEND_SECRET

    def command(self):
        (self.folder / "data" / "admin").mkdir(parents=True)
        identity = {
            "name": "admin", "credentials": [{"accessKey": self.access_key, "secretKey": self.secret_key}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        (self.folder / "s3.json").write_text(json.dumps({"identities": [identity]}))

        *ports, self.port = [free_pair() for _ in range(5)]
        return [
            program("weed"), "mini", f"-dir={self.folder}/data", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
            "-master.telemetry=false", f"-master.port={ports[0]}", f"-volume.port={ports[1]}",
            f"-filer.port={ports[2]}", f"-s3.port={self.port}", "-s3.port.iceberg=0", "-s3.port.lance=0",
            "-webdav=false", "-admin.ui=false", f"-admin.port={ports[3]}", f"-s3.config={self.folder}/s3.json",
            "-filer.disableDirListing",
        ]

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def answers(self):
        import urllib.request

        try:
            with urllib.request.urlopen(self.endpoint + "/healthz", timeout=1) as answer:
                return answer.status == 200
        except OSError:
            return False

    def start(self):
        super().start(core=LOAD_CORE)
        self.client.create_bucket(Bucket="bench")
        for path in (self.origin.objects / "bench").iterdir():
            with path.open("rb") as body:
                self.client.put_object(Bucket="bench", Key=path.name, Body=body)
        return self

    def put_size(self):
        listed = self.client.list_objects_v2(Bucket="bench", Prefix="put").get("Contents", [])
        return sum(each["Size"] for each in listed)

    def forget_put(self):
        self.client.delete_object(Bucket="bench", Key="put")

    @functools.cached_property
    def client(self):
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3", endpoint_url=self.endpoint, aws_access_key_id=self.access_key, region_name="us-east-1",
            aws_secret_access_key=self.secret_key,
            config=Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required"),
        )


class Rclone(Contender):
    name = "rclone serve s3"
    note = "SeaweedFS behind; callers not authenticated"

    def command(self):
        store = self.origin
        (self.folder / "rclone.conf").write_text(
            f"[store]\ntype = s3\nprovider = Other\naccess_key_id = {store.access_key}\n"
            f"secret_access_key = {store.secret_key}\nendpoint = {store.endpoint}\nregion = us-east-1\n"
            "force_path_style = true\n"
        )
        return [program("rclone"), "serve", "s3", "store:", "--addr", f"127.0.0.1:{self.port}",
                "--config", str(self.folder / "rclone.conf"), "--log-level", "ERROR", "--cache-dir",
                str(self.folder / "cache"), "--vfs-cache-mode", "off"]

    def environment(self):
        return {**super().environment(), "GOMAXPROCS": "1"}

    def version(self):
        return first_line([program("rclone"), "version"])


class GatehouseOnSeaweed(Gatehouse):
    name = "Gatehouse, API key, SeaweedFS"
    note = "as rclone: SeaweedFS behind"


class FederatedGatehouse(Gatehouse):
    """Known to its store by a session that its own token was exchanged for, instead of by a key of the file."""

    name = "Gatehouse, API key, federated"
    note = "as with an API key; the store's credential is a session with a token of 400 bytes"
    can_put = False
    memory_rows = False

    def start(self, core=PROXY_CORE, deadline=30):
        self.token_service = TokenService()
        return super().start(core, deadline)

    def stop(self):
        super().stop()
        self.token_service.stop()

    def store_credential(self):
        key = self.folder / "provider.pem"
        subprocess.run(
            ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(key)],
            check=True, capture_output=True,
        )
        return (
            'auth_type = "oidc"\noidc_role_arn = "arn:aws:iam::123456789012:role/bench"\n'
            f'sts_endpoint = "{self.token_service.endpoint}"\n\n'
            f'[keys]\noidc_provider_keys = ["file:{key}"]\n'
            'oidc_provider_issuer = "https://files.example.com"'
        )


class TokenService:
    """Answers AssumeRoleWithWebIdentity with one session for everybody; asked once, at the start."""

    ANSWER = f"""<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIABENCHBENCHBENCH1</AccessKeyId>
<SecretAccessKey>{"s" * 40}</SecretAccessKey><SessionToken>{"t" * 400}</SessionToken>
<Expiration>%s</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""

    def __init__(self):
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers.get("content-length", 0)))
                end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
                body = (service.ANSWER % end.strftime("%Y-%m-%dT%H:%M:%SZ")).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/xml")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class GatewayChecks(Gatehouse):
    """The same decision for another gateway: answered with a signature instead of with the object."""

    name = "Gatehouse, gateway check"
    note = "as Envoy asks it; the answer is a signature, the bytes go elsewhere"
    can_put = False
    memory_rows = False

    def path(self, object_name, method="GET"):
        return f"/-/authz/envoy/s3/bench/{object_name}"

    def answers(self):
        return b"authorization: AWS4-HMAC-SHA256" in self.answer(self.path("1k"))


# What `--only` names, in the order of the tables.
ALL = {
    "nginx": Nginx, "envoy": Envoy, "haproxy": HAProxy, "gatehouse": Gatehouse, "presigned": PresignedGatehouse,
    "rclone": Rclone, "gatehouse-seaweed": GatehouseOnSeaweed, "gateway-check": GatewayChecks,
    "federated": FederatedGatehouse, "gatehouse-embedded": EmbeddedGatehouse,
}
# Started and left idle, and given no work.
IDLE = {"gatehouse-embedded"}
# Carries no bytes: compared by its decisions alone.
WITHOUT_BYTES = {"gateway-check"}
BEHIND_SEAWEED = {"rclone", "gatehouse-seaweed"}
