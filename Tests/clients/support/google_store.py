"""A stand-in for Google Cloud Storage's XML API that verifies what it is sent, with Google's own code where there is some.

Signatures (GOOG4-HMAC-SHA256 in a field, both kinds in a URL) are recomputed from the canonical fields and query that
google-cloud-storage's signer makes. Behaviour follows the XML API's reference: generations, preconditions, transcoding
of gzip, listings of both versions, multipart uploads without preconditions. What Google's documentation does not know
(`x-amz-...` fields, unknown parameters, unsigned `x-goog-...` fields) is refused, so that nothing slips through unseen.
"""

import base64
import datetime
import gzip
import hashlib
import hmac
import itertools
import json
import re
import threading
from email.parser import BytesParser
from email.policy import HTTP
from email.utils import formatdate, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, unquote_to_bytes
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import google_crc32c
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from google.cloud.storage import _signing

NAMESPACE = "http://doc.s3.amazonaws.com/2006-03-01"
OF_PARTS = "http://s3.amazonaws.com/doc/2006-03-01/"
"""What answers about uploads in parts are in: Google's library finds its elements there only."""

PARAMETERS = {
    "", "location", "delete", "uploads", "uploadId", "partNumber", "prefix", "delimiter", "marker", "max-keys",
    "list-type", "continuation-token", "start-after", "encoding-type", "fetch-owner", "max-parts",
    "part-number-marker", "key-marker", "upload-id-marker", "max-uploads", "response-content-type",
    "response-content-disposition", "generation", "x-id",
}
KEPT = ("content-type", "content-encoding", "content-language", "content-disposition", "cache-control")
SKEW = datetime.timedelta(minutes=15)


class Refused(Exception):
    def __init__(self, status, code, message="", headers=()):
        super().__init__(code)
        self.status, self.code, self.message, self.headers = status, code, message or code, headers


class Object:
    """One generation of an object."""

    def __init__(self, data, generation, headers, composite=False):
        self.data, self.generation, self.headers = data, generation, headers
        self.modified = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        self.crc32c = base64.b64encode(google_crc32c.Checksum(data).digest()).decode()
        digest = hashlib.md5(data)
        self.md5 = None if composite else base64.b64encode(digest.digest()).decode()
        opaque = base64.b64encode(b"\x08" + generation.to_bytes(8, "big") + b"\x10\x01").decode()
        self.etag = f'"{opaque}"' if composite else f'"{digest.hexdigest()}"'

    @property
    def hash(self):
        return f"crc32c={self.crc32c}" + (f",md5={self.md5}" if self.md5 else "")


class GoogleStore:
    """`credentials`: {access id: secret}; `tokens`: valid bearer tokens; `keys`: {service account: public RSA key}."""

    def __init__(self, credentials=None, tokens=(), keys=None, buckets=(), public=()):
        self.credentials, self.tokens, self.keys = credentials or {}, set(tokens), keys or {}
        self.buckets = {name: {} for name in buckets}
        self.public = set(public)
        self.uploads = {}
        self.seen = []
        """(method, target, {field in lower case: value}) of every request that was let in."""
        self.refusals = []
        self.lock = threading.RLock()
        self._generations = itertools.count(1_700_000_000_000_001, 7)
        store = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except (ConnectionError, TimeoutError):
                    self.close_connection = True

            def log_message(self, *arguments):
                pass

            def answer(self):
                Exchange(store, self).run()

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def put(self, bucket, name, data, headers, composite=False):
        made = Object(data, next(self._generations), headers, composite)
        self.buckets[bucket][name] = made
        return made


