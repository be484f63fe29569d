package import WireFormats

/// What an exchange finds around itself: the time, the environment, files, chance. A value, so that tests can make it up.
package struct Surroundings: Sendable {
    package let now: @Sendable () -> Instant
    package let environment: @Sendable (String) -> String?
    /// The content of a file; throws where there is none.
    package let read: @Sendable (String) throws -> [UInt8]
    /// So many unpredictable bytes.
    package let random: @Sendable (Int) -> [UInt8]

    package init(
        now: @escaping @Sendable () -> Instant,
        environment: @escaping @Sendable (String) -> String?,
        read: @escaping @Sendable (String) throws -> [UInt8],
        random: @escaping @Sendable (Int) -> [UInt8]
    ) {
        self.now = now
        self.environment = environment
        self.read = read
        self.random = random
    }

    /// A file with one line of text, without the space around it.
    func text(ofFile path: String) throws(ExchangeFailure) -> String {
        let bytes: [UInt8]
        do {
            bytes = try read(path)
        } catch {
            throw ExchangeFailure("\(path) can't be read: \(error)")
        }
        guard bytes.count <= 65_536, let text = String(validating: bytes, as: UTF8.self) else {
            throw ExchangeFailure("\(path) is no short text")
        }
        return text.trimmed
    }
}

extension String {
    fileprivate var trimmed: String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\n" || $0 == "\r\n" || $0 == "\t" || $0 == "\r" }
        var rest = self[...]
        while let last = rest.last, isSpace(last) { rest.removeLast() }
        return String(rest.drop(while: isSpace))
    }
}
