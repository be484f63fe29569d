import Foundation
import HTTP1
import Testing

/// One line of a file in `Vectors`; the files say what the columns are.
struct Vector: CustomTestStringConvertible, Sendable {
    enum Expectation: Equatable {
        case ok, more
        case refusal(HTTPRefusal)
    }

    let expectation: Expectation
    let bytes: [UInt8]
    let testDescription: String

    static let requests = read("requests.txt")
    static let responses = read("responses.txt")
    static let chunked = read("chunked.txt")

    private static func read(_ name: String) -> [Vector] {
        guard let folder = Bundle.module.resourceURL,
            let text = try? String(contentsOf: folder.appendingPathComponent("Vectors/\(name)"), encoding: .utf8)
        else { return [] }
        return text.split(separator: "\n").compactMap { line in
            guard !line.hasPrefix("#") else { return nil }
            let columns = line.split(maxSplits: 1) { $0 == " " || $0 == "\t" }
            guard columns.count == 2 else { return nil }
            let expectation: Expectation
            switch columns[0] {
            case "ok": expectation = .ok
            case "more": expectation = .more
            case let name:
                guard let refusal = HTTPRefusal(rawValue: String(name)) else {
                    Issue.record("unknown expectation \(name)")
                    return nil
                }
                expectation = .refusal(refusal)
            }
            let escaped = columns[1].drop { $0 == " " || $0 == "\t" }
            return Vector(
                expectation: expectation,
                bytes: unescaped(Array(escaped.utf8)),
                testDescription: String(line)
            )
        }
    }

    private static func unescaped(_ text: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        var index = 0
        while index < text.count {
            guard text[index] == UInt8(ascii: "\\"), index + 1 < text.count else {
                bytes.append(text[index])
                index += 1
                continue
            }
            switch text[index + 1] {
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "t"): bytes.append(0x09)
            case UInt8(ascii: "x") where index + 3 < text.count:
                bytes.append(UInt8(String(decoding: text[index + 2...index + 3], as: UTF8.self), radix: 16) ?? 0)
                index += 2
            default: bytes.append(text[index + 1])
            }
            index += 2
        }
        return bytes
    }
}
