import HTTP1
import WireFormats

/// The checksums that a copy's bytes go through: the one its source names, which must turn out so, and the one its caller
/// asked for.
struct CopyChecks: Sendable {
    private let known: CopiedObject.KnownChecksum?
    private let wanted: ChecksumAlgorithm?

    init(_ known: CopiedObject.KnownChecksum?, wanted: ChecksumAlgorithm?) {
        self.known = known
        self.wanted = wanted
    }

    /// Those to compute, before the first byte.
    var begun: [Checksum] {
        var algorithms = known.map { [$0.algorithm] } ?? []
        if let wanted, wanted != known?.algorithm { algorithms.append(wanted) }
        return algorithms.map { Checksum($0) }
    }

    /// Whether the bytes are those that the source's checksum is of; nil where it names none.
    var agrees: (@Sendable ([Checksum]) -> Bool)? {
        guard let known else { return nil }
        return { checksums in
            checksums.contains { $0.algorithm == known.algorithm && $0.finalize() == known.digest }
        }
    }

    /// What the destination is told to hold the bytes against: the source's own, known before the first byte. A store
    /// that does not know the algorithm ignores the field.
    func appendClaim(to fields: inout FieldBlock) {
        guard let known, wanted == nil || wanted == known.algorithm else { return }
        fields.append(known.algorithm.header, Base64.encode(known.digest).utf8)
    }

    /// What the answer names: the one that was asked for, as the store keeps it or as it was computed; else what the store
    /// says it keeps; else what was computed.
    func named(by fields: FieldBlock, _ checksums: [Checksum]) -> (element: StaticString, value: String)? {
        for algorithm in wanted.map({ [$0] }) ?? ChecksumAlgorithm.allCases {
            if let value = fields.string(algorithm.header) { return (algorithm.element, value) }
        }
        guard let checksum = checksums.last(where: { wanted == nil || $0.algorithm == wanted }) else { return nil }
        return (checksum.algorithm.element, Base64.encode(checksum.finalize()))
    }
}
