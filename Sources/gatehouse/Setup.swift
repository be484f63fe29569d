import ControlPlane
import Foundation
import Settings
import WireFormats

/// Which configuration this instance runs, and what it says of itself once it does.
struct Setup: Sendable {
    let file: ConfigurationFile
    private let embedded: Embedded?
    private let json: Bool

    private struct Embedded: Sendable {
        let data: String
        let credentials: CredentialsFile
    }

    init(_ options: Instance.Options) throws(StartFailure) {
        json = options.json
        if let path = EmbeddedDefault.path(given: options.config) {
            embedded = nil
            if let data = options.data { try Self.make(data) }
            file = ConfigurationFile(
                path: path,
                source: FileSystemSource(),
                listen: options.listen,
                adminListen: options.adminListen,
                data: options.data
            )
            return
        }
        let data = options.data ?? EmbeddedDefault.data
        let store = CredentialsFile(path: data + "/.gatehouse/credentials.json")
        let endpoint = "http://\(options.listen?.description ?? "127.0.0.1:9000")"
        do {
            let credentials = try store.loadOrCreate(
                endpoint: endpoint,
                bucket: EmbeddedDefault.bucket,
                random: NewKey.random
            )
            embedded = Embedded(data: data, credentials: store)
            let text = EmbeddedDefault.configuration(data: data, credentials: credentials)
            file = ConfigurationFile(
                path: TextSource.path,
                source: TextSource(text),
                listen: options.listen,
                adminListen: options.adminListen,
                data: nil
            )
        } catch {
            throw StartFailure("\(error)")
        }
    }

    /// For its owner only, like what will lie in it.
    private static func make(_ folder: String) throws(StartFailure) {
        do {
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw StartFailure("can't make the folder \(folder): \(error.localizedDescription)")
        }
    }

    /// Tells the user, once both listeners answer.
    func announce(port: Int, adminPort: Int, configuration: GatehouseConfiguration) {
        let scheme = configuration.server.tls == nil ? "http" : "https"
        let endpoint = "\(scheme)://\(ListenAddress(host: configuration.server.listen.host, port: port))"
        let console = "http://\(ListenAddress(host: configuration.server.adminListen.host, port: adminPort))/"
        let places: [(String, StrictJSON)] = [("endpoint", .string(endpoint)), ("console", .string(console))]
        guard let embedded else {
            let buckets = configuration.buckets.count
            guard !json else { return tell(places + [("buckets", .number("\(buckets)"))]) }
            StandardError.write(
                "Gatehouse \(Version.current) serves \(buckets) bucket(s) at \(endpoint), console at \(console)"
            )
            return
        }
        do {
            // The port may have been chosen by the system: the file tells the one that was taken.
            let credentials = try embedded.credentials.loadOrCreate(
                endpoint: endpoint,
                bucket: EmbeddedDefault.bucket,
                random: NewKey.random
            )
            if json {
                let facts: [(String, StrictJSON)] = [
                    ("bucket", .string(EmbeddedDefault.bucket)),
                    ("credentials", .string(embedded.data + "/.gatehouse/credentials.json")),
                ]
                tell(places + facts)
            } else {
                StandardError.write(
                    EmbeddedDefault.banner(
                        endpoint: endpoint,
                        console: console,
                        credentials: credentials,
                        data: embedded.data
                    )
                )
            }
        } catch {
            StandardError.write("gatehouse: \(error)")
        }
    }

    /// One line, as logs are that may go there too.
    private func tell(_ facts: [(String, StrictJSON)]) {
        let line = StrictJSON.object(facts.map { (name: $0.0, value: $0.1) }).text + [UInt8(ascii: "\n")]
        FileHandle.standardOutput.write(Data(line))
    }
}
