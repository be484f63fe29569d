import Crypto
import WireFormats

/// One reading of a configuration: collects every problem and every input on the way.
///
/// Confined to the call that reads; never shared.
final class ConfigurationReader {
    let source: any ConfigurationSource
    /// Where the instance keeps what it writes itself, unless it is told an absolute path; nil: beside the configuration.
    private let data: String?
    private(set) var problems: [ConfigurationProblem] = []
    private var reported: Set<ConfigurationProblem> = []
    var names = DeclaredNames()
    private(set) var inputs = ConfigurationInputs()

    init(source: any ConfigurationSource, data: String? = nil) {
        self.source = source
        self.data = data
    }

    func report(
        _ message: String,
        at origin: Origin,
        suggestion: String? = nil,
        severity: ConfigurationProblem.Severity = .error
    ) {
        report(
            ConfigurationProblem(severity: severity, origin: origin, message: message, suggestion: suggestion)
        )
    }

    /// Options that a bucket shares with its account are read twice; what is wrong with them is said once.
    func report(_ problem: ConfigurationProblem) {
        if reported.insert(problem).inserted { problems.append(problem) }
    }

    /// The content of a file, remembered as an input whether it can be read or not: a file that appears later is a
    /// change too.
    func read(_ path: String) throws(SourceFailure) -> [UInt8] {
        do {
            let content = try source.read(path)
            inputs.add(path: path, content: content)
            return content
        } catch {
            inputs.add(path: path, content: nil)
            throw error
        }
    }

    /// A path as seen from the file that says it, as ``resolve(_:at:)`` sees those behind `file:`.
    func located(_ path: Located<String>) -> String { FilePath.resolve(path.value, besides: path.origin.file) }

    /// The same for what the instance writes itself: below ``data``, where it was given one.
    func kept(_ path: Located<String>) -> String {
        guard let data, !path.value.hasPrefix("/") else { return located(path) }
        return "\(data)/\(path.value)"
    }

    /// Where that lies if nothing is said: beside the configuration itself, whichever file has the section.
    func kept(standard path: String) -> String {
        let main = Origin(file: inputs.files.first ?? "", line: nil, path: .root)
        return kept(Located(value: path, origin: main))
    }

    /// Follows `env:NAME` and `file:PATH`; other text stands for itself. nil after a problem was reported.
    func resolve(_ text: String, at origin: Origin) -> String? {
        if let name = text.removing(prefix: "env:") {
            guard let value = source.environment(name) else {
                report("the environment variable \(name.isEmpty ? "\"\"" : name) is not set", at: origin)
                return nil
            }
            return value
        }
        if let path = text.removing(prefix: "file:") {
            let resolved = FilePath.resolve(path, besides: origin.file)
            do {
                return try textOfFile(resolved)
            } catch {
                report("cannot read \(resolved): \(error.reason)", at: origin)
                return nil
            }
        }
        return text
    }

    /// A file's text without the line end that editors and `echo` leave.
    private func textOfFile(_ path: String) throws(SourceFailure) -> String {
        var content = try read(path)
        if content.last == UInt8(ascii: "\n") { content.removeLast() }
        if content.last == UInt8(ascii: "\r") { content.removeLast() }
        guard let text = String(validating: content, as: UTF8.self) else {
            throw SourceFailure(reason: "is not text in UTF-8")
        }
        return text
    }
}

/// Everything a configuration was read from, to notice when it changes.
package struct ConfigurationInputs: Sendable {
    /// The files to watch, in order of reading: the configuration, its includes, files of secrets and documents, also
    /// those that could not be read.
    package private(set) var files: [String] = []
    private var hash = SHA256()

    /// SHA-256 over names and contents. Two readings with the same digest read the same.
    package var digest: [UInt8] { Array(hash.finalize()) }

    fileprivate mutating func add(path: String, content: [UInt8]?) {
        guard !files.contains(path) else { return }
        files.append(path)
        // Every part is framed by its length, so that no two lists of inputs look alike.
        hash.update(data: Array("\(path.utf8.count):\(path):\(content?.count ?? -1):".utf8))
        hash.update(data: content ?? [])
    }
}

extension String {
    func removing(prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
