import WireFormats

/// A refusal in STS's terms (AWS STS API reference, "Common Error Types" and each action's errors).
public struct STSError: Error, Hashable, Sendable {
    public let code: Code
    /// Safe to show; never has anything of a token in it.
    public let message: String
    /// Seconds for `Retry-After`.
    public let retryAfter: Int?

    public init(_ code: Code, _ message: String? = nil, retryAfter: Int? = nil) {
        self.code = code
        self.message = message ?? code.message
        self.retryAfter = retryAfter
    }

    static func missing(_ name: String) -> STSError {
        STSError(.missingParameter, "The request must contain the parameter \(name).")
    }

    public enum Code: String, CaseIterable, Sendable {
        case accessDenied = "AccessDenied"
        case expiredToken = "ExpiredToken"
        case expiredWebIdentity = "ExpiredTokenException"
        case idpCommunication = "IDPCommunicationError"
        case idpRejectedClaim = "IDPRejectedClaim"
        case internalFailure = "InternalFailure"
        case invalidAction = "InvalidAction"
        case invalidClientTokenID = "InvalidClientTokenId"
        case invalidIdentityToken = "InvalidIdentityToken"
        case invalidParameterCombination = "InvalidParameterCombination"
        case malformedPolicy = "MalformedPolicyDocument"
        case malformedQuery = "MalformedQueryString"
        case missingAction = "MissingAction"
        case missingParameter = "MissingParameter"
        case missingToken = "MissingAuthenticationToken"
        case packedPolicyTooLarge = "PackedPolicyTooLarge"
        case serviceUnavailable = "ServiceUnavailable"
        case signature = "SignatureDoesNotMatch"
        case slowDown = "SlowDown"
        case validationError = "ValidationError"
    }

    public var status: Int {
        switch code {
        case .accessDenied, .expiredToken, .idpRejectedClaim, .invalidClientTokenID, .missingToken, .signature: 403
        case .slowDown: 429
        case .internalFailure: 500
        case .serviceUnavailable: 503
        case .expiredWebIdentity, .idpCommunication, .invalidAction, .invalidIdentityToken,
            .invalidParameterCombination,
            .malformedPolicy, .malformedQuery, .missingAction, .missingParameter, .packedPolicyTooLarge,
            .validationError:
            400
        }
    }

    /// `<ErrorResponse>`.
    public func document(requestID: String) -> [UInt8] {
        var writer = XMLWriter()
        writer.open("ErrorResponse", xmlns: STSAnswer.namespace)
        writer.open("Error")
        writer.element("Type", status < 500 ? "Sender" : "Receiver")
        writer.element("Code", code.rawValue)
        writer.element("Message", message)
        writer.close("Error")
        writer.element("RequestId", requestID)
        writer.close("ErrorResponse")
        return writer.bytes
    }
}

extension STSError.Code {
    fileprivate var message: String {
        switch self {
        case .accessDenied: "Access denied."
        case .expiredToken: "The security token included in the request has expired or was revoked."
        case .expiredWebIdentity: "The web identity token has expired."
        case .idpCommunication: "The identity provider cannot be reached. Try again."
        case .idpRejectedClaim: "The identity token's claims are not accepted by the role."
        case .internalFailure: "The request could not be processed."
        case .invalidAction: "The action is not valid for this web service."
        case .invalidClientTokenID: "The security token included in the request is not valid."
        case .invalidIdentityToken: "The web identity token is not valid."
        case .invalidParameterCombination: "The parameters cannot be used together."
        case .malformedPolicy: "The policy document is not valid."
        case .malformedQuery: "The parameters are not properly encoded."
        case .missingAction: "The request must contain the parameter Action."
        case .missingParameter: "A required parameter is missing."
        case .missingToken: "The request is not signed."
        case .packedPolicyTooLarge: "The policy and the claims do not fit into a session token."
        case .serviceUnavailable: "The service is not available. Try again."
        case .signature: "The request signature does not match."
        case .slowDown: "Reduce your request rate."
        case .validationError: "A parameter is not valid."
        }
    }
}
