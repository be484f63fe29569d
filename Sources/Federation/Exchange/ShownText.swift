/// Text of somebody else as it may stand in a log: of one line, not too long, and without anything that could be a token.
///
/// Some services quote what they refuse. Whatever has no space in it and is as long as a token is left out, whichever it
/// is.
enum ShownText {
    /// Words longer than this are left out. The ids that services give their errors have 36 characters, names of roles
    /// have slashes and colons between words.
    private static let longestWord = 48

    static func of(_ text: String, longest: Int) -> String {
        var shown = ""
        var word = ""
        func end() {
            shown += word.unicodeScalars.count > longestWord ? "…" : word
            word = ""
        }
        for scalar in text.unicodeScalars {
            guard shown.unicodeScalars.count < longest else { break }
            if isPartOfToken(scalar) {
                word.unicodeScalars.append(scalar)
            } else {
                end()
                shown.unicodeScalars.append(scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) ? " " : scalar)
            }
        }
        end()
        return String(shown.unicodeScalars.prefix(longest))
    }

    /// Of base64 in both alphabets, and of tokens' dots; slashes too, unless they stand between short words.
    private static func isPartOfToken(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "-", "_", ".", "+", "=", "%", "~": true
        default: false
        }
    }
}
