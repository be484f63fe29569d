import Settings

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Files and variables given by a test.
struct MemorySource: ConfigurationSource {
    var files: [String: [UInt8]] = [:]
    var variables: [String: String] = [:]

    init(_ files: [String: String], variables: [String: String] = [:]) {
        self.files = files.mapValues { Array($0.utf8) }
        self.variables = variables
    }

    func read(_ path: String) throws(SourceFailure) -> [UInt8] {
        guard let content = files[path] else { throw SourceFailure(reason: "no such file") }
        return content
    }

    func environment(_ name: String) -> String? { variables[name] }

    func files(matching pattern: String) -> [String] {
        files.keys.filter { fnmatch(pattern, $0, FNM_PATHNAME) == 0 }
    }
}

/// What comes of reading `text` as gatehouse.toml.
func reading(_ text: String, beside files: [String: String] = [:], variables: [String: String] = [:])
    -> ConfigurationReading
{
    let source = MemorySource(files.merging(["gatehouse.toml": text]) { $1 }, variables: variables)
    return GatehouseConfiguration.read("gatehouse.toml", from: source)
}
