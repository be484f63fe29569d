public import S3API
public import WireFormats

/// What Gatehouse made of a request, for the admin who asks why: what it understood, what it computed for the signature,
/// who the caller is, and which rule decided. Holds no secret, no signature and no token, neither the request's own nor
/// one that would have been right.
public struct Explanation: Sendable {
    public internal(set) var understood: Understood
    /// Nil where the request carries none.
    public internal(set) var signature: Signature?
    /// `user:alice`; nil where the caller is not known.
    public internal(set) var caller: String?
    /// How the caller was known, in words.
    public internal(set) var credential = "none"
    public internal(set) var findings: [Finding] = []
    /// Which rules spoke for or against it, in words.
    public internal(set) var rules: [String] = []
    public internal(set) var decision = Decision()

    /// The request as it was read.
    public struct Understood: Sendable {
        public var method: String
        /// The path as it came.
        public var path: String
        /// The host that was taken to name the bucket.
        public var host: String
        public var kind: Kind
        /// The pattern of the route that the path is of.
        public var route: String?
        /// Where the bucket's name stood; nil where there is none, or a route names it.
        public var style: AddressingStyle?
        public var bucket: String?
        public var bucketIsKnown = false
        /// Decoded.
        public var key: [UInt8]?
        public var operation: String?
        /// In snake case, as scopes name them.
        public var actions: [String] = []
        /// `/bucket/key`, decoded.
        public var copySource: String?
        public var clientAddress: String?
        public var isSecure: Bool
    }

    public enum Kind: String, Sendable {
        case s3
        case api = "json_api"
        case probe, preflight, form
        /// A request for a session, at `/` or `/-/sts`.
        case sts
        /// `/-/l/…`, or an object's own path with `gh-link`.
        case link
        /// `/-/openapi.json`.
        case description
        /// Who we are as an identity provider.
        case provider = "identity_provider"
        /// What stores push.
        case events = "store_events"
        /// A path of the application's own.
        case route
        /// Another gateway asks about a request of its own.
        case gateway
        /// Under `/-/`, where nothing is.
        case nothing
    }

    /// The signature that was presented, and what was computed for it.
    public struct Signature: Sendable {
        public var form: Form
        public var accessKeyID: String
        public var region: String?
        public var service: String?
        public var signedAt: Instant?
        public var expiresAt: Instant?
        public var signedHeaders: [String] = []
        /// `UNSIGNED-PAYLOAD`, a hash, or the name of a chunked form.
        public var payload: String?
        /// What the client may have signed as the host, in the order in which it is tried.
        public var hosts: [String] = []
        /// With what must not be shown replaced by `***`.
        public var canonicalRequest: String?
        /// Of the true canonical request.
        public var stringToSign: String?
        /// The names of what was replaced.
        public var masked: [String] = []
        public var verdict = Verdict.unchecked

        public enum Form: String, Sendable {
            case headerV4 = "SigV4 header"
            case presignedV4 = "SigV4 presigned URL"
            case presignedV2 = "SigV2 presigned URL"
        }

        public enum Verdict: String, Sendable {
            /// Made with the key's secret for this very request. There may be other findings: it may have expired.
            case right
            case wrong
            /// There was no secret to check it with, or nothing that could be checked.
            case unchecked
        }
    }

    /// One thing that is not as it should be.
    public struct Finding: Hashable, Sendable {
        public let code: Code
        public let message: String

        init(_ code: Code, _ message: String) {
            self.code = code
            self.message = message
        }

        public enum Code: String, CaseIterable, Sendable {
            case wrongHost = "wrong_host"
            case wrongMethod = "wrong_method"
            case wrongRegion = "wrong_region"
            case wrongService = "wrong_service"
            case wrongPath = "wrong_path"
            case doubleEncoding = "double_encoding"
            case plusSign = "plus_sign"
            case queryChanged = "query_changed"
            case headerChanged = "header_changed"
            case headerMissing = "signed_header_missing"
            case headerNotSigned = "header_not_signed"
            case bodyHash = "body_hash"
            case clock
            case expired
            case wrongSecret = "wrong_secret"
            case unknownKey = "unknown_access_key"
            case keyNotUsable = "access_key_not_usable"
            case mismatch = "signature_mismatch"
            /// The request or its credential can't be read, or is none that is accepted.
            case refused
            /// Worth knowing, and nothing wrong by itself.
            case note
        }
    }

    /// What would be answered.
    public struct Decision: Sendable {
        public var outcome = "undecided"
        /// Of an answer that Gatehouse gives itself.
        public var status: Int?
        /// What the client is told.
        public var errorCode: String?
        public var errorMessage: String?
        /// What the log says.
        public var reason = ""
    }
}
