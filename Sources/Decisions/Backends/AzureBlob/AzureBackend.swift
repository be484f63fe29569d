public import HTTP1
import S3API
public import Signatures
public import WireFormats

/// One container at Azure Blob Storage, asked in its own REST protocol (Microsoft, "Blob Storage REST API").
public final class AzureBackend: Backend {
    /// The version of the protocol that every request names.
    static let version = SharedAccessSignature.version

    public let endpoint: Endpoint
    public let publicEndpoint: Endpoint?
    public let account: String
    public let bucketName: String
    public let prefix: [UInt8]
    public let credential: AzureCredential
    /// It knows none of S3's: what clients give is verified here.
    public var checksums: StoreChecksums { .unknown }

    /// What names that listings leave out begin with.
    let hidden: [FoldedName]
    /// The container's path, encoded.
    let root: [UInt8]
    /// What precedes an encoded key.
    let keyRoot: [UInt8]

    /// - Parameters:
    ///   - prefix: `backend_prefix` as configured; a `/` is put behind it where it has none.
    ///   - hidden: what keys that listings leave out begin with; empty: none are left out.
    public init(
        account: String,
        container: String,
        endpoint: Endpoint,
        publicEndpoint: Endpoint? = nil,
        prefix: String = "",
        credential: AzureCredential,
        hidden: [UInt8] = []
    ) {
        self.account = account
        self.endpoint = endpoint
        self.publicEndpoint = publicEndpoint
        bucketName = container
        let folder = folder(prefix)
        self.prefix = folder
        self.credential = credential
        self.hidden = ((hidden.isEmpty ? [] : [hidden]) + [AzureUpload.folder]).map(FoldedName.init)
        root = [UInt8(ascii: "/")] + PercentEncoding.encode(container.utf8, keepSlash: .encode)
        keyRoot = root + [UInt8(ascii: "/")] + PercentEncoding.encode(folder, keepSlash: .keep)
    }

    public var hostOfRequests: String { endpoint.authority }
    public var pathOfBucket: String { String(decoding: root, as: UTF8.self) }
    public var pathBeforeKeys: String { String(decoding: keyRoot, as: UTF8.self) }

    public var keepsKeys: Bool { false }
    public var signsURLs: Bool { credential.signsURLs }
    public func hasURLs(of method: HTTPMethod) -> Bool { method != .head }
    /// A shared access signature says nothing of a body, its type or its length.
    public var bindsUploads: Bool { false }

    /// Within one account, where the source can be read by a credential that goes along.
    public func canCopy(from source: any Backend) -> Bool {
        guard let source = source as? AzureBackend, source.account == account, source.endpoint == endpoint else {
            return false
        }
        switch source.credential {
        case .sharedKey, .bearer: return true
        case .anonymous: return false
        }
    }

    /// The path of a blob, encoded.
    /// - Throws: `KeyTooLongError`; `InvalidArgument` for a backslash, which Azure takes for a slash (Microsoft, "Naming
    ///   and Referencing Containers, Blobs, and Metadata"); `AccessDenied` for what is kept of unfinished uploads.
    func path(_ key: ObjectKey) throws(S3Error) -> [UInt8] {
        guard !key.bytes.contains(UInt8(ascii: "\\")) else {
            throw S3Error(.invalidArgument, "Azure takes a backslash in a key for a slash.")
        }
        guard !FoldedName(AzureUpload.folder).begins(key.bytes) else { throw S3Error(.accessDenied) }
        return try rawPath(key.bytes)
    }

    /// The path of any blob under the prefix.
    func rawPath(_ name: some Collection<UInt8>) throws(S3Error) -> [UInt8] {
        guard prefix.count + name.count <= ObjectKey.maximumLength else { throw S3Error(.keyTooLong) }
        var path = keyRoot
        PercentEncoding.append(name, to: &path, keepSlash: .keep)
        return path
    }
}

/// What requests to an account are made under.
public enum AzureCredential: Sendable {
    case sharedKey(SharedKeySigner)
    /// A token of Microsoft Entra ID; with a key that it was issued, URLs can be signed.
    case bearer(Secret<String>, delegation: UserDelegationKey?)
    case anonymous

    var signsURLs: Bool {
        switch self {
        case .sharedKey: true
        case .bearer(_, let delegation): delegation != nil
        case .anonymous: false
        }
    }
}
