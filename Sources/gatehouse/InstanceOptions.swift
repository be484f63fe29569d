import ArgumentParser
import ControlPlane
import Foundation
import HTTP1
import Settings
import WireFormats

/// How the command line finds a running instance.
struct InstanceOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "The configuration that the instance runs, to find its socket.")
    var config: String?
    @Option(help: "The folder that the instance was started with as --data.") var data: String?
    @Option(help: "The admin socket itself.") var socket: String?

    func socketPath() throws(AdminClientFailure) -> String {
        if let socket { return socket }
        guard let path = EmbeddedDefault.path(given: config) else {
            return (data ?? EmbeddedDefault.data) + "/.gatehouse/gatehouse.sock"
        }
        let state: StateConfiguration
        do throws(ConfigurationProblem) {
            state = try GatehouseConfiguration.state(of: path, from: FileSystemSource(), data: data)
        } catch {
            throw AdminClientFailure("\(error.description)\ngatehouse: --socket finds the instance without it")
        }
        guard let folder = state.folder else {
            throw AdminClientFailure("this configuration keeps no state on disk, so that there is no admin socket")
        }
        return folder + "/gatehouse.sock"
    }
}

extension InstanceOptions {
    /// What the instance answers to a question.
    func ask(_ path: String) throws(CommandFailure) -> JSONObject {
        try object { client throws(AdminClientFailure) in try client.get(path, accept: "application/json") }
    }

    /// The same for an order.
    func order(_ path: String, _ order: StrictJSON) throws(CommandFailure) -> JSONObject {
        try object { client throws(AdminClientFailure) in
            try client.post(path, order.text, type: "application/json", accept: "application/json")
        }
    }

    private func object(
        _ ask: (AdminClient) throws(AdminClientFailure) -> AdminClient.Answer
    ) throws(CommandFailure) -> JSONObject {
        guard let body = JSONObject(answer: try answer(ask)) else {
            throw CommandFailure("InternalError", "the instance's answer could not be read")
        }
        return body
    }

    /// - Throws: where none answers, and where what is answered is no.
    func answer(
        _ ask: (AdminClient) throws(AdminClientFailure) -> AdminClient.Answer
    ) throws(CommandFailure) -> AdminClient.Answer {
        let answer: AdminClient.Answer
        do throws(AdminClientFailure) {
            answer = try ask(AdminClient(socketPath: try socketPath()))
        } catch {
            let isFound = config != nil || data != nil || socket != nil
            throw CommandFailure(
                "NoInstance",
                error.description
                    + (isFound
                        ? "" : ": give --config or --data as it was started with, or --socket, where it runs elsewhere")
            )
        }
        guard (200...299).contains(answer.head.status) else {
            let error = JSONObject(answer: answer)?.object("error")
            let text = String(decoding: answer.body, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            throw CommandFailure(error?.text("code") ?? "Refused", error?.text("message") ?? text)
        }
        return answer
    }
}

extension JSONObject {
    fileprivate init?(answer: AdminClient.Answer) {
        guard let body = try? StrictJSON(parsing: answer.body) else { return nil }
        self.init(body)
    }
}
