import Crypto
import WireFormats

/// The string to sign of Signature Version 4: algorithm, time, scope and the canonical request's hash, a line each.
enum StringToSign {
    /// `dateText` is the time as `YYYYMMDD'T'HHMMSS'Z'`.
    static func bytes(dateText: [UInt8], scope: CredentialScope, canonicalRequest: [UInt8]) -> [UInt8] {
        var bytes = start(dateText: dateText)
        scope.append(to: &bytes)
        end(&bytes, canonicalRequest: canonicalRequest)
        return bytes
    }

    static func start(dateText: [UInt8], algorithm: StaticString = "AWS4-HMAC-SHA256") -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(192)
        algorithm.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: dateText)
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    static func end(_ bytes: inout [UInt8], canonicalRequest: [UInt8]) {
        bytes.append(UInt8(ascii: "\n"))
        var hash = SHA256()
        canonicalRequest.withUnsafeBytes { hash.update(bufferPointer: $0) }
        hash.finalize().withUnsafeBytes { Hex.append($0, to: &bytes) }
    }
}
