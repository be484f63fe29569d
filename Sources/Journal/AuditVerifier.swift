package import WireFormats

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Checks the chain of an audit log's files from the oldest to the newest, in one pass and constant memory.
///
/// Found are: a changed line, a line removed, added or moved, a missing rotated file between two others, a file that
/// lost its head, a chain begun anew and, with the key, a chain written by somebody who has it not. What no chain can
/// show by itself is that the newest lines were cut off, or the oldest files removed: compare
/// ``Report/lastSequence`` and ``Report/lastHash`` with a value noted elsewhere, or give `expectedStart`.
package struct AuditVerifier {
    /// What was found.
    package struct Report: Sendable, Equatable {
        package var files = 0
        package var lines = 0
        package var firstSequence: UInt64?
        package var lastSequence: UInt64?
        package var lastHash = ""
        /// Lines that the log itself recorded as dropped in overload.
        package var droppedLines = 0
        /// The first line at fault; nil: the chain holds.
        package var broken: Fault?
    }

    package struct Fault: Sendable, Equatable, CustomStringConvertible {
        package let file: String
        /// Counted from 1; 0 where it is the file as a whole.
        package let line: Int
        package let reason: String

        package var description: String { line == 0 ? "\(file): \(reason)" : "\(file):\(line): \(reason)" }
    }

    private let key: Secret<[UInt8]>?
    private var expected: (sequence: UInt64, hash: [UInt8])?
    private var report = Report()

    /// Whether there is a file of the log, a rotated one at least.
    package static func hasLog(at path: String) -> Bool { !AuditFiles(path: path).oldestFirst.isEmpty }

    /// `expectedStart`: the sequence number that the oldest line must have.
    package static func verify(
        path: String,
        key: Secret<[UInt8]>? = nil,
        expectedStart: UInt64? = nil
    ) -> Report {
        verify(files: AuditFiles(path: path).oldestFirst, key: key, expectedStart: expectedStart)
    }

    /// The same for files named one by one, oldest first.
    package static func verify(
        files: [String],
        key: Secret<[UInt8]>? = nil,
        expectedStart: UInt64? = nil
    ) -> Report {
        var verifier = AuditVerifier(key: key)
        guard !files.isEmpty else {
            verifier.report.broken = Fault(file: "", line: 0, reason: "there is no audit file")
            return verifier.report
        }
        for file in files {
            verifier.report.files += 1
            if let fault = verifier.check(file, expectedStart: expectedStart) {
                verifier.report.broken = fault
                break
            }
        }
        return verifier.report
    }

    private init(key: Secret<[UInt8]>?) {
        self.key = key
    }

    private mutating func check(_ file: String, expectedStart: UInt64?) -> Fault? {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            return Fault(file: file, line: 0, reason: String(cString: strerror(errno)))
        }
        defer { _ = close(descriptor) }
        var buffer: [UInt8] = []
        var number = 0
        var block = [UInt8](repeating: 0, count: 256 * 1024)
        while true {
            let count = read(descriptor, &block, block.count)
            guard count >= 0 else { return Fault(file: file, line: number, reason: String(cString: strerror(errno))) }
            if count == 0 { break }
            buffer.append(contentsOf: block[..<count])
            var rest = buffer[...]
            while let feed = rest.firstIndex(of: 0x0A) {
                number += 1
                if let reason = check(rest[..<feed], first: number == 1, expectedStart: expectedStart) {
                    return Fault(file: file, line: number, reason: reason)
                }
                rest = rest[(feed + 1)...]
            }
            guard rest.count < 1024 * 1024 else {
                return Fault(file: file, line: number + 1, reason: "is longer than any line of an audit log")
            }
            buffer = Array(rest)
        }
        if !buffer.isEmpty { return Fault(file: file, line: number + 1, reason: "is incomplete: it has no line feed") }
        return nil
    }

    /// Nil: the line is the chain's next.
    private mutating func check(_ line: ArraySlice<UInt8>, first: Bool, expectedStart: UInt64?) -> String? {
        guard let sealed = SealedAuditLine(line) else { return "is not a sealed line" }
        if let expected {
            if sealed.sequence == 1, sealed.previous.elementsEqual(AuditChain.genesis) {
                return "begins a new chain after sequence \(expected.sequence)"
            }
            guard sealed.sequence == expected.sequence + 1 else {
                return "has sequence \(sealed.sequence) where \(expected.sequence + 1) was due"
                    + (sealed.sequence > expected.sequence ? ": lines are missing" : ": lines were moved or repeated")
            }
            guard sealed.previous.elementsEqual(expected.hash) else {
                return "does not follow the line before: one of the two was replaced"
            }
        } else {
            if let expectedStart, sealed.sequence != expectedStart {
                return "has sequence \(sealed.sequence) where the log was to begin with \(expectedStart)"
            }
            if sealed.sequence == 1, !sealed.previous.elementsEqual(AuditChain.genesis) {
                return "is the first line but names a line before it"
            }
            report.firstSequence = sealed.sequence
        }
        guard AuditChain.hash(sealed.sealed).elementsEqual(sealed.hash) else {
            return "was changed: its hash does not match"
        }
        if let key {
            guard let mac = sealed.hmac else { return "has no HMAC" }
            guard constantTimeEqual(AuditChain.hmac(sealed.sealed, key: key), mac) else {
                return "has an HMAC of another key"
            }
        }
        if first, !isMarker(sealed.body, AuditWriter.fileOpened) {
            return "is not the file's first line: its head is missing"
        }
        report.droppedLines += droppedCount(sealed.body)
        report.lines += 1
        report.lastSequence = sealed.sequence
        report.lastHash = String(decoding: sealed.hash, as: UTF8.self)
        expected = (sealed.sequence, Array(sealed.hash))
        return nil
    }

    private func isMarker(_ body: ArraySlice<UInt8>, _ event: StaticString) -> Bool {
        var end: [UInt8] = Array(",\"event\":\"".utf8)
        LineText.append(event, to: &end)
        end.append(UInt8(ascii: "\""))
        return body.suffix(end.count).elementsEqual(end)
    }

    /// `"count":N,"event":"lines_dropped"`.
    private func droppedCount(_ body: ArraySlice<UInt8>) -> Int {
        guard isMarker(body, "lines_dropped") else { return 0 }
        let text = String(decoding: body, as: UTF8.self)
        guard let start = text.firstRange(of: "\"count\":")?.upperBound else { return 0 }
        return Int(text[start...].prefix { $0.isNumber }) ?? 0
    }
}
