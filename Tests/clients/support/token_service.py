"""Token services and metadata services that answer, fail or hang as a test wants."""

import threading
import time
import urllib.parse
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import json

from .ports import free_port


class Service:
    """`modes`: "ok", "fail" (403 AccessDenied), "hang" (no answer). `delay` seconds pass before each answer; none comes
    while `may_answer` is not set."""

    def __init__(self, lifetime=3600):
        self.port = free_port()
        self.lifetime = lifetime
        self.mode = "ok"
        self.delay = 0.0
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.asked = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle_any(self):
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length).decode()
                service.asked.append((self.command, self.path, dict(self.headers.items()), body))
                time.sleep(service.delay)
                service.may_answer.wait()
                if service.mode == "hang":
                    service._over.wait()
                    self.close_connection = True
                    return
                status, kind, text = service.answer(self.command, self.path, self.headers, body)
                payload = text.encode()
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            do_GET = do_POST = do_PUT = handle_any

        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def expiration(self):
        return (datetime.now(timezone.utc) + timedelta(seconds=self.lifetime)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def stop(self):
        self._over.set()
        self._server.shutdown()
        self._server.server_close()


class SecurityTokens(Service):
    """AWS's STS: each session has a number."""

    def answer(self, method, path, headers, body):
        form = dict(urllib.parse.parse_qsl(body))
        action = form.get("Action", "")
        if self.mode == "fail":
            return 403, "text/xml", (
                "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not authorized to perform "
                f"sts:{action} ({form.get('WebIdentityToken', '')})</Message></Error></ErrorResponse>"
            )
        number = len(self.asked)
        return 200, "text/xml", (
            f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result><Credentials>'
            f"<AccessKeyId>ASIASESSION{number}</AccessKeyId><SecretAccessKey>secret{number}</SecretAccessKey>"
            f"<SessionToken>session-token-{number}</SessionToken><Expiration>{self.expiration()}</Expiration>"
            f"</Credentials></{action}Result></{action}Response>"
        )


class Metadata(Service):
    """EC2's metadata service, version 2, and a container's agent."""

    def answer(self, method, path, headers, body):
        if self.mode == "fail":
            return 500, "text/plain", "no"
        credential = json.dumps({
            "Code": "Success", "AccessKeyId": "ASIAMACHINE", "SecretAccessKey": "secret", "Token": "machine-token",
            "Expiration": self.expiration(),
        })
        if path == "/container":
            allowed = headers.get("authorization") == "agent-token"
            return (200, "application/json", credential) if allowed else (403, "application/json", '{"code":"no"}')
        if path == "/latest/api/token":
            allowed = method == "PUT" and headers.get("x-aws-ec2-metadata-token-ttl-seconds")
            return (200, "text/plain", "imds-token") if allowed else (405, "text/plain", "")
        if headers.get("x-aws-ec2-metadata-token") != "imds-token":
            return 401, "text/plain", ""
        if path == "/latest/meta-data/iam/security-credentials/":
            return 200, "text/plain", "machine-role"
        if path == "/latest/meta-data/iam/security-credentials/machine-role":
            return 200, "application/json", credential
        return 404, "text/plain", ""


class EntraID(Service):
    """Microsoft Entra ID's token endpoint."""

    def answer(self, method, path, headers, body):
        form = dict(urllib.parse.parse_qsl(body))
        if self.mode == "fail" or form.get("scope") != "https://storage.azure.com/.default":
            return 401, "application/json", json.dumps({
                "error": "invalid_client",
                "error_description": "AADSTS700213: No matching federated identity record found.",
            })
        return 200, "application/json", json.dumps({
            "token_type": "Bearer", "expires_in": self.lifetime, "access_token": f"entra-token-{len(self.asked)}",
        })


class GoogleTokens(Service):
    """Google's STS, and the impersonation of service accounts."""

    def answer(self, method, path, headers, body):
        if self.mode == "fail":
            return 400, "application/json", json.dumps({"error": "invalid_grant", "error_description": "Not this one."})
        if path == "/v1/token":
            return 200, "application/json", json.dumps({
                "access_token": "federated-token", "token_type": "Bearer", "expires_in": self.lifetime,
                "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            })
        if headers.get("authorization") != "Bearer federated-token":
            return 401, "application/json", json.dumps({"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "no"}})
        return 200, "application/json", json.dumps({"accessToken": "account-token", "expireTime": self.expiration()})