class Exchange:
    """One request and its answer."""

    def __init__(self, store, handler):
        self.store, self.handler, self.method = store, handler, handler.command
        self.target = handler.path
        self.path, _, self.query_text = handler.path.partition("?")
        self.headers = {}
        for name, value in handler.headers.items():
            value = value.encode("latin-1").decode("utf-8", "replace")
            name = name.lower()
            self.headers[name] = f"{self.headers[name]},{value}" if name in self.headers else value
        self.query = dict(parse_qsl(self.query_text, keep_blank_values=True))

    def run(self):
        self.body = self.handler.rfile.read(int(self.headers.get("content-length", 0)))
        try:
            self.check_request()
            self.authenticate()
            with self.store.lock:
                self.store.seen.append((self.method, self.target, self.headers))
                self.dispatch()
        except Refused as refused:
            self.store.refusals.append((self.method, self.target, refused.code, refused.message))
            text = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{refused.code}</Code>" \
                   f"<Message>{escape(refused.message)}</Message><Details>{escape(self.path)}</Details></Error>"
            self.reply(refused.status, [("content-type", "application/xml; charset=UTF-8"), *refused.headers], text.encode())

    def reply(self, status, headers=(), body=b""):
        self.handler.send_response_only(status)
        given = {name.lower() for name, _ in headers}
        self.handler.send_header("Date", formatdate(usegmt=True))
        self.handler.send_header("Server", "UploadServer")
        self.handler.send_header("X-GUploader-UploadID", "stand-in")
        for name, value in headers:
            self.handler.send_header(name, value.encode().decode("latin-1"))
        if "content-length" not in given and "transfer-encoding" not in given and status not in (204, 304):
            self.handler.send_header("Content-Length", str(len(body)))
        self.handler.end_headers()
        if self.method != "HEAD" and status not in (204, 304):
            self.handler.wfile.write(body)

    def reply_xml(self, text, headers=()):
        self.reply(200, [("content-type", "application/xml; charset=UTF-8"), *headers],
                   ("<?xml version='1.0' encoding='UTF-8'?>" + text).encode())

    # Who asks, and whether it is the request that was signed

    def check_request(self):
        for name in self.headers:
            if name.startswith("x-amz-"):
                raise Refused(400, "InvalidArgument", f"{name} beside Google's own fields")
        unknown = {name for name in self.query if not name.startswith("X-Goog-")} - PARAMETERS
        if unknown:
            raise Refused(400, "InvalidQueryParameterValue", f"unknown parameters {sorted(unknown)}")

    def authenticate(self):
        authorization = self.headers.get("authorization")
        if self.is_form:
            return self.read_form()
        if "X-Goog-Signature" in self.query:
            return self.verify_url()
        if authorization is None:
            bucket = self.path.split("/")[1]
            if bucket in self.store.public and self.method in ("GET", "HEAD"):
                return None
            raise Refused(401, "AccessDenied", "Anonymous caller does not have storage.objects.get access")
        scheme, _, rest = authorization.partition(" ")
        if scheme == "Bearer":
            if rest not in self.store.tokens:
                raise Refused(401, "AuthenticationRequired", "Authentication required.")
            return None
        if scheme != "GOOG4-HMAC-SHA256":
            raise Refused(400, "InvalidAuthentication", scheme)
        given = dict(part.split("=", 1) for part in rest.split(", "))
        digest = self.headers.get("x-goog-content-sha256", "")
        names = given["SignedHeaders"].split(";")
        self.check_covered(names)
        self.check_signature(scheme, given["Credential"], self.headers["x-goog-date"], names, given["Signature"],
                             self.query, digest)
        if digest != "UNSIGNED-PAYLOAD" and hashlib.sha256(self.body).hexdigest() != digest:
            raise Refused(400, "XAmzContentSHA256Mismatch")
        age = abs(datetime.datetime.now(datetime.timezone.utc) - moment(self.headers["x-goog-date"]))
        if age > SKEW:
            raise Refused(403, "RequestTimeTooSkewed")

    def verify_url(self):
        query = {name: value for name, value in self.query.items() if name != "X-Goog-Signature"}
        names = query["X-Goog-SignedHeaders"].split(";")
        self.check_covered(names)
        start = moment(query["X-Goog-Date"])
        now = datetime.datetime.now(datetime.timezone.utc)
        if now > start + datetime.timedelta(seconds=int(query["X-Goog-Expires"])) or now < start - SKEW:
            raise Refused(400, "ExpiredToken", "Invalid argument.")
        self.check_signature(query["X-Goog-Algorithm"], query["X-Goog-Credential"], query["X-Goog-Date"], names,
                             self.query["X-Goog-Signature"], query,
                             self.headers.get("x-goog-content-sha256", "UNSIGNED-PAYLOAD"))

    def check_covered(self, names):
        missing = [name for name in self.headers if name.startswith("x-goog-") and name not in names]
        if missing or "host" not in names:
            raise Refused(403, "SignatureDoesNotMatch", f"not signed: {missing}")
        absent = [name for name in names if name not in self.headers]
        if absent:
            raise Refused(400, "MalformedSecurityHeader", f"Header was included in signedheaders, but not in the request. {absent}")

    def check_signature(self, algorithm, credential, date, names, signature, query, digest):
        identity, _, scope = credential.partition("/")
        if scope != f"{date[:8]}/auto/storage/goog4_request":
            raise Refused(400, "InvalidArgument", f"scope {scope}")
        canonical, ordered = _signing.get_canonical_headers({name: self.headers[name] for name in names})
        path = quote(unquote_to_bytes(self.path), safe=b"/~")
        request = "\n".join([self.method, path, _signing._url_encode(query), "\n".join(canonical) + "\n",
                             ";".join(name for name, _ in ordered), digest])
        to_sign = "\n".join([algorithm, date, scope, hashlib.sha256(request.encode()).hexdigest()]).encode()
        self.check_proof(algorithm, identity, scope, to_sign, signature)

    def check_proof(self, algorithm, identity, scope, to_sign, signature):
        if algorithm == "GOOG4-HMAC-SHA256":
            if identity not in self.store.credentials:
                raise Refused(403, "InvalidAccessKeyId")
            key = ("GOOG4" + self.store.credentials[identity]).encode()
            for step in scope.split("/"):
                key = hmac.new(key, step.encode(), hashlib.sha256).digest()
            right = hmac.compare_digest(hmac.new(key, to_sign, hashlib.sha256).hexdigest(), signature)
        else:
            if identity not in self.store.keys:
                raise Refused(403, "AccessDenied", f"unknown account {identity}")
            try:
                self.store.keys[identity].verify(bytes.fromhex(signature), to_sign, padding.PKCS1v15(), hashes.SHA256())
                right = True
            except Exception:  # Whatever the library says, it is no signature.
                right = False
        if not right:
            raise Refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match")

    @property
    def is_form(self):
        return self.method == "POST" and self.headers.get("content-type", "").startswith("multipart/form-data")

    def read_form(self):
        """The fields and the file of a form, once its policy is known to be signed and to cover them."""
        text = f"content-type: {self.headers['content-type']}\r\n\r\n".encode() + self.body
        self.form = {}
        for part in BytesParser(policy=HTTP).parsebytes(text).iter_parts():
            name = part.get_param("name", header="content-disposition")
            content = part.get_payload(decode=True)
            self.form[name.lower()] = content if name == "file" else content.decode()
        form = self.form
        scope = form["x-goog-credential"].partition("/")[2]
        self.check_proof(form["x-goog-algorithm"], form["x-goog-credential"].partition("/")[0], scope,
                         form["policy"].encode(), form["x-goog-signature"])
        policy = json.loads(base64.b64decode(form["policy"]))
        end = datetime.datetime.fromisoformat(policy["expiration"])
        if datetime.datetime.now(datetime.timezone.utc) > end:
            raise Refused(400, "ExpiredToken")
        covered = {"file", "policy", "x-goog-signature"}
        for condition in policy["conditions"]:
            if isinstance(condition, dict):
                for name, value in condition.items():
                    covered.add(name.lower())
                    if name != "bucket" and form.get(name.lower()) != value:
                        raise Refused(400, "InvalidPolicyDocument", f"{name} differs")
                    if name == "bucket" and value != self.path.strip("/"):
                        raise Refused(400, "InvalidPolicyDocument", "another bucket")
            elif condition[0] == "content-length-range":
                if not condition[1] <= len(form["file"]) <= condition[2]:
                    raise Refused(400, "EntityTooLarge" if len(form["file"]) > condition[2] else "EntityTooSmall")
        if set(form) - covered:
            raise Refused(400, "InvalidPolicyDocument", f"not in the policy: {sorted(set(form) - covered)}")

    def post_form(self):
        kept = {name: value for name, value in self.form.items() if name in KEPT or name.startswith("x-goog-meta-")}
        made = self.store.put(self.bucket, self.form["key"], self.form["file"], kept)
        self.reply(204, [("ETag", made.etag)])

    # What is asked

    def dispatch(self):
        parts = self.path[1:].split("/", 1)
        self.bucket = parts[0]
        self.name = unquote_to_bytes(parts[1]).decode() if len(parts) > 1 and parts[1] else None
        if self.bucket not in self.store.buckets:
            raise Refused(404, "NoSuchBucket", "The specified bucket does not exist.")
        self.objects = self.store.buckets[self.bucket]
        if self.name is None:
            handler = {("HEAD", None): self.head_bucket, ("GET", "location"): self.location,
                       ("GET", "uploads"): self.list_uploads, ("POST", "delete"): self.delete_objects,
                       **({("POST", None): self.post_form} if self.is_form else {}),
                       ("GET", None): self.list_objects}
        else:
            handler = {("GET", None): self.get, ("HEAD", None): self.get, ("PUT", None): self.put,
                       ("DELETE", None): self.delete, ("POST", "uploads"): self.begin, ("PUT", "uploadId"): self.part,
                       ("POST", "uploadId"): self.complete, ("DELETE", "uploadId"): self.abort,
                       ("GET", "uploadId"): self.list_parts}
        subresource = next((name for name in ("location", "uploads", "delete", "uploadId") if name in self.query), None)
        if (self.method, subresource) not in handler:
            raise Refused(405, "MethodNotAllowed", f"{self.method} {subresource}")
        handler[self.method, subresource]()

    # Objects

    def found(self):
        if self.name not in self.objects:
            raise Refused(404, "NoSuchKey", "The specified key does not exist.")
        return self.objects[self.name]

    def check_generation(self):
        wanted = self.headers.get("x-goog-if-generation-match")
        if wanted is None:
            return
        there = self.objects.get(self.name)
        if int(wanted) != (there.generation if there else 0):
            raise Refused(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold.")

    def check_conditions(self, there, prefix=""):
        given = {name: self.headers.get(f"{prefix}if-{name}")
                 for name in ("match", "none-match", "modified-since", "unmodified-since")}
        named = lambda text: text is not None and ("*" in text or there.etag in [tag.strip() for tag in text.split(",")])
        if given["match"] is not None and not named(given["match"]):
            raise Refused(412, "PreconditionFailed")
        if given["match"] is None and given["unmodified-since"] and there.modified > date(given["unmodified-since"]):
            raise Refused(412, "PreconditionFailed")
        unchanged = named(given["none-match"]) if given["none-match"] is not None else bool(
            given["modified-since"]) and there.modified <= date(given["modified-since"])
        if unchanged:
            raise Refused(412 if prefix else 304, "PreconditionFailed" if prefix else "NotModified", "",
                          [("etag", there.etag)])

    def described(self, there):
        return [("ETag", there.etag), ("Last-Modified", formatdate(there.modified.timestamp(), usegmt=True)),
                ("x-goog-generation", str(there.generation)), ("x-goog-metageneration", "1"),
                ("x-goog-hash", there.hash), ("x-goog-storage-class", there.headers.get("x-goog-storage-class", "STANDARD")),
                ("x-goog-stored-content-encoding", there.headers.get("content-encoding", "identity")),
                ("x-goog-stored-content-length", str(len(there.data))), ("Accept-Ranges", "bytes")]

    def get(self):
        there = self.found()
        self.check_conditions(there)
        headers = self.described(there)
        headers += [(name, value) for name, value in there.headers.items()
                    if name in KEPT or name.startswith("x-goog-meta-")]
        for name in ("content-type", "content-disposition"):
            if (value := self.query.get(f"response-{name}")) is not None:
                headers = [(n, v) for n, v in headers if n != name] + [(name, value)]
        data, status = there.data, 200
        packed = there.headers.get("content-encoding") == "gzip"
        if packed and "gzip" not in self.headers.get("accept-encoding", "") \
                and "no-transform" not in there.headers.get("cache-control", ""):
            data = gzip.decompress(data)
            headers = [(n, v) for n, v in headers if n != "content-encoding"] + [("Warning", "214 UploadServer gunzipped")]
        elif (asked := re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("range", ""))) and any(asked.groups()):
            first, last = asked.groups()
            if first and last and int(first) > int(last):
                asked = None
            else:
                start = int(first) if first else max(0, len(data) - int(last))
                end = min(len(data), int(last) + 1) if first and last else len(data)
                if start >= len(data) or (not first and int(last) == 0):
                    raise Refused(416, "InvalidRange", "The requested range cannot be satisfied.",
                                  [("Content-Range", f"bytes */{len(data)}")])
                status = 206
                headers.append(("Content-Range", f"bytes {start}-{end - 1}/{len(data)}"))
                data = data[start:end]
        headers.append(("Content-Length", str(len(data))))
        self.reply(status, headers, data)

    def check_digests(self):
        md5 = base64.b64encode(hashlib.md5(self.body).digest()).decode()
        crc32c = base64.b64encode(google_crc32c.Checksum(self.body).digest()).decode()
        given = [("md5", self.headers["content-md5"])] if "content-md5" in self.headers else []
        given += [part.strip().split("=", 1) for part in self.headers.get("x-goog-hash", "").split(",") if part]
        for name, value in given:
            if value != {"md5": md5, "crc32c": crc32c}[name]:
                raise Refused(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")

    def metadata(self):
        kept = {name: value for name, value in self.headers.items() if name in KEPT or name.startswith("x-goog-meta-")}
        kept.setdefault("content-type", "application/octet-stream")
        if "x-goog-storage-class" in self.headers:
            kept["x-goog-storage-class"] = self.headers["x-goog-storage-class"]
        return kept

    def put(self):
        self.check_generation()
        if "x-goog-copy-source" in self.headers:
            return self.copy()
        if "content-length" not in self.headers:
            raise Refused(411, "MissingContentLength")
        if (bounds := self.headers.get("x-goog-content-length-range")) is not None:
            low, high = map(int, bounds.split(","))
            if not low <= len(self.body) <= high:
                raise Refused(400, "EntityTooLarge" if len(self.body) > high else "EntityTooSmall")
        self.check_digests()
        made = self.store.put(self.bucket, self.name, self.body, self.metadata())
        self.reply(200, [*self.described(made), ("Content-Type", "text/html; charset=UTF-8")])

    def copy(self):
        bucket, _, name = unquote_to_bytes(self.headers["x-goog-copy-source"].lstrip("/")).decode().partition("/")
        if bucket not in self.store.buckets:
            raise Refused(404, "NoSuchBucket")
        source = self.store.buckets[bucket].get(name)
        if source is None:
            raise Refused(404, "NoSuchKey")
        self.check_conditions(source, "x-goog-copy-source-")
        replaces = self.headers.get("x-goog-metadata-directive", "COPY") == "REPLACE"
        if (bucket, name) == (self.bucket, self.name) and not replaces:
            raise Refused(400, "InvalidArgument", "To copy an object to itself REPLACE is needed.")
        headers = self.metadata() if replaces else dict(source.headers)
        if "x-goog-storage-class" in self.headers:
            headers["x-goog-storage-class"] = self.headers["x-goog-storage-class"]
        made = self.store.put(self.bucket, self.name, source.data, headers, composite=source.md5 is None)
        self.reply_xml(f"<CopyObjectResult xmlns='{NAMESPACE}'><LastModified>{iso(made.modified)}</LastModified>"
                       f"<ETag>{escape(made.etag)}</ETag></CopyObjectResult>", [("x-goog-generation", str(made.generation))])

    def delete(self):
        self.check_generation()
        self.found()
        del self.objects[self.name]
        self.reply(204)

    # Buckets

    def head_bucket(self):
        self.reply(200, [("content-type", "application/xml; charset=UTF-8")])

    def location(self):
        self.reply_xml("<LocationConstraint>EUROPE-WEST3</LocationConstraint>")

    def delete_objects(self):
        told = []
        for entry in ElementTree.fromstring(self.body).iter():
            if entry.tag.rpartition("}")[2] != "Key":
                continue
            if self.objects.pop(entry.text, None) is None:
                told.append(f"<Error><Key>{escape(entry.text)}</Key><Code>NoSuchKey</Code><Message>gone</Message></Error>")
            else:
                told.append(f"<Deleted><Key>{escape(entry.text)}</Key></Deleted>")
        self.reply_xml(f"<DeleteResult xmlns='{NAMESPACE}'>{''.join(told)}</DeleteResult>")

    def written(self, text):
        return escape(quote(text, safe="/") if self.query.get("encoding-type") == "url" else text)

    def page(self, names, after, limit):
        """Names and common prefixes in order, at most `limit`, and whether there are more."""
        prefix, delimiter = self.query.get("prefix", ""), self.query.get("delimiter", "")
        entries = []
        for name in sorted(names, key=lambda name: name.encode()):
            if not name.startswith(prefix):
                continue
            shown = (name, False)
            if delimiter and (cut := name.find(delimiter, len(prefix))) >= 0:
                shown = (name[:cut + len(delimiter)], True)
            if shown[0].encode() <= after.encode() or shown in entries[-1:]:
                continue
            entries.append(shown)
            if len(entries) > limit:
                break
        return entries[:limit], len(entries) > limit

    def list_objects(self):
        second = self.query.get("list-type") == "2"
        limit = min(1000, int(self.query.get("max-keys") or 1000))
        after = self.query.get("marker", "")
        if second:
            after = self.query.get("start-after", "")
            if "continuation-token" in self.query:
                after = base64.urlsafe_b64decode(self.query["continuation-token"]).decode()
        entries, more = self.page(self.objects, after, limit)
        text = f"<Name>{self.bucket}</Name><Prefix>{self.written(self.query.get('prefix', ''))}</Prefix>"
        if second:
            text += f"<KeyCount>{len(entries)}</KeyCount>"
            if "continuation-token" in self.query:
                text += f"<ContinuationToken>{self.query['continuation-token']}</ContinuationToken>"
            if "start-after" in self.query:
                text += f"<StartAfter>{self.written(self.query['start-after'])}</StartAfter>"
            if more and entries:
                token = base64.urlsafe_b64encode(entries[-1][0].encode()).decode()
                text += f"<NextContinuationToken>{token}</NextContinuationToken>"
        else:
            text += f"<Marker>{self.written(after)}</Marker>"
            if more and entries:
                text += f"<NextMarker>{self.written(entries[-1][0])}</NextMarker>"
        text += f"<MaxKeys>{limit}</MaxKeys><IsTruncated>{'true' if more else 'false'}</IsTruncated>"
        if "delimiter" in self.query:
            text += f"<Delimiter>{self.written(self.query['delimiter'])}</Delimiter>"
        if "encoding-type" in self.query:
            text += "<EncodingType>url</EncodingType>"
        for name, folded in entries:
            if folded:
                text += f"<CommonPrefixes><Prefix>{self.written(name)}</Prefix></CommonPrefixes>"
                continue
            there = self.objects[name]
            owner = "<Owner><ID>00b4903a97</ID></Owner>" if not second or self.query.get("fetch-owner") == "true" else ""
            text += f"<Contents><Key>{self.written(name)}</Key><Generation>{there.generation}</Generation>" \
                    f"<MetaGeneration>1</MetaGeneration><LastModified>{iso(there.modified)}</LastModified>" \
                    f"<ETag>{escape(there.etag)}</ETag><Size>{len(there.data)}</Size>" \
                    f"<StorageClass>{there.headers.get('x-goog-storage-class', 'STANDARD')}</StorageClass>{owner}</Contents>"
        self.reply_xml(f"<ListBucketResult xmlns='{NAMESPACE}'>{text}</ListBucketResult>")

    # Uploads in parts

    def upload(self):
        found = self.store.uploads.get(self.query["uploadId"])
        if found is None or found["at"] != (self.bucket, self.name):
            raise Refused(404, "NoSuchUpload", "The requested upload was not found.")
        return found

    def begin(self):
        identity = f"ABPnzm{next(self.store._generations)}-_"
        self.store.uploads[identity] = {"at": (self.bucket, self.name), "headers": self.metadata(), "parts": {},
                                        "begun": datetime.datetime.now(datetime.timezone.utc)}
        self.reply_xml(f"<InitiateMultipartUploadResult xmlns='{OF_PARTS}'><Bucket>{self.bucket}</Bucket>"
                       f"<Key>{escape(self.name)}</Key><UploadId>{identity}</UploadId></InitiateMultipartUploadResult>")

    def part(self):
        upload = self.upload()
        if "x-goog-copy-source" in self.headers:
            raise Refused(501, "NotImplemented", "A part can't be copied.")
        self.check_digests()
        made = upload["parts"][int(self.query["partNumber"])] = Object(self.body, next(self.store._generations), {})
        self.reply(200, [("ETag", made.etag), ("x-goog-hash", made.hash)])

    def list_parts(self):
        upload, limit = self.upload(), int(self.query.get("max-parts") or 1000)
        after = int(self.query.get("part-number-marker") or 0)
        numbers = [number for number in sorted(upload["parts"]) if number > after]
        shown, more = numbers[:limit], len(numbers) > limit
        text = f"<Bucket>{self.bucket}</Bucket><Key>{escape(self.name)}</Key><UploadId>{self.query['uploadId']}</UploadId>" \
               f"<StorageClass>STANDARD</StorageClass><PartNumberMarker>{after}</PartNumberMarker>" \
               f"<NextPartNumberMarker>{shown[-1] if shown else 0}</NextPartNumberMarker><MaxParts>{limit}</MaxParts>" \
               f"<IsTruncated>{'true' if more else 'false'}</IsTruncated>"
        for number in shown:
            there = upload["parts"][number]
            text += f"<Part><PartNumber>{number}</PartNumber><LastModified>{iso(there.modified)}</LastModified>" \
                    f"<ETag>{escape(there.etag)}</ETag><Size>{len(there.data)}</Size></Part>"
        self.reply_xml(f"<ListPartsResult xmlns='{OF_PARTS}'>{text}</ListPartsResult>")

    def list_uploads(self):
        found = sorted((at[1], identity) for identity, upload in self.store.uploads.items()
                       for at in [upload["at"]] if at[0] == self.bucket and at[1].startswith(self.query.get("prefix", "")))
        key, identity = self.query.get("key-marker", ""), self.query.get("upload-id-marker", "")
        found = [entry for entry in found if entry[0] > key or (identity and entry > (key, identity))]
        limit = int(self.query.get("max-uploads") or 1000)
        shown, more = found[:limit], len(found) > limit
        text = f"<Bucket>{self.bucket}</Bucket><KeyMarker>{self.written(key)}</KeyMarker>" \
               f"<UploadIdMarker>{identity}</UploadIdMarker><Prefix>{self.written(self.query.get('prefix', ''))}</Prefix>"
        if more:
            text += f"<NextKeyMarker>{self.written(shown[-1][0])}</NextKeyMarker>" \
                    f"<NextUploadIdMarker>{shown[-1][1]}</NextUploadIdMarker>"
        text += f"<MaxUploads>{limit}</MaxUploads><IsTruncated>{'true' if more else 'false'}</IsTruncated>"
        if "encoding-type" in self.query:
            text += "<EncodingType>url</EncodingType>"
        for name, identity in shown:
            text += f"<Upload><Key>{self.written(name)}</Key><UploadId>{identity}</UploadId>" \
                    f"<StorageClass>STANDARD</StorageClass>" \
                    f"<Initiated>{iso(self.store.uploads[identity]['begun'])}</Initiated></Upload>"
        self.reply_xml(f"<ListMultipartUploadsResult xmlns='{OF_PARTS}'>{text}</ListMultipartUploadsResult>")

    def complete(self):
        upload = self.upload()
        if "x-goog-if-generation-match" in self.headers:
            raise Refused(400, "InvalidArgument", "Preconditions are not supported in multipart uploads.")
        plain = re.sub(rb"\sxmlns=(\"[^\"]*\"|'[^']*')", b"", self.body)
        wanted = [(int(part.findtext("PartNumber")), part.findtext("ETag").strip('"'))
                  for part in ElementTree.fromstring(plain).iter("Part")]
        if [number for number, _ in wanted] != sorted({number for number, _ in wanted}):
            raise Refused(400, "InvalidPartOrder")
        parts = []
        for place, (number, etag) in enumerate(wanted):
            there = upload["parts"].get(number)
            if there is None or there.etag.strip('"') != etag:
                raise Refused(400, "InvalidPart", "One or more of the specified parts could not be found.")
            if place < len(wanted) - 1 and len(there.data) < 5 << 20:
                raise Refused(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum object size.")
            parts.append(there.data)
        if not parts:
            raise Refused(400, "MalformedCompleteMultipartUploadRequest")
        del self.store.uploads[self.query["uploadId"]]
        made = self.store.put(self.bucket, self.name, b"".join(parts), upload["headers"], composite=True)
        self.reply_xml(
            f"<CompleteMultipartUploadResult xmlns='{OF_PARTS}'><Location>{self.store.endpoint}{self.path}</Location>"
            f"<Bucket>{self.bucket}</Bucket><Key>{escape(self.name)}</Key><ETag>{escape(made.etag)}</ETag>"
            f"</CompleteMultipartUploadResult>", [("x-goog-hash", made.hash)])

    def abort(self):
        self.upload()
        del self.store.uploads[self.query["uploadId"]]
        self.reply(204)


def moment(text):
    return datetime.datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)


def date(text):
    return parsedate_to_datetime(text)


def iso(instant):
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"
