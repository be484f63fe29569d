import ArgumentParser
import Settings

struct VersionCommand: ParsableCommand, AnswersInJSON {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Print the version."
    )

    @Flag(help: "Print JSON.") var json = false

    func run() {
        print(
            json ? JSONValue.object([("version", .text(Version.current))]).rendered() : "gatehouse \(Version.current)"
        )
    }
}
