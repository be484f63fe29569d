import ArgumentParser
import Foundation
import Settings

struct GatewayConfigCommand: ParsableCommand, AnswersInJSON {
    static let configuration = CommandConfiguration(
        commandName: "gateway-config",
        abstract: "Print a configuration for another gateway that carries the bytes itself.",
        discussion: """
            The gateway asks Gatehouse at /-/authz/ about every request, adds the signature that it is answered with, and \
            sends the request to the store of its bucket. What the caller authenticated with does not go there.

              nginx     one file for the http block: include it there
              envoy     one bootstrap file: envoy -c envoy.yaml
              traefik   traefik.yaml (static) and gatehouse.yaml (dynamic, read by it)
              caddy     one Caddyfile: caddy run --config Caddyfile

            The gateway's address must be in [ext_authz] gateways. Where it is in [server] trusted_proxies too, \
            conditions on the client's address see the client's. With a shared_secret the printed text holds it: keep it \
            as you keep the configuration.

            Exit codes: 0 printed; 1 the configuration has errors; 64 the command line was not understood.
            """
    )

    @Argument(help: "Which gateway: nginx, envoy, traefik or caddy.") var gateway: Gateway
    @Option(name: [.short, .long], help: "Gatehouse's configuration file.") var config = "gatehouse.toml"
    @Option(help: "Where the gateway reaches Gatehouse, as host:port; else [server] listen.") var gatehouse: String?
    @Option(help: "The address that the gateway listens on, as host:port.") var listen = "0.0.0.0:8080"
    @Option(help: "Write the files into this folder, which is made if need be, instead of printing them.")
    var output: String?
    @Flag(help: "Print JSON: the files' names and contents, and the buckets that are left out.") var json = false

    enum Gateway: String, ExpressibleByArgument, CaseIterable {
        case nginx, envoy, traefik, caddy
    }

    func validate() throws {
        _ = try addresses()
    }

    private func addresses() throws -> (listen: ListenAddress, gatehouse: ListenAddress?) {
        (try ListenAddress(listen, of: "--listen"), try gatehouse.map { try ListenAddress($0, of: "--gatehouse") })
    }

    func run() throws {
        let configuration = try GatehouseConfiguration.ofCommand(config)
        let addresses = try addresses()
        let plan = GatewayPlan(
            configuration,
            gatehouse: addresses.gatehouse ?? configuration.server.listen,
            listen: addresses.listen
        )
        let files =
            switch gateway {
            case .nginx: NginxConfiguration.files(plan)
            case .envoy: EnvoyConfiguration.files(plan)
            case .traefik: TraefikConfiguration.files(plan)
            case .caddy: CaddyConfiguration.files(plan)
            }
        for left in plan.leftOut { StandardError.write("bucket \(left.bucket) is left out: \(left.reason)") }
        if let output {
            do {
                try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
            } catch {
                throw CommandFailure("NotWritten", "can't make the folder \(output): \(error.localizedDescription)")
            }
            for file in files { try write(file, to: output) }
        } else if json {
            print(report(files, plan).rendered())
        } else {
            for file in files {
                if files.count > 1 { print("# ---- \(file.name)") }
                print(file.content)
            }
        }
    }

    /// Readable by its owner alone: it may hold the shared secret.
    private func write(_ file: GatewayFile, to folder: String) throws {
        let path = folder + "/" + file.name
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0, fchmod(descriptor, 0o600) == 0 else {
            throw CommandFailure("NotWritten", "\(path) can't be written: \(String(cString: strerror(errno)))")
        }
        do {
            try FileHandle(fileDescriptor: descriptor, closeOnDealloc: true).write(contentsOf: Data(file.content.utf8))
        } catch {
            throw CommandFailure("NotWritten", "\(path) can't be written: \(error.localizedDescription)")
        }
        print(path)
    }

    private func report(_ files: [GatewayFile], _ plan: GatewayPlan) -> JSONValue {
        .object([
            (
                "files",
                .array(files.map { .object([("name", .text($0.name)), ("content", .text($0.content))]) })
            ),
            (
                "left_out",
                .array(plan.leftOut.map { .object([("bucket", .text($0.bucket)), ("reason", .text($0.reason))]) })
            ),
        ])
    }
}

/// A file of a gateway's configuration.
struct GatewayFile {
    let name: String
    let content: String
}
