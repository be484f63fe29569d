/// A text of a policy with wildcards and variables: `photos/${aws:username}/*`. Compared byte by byte; `*` stands for
/// any run of bytes, `?` for one character of UTF-8. What a variable stands for is taken literally.
struct PolicyPattern: Hashable, Sendable {
    enum Wildcards: Hashable, Sendable {
        case none
        case starAndQuestionMark
    }

    enum Case: Hashable, Sendable {
        case sensitive
        /// ASCII letters only.
        case insensitive
    }

    /// What a comparison found.
    enum Match: Hashable, Sendable {
        case yes
        case no
        /// A variable has no value here, and no default.
        case unresolved
    }

    /// A byte (0...255) or a wildcard.
    private typealias Token = UInt16
    private static let anyRun: Token = 0x100
    private static let anyCharacter: Token = 0x101

    private enum Piece: Hashable {
        case tokens([Token])
        case variable(ConditionKey, otherwise: [UInt8]?)
    }

    private let pieces: [Piece]
    private let sensitivity: Case

    init(
        _ text: String,
        wildcards: Wildcards,
        case sensitivity: Case = .sensitive,
        at path: String
    ) throws(PolicyLoadError) {
        let bytes = Array(text.utf8)
        var pieces: [Piece] = []
        var tokens: [Token] = []
        var at = 0
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if byte == UInt8(ascii: "$"), at < bytes.count, bytes[at] == UInt8(ascii: "{") {
                guard let end = bytes[at...].firstIndex(of: UInt8(ascii: "}")) else {
                    throw PolicyLoadError(path, "'${' without '}'; a literal '$' is written ${$}")
                }
                let name = String(decoding: bytes[(at + 1)..<end], as: UTF8.self)
                at = end + 1
                if ["*", "?", "$"].contains(name) {
                    tokens += name.utf8.map { Token($0) }
                } else {
                    pieces += [.tokens(tokens), try Self.variable(name, at: path)]
                    tokens = []
                }
            } else if wildcards == .starAndQuestionMark, byte == UInt8(ascii: "*") {
                if tokens.last != Self.anyRun { tokens.append(Self.anyRun) }
            } else if wildcards == .starAndQuestionMark, byte == UInt8(ascii: "?") {
                tokens.append(Self.anyCharacter)
            } else {
                tokens.append(Token(sensitivity == .insensitive ? folded(byte) : byte))
            }
        }
        self.pieces = (pieces + [.tokens(tokens)]).filter { $0 != .tokens([]) }
        self.sensitivity = sensitivity
    }

    func matches(_ text: [UInt8], _ value: (ConditionKey) -> [UInt8]?) -> Match {
        if case .tokens(let tokens)? = pieces.first, pieces.count == 1 { return compare(tokens, text) }
        var tokens: [Token] = []
        for piece in pieces {
            switch piece {
            case .tokens(let fixed):
                tokens += fixed
            case .variable(let key, let otherwise):
                guard let bytes = value(key) ?? otherwise else { return .unresolved }
                tokens += bytes.map { Token(sensitivity == .insensitive ? folded($0) : $0) }
            }
        }
        return compare(tokens, text)
    }

    /// `aws:username`, or with a default `aws:username, 'nobody'`.
    private static func variable(_ text: String, at path: String) throws(PolicyLoadError) -> Piece {
        let parts = text.split(separator: ",", maxSplits: 1, omittingEmptySubsequences: false)
        let name = parts.first.map(String.init) ?? ""
        guard let key = ConditionKey(named: name), key.isVariable else {
            let known = ConditionKey.allCases.filter(\.isVariable).map(\.rawValue).joined(separator: ", ")
            throw PolicyLoadError(path, "unknown policy variable '${\(name)}'; there are \(known)")
        }
        guard parts.count == 2 else { return .variable(key, otherwise: nil) }
        let quoted = parts[1].drop { $0 == " " }
        guard quoted.count >= 2, quoted.first == "'", quoted.last == "'" else {
            throw PolicyLoadError(path, "the default of a policy variable is written ${\(name), 'text'}")
        }
        return .variable(key, otherwise: Array(quoted.dropFirst().dropLast().utf8))
    }

    /// Two pointers and the last `*`: at most pattern × text steps, no recursion.
    private func compare(_ tokens: [Token], _ text: [UInt8]) -> Match {
        var at = 0
        var p = 0
        var retry: (pattern: Int, text: Int)?
        while at < text.count {
            if p < tokens.count, tokens[p] == Self.anyRun {
                p += 1
                retry = (p, at)
            } else if p < tokens.count, tokens[p] == Self.anyCharacter {
                p += 1
                at += characterLength(text, at)
            } else if p < tokens.count,
                tokens[p] == Token(sensitivity == .insensitive ? folded(text[at]) : text[at])
            {
                p += 1
                at += 1
            } else if let (pattern, start) = retry {
                let next = start + characterLength(text, start)
                retry = (pattern, next)
                (p, at) = (pattern, next)
            } else {
                return .no
            }
        }
        return tokens[p...].allSatisfy { $0 == Self.anyRun } ? .yes : .no
    }
}

/// Upper-case ASCII letters become lower-case ones.
private func folded(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
}

/// How many bytes the character at a place takes: itself and the continuation bytes after it.
private func characterLength(_ text: [UInt8], _ at: Int) -> Int {
    var end = at + 1
    while end < text.count, text[end] & 0xc0 == 0x80 { end += 1 }
    return end - at
}
