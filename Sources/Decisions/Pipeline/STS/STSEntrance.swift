import Crypto
import HTTP1
import S3API
import STSAPI
import Signatures
import WireFormats

/// Where STS is asked, and how: a form that is posted, or a query. On virtual hosts there is none: every path is a key
/// there.
enum STSEntrance {
    case form
    case query
    /// Neither.
    case otherMethod

    /// Longer forms are refused: a token of 20,000 characters fits, encoded.
    static let longestForm = 128 * 1024

    /// A request to `/` is one that names an action, or posts a form as SDKs do; any to `/-/sts` is.
    ///
    /// - Parameter reserved: what else of ours the path is.
    init?(_ head: RequestHead, _ reserved: ReservedPath?, on host: [UInt8], of server: ServerSettings) {
        if case .sts? = reserved {
            self = head.method == .post ? .form : head.method == .get ? .query : .otherMethod
            return
        }
        guard reserved == nil, head.path.count == 1, ReservedPath.isPathStyle(host, server) else { return nil }
        if head.method == .post, Self.isForm(head) {
            self = .form
        } else if head.method == .get, let query = head.query, let query = try? Query(parsing: query),
            query.contains("Action")
        {
            self = .query
        } else {
            return nil
        }
    }

    private static func isForm(_ head: RequestHead) -> Bool {
        guard let type = head.fields.first("content-type") else { return false }
        return type.prefix { $0 != UInt8(ascii: ";") && $0 != 0x20 }.map { lowered($0) }
            .elementsEqual("application/x-www-form-urlencoded".utf8)
    }

    /// The parameters, and the whole body. Nil where the body has to be read first.
    ///
    /// - Parameter form: the body, once it is here.
    func parameters(of head: RequestHead, form: [UInt8]?) throws(STSRefusal) -> (query: Query, body: [UInt8])? {
        guard let query = try? Query(parsing: head.query ?? []) else { throw STSRefusal(STSError(.malformedQuery)) }
        switch self {
        case .otherMethod:
            throw STSRefusal(STSError(.invalidAction, "STS is asked with GET or with a form that is posted."))
        case .query:
            guard head.framing.isEmpty else {
                throw STSRefusal(STSError(.invalidParameterCombination, "A query and a body cannot be used together."))
            }
            return (Self.withoutSignature(query), [])
        case .form:
            guard let form else { return nil }
            guard Self.withoutSignature(query).isEmpty else {
                throw STSRefusal(STSError(.invalidParameterCombination, "A query and a form cannot be used together."))
            }
            guard let parameters = try? Query(parsing: form) else { throw STSRefusal(STSError(.malformedQuery)) }
            return (parameters, form)
        }
    }

    /// What is asked, without how it is signed.
    private static func withoutSignature(_ query: Query) -> Query {
        var rest = Query()
        query.forEach { name, value, _ in
            if !name.map({ lowered($0) }).starts(with: "x-amz-".utf8) { rest.append(name, value) }
        }
        return rest
    }
}

/// What had to be found out for STS.
struct STSFindings: Sendable {
    var form: [UInt8]?
    var token: TokenFinding?
}

/// Why STS says no: what its client is told, and what only the log is.
struct STSRefusal: Error {
    let error: STSError
    var outcome = Decision.Outcome.undecided
    let reason: String
    var failure: StaticString?

    /// The request itself can't be understood or carried out, whoever asks.
    init(_ error: STSError) {
        self.error = error
        reason = error.code.rawValue
    }

    private init(_ error: STSError, _ outcome: Decision.Outcome, _ reason: String, _ failure: StaticString? = nil) {
        self.error = error
        self.outcome = outcome
        self.reason = reason
        self.failure = failure
    }

    static func denied(_ reason: String, _ error: STSError = STSError(.accessDenied)) -> STSRefusal {
        STSRefusal(error, .denied, reason)
    }

    static func unauthenticated(_ error: STSError, _ reason: String, _ failure: StaticString) -> STSRefusal {
        STSRefusal(error, .unauthenticated, reason, failure)
    }

    /// What became of a caller's credential, or of its limits, in STS's terms.
    init(_ refusal: Refusal) {
        let code: STSError.Code =
            switch refusal.error.code {
            case .invalidAccessKeyID, .invalidToken, .invalidAPIKey, .invalidBearerToken: .invalidClientTokenID
            case .expiredToken: .expiredToken
            case .missingAuthenticationToken: .missingToken
            case .signatureDoesNotMatch, .requestTimeTooSkewed, .authorizationHeaderMalformed,
                .authorizationQueryParametersError, .contentSHA256Mismatch:
                .signature
            case .tooManyRequests, .slowDown: .slowDown
            case .serviceUnavailable: .serviceUnavailable
            case .invalidArgument, .invalidRequest, .notImplemented: .validationError
            case .internalError: .internalFailure
            default: .accessDenied
            }
        error = STSError(code, refusal.error.detail, retryAfter: refusal.error.retryAfter)
        outcome = refusal.outcome
        reason = refusal.reason
        failure = refusal.failure
    }
}
