import WireFormats

/// An `Authorization: AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…` field, taken apart
/// (AWS S3 API reference, "Signature Calculations for the Authorization Header").
public final class HeaderAuthorization: Sendable {
    public let scope: CredentialScope
    public let signedHeaders: SignedHeaders
    /// 32 bytes.
    public let signature: [UInt8]

    /// `parameters` is what follows the algorithm's name: the three parameters, each exactly once, in any order,
    /// separated by commas with optional spaces; nothing else.
    init(parsing parameters: ArraySlice<UInt8>) throws(SignatureRefusal) {
        var credential: ArraySlice<UInt8>?
        var names: ArraySlice<UInt8>?
        var proof: ArraySlice<UInt8>?
        var rest = parameters
        while true {
            let end = rest.firstIndex(of: UInt8(ascii: ",")) ?? rest.endIndex
            let piece = trimmed(rest[..<end])
            if let value = value(of: "Credential=", in: piece) {
                guard credential == nil else { throw .malformed(.header, .repeated(.credential)) }
                credential = value
            } else if let value = value(of: "SignedHeaders=", in: piece) {
                guard names == nil else { throw .malformed(.header, .repeated(.signedHeaders)) }
                names = value
            } else if let value = value(of: "Signature=", in: piece) {
                guard proof == nil else { throw .malformed(.header, .repeated(.signature)) }
                proof = value
            } else {
                throw .malformed(.header, .syntax)
            }
            guard end < rest.endIndex else { break }
            rest = rest[(end + 1)...]
        }
        guard let credential else { throw .malformed(.header, .missing(.credential)) }
        guard let names else { throw .malformed(.header, .missing(.signedHeaders)) }
        guard let proof else { throw .malformed(.header, .missing(.signature)) }
        scope = try CredentialScope(parsing: credential, in: .header)
        guard let signedHeaders = SignedHeaders(names) else { throw .malformed(.header, .malformed(.signedHeaders)) }
        self.signedHeaders = signedHeaders
        guard let signature = Hex.decodeSignature(proof) else { throw .malformed(.header, .malformed(.signature)) }
        self.signature = signature
    }
}

private func value(of name: StaticString, in piece: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    name.withUTF8Buffer { piece.starts(with: $0) ? piece.dropFirst($0.count) : nil }
}

/// Without spaces and tabs at either end.
func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var slice = bytes
    while let first = slice.first, first == 0x20 || first == 0x09 { slice = slice.dropFirst() }
    while let last = slice.last, last == 0x20 || last == 0x09 { slice = slice.dropLast() }
    return slice
}
