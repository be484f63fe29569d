"""A store in memory that keeps objects as S3 does and heeds only those conditions that it is told to."""

import hashlib
from urllib.parse import unquote

from .stub_store import StubStore, response, s3_error


class CarelessStore(StubStore):
    """`absence`, `source`: "heeded", "ignored" or "unknown" for If-None-Match of a PUT and the condition on a copy's source."""

    def __init__(self, absence="heeded", source="heeded"):
        self.absence, self.source = absence, source
        self.objects = {}
        super().__init__(self._act)

    def _act(self, seen):
        path = unquote(seen.target.split("?")[0])
        if seen.method in ("GET", "HEAD"):
            return self._show(path, seen.method)
        if seen.method == "DELETE":
            self.objects.pop(path, None)
            return response(204)
        if seen.method != "PUT":
            return s3_error(501, "NotImplemented")
        if seen.header("if-none-match"):
            if self.absence == "unknown":
                return s3_error(501, "NotImplemented")
            if self.absence == "heeded" and path in self.objects:
                return s3_error(412, "PreconditionFailed")
        if origin := seen.header("x-amz-copy-source"):
            return self._copy(unquote(origin), path, seen.header("x-amz-copy-source-if-match"))
        etag = '"' + hashlib.md5(seen.body).hexdigest() + '"'
        self.objects[path] = (etag, seen.body, seen.header("content-type") or "binary/octet-stream")
        return response(200, [("ETag", etag)])

    def _show(self, path, method):
        if path not in self.objects:
            return response(404) if method == "HEAD" else s3_error(404, "NoSuchKey")
        etag, body, kind = self.objects[path]
        head = response(200, [("ETag", etag), ("Content-Type", kind), ("Content-Length", str(len(body)))], length=False)
        return head if method == "HEAD" else head + body

    def _copy(self, origin, path, condition):
        if origin not in self.objects:
            return s3_error(404, "NoSuchKey")
        if condition and self.source == "unknown":
            return s3_error(501, "NotImplemented")
        if condition and self.source == "heeded" and condition != self.objects[origin][0]:
            return s3_error(412, "PreconditionFailed")
        self.objects[path] = self.objects[origin]
        etag = self.objects[origin][0].replace('"', "&quot;")
        body = f"<CopyObjectResult><ETag>{etag}</ETag></CopyObjectResult>".encode()
        return response(200, [("Content-Type", "application/xml")], body)
