public import WireFormats

/// The short answers of copies and multipart uploads, as documents (S3 API reference, the operations' own pages).
public enum UploadResults {
    /// InitiateMultipartUploadResult.
    public static func initiated(bucket: BucketName, key: ObjectKey, uploadID: String) -> [UInt8] {
        var writer = XMLWriter()
        writer.open("InitiateMultipartUploadResult", xmlns: XMLNode.s3Namespace)
        writer.element("Bucket", bucket.string)
        writer.element("Key", key.bytes)
        writer.element("UploadId", uploadID)
        writer.close("InitiateMultipartUploadResult")
        return writer.bytes
    }

    /// CompleteMultipartUploadResult. `etag` in quotation marks; `checksum` an element's name and its base64 value.
    public static func completed(
        location: String,
        bucket: BucketName,
        key: ObjectKey,
        etag: String,
        checksum: (element: StaticString, value: String)? = nil,
        checksumType: String? = nil
    ) -> [UInt8] {
        var writer = XMLWriter()
        writer.open("CompleteMultipartUploadResult", xmlns: XMLNode.s3Namespace)
        writer.element("Location", location)
        writer.element("Bucket", bucket.string)
        writer.element("Key", key.bytes)
        writer.element("ETag", etag)
        if let checksum { writer.element(checksum.element, checksum.value) }
        if let checksumType { writer.element("ChecksumType", checksumType) }
        writer.close("CompleteMultipartUploadResult")
        return writer.bytes
    }

    /// CopyObjectResult.
    public static func copied(
        etag: String,
        modified: Instant,
        checksum: (element: StaticString, value: String)? = nil
    ) -> [UInt8] {
        copy("CopyObjectResult", etag: etag, modified: modified, checksum: checksum)
    }

    /// CopyPartResult, of UploadPartCopy.
    public static func copiedPart(
        etag: String,
        modified: Instant,
        checksum: (element: StaticString, value: String)? = nil
    ) -> [UInt8] {
        copy("CopyPartResult", etag: etag, modified: modified, checksum: checksum)
    }

    private static func copy(
        _ root: StaticString,
        etag: String,
        modified: Instant,
        checksum: (element: StaticString, value: String)?
    ) -> [UInt8] {
        var writer = XMLWriter()
        writer.open(root, xmlns: XMLNode.s3Namespace)
        writer.element("LastModified", Timestamp.iso8601Milliseconds(modified))
        writer.element("ETag", etag)
        if let checksum { writer.element(checksum.element, checksum.value) }
        writer.close(root)
        return writer.bytes
    }

    /// LocationConstraint, of GetBucketLocation: empty for us-east-1, as S3 has it.
    public static func location(region: String) -> [UInt8] {
        XMLNode(name: "LocationConstraint", text: region == "us-east-1" ? "" : region).document()
    }
}
