extension Collection<UInt8> {
    /// Whether the bytes are those of `text`. Comparing with a `String`'s UTF-8 says the same and takes ten times as long.
    @inlinable
    public func spell(_ text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount && text.withUTF8Buffer { elementsEqual($0) }
    }
}
