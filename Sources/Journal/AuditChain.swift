import Crypto
package import WireFormats

/// The hash chain of the audit log. A line is
///
///     {"seq":7,"prev":"<64 hex>",BODY,"hash":"<64 hex>","hmac":"<64 hex>"}
///
/// `hash` is the SHA-256 of the line's bytes before `,"hash"`; `prev` is the line before's `hash`, 64 zeros for the
/// first line ever. `hmac` is present where a key is configured: HMAC-SHA256 of the same bytes as `hash`. So no line
/// can be changed, dropped, added or moved without a later one disagreeing, and with a key nobody who lacks it can
/// write the chain anew.
package struct AuditChain: Sendable {
    /// The last line's sequence number; 0 before the first.
    package private(set) var sequence: UInt64
    /// The last line's hash in lower-case hexadecimal.
    package private(set) var hash: [UInt8]
    private let key: Secret<[UInt8]>?

    package static let genesis = [UInt8](repeating: UInt8(ascii: "0"), count: 64)

    /// A chain that goes on after line `sequence` of hash `hash`; by default one that begins.
    package init(after sequence: UInt64 = 0, hash: [UInt8] = AuditChain.genesis, key: Secret<[UInt8]>?) {
        self.sequence = sequence
        self.hash = hash
        self.key = key
    }

    /// Appends `body` as the chain's next line, with its line feed.
    package mutating func seal(_ body: some Collection<UInt8>, to output: inout [UInt8]) {
        let start = output.count
        sequence += 1
        LineText.append("{\"seq\":", to: &output)
        LineText.append(sequence, to: &output)
        LineText.append(",\"prev\":\"", to: &output)
        output.append(contentsOf: hash)
        LineText.append("\",", to: &output)
        output.append(contentsOf: body)
        hash.removeAll(keepingCapacity: true)
        SHA256.hash(data: output[start...]).withUnsafeBytes { Hex.append($0, to: &hash) }
        let mac = key.map { Self.hmac(output[start...], key: $0) }
        LineText.append(",\"hash\":\"", to: &output)
        output.append(contentsOf: hash)
        if let mac {
            LineText.append("\",\"hmac\":\"", to: &output)
            output.append(contentsOf: mac)
        }
        LineText.append("\"}\n", to: &output)
    }

    static func hmac(_ bytes: ArraySlice<UInt8>, key: Secret<[UInt8]>) -> [UInt8] {
        var text: [UInt8] = []
        Hex.append(
            HMAC<SHA256>.authenticationCode(for: bytes, using: SymmetricKey(data: key.reveal())),
            to: &text
        )
        return text
    }

    static func hash(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        SHA256.hash(data: bytes).withUnsafeBytes { Hex.append($0, to: &text) }
        return text
    }
}
