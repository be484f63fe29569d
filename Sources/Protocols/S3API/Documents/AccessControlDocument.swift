import WireFormats

/// The access control list of a store that has only one: everything belongs to its owner, who may do everything
/// (S3 User Guide, "Controlling ownership of objects and disabling ACLs").
public enum AccessControlDocument {
    public static func ownedBy(_ owner: String) -> [UInt8] {
        var writer = XMLWriter()
        writer.open("AccessControlPolicy", xmlns: XMLNode.s3Namespace)
        writer.open("Owner")
        writer.element("ID", owner)
        writer.element("DisplayName", owner)
        writer.close("Owner")
        writer.open("AccessControlList")
        writer.open("Grant")
        writer.open(
            "Grantee",
            attributes: #"xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser""#
        )
        writer.element("ID", owner)
        writer.element("DisplayName", owner)
        writer.close("Grantee")
        writer.element("Permission", "FULL_CONTROL")
        writer.close("Grant")
        writer.close("AccessControlList")
        writer.close("AccessControlPolicy")
        return writer.bytes
    }

    /// Checks that a document says no more and no less than ``ownedBy(_:)``.
    /// - Throws: `MalformedXML`, `AccessControlListNotSupported`.
    public static func check(_ document: [UInt8], owner: String) throws(S3Error) {
        let root = try readRequestDocument(document, root: "AccessControlPolicy", maxElements: 1000)
        guard let list = root.child("AccessControlList") else { throw S3Error(.malformedXML) }
        guard list.children.count == 1, let grant = list.child("Grant"),
            grant.value("Permission") == "FULL_CONTROL", grant.child("Grantee")?.value("ID") == owner,
            root.child("Owner").map({ $0.value("ID") == owner }) ?? true
        else { throw S3Error(.accessControlListNotSupported) }
    }
}
