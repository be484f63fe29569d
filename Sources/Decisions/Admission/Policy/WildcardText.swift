/// A text with wildcards, ready to be compared byte by byte: `*` stands for any run of bytes, `?` for one character of
/// UTF-8.
///
/// Whoever may write patterns and send texts may choose the worst of both, so that a comparison is never their product: what
/// stands between stars is looked for from left to right, each behind the one before, without going back in the text
/// (Knuth, Morris, Pratt, "Fast pattern matching in strings", 1977; with `?`, whose meaning borders do not know, 64
/// characters at a time: Baeza-Yates, Gonnet, "A new approach to text searching", 1992).
struct WildcardText: Hashable, Sendable {
    /// A byte (0...255) or a wildcard.
    typealias Token = UInt16
    static let anyRun: Token = 0x100
    static let anyCharacter: Token = 0x101

    /// What the text begins with.
    private let first: [Token]
    /// What follows the first star; nil: there is none, and the text ends where ``first`` does.
    private let rest: Rest?
    /// No text of fewer bytes matches.
    private let shortest: Int

    private struct Rest: Hashable {
        let middle: [Part]
        let last: Part
    }

    init(_ tokens: [Token]) {
        let parts = tokens.split(separator: Self.anyRun, omittingEmptySubsequences: false)
        shortest = tokens.count - (parts.count - 1)
        first = Array(parts[0])
        rest =
            parts.count == 1
            ? nil
            : Rest(
                middle: parts.dropFirst().dropLast().filter { !$0.isEmpty }.map { Part($0) },
                last: Part(parts[parts.count - 1])
            )
    }

    /// - Parameter steps: is counted up by how much was looked at.
    func matches(_ text: [UInt8], counting steps: inout Int) -> Bool {
        guard text.count >= shortest, var at = beginning(of: text, counting: &steps) else { return false }
        guard let rest else { return at == text.count }
        // The first place is as good as any: what a part leaves is all the more for those behind it.
        for part in rest.middle {
            guard let end = part.end(in: text, from: at, counting: &steps) else { return false }
            at = end
        }
        return rest.last.endsText(text, from: at, counting: &steps)
    }

    /// Where what the text has to begin with ends in it; nil where it begins with something else.
    private func beginning(of text: [UInt8], counting steps: inout Int) -> Int? {
        var at = 0
        for token in first {
            steps += 1
            guard at < text.count else { return nil }
            if token == Self.anyCharacter {
                at += 1
                while at < text.count, text[at].continuesCharacter { at += 1 }
            } else {
                guard Token(text[at]) == token else { return nil }
                at += 1
            }
        }
        return at
    }
}

extension WildcardText {
    /// What stands between two stars, or behind the last one.
    fileprivate enum Part: Hashable {
        case text(BorderedText)
        case characters(CharacterRun)

        init(_ tokens: ArraySlice<Token>) {
            self =
                tokens.contains(WildcardText.anyCharacter)
                ? .characters(CharacterRun(tokens)) : .text(BorderedText(tokens.map { UInt8($0) }))
        }

        /// Where its first occurrence ends.
        func end(in text: [UInt8], from start: Int, counting steps: inout Int) -> Int? {
            switch self {
            case .text(let wanted): wanted.end(in: text, from: start, counting: &steps)
            case .characters(let wanted): wanted.firstEnd(in: text, from: start, counting: &steps)
            }
        }

        /// Whether the text ends with it.
        func endsText(_ text: [UInt8], from start: Int, counting steps: inout Int) -> Bool {
            switch self {
            case .text(let wanted): wanted.endsText(text, from: start, counting: &steps)
            case .characters(let wanted): wanted.endsText(text, from: start, counting: &steps)
            }
        }
    }
}

/// Bytes to be found, and how far each beginning of them is also its own end.
private struct BorderedText: Hashable {
    private let bytes: [UInt8]
    private let borders: [Int32]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var borders = [Int32](repeating: 0, count: bytes.count)
        var length = 0
        for at in bytes.indices.dropFirst() {
            while length > 0, bytes[at] != bytes[length] { length = Int(borders[length - 1]) }
            if bytes[at] == bytes[length] { length += 1 }
            borders[at] = Int32(length)
        }
        self.borders = borders
    }

    func end(in text: [UInt8], from start: Int, counting steps: inout Int) -> Int? {
        var found = 0
        for at in start..<text.count {
            steps += 1
            while found > 0, bytes[found] != text[at] {
                steps += 1
                found = Int(borders[found - 1])
            }
            if bytes[found] == text[at] { found += 1 }
            if found == bytes.count { return at + 1 }
        }
        return nil
    }

    func endsText(_ text: [UInt8], from start: Int, counting steps: inout Int) -> Bool {
        steps += bytes.count
        return text.count - start >= bytes.count && text[start...].suffix(bytes.count).elementsEqual(bytes)
    }
}

