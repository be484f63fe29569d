import Identity
import JWTKit
import WireFormats

/// Keys ready to verify with: each with one verifier for each algorithm it is for, so that the algorithm is the key's
/// choice and never the token's.
struct KeyRing: Sendable {
    private let set: JSONWebKeySet?
    private let verifiers: [JSONWebKey: [SignatureAlgorithm: any JWTAlgorithm]]
    private let secret: (any JWTAlgorithm)?

    /// What became of a token.
    enum Match: Sendable {
        case verified
        /// The key it names is here, and did not sign it.
        case forged
        /// None of the keys here can have signed it.
        case noKey
    }

    init(_ set: JSONWebKeySet) async {
        var verifiers: [JSONWebKey: [SignatureAlgorithm: any JWTAlgorithm]] = [:]
        for key in set.keys {
            for algorithm in key.algorithms {
                // A point that is not on its curve, a modulus that is none: such a key verifies nothing.
                verifiers[key, default: [:]][algorithm] = try? await Self.verifier(key.material, algorithm)
            }
        }
        self.set = set
        self.verifiers = verifiers
        secret = nil
    }

    init(secret: Secret<[UInt8]>) async {
        set = nil
        verifiers = [:]
        let keys = await JWTKeyCollection().add(hmac: HMACKey(from: secret.reveal()), digestAlgorithm: .sha256)
        self.secret = try? await keys.getKey()
    }

    /// How many keys can be used.
    var count: Int { secret == nil ? verifiers.count : 1 }

    /// Whether every key of the other is here still.
    func hasAll(of other: KeyRing) -> Bool {
        other.verifiers.keys.allSatisfy { verifiers[$0] != nil }
    }

    func match(_ token: SignedToken) -> Match {
        if token.algorithm == .hs256 {
            guard let secret else { return .noKey }
            return Self.signed(token, secret) ? .verified : .forged
        }
        guard let set else { return .noKey }
        let candidates = set.candidates(for: token)
        for key in candidates {
            if let verifier = verifiers[key]?[token.algorithm], Self.signed(token, verifier) { return .verified }
        }
        let isNamed = candidates.contains { $0.id != nil } && token.keyID != nil
        return isNamed ? .forged : .noKey
    }

    private static func signed(_ token: SignedToken, _ verifier: any JWTAlgorithm) -> Bool {
        (try? verifier.verify(token.signature, signs: token.signedBytes)) ?? false
    }

    private static func verifier(
        _ material: JSONWebKey.Material,
        _ algorithm: SignatureAlgorithm
    ) async throws -> (any JWTAlgorithm)? {
        let keys = JWTKeyCollection()
        switch (material, algorithm) {
        case (.rsa(let modulus, let exponent), .rs256):
            await keys.add(
                rsa: try Insecure.RSA.PublicKey(modulus: modulus, exponent: exponent),
                digestAlgorithm: .sha256
            )
        case (.rsa(let modulus, let exponent), .rs384):
            await keys.add(
                rsa: try Insecure.RSA.PublicKey(modulus: modulus, exponent: exponent),
                digestAlgorithm: .sha384
            )
        case (.rsa(let modulus, let exponent), .rs512):
            await keys.add(
                rsa: try Insecure.RSA.PublicKey(modulus: modulus, exponent: exponent),
                digestAlgorithm: .sha512
            )
        case (.p256(let x, let y), .es256):
            await keys.add(ecdsa: try ES256PublicKey(parameters: (x, y)))
        case (.p384(let x, let y), .es384):
            await keys.add(ecdsa: try ES384PublicKey(parameters: (x, y)))
        default: return nil
        }
        return try await keys.getKey()
    }
}
