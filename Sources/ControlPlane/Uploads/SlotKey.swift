import Admission

/// The key that somebody asks a slot for: as it is, or with parts that only the caller's token and the slot itself say.
struct SlotKey {
    private enum Form {
        case literal(String)
        case template(Template)
    }

    private let form: Form

    /// What a template calls the slot's id, which nobody chooses: no two slots have one key.
    private static let id = "upload.id"
    private static let claims = "claims."

    init(_ body: JSONObject) throws(APIFailure) {
        switch (body.text("key"), body.text("key_template")) {
        case (let key?, nil): form = .literal(key)
        case (nil, let source?):
            do {
                form = .template(try Template(source))
            } catch {
                throw APIFailure(.invalidArgument, "'key_template' is no template: \(error).")
            }
        default:
            throw APIFailure(.invalidArgument, "Either 'key' or 'key_template' is required, and not both.")
        }
    }

    /// - Parameters:
    ///   - id: of the slot.
    ///   - claims: what the caller's token says. Each that is asked for is checked as ``Template/checked(claim:named:)``
    ///     does, so that it is one segment of a key, or a part of one.
    func text(id: String, claims: [String: String]) throws(APIFailure) -> [UInt8] {
        switch form {
        case .literal(let key): return Array(key.utf8)
        case .template(let template):
            var values: [String: [UInt8]] = [:]
            for name in template.names {
                values[name] = try Self.value(of: name, id: id, claims)
            }
            do {
                return try template.substituting { values[$0] }
            } catch {
                throw Self.refusal(of: error)
            }
        }
    }

    private static func value(of name: String, id: String, _ claims: [String: String]) throws(APIFailure) -> [UInt8] {
        if name == Self.id { return Array(id.utf8) }
        let claim = name.hasPrefix(Self.claims) ? String(name.dropFirst(Self.claims.count)) : name
        do {
            return try Template.checked(claim: claims[claim], named: claim)
        } catch {
            throw refusal(of: error)
        }
    }

    /// It is the caller's own token that lacks it.
    private static func refusal(of refusal: TemplateValueRefusal) -> APIFailure {
        switch refusal {
        case .missing(let name):
            APIFailure(
                .accessDenied,
                "'key_template' asks for the claim '\(name)', which this credential does not have.",
                reason: "key_template: no claim \(name)"
            )
        case .unusable(let name):
            APIFailure(
                .accessDenied,
                "'key_template' asks for the claim '\(name)', whose value can't be part of a key.",
                reason: "key_template: unusable claim \(name)"
            )
        }
    }
}
