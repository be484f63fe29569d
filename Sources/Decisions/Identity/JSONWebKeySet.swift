import WireFormats

/// An issuer's public keys (RFC 7517): those that tokens may be verified with. Keys of other kinds and uses are left
/// out, symmetric ones always; two keys of one id are both left out, since which one is meant can't be known.
public struct JSONWebKeySet: Hashable, Sendable {
    /// Longer documents are refused.
    public static let longestDocument = 256 * 1024
    public static let mostKeys = 64

    public let keys: [JSONWebKey]
    /// How many keys were left out for their id.
    public let ambiguous: Int

    /// - Throws: for what is not a key set, or has no key that can be used.
    public init(parsing document: some Collection<UInt8>) throws(JSONWebKeySetError) {
        guard document.count <= Self.longestDocument else { throw .tooLong }
        let json: StrictJSON
        do {
            json = try StrictJSON(parsing: document)
        } catch {
            throw .notJSON(error.path + ": " + error.message)
        }
        guard case .object(let members) = json, case .array(let elements)? = members.value("keys") else {
            throw .noKeys
        }
        guard elements.count <= Self.mostKeys else { throw .tooMany }
        let usable = elements.compactMap(JSONWebKey.init(reading:))
        var counts: [String: Int] = [:]
        // Also those that can't be used: an id names one key.
        for element in elements {
            if case .object(let key) = element, case .string(let id)? = key.value("kid") { counts[id, default: 0] += 1 }
        }
        keys = usable.filter { key in key.id.map { counts[$0] == 1 } ?? true }
        ambiguous = usable.count - keys.count
        guard !keys.isEmpty else { throw ambiguous > 0 ? .ambiguous : .noUsableKey }
    }

    /// The keys a token may have been signed with: that of its `kid`, or those without one; all where it names none.
    public func candidates(for token: SignedToken) -> [JSONWebKey] {
        let able = keys.filter { $0.algorithms.contains(token.algorithm) }
        guard let id = token.keyID else { return able }
        let named = keys.filter { $0.id.map { $0.utf8.elementsEqual(id.utf8) } ?? false }
        return named.isEmpty ? able.filter { $0.id == nil } : named.filter { $0.algorithms.contains(token.algorithm) }
    }
}

/// One public key.
public struct JSONWebKey: Hashable, Sendable {
    /// Numbers in base64url, as they came; checked.
    public enum Material: Hashable, Sendable {
        case rsa(modulus: String, exponent: String)
        case p256(x: String, y: String)
        case p384(x: String, y: String)
    }

    public let id: String?
    public let material: Material
    /// What it may verify.
    public let algorithms: [SignatureAlgorithm]

    /// Nil where it is not for this.
    init?(reading json: StrictJSON) {
        guard case .object(let key) = json, case .string(let type)? = key.value("kty") else { return nil }
        if let use = key.value("use") {
            guard case .string("sig") = use else { return nil }
        }
        if let operations = key.value("key_ops") {
            guard case .array(let names) = operations,
                names.contains(where: { if case .string("verify") = $0 { true } else { false } })
            else { return nil }
        }
        switch key.value("kid") {
        case nil: id = nil
        case .string(let text)?: id = text
        default: return nil
        }
        let able: [SignatureAlgorithm]
        switch type {
        case "RSA":
            guard let modulus = Self.number(key, "n"), let exponent = Self.number(key, "e"),
                Self.isModulus(modulus.bytes), Self.isExponent(exponent.bytes)
            else { return nil }
            material = .rsa(modulus: modulus.text, exponent: exponent.text)
            able = [.rs256, .rs384, .rs512]
        case "EC":
            guard case .string(let curve)? = key.value("crv"), let x = Self.number(key, "x"),
                let y = Self.number(key, "y"), x.bytes.count == y.bytes.count
            else { return nil }
            switch (curve, x.bytes.count) {
            case ("P-256", 32): (material, able) = (.p256(x: x.text, y: y.text), [.es256])
            case ("P-384", 48): (material, able) = (.p384(x: x.text, y: y.text), [.es384])
            default: return nil
            }
        default: return nil
        }
        switch key.value("alg") {
        case nil: algorithms = able
        case .string(let name)?: algorithms = able.filter { $0.rawValue == name }
        default: return nil
        }
        if algorithms.isEmpty { return nil }
    }

    private static func number(
        _ key: [(name: String, value: StrictJSON)],
        _ name: String
    ) -> (text: String, bytes: [UInt8])? {
        guard case .string(let text)? = key.value(name), let bytes = Base64URL.decode(text.utf8), !bytes.isEmpty else {
            return nil
        }
        return (text, bytes)
    }

    /// 2048 to 8192 bits (RFC 7518, section 3.3).
    private static func isModulus(_ bytes: [UInt8]) -> Bool {
        let significant = bytes.drop { $0 == 0 }
        return (256...1024).contains(significant.count)
    }

    /// Odd, from 3 to 2^32: others are no keys, or cost whoever verifies with them.
    private static func isExponent(_ bytes: [UInt8]) -> Bool {
        let significant = bytes.drop { $0 == 0 }
        guard let last = significant.last, significant.count <= 4, last & 1 == 1 else { return false }
        return significant.count > 1 || last >= 3
    }
}

/// Why a document is no key set.
public enum JSONWebKeySetError: Error, Hashable, Sendable, CustomStringConvertible {
    case tooLong
    case notJSON(String)
    case noKeys
    case tooMany
    case ambiguous
    case noUsableKey

    public var description: String {
        switch self {
        case .tooLong: "is longer than \(JSONWebKeySet.longestDocument / 1024) KiB"
        case .notJSON(let problem): "is not JSON: \(problem)"
        case .noKeys: "has no array \"keys\""
        case .tooMany: "has more than \(JSONWebKeySet.mostKeys) keys"
        case .ambiguous: "has several keys of one id, and no other"
        case .noUsableKey: "has no RSA (2048 bits or more), P-256 or P-384 key to verify signatures with"
        }
    }
}
