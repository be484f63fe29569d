package import WireFormats

/// What a JSON value has to look like. Reading and documentation both come from it: what a shape takes is what the OpenAPI
/// document says of it, so that the two can't drift apart.
package indirect enum JSONShape: Sendable {
    case text(JSONText)
    case integer(ClosedRange<Int64>)
    case boolean
    case array(of: JSONShape, count: ClosedRange<Int>)
    /// Members of these names and no others.
    case object([JSONMember])
    /// Members of any name: at most so many.
    case map(of: JSONShape, limit: Int)
    case either(JSONShape, JSONShape)
    /// An object of the first shape where it has that member, else of the second.
    case choice(by: String, JSONShape, else: JSONShape)
}

/// A member of an object.
package struct JSONMember: Sendable {
    package enum Presence: Sendable {
        case required, optional
    }

    let name: String
    let shape: JSONShape
    let presence: Presence
    let summary: String

    /// - Parameter summary: what it means, in a phrase.
    package init(_ name: String, _ shape: JSONShape, _ presence: Presence = .required, _ summary: String = "") {
        self.name = name
        self.shape = shape
        self.presence = presence
        self.summary = summary
    }
}

/// A text: its length in Unicode scalars, and its form.
package struct JSONText: Sendable {
    package enum Form: Sendable {
        case any
        case oneOf([String])
        /// `15m`: a whole number of milliseconds, seconds, minutes, hours or days.
        case duration
        /// RFC 3339.
        case instant
        /// So many lower-case hexadecimal digits.
        case hexadecimal(digits: Int)
    }

    let length: ClosedRange<Int>
    let form: Form

    package init(_ length: ClosedRange<Int> = 0...4096, _ form: Form = .any) {
        self.length = length
        self.form = form
    }
}

extension JSONShape {
    /// A text of these characters at least and at most.
    package static func text(_ length: ClosedRange<Int>) -> JSONShape { .text(JSONText(length)) }
    package static func text(oneOf names: [String]) -> JSONShape { .text(JSONText(1...64, .oneOf(names))) }
    package static let instant = JSONShape.text(JSONText(10...40, .instant))
    /// How long something lasts: seconds, or a text like `15m`.
    package static let duration = JSONShape.either(
        .integer(1...Int64(Int32.max)),
        .text(JSONText(2...12, .duration))
    )
    package static let bucket = JSONShape.text(1...255)
    package static let key = JSONShape.text(1...1024)

    /// Whether an object without members is one of these.
    var takesNothing: Bool { (try? check(.object([]))) != nil }

    /// - Parameter path: where the value stands, for the message; empty for the document itself.
    /// - Throws: ``JSONMismatch``, which names the place.
    package func check(_ value: StrictJSON, at path: String = "") throws(JSONMismatch) {
        switch (self, value) {
        case (.text(let text), .string(let string)): try text.check(string, at: path)
        case (.integer(let range), .number(let number)):
            guard let whole = JSONObject.integer(number) else { throw JSONMismatch(path, "must be a whole number") }
            guard range.contains(whole) else {
                throw JSONMismatch(path, "must be from \(range.lowerBound) to \(range.upperBound)")
            }
        case (.boolean, .bool): break
        case (.array(let element, let count), .array(let elements)):
            guard count.contains(elements.count) else {
                throw JSONMismatch(path, "must have \(count.lowerBound) to \(count.upperBound) elements")
            }
            for (index, value) in elements.enumerated() { try element.check(value, at: "\(path)[\(index)]") }
        case (.object(let members), .object(let given)): try Self.check(given, against: members, at: path)
        case (.map(let shape, let limit), .object(let given)):
            guard given.count <= limit else { throw JSONMismatch(path, "must have at most \(limit) members") }
            for member in given { try shape.check(member.value, at: Self.path(path, member.name)) }
        // Of two readings, that of the value's own kind says what is wrong with it.
        case (.either(let one, _), _) where one.accepts(value): try one.check(value, at: path)
        case (.either(_, let other), _) where other.accepts(value): try other.check(value, at: path)
        case (.choice(let name, let one, let other), .object(let given)):
            try (given.contains { $0.name == name } ? one : other).check(value, at: path)
        default: throw JSONMismatch(path, "must be \(kind), not \(value.kind)")
        }
    }

    private static func check(
        _ given: [(name: String, value: StrictJSON)],
        against members: [JSONMember],
        at path: String
    ) throws(JSONMismatch) {
        for (name, value) in given {
            guard let member = members.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
                let known = members.map(\.name).joined(separator: ", ")
                throw JSONMismatch(
                    Self.path(path, String(name.unicodeScalars.prefix(64))),
                    "is not known here; known are \(known)"
                )
            }
            try member.shape.check(value, at: Self.path(path, name))
        }
        for member in members where member.presence == .required {
            guard given.contains(where: { $0.name.utf8.elementsEqual(member.name.utf8) }) else {
                throw JSONMismatch(Self.path(path, member.name), "is required")
            }
        }
    }

    /// Whether a value is of the kind that this is about.
    private func accepts(_ value: StrictJSON) -> Bool {
        switch (self, value) {
        case (.text, .string), (.integer, .number), (.boolean, .bool), (.array, .array), (.object, .object),
            (.map, .object), (.choice, .object):
            true
        case (.either(let one, let other), _): one.accepts(value) || other.accepts(value)
        default: false
        }
    }

    private var kind: String {
        switch self {
        case .text: "a string"
        case .integer: "a number"
        case .boolean: "true or false"
        case .array: "an array"
        case .object, .map, .choice: "an object"
        case .either(let one, let other): one.kind + " or " + other.kind
        }
    }

    private static func path(_ path: String, _ name: String) -> String { path.isEmpty ? name : path + "." + name }
}

extension JSONText {
    func check(_ text: String, at path: String) throws(JSONMismatch) {
        if case .oneOf(let names) = form {
            guard names.contains(where: { $0.utf8.elementsEqual(text.utf8) }) else {
                throw JSONMismatch(path, "must be one of \(names.joined(separator: ", "))")
            }
            return
        }
        guard length.contains(text.unicodeScalars.count) else {
            throw JSONMismatch(path, "must be \(length.lowerBound) to \(length.upperBound) characters long")
        }
        switch form {
        case .any, .oneOf: break
        case .duration:
            guard Durations.parse(text) != nil else { throw JSONMismatch(path, "must be a duration such as \"15m\"") }
        case .instant:
            guard Timestamp.parseISO8601(Array(text.utf8)) != nil else {
                throw JSONMismatch(path, "must be a time such as \"2027-01-01T00:00:00Z\"")
            }
        case .hexadecimal(let digits):
            let isLowerDigit = { (byte: UInt8) in byte &- 0x30 < 10 || byte &- 0x61 < 6 }
            guard text.utf8.count == digits, text.utf8.allSatisfy(isLowerDigit) else {
                throw JSONMismatch(path, "must be \(digits) lower-case hexadecimal digits")
            }
        }
    }
}

/// What is wrong with a value, and where.
package struct JSONMismatch: Error, Hashable, Sendable, CustomStringConvertible {
    /// `items[0].bucket`; empty for the document itself.
    package let path: String
    let message: String

    init(_ path: String, _ message: String) {
        self.path = path
        self.message = message
    }

    package var description: String { (path.isEmpty ? "The document" : "'\(path)'") + " \(message)." }
}
