import ArgumentParser
import NIOCore

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the gateway.",
        discussion: """
            With a configuration file, serves the buckets it names. Without one (and no gatehouse.toml in the current \
            folder), serves the embedded default: a store in ./data with the bucket "demo" and new credentials, which \
            are printed and kept in ./data/.gatehouse/credentials.json.

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
            the audit log lie that it gives no absolute path.
            """
    )
    var data: String?
    @Option(help: "How many event loops serve (default: one for each core).") var loops: Int = System.coreCount
    @Flag(help: "Print how clients reach the embedded default as JSON.") var json = false

    func validate() throws {
        guard (1...256).contains(loops) else { throw ValidationError("--loops takes a number from 1 to 256") }
    }

    func run() async throws {
        do {
            let options = Instance.Options(
                config: config,
                listen: listen,
                adminListen: adminListen,
                data: data,
                loops: loops,
                json: json
            )
            try await Instance.run(options)
        } catch let failure as StartFailure {
            StandardError.write(failure.description)
            throw ExitCode(1)
        }
    }
}

/// Why the server did not start, as its user reads it.
struct StartFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = "gatehouse: " + description
    }
}
