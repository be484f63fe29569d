import ArgumentParser
import NIOCore
import Settings

struct ServeCommand: AsyncParsableCommand, AnswersInJSON {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the gateway.",
        discussion: """
            With a configuration file, serves the buckets it names. Without one (and no gatehouse.toml in the current \
            folder), serves the embedded default: a store in ./data with the bucket "demo" and new credentials, which \
            are printed and kept in ./data/.gatehouse/credentials.json.

            Relative paths in the configuration lead from the file that says them, not from the current folder; so do the \
            state (gatehouse.db) and the audit log (audit.jsonl) where it says nothing of them. --data puts these two \
            elsewhere.

            SIGHUP reads the configuration again and reopens the access log; a changed file is noticed by itself. \
            SIGTERM and SIGINT finish what is under way and end.
            """
    )

    @Option(name: [.short, .long], help: "The configuration file (default: gatehouse.toml, if there is one).")
    var config: String?
    @Option(help: "Listen here instead of the configured address, e.g. 127.0.0.1:9000.") var listen: String?
    @Option(help: "The same for the admin listener.") var adminListen: String?
    @Option(
        help: """
            The folder of the data: the embedded default's (default: data); with a configuration, where the state and \
            the audit log lie that it gives no absolute path (default: beside the file that says it).
            """
    )
    var data: String?
    @Option(help: "How many event loops serve (default: one for each core).") var loops: Int = System.coreCount
    @Flag(
        help: """
            Print where it serves as the first line of standard output, as JSON. Lines of logs whose path is "-" may follow.
            """
    )
    var json = false

    func validate() throws {
        guard (1...256).contains(loops) else { throw ValidationError("--loops takes a number from 1 to 256") }
        _ = try addresses()
    }

    private func addresses() throws -> (listen: ListenAddress?, adminListen: ListenAddress?) {
        (
            try listen.map { try ListenAddress($0, of: "--listen") },
            try adminListen.map { try ListenAddress($0, of: "--admin-listen") }
        )
    }

    func run() async throws {
        let addresses = try addresses()
        do {
            let options = Instance.Options(
                config: config,
                listen: addresses.listen,
                adminListen: addresses.adminListen,
                data: data,
                loops: loops,
                json: json
            )
            try await Instance.run(options)
        } catch let failure as StartFailure {
            throw CommandFailure("NotStarted", failure.description)
        }
    }
}

/// Why the server did not start, as its user reads it.
struct StartFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
