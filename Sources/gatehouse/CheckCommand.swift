import ArgumentParser
import ControlPlane
import Settings

struct CheckCommand: ParsableCommand, AnswersInJSON {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check a configuration and report everything that is wrong with it.",
        discussion: """
            Each problem names file, line and key. Nothing is started and no store is asked. Exit code 0: the \
            configuration can be used (there may be warnings); 1: it can't.
            """
    )

    @Option(name: [.short, .long], help: "The configuration file.") var config = "gatehouse.toml"

    @Flag(help: "Print JSON: the problems and, if there are no errors, the effective configuration without secrets.")
    var json = false

    func run() throws {
        let reading = GatehouseConfiguration.read(config, from: FileSystemSource())
        if json {
            print(report(reading).rendered())
        } else {
            for problem in reading.problems { print(problem) }
            if let configuration = reading.configuration {
                let (buckets, users, keys) = (
                    configuration.buckets.count, configuration.users.count, configuration.credentials.count
                )
                print("\(config): fine: \(buckets) buckets, \(users) users, \(keys) access keys")
            } else {
                print("\(config): \(reading.errors.count) error(s)")
            }
        }
        guard reading.configuration != nil else { throw ExitCode(1) }
    }

    private func report(_ reading: ConfigurationReading) -> JSONValue {
        .object([
            ("valid", .boolean(reading.configuration != nil)),
            ("problems", .array(reading.problems.map(\.json))),
            ("configuration", reading.configuration?.effective ?? .null),
        ])
    }
}
