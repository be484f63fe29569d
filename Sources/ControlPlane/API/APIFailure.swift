package import S3API
package import WireFormats

/// Why a call to the JSON API is refused: a code, its status, and a message that is safe to show.
package struct APIFailure: Error, Sendable {
    package let code: Code
    package let message: String
    /// Seconds for `Retry-After`.
    package var retryAfter: Int?
    /// Further members of the error, such as the fields that differ.
    package var details: [(name: String, value: StrictJSON)] = []
    /// For the log alone; empty: the code says it.
    package var reason = ""

    package init(_ code: Code, _ message: String? = nil, retryAfter: Int? = nil, reason: String = "") {
        self.code = code
        self.message = message ?? code.message
        self.retryAfter = retryAfter
        self.reason = reason
    }

    package init(_ error: S3Error) {
        code = Code(error.code)
        message = error.message
        retryAfter = error.retryAfter
    }

    /// A code with its status. Those that only some operations answer with are declared where these are.
    package struct Code: Hashable, Sendable {
        package let name: String
        package let status: Int
        package let message: String

        package init(_ name: String, _ status: Int, _ message: String) {
            self.name = name
            self.status = status
            self.message = message
        }

        package init(_ code: S3Error.Code) { self.init(code.name, code.status, code.message) }

        package static let accessDenied = Code(.accessDenied)
        package static let invalidArgument = Code(.invalidArgument)
        package static let invalidRequest = Code(.invalidRequest)
        package static let keyTooLong = Code(.keyTooLong)
        package static let methodNotAllowed = Code(.methodNotAllowed)
        package static let proxyOnly = Code(.proxyOnly)
        package static let serviceUnavailable = Code(.serviceUnavailable)
        package static let notFound = Code("NotFound", 404, "There is nothing here.")
        package static let unsupportedMediaType = Code(
            "UnsupportedMediaType",
            415,
            "The body must be of the type application/json."
        )
        package static let malformedJSON = Code("MalformedJSON", 400, "The body is not a JSON document.")
        package static let idempotencyConflict = Code(
            "IdempotencyKeyReused",
            409,
            "This Idempotency-Key came with another request before."
        )
        package static let underWay = Code("RequestInProgress", 409, "The first request with this key is under way.")
    }

    /// What the state says is too old to be believed.
    static let stateAway = APIFailure(.serviceUnavailable, retryAfter: 5, reason: "state_away")

    /// Where nobody may say whether a bucket is there or not.
    package static func denied(_ reason: String) -> APIFailure { APIFailure(.accessDenied, reason: reason) }
}
