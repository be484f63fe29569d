"""The forms in which a client may send the same object, measured on one gateway: what checking each of them costs."""

import base64
import hashlib
import hmac
import socket
import time
import zlib

import measure
from contenders import ACCESS_KEY, SECRET_KEY

EMPTY = hashlib.sha256(b"").hexdigest()
CHUNK = 64 * 1024
HASHED = "the hash alone"
NAMES = {
    "UNSIGNED-PAYLOAD": "UNSIGNED-PAYLOAD",
    "signed hash": None,
    "unsigned chunks, CRC32 trailer": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "signed chunks": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "signed chunks, CRC32 trailer": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
}


class Upload:
    """One form of a PUT: a head signed by botocore and a body made beforehand."""

    def __init__(self, name, contender, source):
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        self.name, self.contender = name, contender
        data = source.read_bytes()
        form = NAMES[name] or hashlib.sha256(data).hexdigest()
        self.url = f"http://127.0.0.1:{contender.port}/bench/put"
        fields = {"x-amz-content-sha256": form}
        if form.startswith("STREAMING"):
            fields |= {"content-encoding": "aws-chunked", "x-amz-decoded-content-length": str(len(data))}
            if form.endswith("TRAILER"):
                fields["x-amz-trailer"] = "x-amz-checksum-crc32"
        request = AWSRequest(method="PUT", url=self.url, headers=fields)
        signer = S3SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", "us-east-1")
        # It would state the hash of a body that it is not given here.
        signer.payload = lambda _: form
        signer.add_auth(request)
        self.body = data if not form.startswith("STREAMING") else self.chunks(data, form, request)
        fields = dict(request.headers) | {"Host": f"127.0.0.1:{contender.port}", "Content-Length": len(self.body)}
        self.head = "PUT /bench/put HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())

    def chunks(self, data, form, request):
        date = request.context["timestamp"]
        scope = f"{date[:8]}/us-east-1/s3/aws4_request"
        key = b"AWS4" + SECRET_KEY.encode()
        for part in (date[:8], "us-east-1", "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        previous = request.headers["Authorization"].rsplit("Signature=", 1)[1]
        body = bytearray()
        for begin in [*range(0, len(data), CHUNK), len(data)]:
            piece = data[begin:begin + CHUNK]
            body += f"{len(piece):x}".encode()
            if "UNSIGNED" not in form:
                text = f"AWS4-HMAC-SHA256-PAYLOAD\n{date}\n{scope}\n{previous}\n{EMPTY}\n{hashlib.sha256(piece).hexdigest()}"
                previous = hmac.digest(key, text.encode(), "sha256").hex()
                body += f";chunk-signature={previous}".encode()
            body += b"\r\n" + piece + (b"\r\n" if piece else b"")
        if form.endswith("TRAILER"):
            line = "x-amz-checksum-crc32:" + base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()
            body += line.encode() + b"\r\n"
            if "UNSIGNED" not in form:
                digest = hashlib.sha256(line.encode() + b"\n").hexdigest()
                text = f"AWS4-HMAC-SHA256-TRAILER\n{date}\n{scope}\n{previous}\n{digest}"
                body += b"x-amz-trailer-signature:" + hmac.digest(key, text.encode(), "sha256").hex().encode() + b"\r\n"
        return bytes(body + b"\r\n")

    def once(self, size, times):
        """CPU seconds of the gateway per GiB of the object."""
        before = measure.cpu_seconds(self.contender.pid)
        for _ in range(times):
            self.contender.origin.forget_put()
            with socket.create_connection(("127.0.0.1", self.contender.port), timeout=60) as connection:
                connection.sendall((self.head + "Connection: close\r\n\r\n").encode())
                connection.sendall(self.body)
                answer = b""
                while piece := connection.recv(65536):
                    answer += piece
            if not answer.startswith(b"HTTP/1.1 20") or self.contender.origin.put_size() != size:
                raise measure.Failed(f"{self.name}: {answer[:300]!r}")
        spent = measure.cpu_seconds(self.contender.pid) - before
        self.contender.origin.forget_put()
        return spent / (size * times / measure.GIB)


def hash_alone(source, times):
    """CPU seconds per GiB of SHA-256 by OpenSSL in this process."""
    data = source.read_bytes()
    before = time.process_time()
    for _ in range(times):
        hashlib.sha256(data).digest()
    return (time.process_time() - before) / (len(data) * times / measure.GIB)
