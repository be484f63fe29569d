"""A stand-in for Azure Blob Storage: it keeps blobs in memory, and believes no signature that azure-storage-blob's own
classes do not make again from what arrived. Dates, expiry, permissions, conditions and formats are held to what
Microsoft's reference says ("Blob Storage REST API"); what it says no to, it says in Azure's words.
"""

import asyncio
import base64
import datetime
import hashlib
import hmac
import re
import threading
from dataclasses import dataclass, field
from email.utils import format_datetime, parsedate_to_datetime
from types import SimpleNamespace
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from aiohttp import web
from azure.core.pipeline.transport import HttpRequest
from azure.storage.blob import UserDelegationKey
from azure.storage.blob._shared.authentication import SharedKeyCredentialPolicy
from azure.storage.blob._shared_access_signature import _BlobSharedAccessHelper

ACCOUNT = "photostore"
KEY = base64.b64encode(b"the key of an account that does not exist").decode()
SKEW = datetime.timedelta(minutes=15)
PROPERTIES = ("content-type", "content-encoding", "content-language", "content-disposition", "cache-control")
OVERRIDES = {"rscc": "cache-control", "rscd": "content-disposition", "rsce": "content-encoding",
             "rscl": "content-language", "rsct": "content-type"}


class Refused(Exception):
    def __init__(self, status, code, **fields):
        super().__init__(code)
        self.status, self.code, self.fields = status, code, fields


@dataclass
class Blob:
    content: bytes
    etag: str
    modified: datetime.datetime
    properties: dict = field(default_factory=dict)
    metadata: dict = field(default_factory=dict)
    blocks: list = field(default_factory=list)
    md5: str = ""


@dataclass
class Container:
    blobs: dict = field(default_factory=dict)
    uncommitted: dict = field(default_factory=dict)
    """By blob: block id → bytes, in the order in which they came."""


class _Recomputed(SharedKeyCredentialPolicy):
    def signature(self, request):
        self.on_request(SimpleNamespace(http_request=request, context=SimpleNamespace(transport=None)))
        return request.headers["Authorization"]


