"""A store that is a process of its own: it can be killed and started again, as real ones are.

    python small_store.py PORT

Answers GET with `BODY` and takes any PUT, on connections that it keeps. Says so when the first bytes of a body are here.
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODY = b"of a store that comes and goes"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(BODY)

    def do_PUT(self):
        whole = left = int(self.headers["Content-Length"])
        while left > 0:
            piece = self.rfile.read(min(left, 65536))
            if left == whole:
                print(f"{len(piece)} of {whole} bytes", flush=True)
            if not piece:
                self.close_connection = True
                return
            left -= len(piece)
        self.answer(b"")

    def answer(self, body):
        self.send_response(200)
        self.send_header("ETag", '"e"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
