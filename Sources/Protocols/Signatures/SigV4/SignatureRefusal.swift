/// Why a request's signature is not accepted. There is no other outcome of a failed verification: what is missing,
/// doubled or unparsable is refused, never read as something weaker.
///
/// ``s3Code`` and ``publicMessage`` are what AWS S3 answers in the same case ("Error responses" in the S3 API
/// reference) and name nothing the caller did not send or could not know; ``reason`` is for the log. None holds a
/// signature, a secret or a token.
public enum SignatureRefusal: Error, Hashable, Sendable {
    /// Where the signature was presented.
    public enum Place: Hashable, Sendable {
        case header, query
        /// In the query, of version 2.
        case queryV2
        /// In the fields of a form, of either version.
        case form
    }

    /// A part of a presented signature.
    public enum Parameter: Hashable, Sendable {
        case algorithm, credential, date, expires, signedHeaders, signature, securityToken, contentSHA256
        /// Of version 2.
        case accessKeyID
        /// Of forms.
        case policy
    }

    public enum Defect: Hashable, Sendable {
        case missing(Parameter)
        case repeated(Parameter)
        case malformed(Parameter)
        /// The parameter list itself can't be read, or has parameters that are not of the algorithm.
        case syntax
        case unsupportedAlgorithm
        /// `X-Amz-Expires` is a number outside 1...604800, or version 2's `Expires` lies further ahead than that.
        case expiresOutOfRange
        /// The scope's date is not the day of the request.
        case scopeDate
        case scopeService
        case scopeTerminator
    }

    /// Two ways of authenticating at once: header and query, version 2 and version 4, several `Authorization` fields.
    case twoSignatures
    /// Signature Version 2 in the header, or in the query where that is switched off: recognised, so that it is never taken
    /// for an anonymous request, and refused with advice.
    case signatureVersion2
    /// An `Authorization` field without anything in it: not the same as none.
    case emptyAuthorization
    case malformed(Place, Defect)
    case wrongRegion(Place, expected: String)
    /// Header authentication without a usable `x-amz-date` or `Date`.
    case missingDate
    /// More than 15 minutes between the request's time and ours.
    case requestTimeTooSkewed
    /// A presigned request dated more than 15 minutes ahead of us.
    case notYetValid
    /// A presigned request past its `X-Amz-Date` + `X-Amz-Expires`.
    case expired
    case hostNotSigned
    /// An `x-amz-*` field was sent that the signature does not cover.
    case headerNotSigned(String)
    /// A field that the signature covers was not sent.
    case signedHeaderMissing(String)
    case repeatedHeader(String)
    case missingContentSHA256
    case malformedContentSHA256
    /// Chunks signed by an algorithm that is not supported.
    case payloadFormNotSupported
    /// The query and the header state different payload hashes.
    case conflictingContentSHA256
    /// Version 2 signs parameters as they are: one of these could be read as two.
    case ambiguousParameter
    /// The path's percent-encoding is broken.
    case malformedPath
    case signatureMismatch
}

extension SignatureRefusal {
    /// The AWS S3 error code.
    public var s3Code: String {
        switch self {
        case .twoSignatures: "InvalidArgument"
        case .signatureVersion2: "InvalidRequest"
        case .malformed(.header, _), .wrongRegion(.header, _): "AuthorizationHeaderMalformed"
        case .malformed(.queryV2, .expiresOutOfRange): "AuthorizationQueryParametersError"
        case .malformed(.query, _), .wrongRegion(.query, _), .wrongRegion(.form, _):
            "AuthorizationQueryParametersError"
        case .malformed(.form, _): "InvalidArgument"
        case .malformed(.queryV2, _), .wrongRegion(.queryV2, _): "AccessDenied"
        case .emptyAuthorization, .missingDate, .notYetValid, .expired, .hostNotSigned, .headerNotSigned: "AccessDenied"
        case .requestTimeTooSkewed: "RequestTimeTooSkewed"
        case .repeatedHeader, .missingContentSHA256: "InvalidRequest"
        case .malformedContentSHA256, .conflictingContentSHA256, .ambiguousParameter: "InvalidArgument"
        case .payloadFormNotSupported: "NotImplemented"
        case .malformedPath: "InvalidURI"
        case .signedHeaderMissing, .signatureMismatch: "SignatureDoesNotMatch"
        }
    }

