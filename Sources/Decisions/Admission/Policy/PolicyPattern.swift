/// A text of a policy with wildcards and variables: `photos/${aws:username}/*`. Compared byte by byte; `*` stands for
/// any run of bytes, `?` for one character of UTF-8. What a variable stands for is taken literally. A comparison costs the
/// pattern and the text, not their product: ``WildcardText``.
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

    private typealias Token = WildcardText.Token

    private enum Content: Hashable {
        case fixed(WildcardText)
        case withVariables([Piece])
    }

    private enum Piece: Hashable {
        case tokens([Token])
        case variable(ConditionKey, otherwise: [UInt8]?)
    }

    private let content: Content
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
                if tokens.last != WildcardText.anyRun { tokens.append(WildcardText.anyRun) }
            } else if wildcards == .starAndQuestionMark, byte == UInt8(ascii: "?") {
                tokens.append(WildcardText.anyCharacter)
            } else {
                tokens.append(Token(sensitivity == .insensitive ? folded(byte) : byte))
            }
        }
        content =
            pieces.isEmpty
            ? .fixed(WildcardText(tokens))
            : .withVariables((pieces + [.tokens(tokens)]).filter { $0 != .tokens([]) })
        self.sensitivity = sensitivity
    }

    func matches(_ text: [UInt8], _ value: (ConditionKey) -> [UInt8]?) -> Match {
        var steps = 0
        return matches(text, counting: &steps, value)
    }

    /// - Parameter steps: is counted up by how much was looked at.
    func matches(_ text: [UInt8], counting steps: inout Int, _ value: (ConditionKey) -> [UInt8]?) -> Match {
        let text = sensitivity == .insensitive ? text.map(folded) : text
        switch content {
        case .fixed(let wildcards):
            return wildcards.matches(text, counting: &steps) ? .yes : .no
        case .withVariables(let pieces):
            return matches(text, pieces, counting: &steps, value)
        }
    }

    /// With what the variables stand for; what is longer then than the text is not even put together.
    private func matches(
        _ text: [UInt8],
        _ pieces: [Piece],
        counting steps: inout Int,
        _ value: (ConditionKey) -> [UInt8]?
    ) -> Match {
        var tokens: [Token] = []
        var shortest = 0
        for piece in pieces {
            switch piece {
            case .tokens(let fixed):
                shortest += fixed.count { $0 != WildcardText.anyRun }
                if shortest <= text.count { tokens += fixed }
            case .variable(let key, let otherwise):
                guard let bytes = value(key) ?? otherwise else { return .unresolved }
                shortest += bytes.count
                if shortest <= text.count {
                    tokens += bytes.map { Token(sensitivity == .insensitive ? folded($0) : $0) }
                }
            }
        }
        guard shortest <= text.count else { return .no }
        return WildcardText(tokens).matches(text, counting: &steps) ? .yes : .no
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
}

/// Upper-case ASCII letters become lower-case ones.
private func folded(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
}
