"""An identity provider as small as it can be: discovery, a key set, tokens. Everything about it may go wrong."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from .ports import free_port


class SigningKey:
    def __init__(self, kid, algorithm="ES256"):
        self.kid = kid
        self.algorithm = algorithm
        if algorithm.startswith("RS"):
            self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        else:
            self.private = ec.generate_private_key(ec.SECP256R1() if algorithm == "ES256" else ec.SECP384R1())

    @property
    def published(self):
        kind = jwt.algorithms.RSAAlgorithm if self.algorithm.startswith("RS") else jwt.algorithms.ECAlgorithm
        key = kind.to_jwk(self.private.public_key(), as_dict=True)
        return {**key, "use": "sig", "alg": self.algorithm, **({"kid": self.kid} if self.kid else {})}


class Issuer:
    """`keys` are published and the last of them signs. `away` drops connections, `delay` answers late, and while `may_answer`
    is not set there is no answer."""

    def __init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.keys = [SigningKey("first")]
        self.away = False
        self.delay = 0
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.redirect = None
        self.padding = 0
        self.asked = []
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked.append(self.path)
                time.sleep(issuer.delay)
                issuer.may_answer.wait()
                if issuer.away:
                    self.close_connection = True
                    return
                if issuer.redirect:
                    self.send_response(302)
                    self.send_header("location", issuer.redirect + self.path)
                    self.send_header("content-length", "0")
                    self.end_headers()
                    return
                documents = {"/.well-known/openid-configuration": issuer.discovery, "/jwks": issuer.jwks}
                document = documents.get(self.path)
                body = json.dumps(document() if document else {}).encode() + b" " * issuer.padding
                self.send_response(200 if document else 404)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def discovery(self):
        return {"issuer": self.url, "jwks_uri": self.url + "/jwks"}

    def jwks(self):
        return {"keys": [key.published for key in self.keys]}

    def token(self, subject="alice", key=None, header=None, **claims):
        """Signed by `key`, the newest where none is given. A claim that is None is left out."""
        key = key or self.keys[-1]
        now = int(time.time())
        content = {"iss": self.url, "sub": subject, "aud": "gatehouse", "iat": now, "exp": now + 600, **claims}
        content = {name: value for name, value in content.items() if value is not None}
        headers = {**({"kid": key.kid} if key.kid else {}), **(header or {})}
        return jwt.encode(content, key.private, key.algorithm, headers)

    def bearer(self, subject="alice", **claims):
        return {"Authorization": "Bearer " + self.token(subject, **claims)}

    def entry(self, name="auth", **more):
        """Its `[[identity_providers]]` table."""
        return {
            "name": name, "issuer": self.url, "audiences": ["gatehouse"],
            "allowed_scopes": [{"bucket": "{sub}-bucket", "prefixes": [], "actions": ["read", "list", "write"]}],
            **more,
        }

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def unsigned(token, algorithm="none"):
    """The same claims under a header that promises no signature."""
    def part(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    header = part(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
    return f"{header}.{token.split('.')[1]}."
