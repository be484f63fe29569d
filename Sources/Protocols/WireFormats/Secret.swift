/// A value that must not be printed: descriptions, debug output and reflection show `***`. Reading it is spelled
/// ``reveal()``, so that every use can be found.
public struct Secret<Value: Sendable>: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    private let value: Value

    public init(_ value: Value) { self.value = value }

    public func reveal() -> Value { value }

    public var description: String { "***" }
    public var debugDescription: String { "***" }
    public var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }
}
