"""Every S3 operation as a script of signed requests, to be run at a store, at Gatehouse in front of it, and compared."""

import base64
import hashlib
import http.client
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from .clients import signed

MATRIX = Path(__file__).resolve().parents[3] / "docs" / "s3-compatibility.md"
NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


def documented():
    """The operations of docs/s3-compatibility.md with what it says of the kinds of store: {name: {kind: bool}}."""
    found, kinds = {}, []
    for line in MATRIX.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[:2] == ["operation", "request"]:
            kinds = cells[2 : cells.index("actions")]
        elif line.startswith("| ") and kinds and re.fullmatch(r"`[A-Z]+ /.*`", cells[1]):
            found[cells[0]] = {kind: cell == "yes" for kind, cell in zip(kinds, cells[2:])}
    return found


@dataclass(frozen=True)
class Step:
    """`operation` as the document names it. `{name}` in query, headers and body stands for what an earlier step kept."""

    operation: str
    method: str
    key: str = ""
    query: str = ""
    body: bytes = b""
    headers: dict = field(default_factory=dict, hash=False)
    keep: tuple = ()
    """(name, header or element): what later steps need."""
    what: str = ""

    @property
    def name(self):
        return self.operation + (f"-{self.what}" if self.what else "")


@dataclass
class Result:
    status: int
    code: str
    shape: frozenset
    headers: frozenset
    text: str


def document(root, inner):
    return f"<{root} {NAMESPACE}>{inner}</{root}>".encode()


def key_headers(prefix="x-amz-server-side-encryption-customer-"):
    key = b"0123456789abcdef0123456789abcdef"
    return {
        prefix + "algorithm": "AES256",
        prefix + "key": base64.b64encode(key).decode(),
        prefix + "key-MD5": base64.b64encode(hashlib.md5(key).digest()).decode(),
    }


TAGS = document("Tagging", "<TagSet><Tag><Key>colour</Key><Value>blue</Value></Tag></TagSet>")
CORS = document("CORSConfiguration", "<CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>")
LIFECYCLE = document(
    "LifecycleConfiguration",
    "<Rule><ID>old</ID><Filter><Prefix>old/</Prefix></Filter><Status>Enabled</Status>"
    "<Expiration><Days>9</Days></Expiration></Rule>",
)
ENCRYPTION = document(
    "ServerSideEncryptionConfiguration",
    "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>"
    "</ApplyServerSideEncryptionByDefault></Rule>",
)
WEBSITE = document("WebsiteConfiguration", "<IndexDocument><Suffix>index.html</Suffix></IndexDocument>")
SELECT = document(
    "SelectObjectContentRequest",
    "<Expression>SELECT * FROM S3Object</Expression><ExpressionType>SQL</ExpressionType>"
    "<InputSerialization><CSV/></InputSerialization><OutputSerialization><CSV/></OutputSerialization>",
)
RETENTION = document("Retention", "<Mode>GOVERNANCE</Mode><RetainUntilDate>2040-01-01T00:00:00Z</RetainUntilDate>")
POLICY = (
    b'{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":"*","Action":"s3:GetObject",'
    b'"Resource":"arn:aws:s3:::{bucket}/open/*"}]}'
)
PART = b"p" * (5 << 20)

