import ArgumentParser
import ControlPlane
import Foundation
import Settings

/// How the command line finds a running instance.
struct InstanceOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "The configuration that the instance runs, to find its socket.")
    var config: String?
    @Option(help: "The folder of the embedded default's data.") var data = "data"
    @Option(help: "The admin socket itself.") var socket: String?

    func socketPath() throws(AdminClientFailure) -> String {
        if let socket { return socket }
        let path = config ?? (FileManager.default.fileExists(atPath: "gatehouse.toml") ? "gatehouse.toml" : nil)
        guard let path else { return data + "/.gatehouse/gatehouse.sock" }
        guard let configuration = GatehouseConfiguration.read(path, from: FileSystemSource()).configuration else {
            throw AdminClientFailure("\(path) can't be used: see gatehouse check, or give --socket")
        }
        guard let folder = configuration.state.folder else {
            throw AdminClientFailure("this configuration keeps no state on disk, so that there is no admin socket")
        }
        return folder + "/gatehouse.sock"
    }
}
