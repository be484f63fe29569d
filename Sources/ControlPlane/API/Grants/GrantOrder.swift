import Identity
import Pipeline
import WireFormats

/// A grant that an admin gives: what the API takes, and on whose account.
struct GrantOrder {
    /// Whose rights it rests on.
    let grantor: Principal
    /// Who is given it; nil: a link is made, or nobody can be called that.
    let subject: Principal?
    /// The rest, as the API takes it.
    let body: [UInt8]

    /// - Throws: where nobody can be said to give it.
    init(_ document: [UInt8], by caller: AdminCaller?, under snapshot: Snapshot) throws(APIFailure) {
        guard case .object(let members)? = try? StrictJSON(parsing: document) else {
            throw APIFailure(.malformedJSON)
        }
        var named: String?
        for (name, value) in members where name == "grantor" {
            guard case .string(let text) = value, named == nil else {
                throw APIFailure(.invalidArgument, "'grantor' must be a string, once.")
            }
            named = text
        }
        grantor = try Self.grantor(named, by: caller, under: snapshot)
        subject = JSONObject(.object(members))?.text("subject").flatMap { Principal($0) }
        body = StrictJSON.object(members.filter { $0.name != "grantor" }).text
    }

    /// Whoever has the socket has the configuration too, and gives on anybody's account; other admins give on their own.
    private static func grantor(
        _ named: String?,
        by caller: AdminCaller?,
        under snapshot: Snapshot
    ) throws(APIFailure) -> Principal {
        let principal = try named.map { (text) throws(APIFailure) in
            guard let principal = Principal(text.contains(":") ? text : "user:" + text) else {
                throw APIFailure(.invalidArgument, "'grantor' must be one of user:NAME, key:NAME.")
            }
            return principal
        }
        switch caller {
        case nil: throw APIFailure(.accessDenied)
        case .socket?: break
        case .apiKey(let own)?: return try Self.only(own, principal)
        case .session(let session)?: return try Self.only(session.principal, principal)
        }
        if let principal { return principal }
        guard snapshot.admins.count == 1, let only = snapshot.admins.first else {
            throw APIFailure(
                .invalidArgument,
                "Say with 'grantor' whose rights it rests on: there is \(snapshot.admins.isEmpty ? "no" : "more than one") admin."
            )
        }
        return only
    }

    /// - Throws: where somebody else is named.
    private static func only(_ own: Principal, _ named: Principal?) throws(APIFailure) -> Principal {
        guard named ?? own == own else {
            throw APIFailure(.accessDenied, "On others' account, only the operator gives, at the admin socket.")
        }
        return own
    }
}
