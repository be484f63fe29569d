import ArgumentParser
import ControlPlane
import HTTP1
import WireFormats

struct RevokeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "End sessions, or a grant, at once.",
        discussion: """
            session ID   one session and those that were got with it; ID as in the audit log, or its access key id
            user NAME    every session, and every URL to Gatehouse, that was issued to somebody until now: a user's name, or \
            user:NAME, key:NAME, idp:PROVIDER:SUBJECT, role:ID:SESSION
            role ID      every session of a role that was issued until now
            grant ID     a grant or link

            It holds for requests that begin after the answer, on every instance within a second. Nothing that was signed \
            for a store itself can be taken back.

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
        let order = StrictJSON.object([
            ("kind", .string(kind.rawValue)), ("id", .string(id)), ("block", .bool(block)), ("unblock", .bool(unblock)),
        ])
        do {
            let answer = try AdminClient(socketPath: try instance.socketPath()).post(
                "/api/sessions/revoke",
                order.text,
                type: "application/json",
                accept: "application/json"
            )
            guard case .object(let members)? = try? StrictJSON(parsing: answer.body) else {
                throw AdminClientFailure("the instance's answer could not be read")
            }
            guard answer.head.status == 200 else {
                StandardError.write("gatehouse: \(Self.message(members))")
                throw ExitCode(1)
            }
            print(json ? String(decoding: answer.body, as: UTF8.self) : Self.told(members))
        } catch let failure as AdminClientFailure {
            StandardError.write("gatehouse: \(failure)")
            throw ExitCode(1)
        }
    }

    private typealias Members = [(name: String, value: StrictJSON)]

    private static func message(_ members: Members) -> String {
        guard case .object(let error)? = members.first(where: { $0.name == "error" })?.value else { return "refused" }
        return text("message", of: error) ?? "refused"
    }

    private static func told(_ members: Members) -> String {
        let what = "\(text("kind", of: members) ?? "") \(text("id", of: members) ?? "")"
        let until = text("revoked_at", of: members) ?? ""
        var told = "\(what): what was issued until \(until) is ended"
        if case .bool(true)? = members.first(where: { $0.name == "blocked" })?.value {
            told += ", and new ones are refused"
        }
        if let last = text("last_url_expires_at", of: members) {
            told += "; URLs of stores that rest on it are good until \(last)"
        }
        return told
    }

    private static func text(_ name: String, of members: Members) -> String? {
        guard case .string(let text)? = members.first(where: { $0.name == name })?.value else { return nil }
        return text
    }
}