class AzureBlob:
    def __init__(self, port, containers=("pictures",), account=ACCOUNT, key=KEY):
        self.port, self.account, self.key = port, account, key
        self.containers = {name: Container() for name in containers}
        self.public = set()
        """Containers whose blobs and lists anybody may read."""
        self.tokens = set()
        """Bearer tokens that are believed."""
        self.delegation_keys = {}
        self.delegation_lifetime = None
        """Seconds that a key lasts; None: as long as it was asked for."""
        self.may_delegate = True
        """Whether bearers have the right to such keys."""
        self.requests = []
        """Method, path and query, and fields of each request that was let in."""
        self.refusals = []
        self._counter = 0x8DCF000000000
        self._loop = None

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        ready = threading.Event()

        def serve():
            self._loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self._loop)
            runner = self._loop.run_until_complete(self._listen())
            ready.set()
            self._loop.run_forever()
            self._loop.run_until_complete(runner.cleanup())

        self._thread = threading.Thread(target=serve, daemon=True)
        self._thread.start()
        ready.wait(120)
        return self

    async def _listen(self):
        runner = web.ServerRunner(web.Server(self._answer))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        return runner

    def stop(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(120)

    # Asking

    async def _answer(self, request):
        raw, _, query = request.raw_path.partition("?")
        turn = SimpleNamespace(
            method=request.method, path=raw, raw_query=query,
            query=dict(parse_qsl(query, keep_blank_values=True)),
            fields={name.lower(): value for name, value in request.headers.items()}, http=request,
        )
        try:
            turn.grant = self._let_in(turn)
            self.requests.append((turn.method, request.raw_path, turn.fields))
            if turn.method in ("PUT", "POST") and "content-length" not in turn.fields:
                raise Refused(411, "MissingContentLengthHeader")
            # What is cut before its length is there raises, and is kept nowhere.
            turn.body = await request.content.read()
            if len(turn.body) != int(turn.fields.get("content-length", 0)):
                raise Refused(400, "IncompleteBody")
            status, fields, body = self._do(turn)
        except Refused as refusal:
            self.refusals.append((turn.method, request.raw_path, refusal.code))
            status, fields = refusal.status, {"x-ms-error-code": refusal.code, **refusal.fields}
            body = b"" if turn.method == "HEAD" or status == 304 else (
                f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{refusal.code}</Code><Message>At container '
                f"{escape(unquote(raw))}</Message></Error>").encode()
            if body:
                fields["Content-Type"] = "application/xml"
        fields = {"x-ms-request-id": "stand-in", "x-ms-version": turn.fields.get("x-ms-version", ""),
                  "Server": "Windows-Azure-Blob/1.0 stand-in", **fields}
        if turn.method == "HEAD":
            return web.Response(status=status, headers={"Content-Length": "0", **fields})
        return web.Response(status=status, headers=fields, body=body)

    # Who may

    def _let_in(self, turn):
        authorization = turn.fields.get("authorization", "")
        if "sig" in turn.query:
            if authorization:
                raise Refused(400, "InvalidAuthenticationInfo")
            return self._shared_access(turn)
        if not authorization:
            container = turn.path.split("/")[1]
            if container in self.public and turn.method in ("GET", "HEAD"):
                return "r"
            raise Refused(401, "NoAuthenticationInformation")
        if "x-ms-version" not in turn.fields:
            raise Refused(400, "MissingRequiredHeader")
        date = parsedate_to_datetime(turn.fields.get("x-ms-date") or turn.fields.get("date"))
        if abs(datetime.datetime.now(datetime.timezone.utc) - date) > SKEW:
            raise Refused(403, "AuthenticationFailed")
        if authorization.startswith("Bearer "):
            if authorization.removeprefix("Bearer ") not in self.tokens:
                raise Refused(401, "InvalidAuthenticationInfo")
            return "racwd"
        request = HttpRequest(turn.method, f"{self.endpoint}{turn.path}" + (f"?{turn.raw_query}" if turn.raw_query else ""))
        # The library knows the field Range under another name.
        names = {"range": "byte_range"}
        request.headers.update({names.get(n, n): v for n, v in turn.fields.items() if n != "authorization"})
        expected = _Recomputed(self.account, self.key).signature(request)
        if not hmac.compare_digest(expected, authorization):
            raise Refused(403, "AuthenticationFailed")
        return "racwd"

    def _shared_access(self, turn):
        given = turn.query
        now = datetime.datetime.now(datetime.timezone.utc)
        instant = lambda text: datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        failed = Refused(403, "AuthenticationFailed")
        if not {"sv", "sr", "sp", "se"} <= given.keys() or given["sr"] != "b" or instant(given["se"]) <= now:
            raise failed
        if "st" in given and instant(given["st"]) > now:
            raise failed
        if given.get("spr", "https,http") == "https":
            raise Refused(403, "AuthorizationProtocolMismatch")
        key, account_key = None, self.key
        if "skoid" in given:
            key = self.delegation_keys.get((given["skoid"], given["skt"]))
            if key is None or instant(given["ske"]) <= now or instant(given["se"]) > instant(given["ske"]):
                raise failed
            account_key = None
        sas = _BlobSharedAccessHelper()
        sas.add_base(given["sp"], given["se"], given.get("st"), given.get("sip"), given.get("spr"), given["sv"])
        sas.add_resource(given["sr"])
        sas.add_override_response_headers(*(given.get(n) for n in OVERRIDES))
        sas.add_resource_signature(self.account, account_key, unquote(turn.path), user_delegation_key=key)
        if not hmac.compare_digest(sas.query_dict["sig"], given["sig"]):
            raise failed
        return given["sp"]

    def _need(self, turn, *permissions):
        if not any(permission in turn.grant for permission in permissions):
            raise Refused(403, "AuthorizationPermissionMismatch")

    # What

    def _do(self, turn):
        parts = turn.path.split("/", 2)
        name, blob = unquote(parts[1]), unquote(parts[2]) if len(parts) > 2 else ""
        comp = turn.query.get("comp")
        if not name:
            return self._delegate(turn)
        if not blob:
            return self._container(turn, name, comp)
        container = self._existing(name)
        do = {
            ("PUT", None): self._put_blob, ("PUT", "block"): self._put_block, ("PUT", "blocklist"): self._put_block_list,
            ("GET", "blocklist"): self._get_block_list, ("GET", None): self._get, ("HEAD", None): self._get,
            ("DELETE", None): self._delete,
        }.get((turn.method, comp))
        if do is None:
            raise Refused(400, "InvalidQueryParameterValue")
        return do(turn, container, blob)

    def _existing(self, name):
        if name not in self.containers:
            raise Refused(404, "ContainerNotFound")
        return self.containers[name]

    def _delegate(self, turn):
        if turn.method != "POST" or turn.query.get("comp") != "userdelegationkey":
            raise Refused(400, "InvalidQueryParameterValue")
        if not turn.fields.get("authorization", "").startswith("Bearer "):
            raise Refused(403, "AuthenticationFailed")
        if not self.may_delegate:
            raise Refused(403, "AuthorizationPermissionMismatch")
        asked = ElementTree.fromstring(turn.body)
        now = datetime.datetime.now(datetime.timezone.utc)
        start, end = (datetime.datetime.fromisoformat(asked.findtext(n)) for n in ("Start", "Expiry"))
        if not now < end <= now + datetime.timedelta(days=7) or start >= end:
            raise Refused(400, "InvalidXmlNodeValue")
        if self.delegation_lifetime is not None:
            end = now + datetime.timedelta(seconds=self.delegation_lifetime)
        key = UserDelegationKey()
        key.signed_oid, key.signed_tid = "11111111-2222-3333-4444-555555555555", "66666666-7777-8888-9999-000000000000"
        key.signed_start, key.signed_expiry = asked.findtext("Start"), end.strftime("%Y-%m-%dT%H:%M:%SZ")
        key.signed_service, key.signed_version = "b", turn.fields["x-ms-version"]
        key.value = base64.b64encode(hashlib.sha256(f"{key.signed_start}{self.key}".encode()).digest()).decode()
        self.delegation_keys[key.signed_oid, key.signed_start] = key
        tags = {"SignedOid": key.signed_oid, "SignedTid": key.signed_tid, "SignedStart": key.signed_start,
                "SignedExpiry": key.signed_expiry, "SignedService": "b", "SignedVersion": key.signed_version,
                "Value": key.value}
        return 200, {"Content-Type": "application/xml"}, (
            "<UserDelegationKey>" + "".join(f"<{t}>{v}</{t}>" for t, v in tags.items()) + "</UserDelegationKey>").encode()

    def _container(self, turn, name, comp):
        if turn.query.get("restype") != "container":
            raise Refused(400, "InvalidQueryParameterValue")
        if turn.method == "PUT" and comp is None:
            self._need(turn, "w")
            if name in self.containers:
                raise Refused(409, "ContainerAlreadyExists")
            self.containers[name] = Container()
            return 201, {}, b""
        container = self._existing(name)
        if comp == "list":
            self._need(turn, "r")
            return self._list(turn, name, container)
        self._need(turn, "r")
        return 200, {"ETag": '"0x8D0"', "Last-Modified": self._http(datetime.datetime.now(datetime.timezone.utc))}, b""

    # Lists

    def _list(self, turn, name, container):
        prefix, delimiter = turn.query.get("prefix", ""), turn.query.get("delimiter", "")
        limit = int(turn.query.get("maxresults", 5000))
        if limit < 1:
            raise Refused(400, "OutOfRangeQueryParameterValue")
        after = ""
        if turn.query.get("marker"):
            found = re.fullmatch(r"2!(\d+)!(.*)", turn.query["marker"])
            if not found:
                raise Refused(400, "InvalidQueryParameterValue")
            after = base64.b64decode(found[2]).decode()
        include = turn.query.get("include", "").split(",")
        entries, seen = [], None
        for blob in sorted(container.blobs, key=str.encode):
            if not blob.startswith(prefix) or blob.encode() < after.encode():
                continue
            at = blob.find(delimiter, len(prefix)) if delimiter else -1
            folded = blob[:at + len(delimiter)] if at >= 0 else None
            if folded is not None and folded == seen:
                continue
            if len(entries) == limit:
                next_marker = f"2!{len(blob)}!{base64.b64encode(blob.encode()).decode()}"
                break
            seen = folded
            entries.append(f"<BlobPrefix>{self._name(folded)}</BlobPrefix>" if folded is not None
                           else self._entry(blob, container.blobs[blob], "metadata" in include))
        else:
            next_marker = ""
        return 200, {"Content-Type": "application/xml"}, (
            f'<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="{self.endpoint}" '
            f'ContainerName="{name}"><Blobs>{"".join(entries)}</Blobs><NextMarker>{next_marker}</NextMarker>'
            "</EnumerationResults>").encode()

    @staticmethod
    def _name(name):
        if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", name):
            return f'<Name Encoded="true">{quote(name)}</Name>'
        return f"<Name>{escape(name, {chr(13): '&#13;'})}</Name>"

    def _entry(self, name, blob, with_metadata):
        metadata = "".join(f"<{n}>{escape(v)}</{n}>" for n, v in blob.metadata.items()) if with_metadata else ""
        return (f"<Blob>{self._name(name)}<Properties><Last-Modified>{self._http(blob.modified)}</Last-Modified>"
                f"<Etag>{blob.etag}</Etag><Content-Length>{len(blob.content)}</Content-Length>"
                f"<Content-Type>{escape(blob.properties.get('content-type', 'application/octet-stream'))}</Content-Type>"
                f"<BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier></Properties>"
                + (f"<Metadata>{metadata}</Metadata>" if metadata else "") + "</Blob>")

    # Reading

    def _get(self, turn, container, name):
        self._need(turn, "r")
        blob = container.blobs.get(name)
        self._conditions(turn, blob, reading=True)
        if blob is None:
            raise Refused(404, "BlobNotFound")
        fields = {**self._described(blob), "Accept-Ranges": "bytes"}
        for parameter, header in OVERRIDES.items():
            if "sig" in turn.query and parameter in turn.query:
                fields[header.title()] = turn.query[parameter]
        if turn.method == "HEAD":
            return 200, {**fields, "Content-Length": str(len(blob.content))}, b""
        asked = turn.fields.get("x-ms-range") or turn.fields.get("range")
        if not asked:
            return 200, fields, blob.content
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", asked)
        if not found:
            raise Refused(400, "InvalidHeaderValue")
        first, last = int(found[1]), int(found[2]) if found[2] else len(blob.content) - 1
        if first >= len(blob.content) or last < first:
            raise Refused(416, "InvalidRange", **{"Content-Range": f"bytes */{len(blob.content)}"})
        last = min(last, len(blob.content) - 1)
        fields["Content-Range"] = f"bytes {first}-{last}/{len(blob.content)}"
        return 206, fields, blob.content[first:last + 1]

    def _described(self, blob):
        fields = {name.title(): value for name, value in blob.properties.items()}
        fields.setdefault("Content-Type", "application/octet-stream")
        fields.update({f"x-ms-meta-{name}": value for name, value in blob.metadata.items()})
        fields.update({"ETag": f'"{blob.etag}"', "Last-Modified": self._http(blob.modified),
                       "x-ms-blob-type": "BlockBlob"})
        if blob.md5:
            fields["Content-MD5"] = blob.md5
        return fields

    @staticmethod
    def _http(instant):
        return format_datetime(instant, usegmt=True)

    def _conditions(self, turn, blob, reading=False, prefix=""):
        match, none = turn.fields.get(f"{prefix}if-match"), turn.fields.get(f"{prefix}if-none-match")
        for value in (match, none):
            if value and not re.fullmatch(r'\*|"0x[0-9A-Za-z]*"|0x[0-9A-F]+', value):
                raise Refused(400, "InvalidHeaderValue")
        not_met = "SourceConditionNotMet" if prefix else "ConditionNotMet"
        if match and (blob is None or (match != "*" and match.strip('"') != blob.etag)):
            if blob is None and reading:
                raise Refused(404, "BlobNotFound")
            raise Refused(412, not_met)
        if none and blob is not None and (none == "*" or none.strip('"') == blob.etag):
            if reading and not prefix:
                raise Refused(304, not_met, ETag=f'"{blob.etag}"', **{"Last-Modified": self._http(blob.modified)})
            if none == "*" and not prefix:
                raise Refused(409, "BlobAlreadyExists")
            raise Refused(412, not_met)
        if blob is None:
            return
        modified = blob.modified.replace(microsecond=0)
        since = turn.fields.get(f"{prefix}if-modified-since")
        if since and modified <= parsedate_to_datetime(since):
            if reading and not prefix:
                raise Refused(304, not_met, ETag=f'"{blob.etag}"')
            raise Refused(412, not_met)
        unless = turn.fields.get(f"{prefix}if-unmodified-since")
        if unless and modified > parsedate_to_datetime(unless):
            raise Refused(412, not_met)

    # Writing

    def _new(self, turn, content, **more):
        self._counter += 1
        return Blob(content, f"0x{self._counter:X}", datetime.datetime.now(datetime.timezone.utc), **more)

    def _metadata(self, turn):
        metadata = {n.removeprefix("x-ms-meta-"): v for n, v in turn.fields.items() if n.startswith("x-ms-meta-")}
        for name, value in metadata.items():
            if not name:
                raise Refused(400, "EmptyMetadataKey")
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) or not value.isascii():
                raise Refused(400, "InvalidMetadata")
        if sum(len(n) + len(v) for n, v in metadata.items()) > 8192:
            raise Refused(400, "MetadataTooLarge")
        return metadata

    @staticmethod
    def _properties(turn, plain):
        properties = {n: turn.fields[f"x-ms-blob-{n}"] for n in PROPERTIES if f"x-ms-blob-{n}" in turn.fields}
        if plain:
            properties = {**{n: turn.fields[n] for n in PROPERTIES[:3] if n in turn.fields}, **properties}
        return properties

    @staticmethod
    def _verify(turn):
        claimed = turn.fields.get("content-md5")
        computed = base64.b64encode(hashlib.md5(turn.body).digest()).decode()
        if claimed and claimed != computed:
            raise Refused(400, "Md5Mismatch")
        return computed

    def _may_write(self, turn, container, name):
        self._need(turn, "w", "c")
        if "w" not in turn.grant and name in container.blobs:
            raise Refused(403, "UnauthorizedBlobOverwrite")

    def _put_blob(self, turn, container, name):
        self._may_write(turn, container, name)
        if turn.fields.get("x-ms-blob-type") != "BlockBlob":
            raise Refused(400, "MissingRequiredHeader" if "x-ms-blob-type" not in turn.fields else "InvalidHeaderValue")
        if len(name) > 1024:
            raise Refused(400, "OutOfRangeInput")
        self._conditions(turn, container.blobs.get(name))
        metadata, properties = self._metadata(turn), self._properties(turn, plain=True)
        if "x-ms-copy-source" in turn.fields:
            source = self._source(turn)
            content, md5 = source.content, source.md5
            metadata = metadata or dict(source.metadata)
            if turn.fields.get("x-ms-copy-source-blob-properties", "true") == "true":
                properties = {**source.properties, **self._properties(turn, plain=False)}
        else:
            content, md5 = turn.body, self._verify(turn)
        blob = self._new(turn, content, metadata=metadata, properties=properties, md5=md5)
        container.blobs[name] = blob
        container.uncommitted.pop(name, None)
        return 201, {"ETag": f'"{blob.etag}"', "Last-Modified": self._http(blob.modified), "Content-MD5": md5}, b""

    def _source(self, turn):
        """The blob that a copy names, read as the service would: by whatever the URL or the field brings."""
        url = urlsplit(turn.fields["x-ms-copy-source"])
        if f"{url.scheme}://{url.netloc}" != self.endpoint:
            raise Refused(404, "CannotVerifyCopySource")
        fields = {"x-ms-version": turn.fields["x-ms-version"],
                  "x-ms-date": self._http(datetime.datetime.now(datetime.timezone.utc))}
        if "x-ms-copy-source-authorization" in turn.fields:
            fields["authorization"] = turn.fields["x-ms-copy-source-authorization"]
        reading = SimpleNamespace(method="GET", path=url.path, raw_query=url.query,
                                  query=dict(parse_qsl(url.query)), fields=fields)
        try:
            reading.grant = self._let_in(reading)
        except Refused:
            raise Refused(403, "CannotVerifyCopySource")
        self._need(reading, "r")
        _, name, blob = url.path.split("/", 2)
        source = self._existing(unquote(name)).blobs.get(unquote(blob))
        if source is None:
            raise Refused(404, "CannotVerifyCopySource")
        self._conditions(turn, source, prefix="x-ms-source-")
        return source

    def _put_block(self, turn, container, name):
        self._need(turn, "w", "c")
        try:
            identity = base64.b64decode(turn.query["blockid"], validate=True)
        except (KeyError, ValueError):
            raise Refused(400, "InvalidQueryParameterValue")
        waiting = container.uncommitted.get(name, {})
        if not 0 < len(identity) <= 64 or any(len(i) != len(turn.query["blockid"]) for i in waiting):
            raise Refused(400, "InvalidBlobOrBlock")
        content = turn.body
        if "x-ms-copy-source" in turn.fields:
            content = self._source(turn).content
            if "x-ms-source-range" in turn.fields:
                first, last = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", turn.fields["x-ms-source-range"]).groups())
                if first >= len(content) or last >= len(content):
                    raise Refused(416, "InvalidRange")
                content = content[first:last + 1]
        elif not content:
            raise Refused(400, "InvalidHeaderValue")
        else:
            self._verify(turn)
        waiting.pop(turn.query["blockid"], None)
        waiting[turn.query["blockid"]] = content
        container.uncommitted[name] = waiting
        return 201, {}, b""

    def _put_block_list(self, turn, container, name):
        self._may_write(turn, container, name)
        self._conditions(turn, container.blobs.get(name))
        waiting = container.uncommitted.get(name, {})
        present = dict(container.blobs[name].blocks) if name in container.blobs else {}
        blocks = []
        for element in ElementTree.fromstring(turn.body):
            known = {"Uncommitted": waiting, "Committed": present, "Latest": {**present, **waiting}}.get(element.tag, {})
            if element.text not in known:
                raise Refused(400, "InvalidBlockList")
            blocks.append((element.text, known[element.text]))
        if len(blocks) > 50_000:
            raise Refused(400, "BlockListTooLong")
        blob = self._new(turn, b"".join(content for _, content in blocks), metadata=self._metadata(turn),
                         properties=self._properties(turn, plain=False), blocks=blocks)
        container.blobs[name] = blob
        container.uncommitted.pop(name, None)
        return 201, {"ETag": f'"{blob.etag}"', "Last-Modified": self._http(blob.modified)}, b""

    def _get_block_list(self, turn, container, name):
        self._need(turn, "r")
        blob, waiting = container.blobs.get(name), container.uncommitted.get(name, {})
        if blob is None and not waiting:
            raise Refused(404, "BlobNotFound")
        listing = lambda blocks: "".join(
            f"<Block><Name>{i}</Name><Size>{len(c)}</Size></Block>" for i, c in blocks)
        kind = turn.query.get("blocklisttype", "committed")
        text = '<?xml version="1.0" encoding="utf-8"?><BlockList>'
        if kind != "uncommitted":
            text += f"<CommittedBlocks>{listing(blob.blocks if blob else [])}</CommittedBlocks>"
        if kind != "committed":
            text += f"<UncommittedBlocks>{listing(sorted(waiting.items()))}</UncommittedBlocks>"
        fields = {"Content-Type": "application/xml"}
        if blob:
            fields.update({"ETag": f'"{blob.etag}"', "x-ms-blob-content-length": str(len(blob.content))})
        return 200, fields, f"{text}</BlockList>".encode()

    def _delete(self, turn, container, name):
        self._need(turn, "d")
        self._conditions(turn, container.blobs.get(name))
        if name not in container.blobs:
            raise Refused(404, "BlobNotFound")
        del container.blobs[name]
        return 202, {}, b""
