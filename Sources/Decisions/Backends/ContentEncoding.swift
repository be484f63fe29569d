import HTTP1

/// The value without the token `aws-chunked`, which is about a transfer that ended here.
func withoutAWSChunked(_ value: ArraySlice<UInt8>) -> [UInt8] {
    let tokens = value.split(separator: UInt8(ascii: ",")).map { token in
        token.drop { $0 == 0x20 || $0 == 0x09 }
    }
    let kept = tokens.filter { token in
        !token.map { lowered($0) }.prefix { $0 != 0x20 && $0 != 0x09 }.elementsEqual("aws-chunked".utf8)
    }
    return kept.count == tokens.count ? Array(value) : Array(kept.joined(separator: ", ".utf8))
}
