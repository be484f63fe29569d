"""Real gateways in front of Gatehouse, each with the configuration that `gatehouse gateway-config` prints for it."""

import http.client
import shutil
import socket

from .clients import run
from .gatehouse import binary
from .ports import free_port
from .process import Process
from .seaweed import venv_binary

NGINX_FRAME = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
worker_processes 1;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/gatehouse.conf;
}}
"""


def nginx_binary():
    return shutil.which("nginx") or "/usr/sbin/nginx"


class Gateway:
    """One running gateway; `kind` is nginx, envoy, traefik or caddy."""

    def __init__(self, kind, gatehouse, folder):
        self.kind, self.folder, self.port = kind, folder, free_port()
        folder.mkdir(parents=True, exist_ok=True)
        printed = run(
            [binary(), "gateway-config", kind, "--config", gatehouse.config_path, "--listen",
             f"127.0.0.1:{self.port}", "--output", folder],
            env=gatehouse.env,
        )
        assert printed.returncode == 0, printed.stderr
        self.process = None

    def command(self):
        if self.kind == "nginx":
            (self.folder / "nginx.conf").write_text(NGINX_FRAME.format(folder=self.folder))
            return [nginx_binary(), "-p", self.folder, "-c", self.folder / "nginx.conf", "-e", "stderr"]
        if self.kind == "envoy":
            return [venv_binary("envoy"), "-c", self.folder / "envoy.yaml", "--use-dynamic-base-id",
                    "--concurrency", "1", "-l", "warning"]
        if self.kind == "traefik":
            return [venv_binary("traefik"), "--configFile=" + str(self.folder / "traefik.yaml")]
        return [venv_binary("caddy"), "run", "--config", self.folder / "Caddyfile", "--adapter", "caddyfile"]

    def start(self):
        env = {"HOME": str(self.folder), "PATH": "/usr/bin:/bin", "XDG_DATA_HOME": str(self.folder)}
        self.process = Process(self.kind, self.command(), self.folder, env=env, cwd=self.folder)
        # Not ready before it routes: until then it answers 404 of its own, or nothing.
        self.process.wait_until(lambda: self.raw("GET", "/s3/photos/ready").status in (401, 403), 180, step=0.05)
        return self

    def stop(self):
        if self.process:
            self.process.stop()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def raw(self, method, target, headers=None, body=b""):
        """One request whose target goes out byte for byte."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body or method in ("PUT", "POST"):
            lines.append(f"Content-Length: {len(body)}")
        with socket.create_connection(("127.0.0.1", self.port), timeout=120) as connection:
            connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)
            answer = http.client.HTTPResponse(connection, method=method)
            try:
                answer.begin()
            except http.client.HTTPException:
                return Raw(0, {}, b"")
            return Raw(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())


class Raw:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"
