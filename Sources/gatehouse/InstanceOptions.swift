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
        let path = config ?? (FileManager.default.fileExists(atPath: "gatehouse.toml") ? "gatehouse.toml" : nil)
        guard let path else { return (data ?? EmbeddedDefault.data) + "/.gatehouse/gatehouse.sock" }
        guard var configuration = GatehouseConfiguration.read(path, from: FileSystemSource()).configuration else {
            throw AdminClientFailure("\(path) can't be used: see gatehouse check, or give --socket")
        }
        if let data { configuration.keepData(in: data) }
        guard let folder = configuration.state.folder else {
            throw AdminClientFailure("this configuration keeps no state on disk, so that there is no admin socket")
        }
        return folder + "/gatehouse.sock"
    }
}

extension InstanceOptions {
    /// What the instance answers to a question; where it refuses, or none answers, that is told and the command ends with 1.
    func ask(_ path: String) throws -> JSONObject {
        try told { client throws(AdminClientFailure) in try client.get(path, accept: "application/json") }
    }

    /// The same for an order.
    func order(_ path: String, _ order: StrictJSON) throws -> JSONObject {
        try told { client throws(AdminClientFailure) in
            try client.post(path, order.text, type: "application/json", accept: "application/json")
        }
    }

    private func told(_ ask: (AdminClient) throws(AdminClientFailure) -> AdminClient.Answer) throws -> JSONObject {
        do throws(AdminClientFailure) {
            let answer = try ask(AdminClient(socketPath: try socketPath()))
            guard let body = (try? StrictJSON(parsing: answer.body)).flatMap(JSONObject.init) else {
                throw AdminClientFailure("the instance's answer could not be read")
            }
            guard (200...299).contains(answer.head.status) else {
                throw AdminClientFailure(body.object("error")?.text("message") ?? "refused")
            }
            return body
        } catch {
            StandardError.write("gatehouse: \(error)")
            throw ExitCode(1)
        }
    }
}
