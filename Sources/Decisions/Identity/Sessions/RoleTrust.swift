/// Who may assume a role: bearers of certain tokens, and certain callers.
public struct RoleTrust: Sendable {
    /// `iss`, byte for byte.
    public let issuers: Set<String>
    /// One of them has to be in `aud`; empty: whichever the identity provider accepts.
    public let audiences: Set<String>
    /// One of them has to match `sub`.
    public let subjects: [SubjectPattern]
    /// Who may assume it with other credentials.
    public let principals: [PrincipalPattern]

    public init(
        issuers: Set<String> = [],
        audiences: Set<String> = [],
        subjects: [SubjectPattern] = [],
        principals: [PrincipalPattern] = []
    ) {
        self.issuers = issuers
        self.audiences = audiences
        self.subjects = subjects
        self.principals = principals
    }

    /// What stands against a token that was verified; nil where nothing does.
    ///
    /// - Parameter subject: `sub`; nil where the token has none.
    public func refusal(issuer: String, audiences: Set<String>, subject: String?) -> TrustRefusal? {
        guard issuers.contains(where: { $0.utf8.elementsEqual(issuer.utf8) }) else { return .issuer }
        guard
            self.audiences.isEmpty
                || audiences.contains(where: { claimed in
                    self.audiences.contains { $0.utf8.elementsEqual(claimed.utf8) }
                })
        else { return .audience }
        guard let subject, subjects.contains(where: { $0.matches(subject) }) else { return .subject }
        return nil
    }

    /// Whether a caller with other credentials may assume it. Nobody who was not authenticated ever may.
    public func admits(_ principal: Principal) -> Bool {
        principal != .anonymous && principals.contains { $0.matches(principal) }
    }
}

/// Why a token is not trusted by a role.
public enum TrustRefusal: String, Hashable, Sendable {
    case issuer = "the role does not trust the token's issuer"
    case audience = "the token is for none of the role's audiences"
    case subject = "the token's subject meets none of the role's conditions"
}

/// A glob over `sub`: `*` is any run of characters and `?` any one, as in IAM's `StringLike`; everything else stands for
/// itself, byte for byte.
public struct SubjectPattern: Hashable, Sendable {
    /// As written.
    public let text: String
    private let bytes: [UInt8]

    public init(_ text: String) {
        self.text = text
        bytes = Array(text.utf8)
    }

    /// Two pointers and the last `*`: at most subject × pattern steps, no recursion.
    public func matches(_ subject: String) -> Bool {
        let subject = Array(subject.utf8)
        var (at, p) = (0, 0)
        var retry: (pattern: Int, subject: Int)?
        while at < subject.count {
            if p < bytes.count, bytes[p] == UInt8(ascii: "*") {
                retry = (p + 1, at)
                p += 1
            } else if p < bytes.count, bytes[p] == subject[at] {
                (at, p) = (at + 1, p + 1)
            } else if p < bytes.count, bytes[p] == UInt8(ascii: "?") {
                // One character, however many bytes it takes.
                at += 1
                while at < subject.count, subject[at] & 0xC0 == 0x80 { at += 1 }
                p += 1
            } else if let (pattern, start) = retry {
                retry = (pattern, start + 1)
                (p, at) = (pattern, start + 1)
            } else {
                return false
            }
        }
        return bytes[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