STEPS = [
    Step("CreateBucket", "PUT"),
    Step("CreateBucket", "PUT", what="again"),
    Step("HeadBucket", "HEAD"),
    Step("ListBuckets", "GET"),
    Step("GetBucketLocation", "GET", query="location"),
    # Versions.
    Step("GetBucketVersioning", "GET", query="versioning", what="never-set"),
    Step("PutObject", "PUT", "a.txt", body=b"before", what="unversioned"),
    Step("PutBucketVersioning", "PUT", query="versioning",
         body=document("VersioningConfiguration", "<Status>Enabled</Status>")),
    Step("GetBucketVersioning", "GET", query="versioning"),
    Step("PutObject", "PUT", "a.txt", body=b"first", headers={"x-amz-meta-colour": "blue", "Content-Type": "text/plain"},
         keep=(("first", "x-amz-version-id"),)),
    Step("PutObject", "PUT", "a.txt", body=b"second", headers={"x-amz-request-payer": "requester"},
         keep=(("second", "x-amz-version-id"),), what="again"),
    Step("PutObject", "PUT", "tagged.txt", body=b"tagged", headers={"x-amz-tagging": "a=b"}, what="tagged"),
    Step("HeadObject", "HEAD", "tagged.txt", what="tagged"),
    Step("GetObject", "GET", "a.txt"),
    Step("GetObject", "GET", "a.txt", "versionId={first}", what="version"),
    Step("GetObject", "GET", "a.txt", "versionId=null", what="null-version"),
    Step("GetObject", "GET", "a.txt", "response-content-type=a%2Fb&response-cache-control=no-store", what="overrides"),
    Step("GetObject", "GET", "a.txt", headers={"Range": "bytes=1-2"}, what="range"),
    Step("GetObject", "GET", "none.txt", what="missing"),
    Step("HeadObject", "HEAD", "a.txt"),
    Step("HeadObject", "HEAD", "a.txt", "versionId={first}", what="version"),
    Step("HeadObject", "HEAD", "none.txt", what="missing"),
    Step("ListObjects", "GET"),
    Step("ListObjectsV2", "GET", query="list-type=2&fetch-owner=true"),
    Step("ListObjectVersions", "GET", query="versions"),
    # Beside an object's bytes.
    Step("GetObjectTagging", "GET", "a.txt", "tagging"),
    Step("PutObjectTagging", "PUT", "a.txt", "tagging", TAGS),
    Step("PutObjectTagging", "PUT", "a.txt", "tagging&versionId={first}", TAGS, what="version"),
    Step("GetObjectTagging", "GET", "a.txt", "tagging&versionId={first}", what="version"),
    Step("DeleteObjectTagging", "DELETE", "a.txt", "tagging"),
    Step("GetObjectACL", "GET", "a.txt", "acl"),
    Step("PutObjectACL", "PUT", "a.txt", "acl", headers={"x-amz-acl": "private"}),
    Step("PutObjectACL", "PUT", "a.txt", "acl", b"<x/>", what="malformed"),
    Step("GetObjectAttributes", "GET", "a.txt", "attributes", headers={"x-amz-object-attributes": "ETag,ObjectSize"}),
    Step("GetObjectRetention", "GET", "a.txt", "retention"),
    Step("PutObjectRetention", "PUT", "a.txt", "retention", RETENTION),
    Step("GetObjectLegalHold", "GET", "a.txt", "legal-hold"),
    Step("PutObjectLegalHold", "PUT", "a.txt", "legal-hold", document("LegalHold", "<Status>OFF</Status>")),
    Step("SelectObjectContent", "POST", "a.txt", "select&select-type=2", SELECT),
    Step("RestoreObject", "POST", "a.txt", "restore", document("RestoreRequest", "<Days>1</Days>")),
    Step("PutObject", "PUT", "secret.txt", body=b"kept", headers=key_headers(), what="customer-key"),
    Step("GetObject", "GET", "secret.txt", headers=key_headers(), what="customer-key"),
    Step("CopyObject", "PUT", "copy.txt", headers={"x-amz-copy-source": "/{bucket}/a.txt"}),
    Step("CopyObject", "PUT", "copy.txt", headers={"x-amz-copy-source": "/{bucket}/a.txt?versionId={first}"}, what="version"),
    # Uploads in parts.
    Step("CreateMultipartUpload", "POST", "parts", "uploads", keep=(("upload", "UploadId"),)),
    Step("ListMultipartUploads", "GET", query="uploads"),
    Step("UploadPart", "PUT", "parts", "partNumber=1&uploadId={upload}", PART, keep=(("etag1", "ETag"),)),
    Step("UploadPartCopy", "PUT", "parts", "partNumber=2&uploadId={upload}",
         headers={"x-amz-copy-source": "/{bucket}/a.txt"}, keep=(("etag2", "ETag"),)),
    Step("ListParts", "GET", "parts", "uploadId={upload}"),
    Step("CompleteMultipartUpload", "POST", "parts", "uploadId={upload}", document(
        "CompleteMultipartUpload",
        "<Part><PartNumber>1</PartNumber><ETag>{etag1}</ETag></Part>"
        "<Part><PartNumber>2</PartNumber><ETag>{etag2}</ETag></Part>")),
    Step("GetObject", "GET", "parts", "partNumber=2", what="part"),
    Step("CompleteMultipartUpload", "POST", "parts", "uploadId=0123456789abcdef0123456789abcdef", document(
        "CompleteMultipartUpload", "<Part><PartNumber>1</PartNumber><ETag>{etag1}</ETag></Part>"), what="unknown"),
    Step("CreateMultipartUpload", "POST", "given-up", "uploads", keep=(("other", "UploadId"),), what="again"),
    Step("AbortMultipartUpload", "DELETE", "given-up", "uploadId={other}"),
    # The bucket's configuration.
    Step("GetBucketTagging", "GET", query="tagging", what="none"),
    Step("PutBucketTagging", "PUT", query="tagging", body=TAGS),
    Step("GetBucketTagging", "GET", query="tagging"),
    Step("DeleteBucketTagging", "DELETE", query="tagging"),
    Step("GetBucketACL", "GET", query="acl"),
    Step("PutBucketACL", "PUT", query="acl", headers={"x-amz-acl": "private"}),
    Step("GetBucketCORS", "GET", query="cors", what="none"),
    Step("PutBucketCORS", "PUT", query="cors", body=CORS),
    Step("GetBucketCORS", "GET", query="cors"),
    Step("DeleteBucketCORS", "DELETE", query="cors"),
    Step("GetBucketLifecycle", "GET", query="lifecycle", what="none"),
    Step("PutBucketLifecycle", "PUT", query="lifecycle", body=LIFECYCLE),
    Step("GetBucketLifecycle", "GET", query="lifecycle"),
    Step("DeleteBucketLifecycle", "DELETE", query="lifecycle"),
    Step("GetBucketPolicy", "GET", query="policy", what="none"),
    Step("PutBucketPolicy", "PUT", query="policy", body=POLICY),
    Step("GetBucketPolicy", "GET", query="policy"),
    Step("GetBucketPolicyStatus", "GET", query="policyStatus"),
    Step("DeleteBucketPolicy", "DELETE", query="policy"),
    Step("GetBucketNotification", "GET", query="notification"),
    Step("PutBucketNotification", "PUT", query="notification", body=document("NotificationConfiguration", "")),
    Step("GetBucketObjectLock", "GET", query="object-lock"),
    Step("PutBucketObjectLock", "PUT", query="object-lock",
         body=document("ObjectLockConfiguration", "<ObjectLockEnabled>Enabled</ObjectLockEnabled>")),
    Step("GetBucketEncryption", "GET", query="encryption", what="none"),
    Step("PutBucketEncryption", "PUT", query="encryption", body=ENCRYPTION),
    Step("GetBucketEncryption", "GET", query="encryption"),
    Step("DeleteBucketEncryption", "DELETE", query="encryption"),
    Step("GetBucketWebsite", "GET", query="website", what="none"),
    Step("PutBucketWebsite", "PUT", query="website", body=WEBSITE),
    Step("DeleteBucketWebsite", "DELETE", query="website"),
    Step("GetBucketOwnership", "GET", query="ownershipControls"),
    Step("PutBucketOwnership", "PUT", query="ownershipControls",
         body=document("OwnershipControls", "<Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule>")),
    Step("GetBucketOwnership", "GET", query="ownershipControls", what="set"),
    Step("DeleteBucketOwnership", "DELETE", query="ownershipControls"),
    Step("PutPublicAccessBlock", "PUT", query="publicAccessBlock",
         body=document("PublicAccessBlockConfiguration", "<BlockPublicAcls>true</BlockPublicAcls>")),
    Step("GetPublicAccessBlock", "GET", query="publicAccessBlock"),
    Step("DeletePublicAccessBlock", "DELETE", query="publicAccessBlock"),
    Step("GetBucketReplication", "GET", query="replication"),
    Step("GetBucketLogging", "GET", query="logging"),
    Step("GetBucketRequestPayment", "GET", query="requestPayment"),
    Step("GetBucketAccelerate", "GET", query="accelerate"),
    # The end of it.
    Step("DeleteObject", "DELETE", "a.txt", "versionId={second}", what="version"),
    Step("DeleteObject", "DELETE", "a.txt", keep=(("marker", "x-amz-version-id"),)),
    Step("GetObject", "GET", "a.txt", what="deleted"),
    Step("GetObject", "GET", "a.txt", "versionId={marker}", what="delete-marker"),
    Step("DeleteObjects", "POST", query="delete",
         body=document("Delete", "<Object><Key>copy.txt</Key></Object><Object><Key>none</Key></Object>")),
    Step("DeleteBucket", "DELETE", what="not-empty"),
]

