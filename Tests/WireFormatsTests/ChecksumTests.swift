import CChecksums
import Testing
import WireFormats

@Suite struct ChecksumTests {
    /// The check values of the catalogue of parametrised CRCs, RFC 3720 B.4, and FIPS 180 for the hashes.
    @Test(arguments: [
        (ChecksumAlgorithm.crc32, Array("123456789".utf8), "cbf43926"),
        (.crc32c, Array("123456789".utf8), "e3069283"),
        (.crc64nvme, Array("123456789".utf8), "ae8b14860a799888"),
        (.crc32c, [UInt8](repeating: 0, count: 32), "8a9136aa"),
        (.crc32c, [UInt8](repeating: 0xff, count: 32), "62a8ab43"),
        (.crc32c, Array(0..<32), "46dd794e"),
        (.crc32c, Array((0..<32).reversed()), "113fdb5c"),
        (.crc64nvme, [UInt8](repeating: 0, count: 4096), "6482d367eb22b64e"),
        (.crc64nvme, [UInt8](repeating: 0xff, count: 4096), "c0ddba7302eca3ac"),
        (.sha1, Array("abc".utf8), "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (.sha256, Array("abc".utf8), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (.crc32, [], "00000000"), (.crc32c, [], "00000000"), (.crc64nvme, [], "0000000000000000"),
    ])
    func checksumsAreThoseOfTheStandards(_ algorithm: ChecksumAlgorithm, _ bytes: [UInt8], _ expected: String) {
        #expect(Hex.encode(Checksum.of(bytes, algorithm)) == expected)
        #expect(Checksum.of(bytes, algorithm).count == algorithm.digestLength)
    }

    @Test(arguments: Reference.all)
    func everyLengthAtEveryAlignmentAgreesWithTheDefinition(_ reference: Reference) {
        let bytes = noise(count: 320)
        bytes.withUnsafeBytes { all in
            for start in 0..<17 {
                var expected = reference.start
                for length in 0...300 {
                    let run = UnsafeRawBufferPointer(rebasing: all[start..<start + length])
                    let value = expected ^ reference.start
                    guard
                        gatehouse_crc(reference.kind, 0, run.baseAddress, length) == value,
                        gatehouse_crc_portable(reference.kind, 0, run.baseAddress, length) == value
                    else {
                        Issue.record("\(length) bytes from \(start)")
                        return
                    }
                    expected = reference.step(expected, all[start + length])
                }
            }
        }
    }

    @Test(arguments: Reference.all)
    func tablesAndInstructionsAgreeOnLongRuns(_ reference: Reference) {
        for length in [1000, 4095, 65_536, 65_537, 1_000_003] {
            let bytes = noise(count: length)
            let seed = bytes.reduce(UInt64(1)) { $0 &* 31 &+ UInt64($1) } & reference.start
            #expect(
                gatehouse_crc(reference.kind, seed, bytes, length)
                    == gatehouse_crc_portable(reference.kind, seed, bytes, length)
            )
        }
    }

    @Test(arguments: ChecksumAlgorithm.allCases)
    func whereTheBytesAreSplitMakesNoDifference(_ algorithm: ChecksumAlgorithm) {
        let bytes = noise(count: 300)
        let whole = Checksum.of(bytes, algorithm)
        for split in 0...bytes.count {
            var checksum = Checksum(algorithm)
            checksum.update(Array(bytes[..<split]))
            checksum.update(Array(bytes[split...]))
            #expect(checksum.finalize() == whole)
        }
    }

    @Test(arguments: [ChecksumAlgorithm.crc32, .crc32c, .crc64nvme])
    func theChecksumOfTheWholeFollowsFromThoseOfTheParts(_ algorithm: ChecksumAlgorithm) {
        #expect(algorithm.isCombinable)
        let parts = [5 << 20, 1, 0, 77, 4096].map { noise(count: $0) }
        let digests = parts.map { (digest: Checksum.of($0, algorithm), length: Int64($0.count)) }
        #expect(
            Checksum.combining(digests, algorithm: algorithm) == Checksum.of(parts.flatMap { $0 }, algorithm)
        )
        #expect(Checksum.combining([], algorithm: algorithm) == Checksum.of([], algorithm))
        #expect(Checksum.combining([(digest: [1], length: 1)], algorithm: algorithm) == nil)
        #expect(Checksum.combining([(digest: digests[0].digest, length: -1)], algorithm: algorithm) == nil)
    }

    @Test(arguments: [ChecksumAlgorithm.sha1, .sha256])
    func hashesOfPartsDoNotCombine(_ algorithm: ChecksumAlgorithm) {
        #expect(!algorithm.isCombinable)
        #expect(Checksum.combining([(digest: Checksum.of([1], algorithm), length: 1)], algorithm: algorithm) == nil)
    }

    @Test(arguments: ChecksumAlgorithm.allCases)
    func namesAreRecognisedInEitherCase(_ algorithm: ChecksumAlgorithm) {
        #expect(ChecksumAlgorithm(name: algorithm.name.utf8) == algorithm)
        #expect(ChecksumAlgorithm(name: algorithm.name.lowercased().utf8) == algorithm)
        #expect(ChecksumAlgorithm(header: algorithm.header.description.utf8) == algorithm)
        #expect(ChecksumAlgorithm(header: algorithm.header.description.uppercased().utf8) == algorithm)
        #expect(ChecksumAlgorithm(name: Array(algorithm.name.utf8) + [0x20]) == nil)
        #expect(ChecksumAlgorithm(header: "x-amz-checksum-".utf8) == nil)
    }
}

/// A check as its definition says it, a bit at a time.
struct Reference: Sendable {
    let kind: gatehouse_crc_kind
    let polynomial: UInt64
    let start: UInt64

    static let all = [
        Reference(kind: GATEHOUSE_CRC32, polynomial: 0xEDB8_8320, start: 0xFFFF_FFFF),
        Reference(kind: GATEHOUSE_CRC32C, polynomial: 0x82F6_3B78, start: 0xFFFF_FFFF),
        Reference(kind: GATEHOUSE_CRC64NVME, polynomial: 0x9A6C_9329_AC4B_C9B5, start: .max),
    ]

    func step(_ state: UInt64, _ byte: UInt8) -> UInt64 {
        var state = state ^ UInt64(byte)
        for _ in 0..<8 { state = state & 1 == 1 ? state >> 1 ^ polynomial : state >> 1 }
        return state
    }
}

/// The same bytes each time, without a pattern.
private func noise(count: Int) -> [UInt8] {
    var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 56)
    }
}