    /// Safe to send to whoever asked.
    public var publicMessage: String {
        switch self {
        case .twoSignatures:
            "Only one authentication mechanism is allowed: the Authorization header or the query parameters of a "
                + "presigned URL, each once."
        case .signatureVersion2:
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256 "
                + "(Signature Version 4; in boto3: Config(signature_version='s3v4'))."
        case .malformed(let place, let defect):
            defect.message(in: place)
        case .wrongRegion(.header, let expected):
            "The authorization header is malformed; the region is wrong; expecting '\(expected)'"
        case .wrongRegion(.query, let expected), .wrongRegion(.queryV2, let expected),
            .wrongRegion(.form, let expected):
            "Error parsing the X-Amz-Credential parameter; the region is wrong; expecting '\(expected)'"
        case .emptyAuthorization: "Access Denied"
        case .missingDate: "AWS authentication requires a valid Date or x-amz-date header"
        case .requestTimeTooSkewed: "The difference between the request time and the current time is too large."
        case .notYetValid: "Request is not yet valid"
        case .expired: "Request has expired"
        case .hostNotSigned: "The host header must be signed"
        case .headerNotSigned(let name): "There were headers present in the request which were not signed: \(name)"
        case .signedHeaderMissing(let name): "The signature covers a header that was not sent: \(name)"
        case .repeatedHeader(let name): "The header may be sent only once: \(name)"
        case .missingContentSHA256: "Missing required header for this request: x-amz-content-sha256"
        case .malformedContentSHA256:
            "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, or a valid sha256 value."
        case .payloadFormNotSupported: "Chunks signed by AWS4-ECDSA-P256-SHA256 are not supported."
        case .conflictingContentSHA256: "x-amz-content-sha256 differs between header and query"
        case .ambiguousParameter: "A parameter's value can't be signed unambiguously; please use Signature Version 4."
        case .malformedPath: "Couldn't parse the specified URI."
        case .signatureMismatch:
            "The request signature we calculated does not match the signature you provided. Check your key and "
                + "signing method."
        }
    }

    /// For the log: what exactly was refused, in a few words.
    public var reason: String {
        switch self {
        case .twoSignatures: "two authentication mechanisms"
        case .signatureVersion2: "signature version 2"
        case .malformed(let place, let defect): "\(place) signature: \(defect.reason)"
        case .wrongRegion(let place, let expected): "\(place) signature: region is not \(expected)"
        case .emptyAuthorization: "empty Authorization field"
        case .missingDate: "no usable date"
        case .requestTimeTooSkewed: "request time skewed beyond 15 minutes"
        case .notYetValid: "presigned request not yet valid"
        case .expired: "presigned request expired"
        case .hostNotSigned: "host not signed"
        case .headerNotSigned(let name): "header not signed: \(name)"
        case .signedHeaderMissing(let name): "signed header missing: \(name)"
        case .repeatedHeader(let name): "header repeated: \(name)"
        case .missingContentSHA256: "no x-amz-content-sha256"
        case .malformedContentSHA256: "malformed x-amz-content-sha256"
        case .payloadFormNotSupported: "chunks signed by an unsupported algorithm"
        case .conflictingContentSHA256: "x-amz-content-sha256 differs between header and query"
        case .ambiguousParameter: "parameter that could be read as two"
        case .malformedPath: "malformed percent-encoding in the path"
        case .signatureMismatch: "signature mismatch"
        }
    }
}

