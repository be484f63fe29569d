package import HTTP1
package import WireFormats

/// One operation of the JSON API: what it is called with, what it answers, and who does it. Routing, reading and the
/// OpenAPI document all go by this value.
package struct APIOperation: Sendable {
    package let id: String
    package let method: HTTPMethod
    /// Behind `/-/v1/`: `uploads/{id}/parts`. A segment in braces takes any value.
    package let path: String
    package let summary: String
    package let description: String
    package let parameters: [APIParameter]
    /// Nil: it takes no body. One that may be empty may be left out.
    package let body: JSONShape?
    package let outcomes: [APIOutcome]
    /// Besides ``common``.
    package let failures: [APIFailure.Code]
    package let perform: @Sendable (APIRequest) async throws(APIFailure) -> APIAnswer
    let segments: [Segment]

    enum Segment: Hashable, Sendable {
        case literal(String)
        case parameter(String)
    }

    package init(
        _ id: String,
        _ method: HTTPMethod,
        _ path: String,
        summary: String,
        description: String = "",
        parameters: [APIParameter] = [],
        body: JSONShape? = nil,
        outcomes: [APIOutcome],
        failures: [APIFailure.Code] = [],
        perform: @escaping @Sendable (APIRequest) async throws(APIFailure) -> APIAnswer
    ) {
        self.id = id
        self.method = method
        self.path = path
        self.summary = summary
        self.description = description
        self.parameters = parameters
        self.body = body
        self.outcomes = outcomes
        self.failures = failures
        self.perform = perform
        segments = path.split(separator: "/", omittingEmptySubsequences: false).map { segment in
            segment.hasPrefix("{") && segment.hasSuffix("}")
                ? .parameter(String(segment.dropFirst().dropLast())) : .literal(String(segment))
        }
    }

    /// The values of its segments in braces, where the path is one of its own.
    func match(_ path: [String]) -> [String: String]? {
        guard path.count == segments.count else { return nil }
        var values: [String: String] = [:]
        for (segment, text) in zip(segments, path) {
            switch segment {
            case .literal(let own):
                guard own.utf8.elementsEqual(text.utf8) else { return nil }
            case .parameter(let name): values[name] = text
            }
        }
        return values
    }
}

/// A value that stands in a call's path, query or head.
package struct APIParameter: Sendable {
    package enum Place: String, Sendable {
        case path, query, header
    }

    let name: String
    let place: Place
    let shape: JSONText
    let presence: JSONMember.Presence
    let summary: String

    package init(
        _ name: String,
        in place: Place,
        _ shape: JSONText,
        _ presence: JSONMember.Presence = .required,
        _ summary: String = ""
    ) {
        self.name = name
        self.place = place
        self.shape = shape
        self.presence = place == .path ? .required : presence
        self.summary = summary
    }

    /// The caller's own name for a creation: asked for again within a day, it is answered as the first time.
    package static let idempotencyKey = APIParameter(
        "Idempotency-Key",
        in: .header,
        JSONText(1...255),
        .optional,
        "The caller's own name for this creation; within 24 hours, the same one gets the same answer."
    )
}

/// An answer that an operation gives when it is carried out.
package struct APIOutcome: Sendable {
    let status: Int
    let summary: String
    /// Nil: without a body.
    let shape: JSONShape?

    package init(_ status: Int, _ summary: String, _ shape: JSONShape? = nil) {
        self.status = status
        self.summary = summary
        self.shape = shape
    }
}

/// What an operation answers.
package struct APIAnswer: Sendable {
    package var status: Int
    package var body: StrictJSON?

    package init(_ status: Int, _ body: StrictJSON? = nil) {
        self.status = status
        self.body = body
    }
}
