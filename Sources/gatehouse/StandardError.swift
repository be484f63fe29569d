import Foundation

/// What is for a person's eyes, apart from what a command prints as its result.
enum StandardError {
    static func write(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}
