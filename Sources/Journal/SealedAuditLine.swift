/// A sealed line taken apart again, by position: the form ``AuditChain`` writes and no other.
struct SealedAuditLine {
    let sequence: UInt64
    let previous: ArraySlice<UInt8>
    /// What hash and HMAC were computed over.
    let sealed: ArraySlice<UInt8>
    let body: ArraySlice<UInt8>
    let hash: ArraySlice<UInt8>
    let hmac: ArraySlice<UInt8>?

    /// `line` without its line feed; nil where it hasn't that form.
    init?(_ line: ArraySlice<UInt8>) {
        var scanner = Scanner(rest: line)
        guard scanner.skip("{\"seq\":"), let sequence = scanner.number(), scanner.skip(",\"prev\":\""),
            let previous = scanner.hash(), scanner.skip("\",")
        else { return nil }
        guard let tail = Self.tail(of: scanner.rest, macced: true) ?? Self.tail(of: scanner.rest, macced: false) else {
            return nil
        }
        self.sequence = sequence
        self.previous = previous
        sealed = line[..<tail.start]
        body = scanner.rest[..<tail.start]
        hash = tail.hash
        hmac = tail.hmac
    }

    private struct Tail {
        let start: Int
        let hash: ArraySlice<UInt8>
        let hmac: ArraySlice<UInt8>?
    }

    private static func tail(of line: ArraySlice<UInt8>, macced: Bool) -> Tail? {
        let length = macced ? 149 : 75
        guard line.count >= length else { return nil }
        let start = line.endIndex - length
        var scanner = Scanner(rest: line[start...])
        guard scanner.skip(",\"hash\":\""), let hash = scanner.hash() else { return nil }
        var mac: ArraySlice<UInt8>?
        if macced {
            guard scanner.skip("\",\"hmac\":\""), let found = scanner.hash() else { return nil }
            mac = found
        }
        guard scanner.skip("\"}"), scanner.rest.isEmpty else { return nil }
        return Tail(start: start, hash: hash, hmac: mac)
    }

    private struct Scanner {
        var rest: ArraySlice<UInt8>

        mutating func skip(_ literal: StaticString) -> Bool {
            guard literal.withUTF8Buffer({ rest.starts(with: $0) }) else { return false }
            rest = rest.dropFirst(literal.utf8CodeUnitCount)
            return true
        }

        /// Up to 19 digits, without a leading zero.
        mutating func number() -> UInt64? {
            let digits = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }
            guard (1...19).contains(digits.count), digits.first != 0x30 else { return nil }
            rest = rest.dropFirst(digits.count)
            return digits.reduce(0) { $0 * 10 + UInt64($1 - 0x30) }
        }

        /// 64 lower-case hexadecimal digits.
        mutating func hash() -> ArraySlice<UInt8>? {
            let value = rest.prefix(64)
            guard value.count == 64, value.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
            else { return nil }
            rest = rest.dropFirst(64)
            return value
        }
    }
}
