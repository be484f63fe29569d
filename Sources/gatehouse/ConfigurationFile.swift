import Settings

/// Where this instance's configuration comes from: a file, or the text of the embedded default; and what the command
/// line puts in place of it.
struct ConfigurationFile: Sendable {
    let path: String
    let source: any ConfigurationSource
    let listen: ListenAddress?
    let adminListen: ListenAddress?
    /// Where what it keeps itself lies, unless at an absolute path; nil: beside the configuration.
    let data: String?

    /// Reads it now, with everything it refers to.
    func read() -> (reading: ConfigurationReading, configuration: GatehouseConfiguration?) {
        let reading = GatehouseConfiguration.read(path, from: source, data: data)
        guard var configuration = reading.configuration else { return (reading, nil) }
        if let listen { configuration.server.listen = listen }
        if let adminListen { configuration.server.adminListen = adminListen }
        return (reading, configuration)
    }
}

/// One text under a name that is no file, and the file system for everything else.
struct TextSource: ConfigurationSource {
    static let path = "embedded default"

    let text: String
    private let files = FileSystemSource()

    init(_ text: String) {
        self.text = text
    }

    func read(_ path: String) throws(SourceFailure) -> [UInt8] {
        path == Self.path ? Array(text.utf8) : try files.read(path)
    }

    func environment(_ name: String) -> String? { files.environment(name) }

    func files(matching pattern: String) -> [String] { files.files(matching: pattern) }
}
