import HTTP1
import Identity
import S3API

/// What an answer of 401 says of how to say who one is (RFC 9110, section 11.6.1): one line for each way.
enum Challenge {
    /// - Parameters:
    ///   - code: of the error.
    ///   - takesTokens: there is a provider whose tokens are accepted.
    static func append(to fields: inout FieldBlock, code: String, takesTokens: Bool) {
        fields.append("www-authenticate", "ApiKey header=\"x-api-key\"")
        guard takesTokens else { return }
        // RFC 6750, section 3: an error where a token was shown, and some parameter in any case.
        let isRefusal = code == S3Error.Code.invalidBearerToken.name
        fields.append("www-authenticate", isRefusal ? "Bearer error=\"invalid_token\"" : "Bearer realm=\"gatehouse\"")
    }
}

extension Snapshot {
    /// Whether somebody's bearer tokens are accepted.
    var takesTokens: Bool { identityProviders.contains { $0.uses.contains(.bearer) } }
}
