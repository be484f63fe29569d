package import Admission
package import Identity
import WireFormats

/// One entry of `[[users]]`: an API key and what its holder may do.
package struct UserConfiguration: Sendable {
    package let user: APIUser
    /// Of the API key; the key itself is not kept.
    package let keyDigest: APIKeyDigest
    package let limits: RequestLimits
    package let origin: Origin
    /// Where each allowed bucket is written.
    let bucketNames: [Located<String>]

    init?(reading section: Section, limits: RequestLimits) {
        let reader = section.reader
        let name = section.required("name").flatMap { text in
            reader.declare(text.value, as: .user, at: text.origin, "the user \(quoted(text.value)) is given")
            return PrincipalName.validated(text, reader)
        }
        let digest = Self.digest(section)
        if let digest {
            let place = section.place(of: section.has("api_key") ? "api_key" : "api_key_sha256")
            reader.declare(Hex.encode(digest.bytes), as: .apiKey, at: place, "the same API key is given")
        }
        let role: UserRole = section.choice("role", or: .user)
        bucketNames = section.texts("allowed_buckets") ?? []
        self.limits = LimitsConfiguration.own(section, standard: limits)
        origin = section.origin
        section.finish()
        guard let name, let digest else { return nil }
        user = APIUser(name: name, role: role, allowedBuckets: AllowedBuckets(bucketNames.map(\.value)))
        keyDigest = digest
    }

    /// From exactly one of `api_key` and `api_key_sha256`.
    private static func digest(_ section: Section) -> APIKeyDigest? {
        let reader = section.reader
        switch (section.has("api_key"), section.has("api_key_sha256")) {
        case (true, true):
            reader.report(
                "stands beside api_key; give one of the two",
                at: section.place(of: "api_key_sha256")
            )
            return nil
        case (false, false):
            reader.report(
                "is required",
                at: section.place(of: "api_key"),
                suggestion: "or give api_key_sha256"
            )
            return nil
        case (true, false):
            guard let key = section.resolved("api_key") else { return nil }
            // What cannot stand in a header field cannot be presented.
            guard key.value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                reader.report("contains characters that a header field cannot carry", at: key.origin)
                return nil
            }
            PrincipalName.warnIfShort(key, making: "api", reader)
            return APIKeyDigest(of: key.value.utf8)
        case (false, true):
            guard let hex = section.resolved("api_key_sha256") else { return nil }
            if let digest = APIKeyDigest(hex: hex.value) { return digest }
            reader.report("is not 64 hexadecimal digits", at: hex.origin)
            return nil
        }
    }
}