/// Characters to be found of which some may be any: each bit of the state says that so many of them fit what was read last.
private struct CharacterRun: Hashable {
    private typealias Word = UInt64

    private let count: Int
    private let words: Int
    /// The bytes that are named, in order, and for each where; so many words for each.
    private let named: [UInt8]
    private let places: [Word]
    /// Where any character may be.
    private let any: [Word]
    /// Of these, where a byte that continues a character may begin one: behind a byte that was named. Behind one that may be
    /// any, it belongs to that.
    private let anyBehindNamed: [Word]

    init(_ tokens: ArraySlice<WildcardText.Token>) {
        let tokens = Array(tokens)
        count = tokens.count
        words = (tokens.count + Word.bitWidth - 1) / Word.bitWidth
        named = Set(tokens.filter { $0 != WildcardText.anyCharacter }.map { UInt8($0) }).sorted()
        var rows: [UInt8: Int] = [:]
        for (row, byte) in named.enumerated() { rows[byte] = row }
        var places = [Word](repeating: 0, count: named.count * words)
        var any = [Word](repeating: 0, count: words)
        var anyBehindNamed = any
        for (place, token) in tokens.enumerated() {
            let (word, bit) = (place / Word.bitWidth, Word(1) << Word(place % Word.bitWidth))
            if token == WildcardText.anyCharacter {
                any[word] |= bit
                if place > 0, tokens[place - 1] != WildcardText.anyCharacter { anyBehindNamed[word] |= bit }
            } else if let row = rows[UInt8(token)] {
                places[row * words + word] |= bit
            }
        }
        (self.places, self.any, self.anyBehindNamed) = (places, any, anyBehindNamed)
    }

    /// Where its first occurrence ends, the whole of its last character taken.
    func firstEnd(in text: [UInt8], from start: Int, counting steps: inout Int) -> Int? {
        var state = [Word](repeating: 0, count: words)
        for at in start..<text.count {
            read(text[at], isFirst: at == start, &state, counting: &steps)
            guard isFound(state) else { continue }
            var end = at + 1
            if isAny(count - 1) { while end < text.count, text[end].continuesCharacter { end += 1 } }
            return end
        }
        return nil
    }

    func endsText(_ text: [UInt8], from start: Int, counting steps: inout Int) -> Bool {
        var state = [Word](repeating: 0, count: words)
        for at in start..<text.count { read(text[at], isFirst: at == start, &state, counting: &steps) }
        return isFound(state)
    }

    private func read(_ byte: UInt8, isFirst: Bool, _ state: inout [Word], counting steps: inout Int) {
        let row = row(of: byte, counting: &steps)
        let continues = byte.continuesCharacter
        var carry: Word = 1
        for word in 0..<words {
            steps += 1
            let old = state[word]
            var fits = row.map { places[$0 * words + word] } ?? 0
            fits |= continues && !isFirst ? anyBehindNamed[word] : any[word]
            state[word] = (old << 1 | carry) & fits
            // It belongs to the character that is there.
            if continues { state[word] |= old & any[word] }
            carry = old >> Word(Word.bitWidth - 1)
        }
    }

    private func row(of byte: UInt8, counting steps: inout Int) -> Int? {
        var (low, high) = (0, named.count)
        while low < high {
            steps += 1
            let middle = (low + high) / 2
            if named[middle] < byte { low = middle + 1 } else { high = middle }
        }
        return low < named.count && named[low] == byte ? low : nil
    }

    private func isFound(_ state: [Word]) -> Bool { has(state, count - 1) }
    private func isAny(_ place: Int) -> Bool { has(any, place) }

    private func has(_ bits: [Word], _ place: Int) -> Bool {
        bits[place / Word.bitWidth] >> Word(place % Word.bitWidth) & 1 == 1
    }
}

extension UInt8 {
    /// Whether it is none of the first bytes of UTF-8's characters.
    fileprivate var continuesCharacter: Bool { self & 0xc0 == 0x80 }
}
