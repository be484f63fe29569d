import ArgumentParser
import ControlPlane
import WireFormats

struct RevokeCommand: ParsableCommand, AnswersInJSON {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "End sessions, or a grant, at once.",
        discussion: """
            session ID   one session and those that were got with it; ID as in the audit log, or its access key id
            user NAME    every session, and every URL to Gatehouse, that was issued to somebody until now: a user's name, or \
            user:NAME, key:NAME, idp:PROVIDER:SUBJECT, role:ID:SESSION
            role ID      every session of a role that was issued until now
            grant ID     a grant or link

            It holds for requests that begin after the answer. Nothing that was signed for a store itself can be taken back.

            Exit codes: 0 done; 1 there is no such thing, or no instance answers; 64 the command line was not understood.
            """
    )

    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case session, user, role, grant
    }

    @Argument(help: "What is ended: session, user, role or grant.") var kind: Kind
    @Argument(help: "Its id or name.") var id: String
    @Flag(help: "Refuse new ones too, and the user itself, until --unblock.") var block = false
    @Flag(help: "Lift a block. What was ended stays ended.") var unblock = false
    @OptionGroup var instance: InstanceOptions
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard !(block && unblock) else { throw ValidationError("either --block or --unblock") }
        guard !(block || unblock) || kind == .user || kind == .role else {
            throw ValidationError("users and roles can be blocked, nothing else")
        }
    }

    func run() throws {
        try Revoking(kind: kind, id: id, block: block, unblock: unblock).carryOut(at: instance, json: json)
    }
}

/// The order to end something, and what is told of it.
struct Revoking {
    let kind: RevokeCommand.Kind
    let id: String
    var block = false
    var unblock = false

    func carryOut(at instance: InstanceOptions, json: Bool) throws {
        let done = try instance.order(
            "/api/sessions/revoke",
            .object([
                ("kind", .string(kind.rawValue)), ("id", .string(id)), ("block", .bool(block)),
                ("unblock", .bool(unblock)),
            ])
        )
        print(json ? done.rendered : Self.told(done))
    }

    private static func told(_ done: JSONObject) -> String {
        let what = "\(done.text("kind") ?? "") \(done.text("id") ?? "")"
        var told = "\(what): what was issued until \(done.text("revoked_at") ?? "") is ended"
        if done.boolean("blocked") == true { told += ", and new ones are refused" }
        if let last = done.text("last_url_expires_at") {
            told += "; URLs of stores that rest on it are good until \(last)"
        }
        return told
    }
}
