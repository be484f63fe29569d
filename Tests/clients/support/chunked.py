"""aws-chunked bodies, made by hand from botocore's signature of the head, so that each part can be spoiled."""

import base64
import hashlib
import hmac
import zlib
from urllib.parse import urlsplit

from .clients import signed

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def crc32(data):
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class ChunkedPut:
    """The head and the body of an upload in chunks. Change what shall be wrong, then `send`.

    `checksum`: the trailer's, where it is another than the CRC-32.
    """

    def __init__(self, endpoint, path, data, form, access_key, secret_key, trailer="x-amz-checksum-crc32",
                 chunk=65536, headers=(), region="us-east-1", checksum=None):
        self.path, self.data, self.form = path, data, form
        fields = {"x-amz-decoded-content-length": str(len(data)), "Content-Encoding": "aws-chunked", **dict(headers)}
        self.trailer = trailer if form != SIGNED else None
        if self.trailer:
            fields["x-amz-trailer"] = self.trailer
        if access_key:
            self.headers = signed("PUT", endpoint + path, access_key, secret_key, fields, payload_hash=form)
        else:
            self.headers = {**fields, "x-amz-content-sha256": form}
        self.headers["Host"] = urlsplit(endpoint).netloc
        self.pieces = [data[i:i + chunk] for i in range(0, len(data), chunk)] + [b""]
        self.trailer_value = checksum or crc32(data)
        self.signatures = []
        if form != UNSIGNED_TRAILER:
            self._sign(secret_key, region)

    def _sign(self, secret_key, region):
        date = self.headers["X-Amz-Date"]
        scope = f"{date[:8]}/{region}/s3/aws4_request"
        key = _hmac(_hmac(_hmac(_hmac(b"AWS4" + secret_key.encode(), date[:8]), region), "s3"), "aws4_request")
        previous = self.headers["Authorization"].rsplit("Signature=", 1)[1]
        empty = hashlib.sha256(b"").hexdigest()
        for piece in self.pieces:
            text = "\n".join(["AWS4-HMAC-SHA256-PAYLOAD", date, scope, previous, empty,
                              hashlib.sha256(piece).hexdigest()])
            previous = _hmac(key, text).hex()
            self.signatures.append(previous)
        if self.trailer:
            line = f"{self.trailer}:{self.trailer_value}\n"
            text = "\n".join(["AWS4-HMAC-SHA256-TRAILER", date, scope, previous,
                              hashlib.sha256(line.encode()).hexdigest()])
            self.trailer_signature = _hmac(key, text).hex()

    @property
    def body(self):
        body = b""
        for number, piece in enumerate(self.pieces):
            signature = f";chunk-signature={self.signatures[number]}" if self.signatures else ""
            body += f"{len(piece):x}{signature}\r\n".encode() + piece + (b"\r\n" if piece else b"")
        if self.trailer:
            body += f"{self.trailer}:{self.trailer_value}\r\n".encode()
            if self.signatures:
                body += f"x-amz-trailer-signature:{self.trailer_signature}\r\n".encode()
        return body + b"\r\n"

    def send(self, gate, body=None):
        return gate.request("PUT", self.path, self.headers, self.body if body is None else body)
