import HTTP1
import WireFormats

/// Where the parameters of a signature lie in a query, found in one pass over it.
struct SignatureParameters {
    /// Whether any parameter of a version 4 presigned URL is there, in whatever case: one of them alone is an
    /// incomplete signature, not an unsigned request.
    var claimsVersion4: Bool { hasOthersOfVersion4 || (hasToken && !claimsVersion2) }
    private(set) var claimsVersion2 = false
    /// A token goes with either version; the other parameters are version 4's.
    private var hasToken = false
    private var hasOthersOfVersion4 = false
    /// Of each parameter in its exact spelling, by ``Name``: its place in the query, which has less than 128.
    private var places = SIMD8<Int16>(repeating: absent)

    private static let absent: Int16 = -1
    private static let repeated: Int16 = -2

    /// Of version 4.
    enum Name: Int {
        case algorithm, credential, date, expires, signedHeaders, signature, securityToken, contentSHA256
    }

    init(of query: Query) {
        for place in 0..<query.count {
            let name = query.name(at: place)
            guard name.count >= 9, let first = name.first else { continue }
            switch lowered(first) {
            case UInt8(ascii: "x"):
                guard let (found, isExact) = SignatureParameters.find(name) else { continue }
                // A payload hash alone is no signature.
                switch found {
                case .contentSHA256: break
                case .securityToken: hasToken = true
                default: hasOthersOfVersion4 = true
                }
                if isExact { note(found, at: place) }
            case UInt8(ascii: "a"):
                if SignatureParameters.compare(name, "AWSAccessKeyId") != nil { claimsVersion2 = true }
            case UInt8(ascii: "s"):
                if SignatureParameters.compare(name, "Signature") != nil { claimsVersion2 = true }
            default: continue
            }
        }
    }

    private mutating func note(_ name: Name, at place: Int) {
        let isFirst = places[name.rawValue] == SignatureParameters.absent
        places[name.rawValue] = isFirst ? Int16(place) : SignatureParameters.repeated
    }

    /// The parameter's place; nil where it is absent.
    func place(
        of name: Name,
        _ parameter: SignatureRefusal.Parameter
    ) throws(SignatureRefusal) -> Int? {
        let place = places[name.rawValue]
        guard place != SignatureParameters.repeated else { throw .malformed(.query, .repeated(parameter)) }
        return place == SignatureParameters.absent ? nil : Int(place)
    }

    private static func find(_ name: ArraySlice<UInt8>) -> (Name, isExact: Bool)? {
        switch name.count {
        case 10: check(name, "X-Amz-Date", .date)
        case 13: check(name, "X-Amz-Expires", .expires)
        case 15: check(name, "X-Amz-Algorithm", .algorithm) ?? check(name, "X-Amz-Signature", .signature)
        case 16: check(name, "X-Amz-Credential", .credential)
        case 19: check(name, "X-Amz-SignedHeaders", .signedHeaders)
        case 20:
            check(name, "X-Amz-Security-Token", .securityToken) ?? check(name, "X-Amz-Content-Sha256", .contentSHA256)
        default: nil
        }
    }

    private static func check(
        _ name: ArraySlice<UInt8>,
        _ spelling: StaticString,
        _ found: Name
    ) -> (Name, isExact: Bool)? {
        compare(name, spelling).map { (found, $0) }
    }

    /// nil where the names differ, else whether they are the same in case too.
    private static func compare(_ name: ArraySlice<UInt8>, _ spelling: StaticString) -> Bool? {
        guard name.count == spelling.utf8CodeUnitCount else { return nil }
        return name.withUnsafeBufferPointer { name in
            spelling.withUTF8Buffer { wanted in
                var isExact = true
                for index in 0..<wanted.count where name[index] != wanted[index] {
                    guard lowered(name[index]) == lowered(wanted[index]) else { return nil }
                    isExact = false
                }
                return isExact
            }
        }
    }
}