extension SignatureRefusal.Parameter {
    /// As it is spelled in that place.
    fileprivate func name(in place: SignatureRefusal.Place) -> String {
        switch (self, place) {
        case (.algorithm, .header): "algorithm"
        case (.credential, .header): "Credential"
        case (.signedHeaders, .header): "SignedHeaders"
        case (.signature, .header): "Signature"
        case (.date, .header): "x-amz-date"
        case (.accessKeyID, _): "AWSAccessKeyId"
        case (.policy, _): "policy"
        case (_, .form): formName
        case (.expires, .queryV2): "Expires"
        case (.signature, .queryV2): "Signature"
        case (.expires, _): "X-Amz-Expires"
        case (.securityToken, .header): "x-amz-security-token"
        case (.contentSHA256, .header): "x-amz-content-sha256"
        case (.algorithm, .query), (.algorithm, .queryV2): "X-Amz-Algorithm"
        case (.credential, .query), (.credential, .queryV2): "X-Amz-Credential"
        case (.signedHeaders, .query), (.signedHeaders, .queryV2): "X-Amz-SignedHeaders"
        case (.signature, .query): "X-Amz-Signature"
        case (.date, .query), (.date, .queryV2): "X-Amz-Date"
        case (.securityToken, .query), (.securityToken, .queryV2): "X-Amz-Security-Token"
        case (.contentSHA256, .query), (.contentSHA256, .queryV2): "X-Amz-Content-Sha256"
        }
    }
}

extension SignatureRefusal.Parameter {
    private var formName: String {
        switch self {
        case .algorithm: "x-amz-algorithm"
        case .credential: "x-amz-credential"
        case .date: "x-amz-date"
        case .signature: "x-amz-signature (or signature)"
        case .securityToken: "x-amz-security-token"
        case .expires, .signedHeaders, .contentSHA256, .accessKeyID, .policy: "\(self)"
        }
    }
}

extension SignatureRefusal.Defect {
    fileprivate var reason: String {
        switch self {
        case .missing(let parameter): "\(parameter) missing"
        case .repeated(let parameter): "\(parameter) repeated"
        case .malformed(let parameter): "\(parameter) malformed"
        case .syntax: "parameter list malformed"
        case .unsupportedAlgorithm: "algorithm not supported"
        case .expiresOutOfRange: "expiry out of range"
        case .scopeDate: "scope date is not the request's day"
        case .scopeService: "scope service is not ours"
        case .scopeTerminator: "scope does not end in aws4_request"
        }
    }

    fileprivate func message(in place: SignatureRefusal.Place) -> String {
        let what =
            switch self {
            case .missing(let parameter): "\(parameter.name(in: place)) is missing"
            case .repeated(let parameter): "\(parameter.name(in: place)) may be given only once"
            case .malformed(let parameter): malformed(parameter, in: place)
            case .syntax: "the list of parameters can't be read"
            case .unsupportedAlgorithm: "only \"AWS4-HMAC-SHA256\" is supported"
            case .expiresOutOfRange where place == .form: "its policy must expire within a week (604800 seconds)"
            case .expiresOutOfRange where place == .queryV2: "Expires must lie at most a week (604800 seconds) ahead"
            case .expiresOutOfRange: "X-Amz-Expires must be between 1 and 604800 seconds (a week)"
            case .scopeDate: "the credential's date is not the same as the request's"
            case .scopeService: "incorrect service in the credential; this endpoint belongs to \"s3\""
            case .scopeTerminator: "incorrect terminal in the credential; it must be \"aws4_request\""
            }
        return switch place {
        case .header: "The authorization header is malformed; \(what)"
        case .query: "The query parameters of the signature are malformed; \(what)"
        case .form: "The form's signature is malformed; \(what)"
        case .queryV2:
            "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters; \(what)"
        }
    }

    private func malformed(_ parameter: SignatureRefusal.Parameter, in place: SignatureRefusal.Place) -> String {
        let name = parameter.name(in: place)
        return switch parameter {
        case .credential: "\(name) must have the form KEY/YYYYMMDD/REGION/SERVICE/aws4_request"
        case .date: "\(name) must be in the ISO 8601 basic format YYYYMMDD'T'HHMMSS'Z'"
        case .expires where place == .queryV2: "\(name) must be a time in seconds since 1970"
        case .expires: "\(name) should be a number"
        case .signedHeaders: "\(name) must be lower-case header names, sorted, separated by semicolons"
        case .signature where place == .form:
            "\(name) must be 64 lower-case hexadecimal digits, or in version 2 28 characters of base 64"
        case .signature where place == .queryV2: "\(name) must be 28 characters of base 64, percent-encoded"
        case .signature: "\(name) must be 64 lower-case hexadecimal digits"
        case .algorithm, .securityToken, .contentSHA256, .accessKeyID, .policy: "\(name) is not valid"
        }
    }
}
