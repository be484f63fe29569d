/// Header fields over one run of bytes: names and values are ranges, so that a head costs two allocations however
/// many fields it has.
///
/// A received head keeps its bytes as they came; a head under construction grows through ``append(_:_:)-(StaticString,_)``,
/// each field as `name: value\r\n`, so that serialising it is one copy. Order is kept, repetition is kept; names
/// compare without case (RFC 9110, section 5.1).
///
/// A CR, LF or NUL in what is appended becomes a space (RFC 9110, section 5.5): a name or value can never end its line,
/// wherever it came from.
public struct FieldBlock: Sendable {
    public struct Entry: Sendable {
        public let name: Range<Int>
        public let value: Range<Int>

        @inlinable
        public init(name: Range<Int>, value: Range<Int>) {
            self.name = name
            self.value = value
        }
    }

    public var bytes: [UInt8]
    public var entries: [Entry]

    /// An empty block to append to.
    @inlinable
    public init(reservingBytes: Int = 512, fields: Int = 16) {
        bytes = []
        bytes.reserveCapacity(reservingBytes)
        entries = []
        entries.reserveCapacity(fields)
    }

    /// A parsed block: `entries` are ranges into `bytes`, checked by the parser that made them.
    @inlinable
    public init(bytes: [UInt8], entries: [Entry]) {
        self.bytes = bytes
        self.entries = entries
    }

    @inlinable
    public mutating func append(_ name: StaticString, _ value: some Sequence<UInt8>) {
        let nameStart = bytes.count
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        appendValue(value, nameStart: nameStart)
    }

    @inlinable
    public mutating func append(_ name: some Sequence<UInt8>, _ value: some Sequence<UInt8>) {
        let nameStart = bytes.count
        bytes.append(contentsOf: name)
        appendValue(value, nameStart: nameStart)
    }

    @inlinable
    public mutating func append(_ name: StaticString, _ value: String) {
        append(name, value.utf8)
    }

    /// A field whose value `write` appends to the block's bytes.
    @inlinable
    public mutating func append(_ name: StaticString, writing write: (inout [UInt8]) -> Void) {
        let nameStart = bytes.count
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        appendValue(nameStart: nameStart, write)
    }

    @inlinable
    mutating func appendValue(_ value: some Sequence<UInt8>, nameStart: Int) {
        appendValue(nameStart: nameStart) { $0.append(contentsOf: value) }
    }

    @inlinable
    mutating func appendValue(nameStart: Int, _ write: (inout [UInt8]) -> Void) {
        let nameEnd = bytes.count
        bytes.append(UInt8(ascii: ":"))
        bytes.append(UInt8(ascii: " "))
        let valueStart = bytes.count
        write(&bytes)
        let end = bytes.count
        bytes.withUnsafeMutableBufferPointer { all in
            // Every byte is written, so that the compiler may look at many at a time.
            for index in nameStart..<end { all[index] = endsLine(all[index]) ? UInt8(ascii: " ") : all[index] }
        }
        entries.append(Entry(name: nameStart..<nameEnd, value: valueStart..<bytes.count))
        bytes.append(UInt8(ascii: "\r"))
        bytes.append(UInt8(ascii: "\n"))
    }

    @inlinable
    public func name(_ entry: Entry) -> ArraySlice<UInt8> { bytes[entry.name] }
    @inlinable
    public func value(_ entry: Entry) -> ArraySlice<UInt8> { bytes[entry.value] }

    /// Appends a field of another block under its name in lower case or as it is. What a parser or this type has made
    /// holds nothing that ends a line, so it is copied without another look.
    public mutating func append(_ entry: Entry, of other: FieldBlock, lowercasing: Lowercasing) {
        let nameStart = bytes.count
        switch lowercasing {
        case .name:
            other.bytes.withUnsafeBufferPointer { all in
                for index in entry.name { bytes.append(lowered(all[index])) }
            }
        case .nothing:
            bytes.append(contentsOf: other.bytes[entry.name])
        }
        let nameEnd = bytes.count
        bytes.append(UInt8(ascii: ":"))
        bytes.append(UInt8(ascii: " "))
        let valueStart = bytes.count
        bytes.append(contentsOf: other.bytes[entry.value])
        entries.append(Entry(name: nameStart..<nameEnd, value: valueStart..<bytes.count))
        bytes.append(UInt8(ascii: "\r"))
        bytes.append(UInt8(ascii: "\n"))
    }

    public enum Lowercasing: Sendable {
        case name, nothing
    }

    /// Whether the field's name is `name`, which must be given in lower case.
    @inlinable
    public func isNamed(_ entry: Entry, _ name: StaticString) -> Bool {
        entry.name.count == name.utf8CodeUnitCount && hasPrefix(entry, name)
    }

    /// Whether the field's name begins with `prefix`, which must be given in lower case.
    @inlinable
    public func hasPrefix(_ entry: Entry, _ prefix: StaticString) -> Bool {
        let length = prefix.utf8CodeUnitCount
        guard entry.name.count >= length else { return false }
        return bytes.withUnsafeBufferPointer { all in
            prefix.withUTF8Buffer { wanted in
                for index in 0..<length where lowered(all[entry.name.lowerBound + index]) != wanted[index] {
                    return false
                }
                return true
            }
        }
    }

    /// The first field of that name; names are given in lower case.
    @inlinable
    public func first(_ name: StaticString) -> ArraySlice<UInt8>? {
        for entry in entries where isNamed(entry, name) {
            return bytes[entry.value]
        }
        return nil
    }

    /// How many fields of that name there are.
    @inlinable
    public func count(of name: StaticString) -> Int {
        var count = 0
        for entry in entries where isNamed(entry, name) { count += 1 }
        return count
    }

    /// The only field of that name, nil where there is none; more than one is a refusal for the caller to word.
    @inlinable
    public func single(_ name: StaticString) throws(RepeatedField) -> ArraySlice<UInt8>? {
        var found: ArraySlice<UInt8>?
        for entry in entries where isNamed(entry, name) {
            guard found == nil else { throw RepeatedField(name: name) }
            found = bytes[entry.value]
        }
        return found
    }

    /// The first field of that name as a string, nil where it is absent or not UTF-8. For tests and slow paths.
    public func string(_ name: StaticString) -> String? {
        first(name).flatMap { String(validating: $0, as: UTF8.self) }
    }
}

/// A field that may appear once appeared more often.
public struct RepeatedField: Error {
    public let name: StaticString

    @inlinable
    public init(name: StaticString) { self.name = name }
}

@inlinable
@inline(__always)
func endsLine(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n") || byte == 0
}

/// ASCII lower case of one byte, without branches on locale.
@inlinable
@inline(__always)
public func lowered(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
}
