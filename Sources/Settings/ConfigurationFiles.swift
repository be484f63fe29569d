/// The configuration file and what its `include` adds, merged into one table.
///
/// Files come in the order of the patterns, those of one pattern by their bytes; an included file's own `include`
/// follows it. Tables are merged and arrays of tables continued; any other key may stand in one file only.
struct ConfigurationFiles {
    private let reader: ConfigurationReader
    private var loaded: [String] = []
    private var merged: [String: SourcedValue] = [:]

    private static let mostFiles = 1000

    /// The merged tables of `path`; nil where the file itself could not be read as TOML.
    static func read(_ path: String, with reader: ConfigurationReader) -> [String: SourcedValue]? {
        var files = ConfigurationFiles(reader: reader)
        guard files.load(path, includedAt: nil, within: []) else { return nil }
        return files.merged
    }

    private init(reader: ConfigurationReader) {
        self.reader = reader
    }

    /// Adds a file and its includes; false where the file itself is unreadable, which has been reported.
    private mutating func load(_ path: String, includedAt inclusion: Origin?, within chain: [String]) -> Bool {
        loaded.append(path)
        let here = Origin(file: path, line: nil, path: .root)
        let bytes: [UInt8]
        do {
            bytes = try reader.read(path)
        } catch {
            // Where there is no line to name, the place is the file itself.
            if let inclusion {
                reader.report("cannot read \(path): \(error.reason)", at: inclusion)
            } else {
                reader.report("can't be read: \(error.reason)", at: here)
            }
            return false
        }
        var entries: [String: SourcedValue]
        do {
            entries = try TOMLDocument(parsing: bytes, file: path).entries
        } catch {
            reader.report(error)
            return false
        }
        let include = entries.removeValue(forKey: "include")
        merge(entries, into: &merged)
        if let include { follow(include, from: path, within: chain + [path]) }
        return true
    }

    private mutating func follow(_ include: SourcedValue, from path: String, within chain: [String]) {
        guard case .array(let elements) = include.content else {
            reader.report("must be an array of strings, not \(include.kind)", at: include.origin)
            return
        }
        for element in elements {
            guard case .text(let pattern) = element.content else {
                reader.report("must be a string, not \(element.kind)", at: element.origin)
                continue
            }
            for file in files(matching: pattern, at: element.origin) {
                if chain.contains(file) {
                    reader.report("includes \(file) within itself", at: element.origin)
                } else if !loaded.contains(file) {
                    guard loaded.count < Self.mostFiles else {
                        reader.report("includes more than \(Self.mostFiles) files", at: element.origin)
                        return
                    }
                    _ = load(file, includedAt: element.origin, within: chain)
                }
            }
        }
    }

    private func files(matching pattern: String, at origin: Origin) -> [String] {
        let resolved = FilePath.resolve(pattern, besides: origin.file)
        guard pattern.contains(where: { "*?[".contains($0) }) else { return [resolved] }
        return reader.source.files(matching: resolved).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private func merge(_ added: [String: SourcedValue], into table: inout [String: SourcedValue]) {
        for (key, value) in added {
            guard let present = table[key] else {
                table[key] = value
                continue
            }
            switch (present.content, value.content) {
            case (.table(var entries), .table(let more)):
                merge(more, into: &entries)
                table[key]?.content = .table(entries)
            case (.array(let elements), .array(let more)) where (elements + more).allSatisfy(\.isTable):
                table[key]?.content = .array(elements + more)
            default:
                reader.report(
                    "is given in \(present.origin.file)" + (present.origin.line.map { ":\($0)" } ?? "") + " already",
                    at: value.origin
                )
            }
        }
    }
}

extension SourcedValue {
    fileprivate var isTable: Bool {
        if case .table = content { return true }
        return false
    }
}
