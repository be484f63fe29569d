/// A value that must not be printed: descriptions, debug output and reflection show `***`. Reading it is spelled
/// ``reveal()``, so that every use can be found.
package struct Secret<Value: Sendable>: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    private let value: Value

    package init(_ value: Value) { self.value = value }

    package func reveal() -> Value { value }

    package var description: String { "***" }
    package var debugDescription: String { "***" }
    package var customMirror: Mirror { Mirror(self, children: [(label: String?, value: Any)]()) }
}
