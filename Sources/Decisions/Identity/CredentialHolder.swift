import WireFormats

/// Who holds a credential, as they showed it: enough to find out later what they may do then.
public indirect enum CredentialHolder: Hashable, Sendable {
    case user(String)
    /// The access key's id.
    case accessKey(String)
    case token(TokenIdentity)
    case session(Session)
}

extension CredentialHolder {
    typealias Members = [(name: String, value: StrictJSON)]

    /// What is sealed of it; claims as far as they are kept.
    var members: Members {
        switch self {
        case .user(let name): [("user", .string(name))]
        case .accessKey(let id): [("key", .string(id))]
        case .token(let identity):
            [
                ("provider", .string(identity.provider)), ("subject", .string(identity.subject)),
                ("expires", .string(String(identity.expiresAt.nanosecondsSince1970))),
                ("claims", .object(identity.claims.sealed)),
            ] + identity.sealedDocument
        case .session(let session): [("session", .object(session.members))]
        }
    }

    init?(_ members: Members) {
        if let name = members.text("user") {
            self = .user(name)
        } else if let key = members.text("key") {
            self = .accessKey(key)
        } else if case .object(let session)? = members.value("session") {
            guard let session = Session(session) else { return nil }
            self = .session(session)
        } else if let provider = members.text("provider"), let subject = members.text("subject"),
            let expires = members.instant("expires"), let claims = members.texts("claims")
        {
            self = .token(
                TokenIdentity(
                    provider: provider,
                    subject: subject,
                    claims: claims,
                    document: (members.value("document") ?? .object(claims.sealed)).text,
                    expiresAt: expires
                )
            )
        } else {
            return nil
        }
    }
}

extension CredentialHolder {
    /// What is known of its holder by a token: a JSON object; empty where there is no token.
    public var claimsDocument: [UInt8] {
        switch self {
        case .user, .accessKey: []
        case .token(let identity): identity.document
        case .session(let session):
            if case .parent = session.subject {
                session.parent?.claimsDocument ?? []
            } else {
                StrictJSON.object(session.claims.sealed).text
            }
        }
    }
}

extension TokenIdentity {
    /// Nothing where there is nothing in it.
    fileprivate var sealedDocument: CredentialHolder.Members {
        guard case .object(let members)? = try? StrictJSON(parsing: document), !members.isEmpty else { return [] }
        return [("document", .object(members))]
    }
}

extension [String: String] {
    /// In the order of their names.
    var sealed: CredentialHolder.Members {
        sorted { $0.key < $1.key }.map { ($0.key, StrictJSON.string($0.value)) }
    }
}

extension [(name: String, value: StrictJSON)] {
    func text(_ name: String) -> String? {
        guard case .string(let text)? = value(name) else { return nil }
        return text
    }

    /// Nanoseconds since 1970, as text: no reader rounds them.
    func instant(_ name: String) -> Instant? {
        text(name).flatMap(Int64.init).map { Instant(nanosecondsSince1970: $0) }
    }

    /// An object whose values are all texts.
    func texts(_ name: String) -> [String: String]? {
        guard case .object(let members)? = value(name) else { return nil }
        var texts: [String: String] = [:]
        for (name, value) in members {
            guard case .string(let text) = value else { return nil }
            texts[name] = text
        }
        return texts
    }
}
