import ArgumentParser
import ControlPlane
import WireFormats

struct GrantCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant",
        abstract: "Give somebody a part of what somebody else may do, list what was given, and take it back.",
        discussion: """
            A grant rests on the rights of whoever gives it, which are asked again at every use. The operator gives on the \
            account of a user or an access key of the configuration.

            Exit codes: 0 done; 1 it was refused, or no instance answers; 64 the command line was not understood.
            """,
        subcommands: [Create.self, List.self, Revoke.self]
    )

    struct Create: ParsableCommand, AnswersInJSON {
        static let configuration = CommandConfiguration(
            abstract: "Give a grant, or make a link.",
            discussion: """
                gatehouse grant create --subject user:bob --bucket photos --prefix shared/ --expires 7d
                gatehouse grant create --subject link --bucket photos --key 2027/beach.jpg --expires 1h --max-uses 3

                A link's address is printed now and kept nowhere.
                """
        )

        @Option(help: "Who is given it: user:NAME, key:NAME, idp:PROVIDER:SUBJECT, role:ID:SESSION; or link.")
        var subject: String
        @Option(help: "The bucket.") var bucket: String
        @Option(help: "The one key that it is for.") var key: String?
        @Option(help: "The keys that it is for, by what they begin with; empty: all of them.") var prefix: String?
        @Option(name: .customLong("action"), help: "What may be done; again for more of them.")
        var actions = ["get_object"]
        @Option(help: "When it ends: a time such as 2027-02-01T00:00:00Z, or how long from now, such as 90m or 7d.")
        var expires: String
        @Option(help: "How often it may be used.") var maxUses: Int64?
        @Option(help: "Where it may be used from, such as 192.0.2.0/24.") var sourceCidr: String?
        @Option(help: "What it is for, for whoever reads the list.") var note: String?
        @Option(help: "Whose rights it rests on: user:NAME or key:NAME (default: the only admin).") var grantor: String?
        @OptionGroup var instance: InstanceOptions
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            guard (key == nil) != (prefix == nil) else { throw ValidationError("either --key or --prefix") }
            guard maxUses.map({ $0 > 0 }) ?? true else { throw ValidationError("--max-uses takes a number from 1 on") }
            guard !actions.isEmpty else { throw ValidationError("--action takes the name of an action") }
            _ = try end()
        }

        private func end() throws -> Instant {
            if let span = Durations.parse(expires) { return Clock.now() + span }
            guard let instant = Timestamp.parseISO8601(Array(expires.utf8)) else {
                throw ValidationError(
                    "--expires takes a time such as 2027-02-01T00:00:00Z, or a span such as 90m or 7d"
                )
            }
            return instant
        }

        func run() throws {
            let made = try instance.order(
                "/api/grants",
                .object(of: [
                    ("subject", .string(subject)), ("bucket", .string(bucket)), ("key", key.map { .string($0) }),
                    ("prefix", prefix.map { .string($0) }), ("actions", .array(actions.map { .string($0) })),
                    ("expires_at", .instant(try end())), ("max_uses", maxUses.map { .integer($0) }),
                    ("source_cidr", sourceCidr.map { .string($0) }), ("note", note.map { .string($0) }),
                    ("grantor", grantor.map { .string($0) }),
                ])
            )
            if json { return print(made.rendered) }
            if let link = made.text("link") { print(link) }
            let told =
                "\(made.text("id") ?? ""), by \(made.text("grantor") ?? ""), until \(made.text("expires_at") ?? "")"
            // A link alone is what scripts want to catch.
            if made.has("link") { StandardError.write(told) } else { print(told) }
        }
    }

    struct List: ParsableCommand, AnswersInJSON {
        static let configuration = CommandConfiguration(abstract: "Show the grants and links that there are.")

        @Option(help: "Those in this bucket.") var bucket: String?
        @Option(help: "Those of whoever it is, such as user:bob; or link.") var subject: String?
        @OptionGroup var instance: InstanceOptions
        @Flag(help: "Print JSON.") var json = false

        func run() throws {
            var found: [JSONObject] = []
            var after: String?
            repeat {
                let page = try instance.ask("/api/grants" + Self.query(bucket, subject, after))
                found += page.objects("grants") ?? []
                after = page.text("next")
            } while after != nil
            if json { return print("{\"grants\":[" + found.map(\.rendered).joined(separator: ",") + "]}") }
            var table = TextTable(["ID", "STATE", "SUBJECT", "WHERE", "ACTIONS", "USES", "ENDS", "BY", "NOTE"])
            for grant in found { table.append(Self.row(grant)) }
            print(table.isEmpty ? "Nothing is given." : table.text)
        }

        private static func query(_ bucket: String?, _ subject: String?, _ after: String?) -> String {
            let items = [("bucket", bucket), ("subject", subject), ("after", after)].compactMap { name, value in
                value.map {
                    name + "=" + String(decoding: PercentEncoding.encode($0.utf8, keepSlash: .encode), as: UTF8.self)
                }
            }
            return items.isEmpty ? "" : "?" + items.joined(separator: "&")
        }

        private static func row(_ grant: JSONObject) -> [String] {
            let place = grant.text("key") ?? (grant.text("prefix") ?? "") + "*"
            let uses = grant.integer("max_uses").map { "\(grant.integer("uses") ?? 0)/\($0)" } ?? "-"
            let state = (grant.text("state") ?? "").replacing("_", with: " ")
            let end = grant.text("revoked_at") ?? grant.text("expires_at") ?? ""
            return [
                grant.text("id") ?? "", state, grant.text("subject") ?? "", "\(grant.text("bucket") ?? "")/\(place)",
                (grant.texts("actions") ?? []).joined(separator: ","), uses, end, grant.text("grantor") ?? "",
                grant.text("note") ?? "",
            ]
        }
    }

    struct Revoke: ParsableCommand, AnswersInJSON {
        static let configuration = CommandConfiguration(
            abstract: "Take a grant or a link back.",
            discussion: "The same as gatehouse revoke grant ID."
        )

        @Argument(help: "Its id.") var id: String
        @OptionGroup var instance: InstanceOptions
        @Flag(help: "Print JSON.") var json = false

        func run() throws { try Revoking(kind: .grant, id: id).carryOut(at: instance, json: json) }
    }
}
