import WireFormats

/// The document of GetBucketVersioning and PutBucketVersioning (S3 API reference, of those names).
public enum VersioningDocument {
    public enum Status: String, Sendable {
        case enabled = "Enabled"
        case suspended = "Suspended"
    }

    /// - Throws: `MalformedXML` for what is no such document or names no status, `NotImplemented` for one that turns
    ///   deletion with a second factor on.
    public static func status(parsing document: [UInt8]) throws(S3Error) -> Status {
        let root = try readRequestDocument(document, root: "VersioningConfiguration", maxElements: 16)
        var status: Status?
        for child in root.children {
            let text = child.text.trimmingXMLSpace
            switch child.name {
            case "Status" where status == nil:
                status = Status(rawValue: text)
                guard status != nil else { throw S3Error(.malformedXML) }
            case "MfaDelete", "MFADelete":
                guard text == "Disabled" else { throw S3Error(.notImplemented, "MFA delete can't be turned on.") }
            default: throw S3Error(.malformedXML)
            }
        }
        guard let status else { throw S3Error(.malformedXML) }
        return status
    }

    /// - Parameter status: nil for a bucket that was never versioned.
    public static func document(_ status: Status?) -> [UInt8] {
        var writer = XMLWriter()
        writer.open("VersioningConfiguration", xmlns: XMLNode.s3Namespace)
        if let status { writer.element("Status", status.rawValue) }
        writer.close("VersioningConfiguration")
        return writer.bytes
    }
}
