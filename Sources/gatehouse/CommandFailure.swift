import ArgumentParser
import Settings

/// Why a command did not do what it was asked to: the answer is no, and the exit code 1.
struct CommandFailure: Error {
    /// For programs, like the codes of the JSON API.
    let code: String
    /// For people.
    let message: String
    /// What is wrong with the configuration, where that is the reason.
    let problems: [ConfigurationProblem]

    init(_ code: String, _ message: String, problems: [ConfigurationProblem] = []) {
        self.code = code
        self.message = message
        self.problems = problems
    }

    /// Says it: on standard error, or as `{"error":{"code","message"}}` on standard output, where a program that asked for
    /// JSON looks for the answer.
    func tell(asJSON: Bool) {
        guard asJSON else {
            for problem in problems { StandardError.write("\(problem)") }
            StandardError.write("gatehouse: \(message)")
            return
        }
        var members: [(String, JSONValue)] = [("code", .text(code)), ("message", .text(message))]
        if !problems.isEmpty { members.append(("problems", .array(problems.map(\.json)))) }
        print(JSONValue.object([("error", .object(members))]).rendered())
    }
}

/// A command that can answer in JSON.
protocol AnswersInJSON: SendableMetatype {
    var json: Bool { get }
}

extension GatehouseConfiguration {
    /// The configuration at `path`, for a command that does its work by itself. Warnings are printed.
    static func ofCommand(_ path: String) throws(CommandFailure) -> GatehouseConfiguration {
        let reading = GatehouseConfiguration.read(path, from: FileSystemSource())
        guard let configuration = reading.configuration else {
            throw CommandFailure(
                "InvalidConfiguration",
                "\(path) can't be used: \(reading.errors.count) error(s)",
                problems: reading.problems
            )
        }
        for warning in reading.warnings { StandardError.write("\(warning)") }
        return configuration
    }
}
