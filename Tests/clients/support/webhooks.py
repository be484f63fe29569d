"""A receiver of webhooks: remembers what it was told, checks signatures as Standard Webhooks says."""

import base64
import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Webhooks:
    """`status` is what it answers; `events` what came with a good signature, `bad` what did not."""

    def __init__(self, secret, status=200):
        self.secret = secret.encode()
        self.status = status
        self.events = []
        self.bad = []
        self.attempts = 0
        self.lock = threading.Lock()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                sink.take(self.headers, body)
                self.send_response(sink.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/hooks/uploads"

    def take(self, headers, body):
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        code = base64.b64encode(hmac.new(self.secret, signed, hashlib.sha256).digest()).decode()
        with self.lock:
            self.attempts += 1
            good = headers["webhook-signature"] == "v1," + code
            if good and self.status < 300:
                self.events.append(json.loads(body))
            elif not good:
                self.bad.append(dict(headers))

    def of(self, upload):
        """The states that were told of a slot, in the order of their coming, each event once."""
        seen, states = set(), []
        with self.lock:
            for event in self.events:
                if event["data"]["id"] == upload and event["id"] not in seen:
                    seen.add(event["id"])
                    states.append(event["type"].removeprefix("gatehouse.upload."))
        return states

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
