import ArgumentParser
import Settings

extension ListenAddress {
    /// The value of an option.
    init(_ text: String, of option: String) throws {
        guard let address = ListenAddress(parsing: text) else {
            throw ValidationError("\(option) must be \(Self.expected)")
        }
        self = address
    }
}