# About the hop, the moment, or the machine.
PASSING = {"x-amz-request-id", "x-amz-id-2", "x-amz-bucket-region", "x-content-type-options", "x-frame-options"}
COMPARED = ("x-amz-", "etag", "content-type", "content-range", "last-modified", "accept-ranges", "cache-control")


class Script:
    """Runs the steps at one bucket of one endpoint, one after the other; what they say is kept by the steps' names."""

    def __init__(self, endpoint, bucket, key, steps=STEPS):
        self.endpoint, self.bucket, self.key = endpoint, bucket, key
        self.kept = {"bucket": bucket}
        self.results = {step.name: self._run(step) for step in steps}

    def _fill(self, text):
        # Not str.format: policies are full of braces.
        for name, value in self.kept.items():
            text = text.replace("{" + name + "}", value)
        return re.sub(r"\{(first|second|marker|upload|other|etag1|etag2)\}", "unknown", text)

    def _run(self, step):
        target = "/" if step.operation == "ListBuckets" else f"/{self.bucket}" + (f"/{step.key}" if step.key else "")
        if step.query:
            target += "?" + self._fill(step.query)
        body = self._fill(step.body.decode()).encode()
        headers = {name: self._fill(value) for name, value in step.headers.items()}
        if body and (b"xmlns" in body or body.startswith(b"{")):
            headers["Content-MD5"] = base64.b64encode(hashlib.md5(body).digest()).decode()
        headers = signed(step.method, self.endpoint + target, self.key.access_key, self.key.secret_key, headers, body)
        connection = http.client.HTTPConnection(urlsplit(self.endpoint).netloc, timeout=120)
        try:
            connection.request(step.method, target, body or None, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        for name, where in step.keep:
            found = answer.headers.get(where)
            if found is None:
                element = re.search(rf"<{where}>([^<]*)<".encode(), text)
                found = element and element[1].decode().replace("&#34;", '"').replace("&quot;", '"')
            if found:
                self.kept[name] = found
        return self._result(step, answer, text)

    @staticmethod
    def _result(step, answer, text):
        root = None
        if text.lstrip().startswith(b"<"):
            try:
                root = ElementTree.fromstring(text)
            except ElementTree.ParseError:
                pass
        code = root.findtext("Code") if root is not None and root.tag == "Error" else None
        shape = frozenset() if root is None or code else frozenset(paths(root))
        names = {name.lower() for name in answer.headers}
        compared = {name for name in names if name.startswith(COMPARED) and name not in PASSING}
        if code or answer.status >= 400:
            compared = set()
        if not step.key:
            # SeaweedFS says of documents, too, that they have ranges.
            compared.discard("accept-ranges")
        return Result(answer.status, code, shape, frozenset(compared), text[:400].decode(errors="replace"))


def paths(node, above=""):
    """The names of all elements, without namespaces, below each other."""
    path = above + "/" + node.tag.split("}")[-1]
    yield path
    for child in node:
        yield from paths(child, path)
