import HTTP1
import S3API
import WireFormats

/// The OpenAPI 3.1 document of a list of operations (OpenAPI Specification 3.1.0; JSON Schema 2020-12).
struct OpenAPI {
    private let operations: [APIOperation]
    private let version: String

    init(_ operations: [APIOperation], version: String) {
        self.operations = operations
        self.version = version
    }

    var text: [UInt8] {
        StrictJSON.object([
            ("openapi", .string("3.1.0")),
            (
                "info",
                .object([
                    ("title", .string("Gatehouse")), ("version", .string(version)),
                    ("description", .string("What applications ask of Gatehouse: signed URLs, upload slots, grants.")),
                ])
            ),
            ("servers", .array([.object([("url", .string("/-/v1"))])])),
            (
                "security",
                .array(["apiKey", "bearer", "sigv4"].map { .object([(name: $0, value: .array([]))]) })
            ),
            ("paths", .object(paths)),
            (
                "components",
                .object([("securitySchemes", Self.schemes), ("schemas", .object([("Error", Self.error)]))])
            ),
        ]).text
    }

    private static let schemes = StrictJSON.object([
        (
            "apiKey",
            .object([
                ("type", .string("apiKey")), ("in", .string("header")), ("name", .string("x-api-key")),
                ("description", .string("The key of one of [[users]].")),
            ])
        ),
        (
            "bearer",
            .object([
                ("type", .string("http")), ("scheme", .string("bearer")), ("bearerFormat", .string("JWT")),
                ("description", .string("A token of one of [[identity_providers]].")),
            ])
        ),
        (
            "sigv4",
            .object([
                ("type", .string("apiKey")), ("in", .string("header")), ("name", .string("Authorization")),
                ("description", .string("AWS Signature Version 4 for the service s3, with an access key.")),
            ])
        ),
    ])

    /// Section 11 of the contract: one form for every refusal.
    private static let error = JSONShape.object([
        JSONMember(
            "error",
            .object([
                JSONMember("code", .text(1...64)), JSONMember("message", .text(0...4096)),
                JSONMember("resource", .text(0...65_536)), JSONMember("request_id", .text(1...64)),
            ])
        )
    ]).schema(openTo: .furtherMembers)

    private var paths: [(name: String, value: StrictJSON)] {
        var paths: [(name: String, value: StrictJSON)] = []
        for operation in operations {
            let member = (name: operation.method.name.lowercased(), value: Self.describe(operation))
            let path = "/" + operation.path
            if let index = paths.firstIndex(where: { $0.name == path }), case .object(let members) = paths[index].value
            {
                paths[index].value = .object(members + [member])
            } else {
                paths.append((path, .object([member])))
            }
        }
        return paths
    }

    private static func describe(_ operation: APIOperation) -> StrictJSON {
        let text = operation.description
        return .object(of: [
            ("operationId", .string(operation.id)),
            ("summary", .string(operation.summary)),
            ("description", text.isEmpty ? nil : .string(text)),
            ("parameters", operation.parameters.isEmpty ? nil : .array(operation.parameters.map(describe))),
            (
                "requestBody",
                operation.body.map {
                    .object([("required", .bool(!$0.takesNothing)), ("content", content($0.schema()))])
                }
            ),
            ("responses", .object(responses(operation))),
        ])
    }

    private static func describe(_ parameter: APIParameter) -> StrictJSON {
        .object(of: [
            ("name", .string(parameter.name)),
            ("in", .string(parameter.place.rawValue)),
            ("required", .bool(parameter.presence == .required)),
            ("description", parameter.summary.isEmpty ? nil : .string(parameter.summary)),
            ("schema", JSONShape.text(parameter.shape).schema()),
        ])
    }

    private static func responses(_ operation: APIOperation) -> [(name: String, value: StrictJSON)] {
        var responses = operation.outcomes.map { outcome in
            (
                name: String(outcome.status),
                value: StrictJSON.object(of: [
                    ("description", .string(outcome.summary)), ("content", outcome.shape.map { content($0.schema()) }),
                ])
            )
        }
        let codes =
            operation.failures + APIFailure.Code.common + (operation.body == nil ? [] : APIFailure.Code.ofBodies)
        for status in Set(codes.map(\.status)).sorted()
        where !operation.outcomes.contains(where: { $0.status == status }) {
            var names: [String] = []
            for code in codes where code.status == status && !names.contains(code.name) { names.append(code.name) }
            responses.append(
                (
                    String(status),
                    .object([
                        ("description", .string(names.joined(separator: ", "))),
                        ("content", content(.object([("$ref", .string("#/components/schemas/Error"))]))),
                    ])
                )
            )
        }
        return responses + unreadable
    }

    /// What is answered to a head that can't be read, in S3's form: nobody can know who sent it.
    private static let unreadable = [HTTPRefusal.targetTooLong, .headTooLong].map { refusal in
        (
            name: String(refusal.status),
            value: StrictJSON.object([("description", .string("Not read, and answered in XML: \(refusal.reason)."))])
        )
    }

    private static func content(_ schema: StrictJSON) -> StrictJSON {
        .object([("application/json", .object([("schema", schema)]))])
    }
}

extension APIFailure.Code {
    /// What every operation may answer: what is wrong with the call or its credential, limits, and bad days.
    static let common: [Self] = [
        .invalidRequest, .invalidArgument, Self(.invalidURI), Self(.requestHeaderSectionTooLarge), Self(.invalidAPIKey),
        Self(.invalidBearerToken), Self(.missingAuthenticationToken), .accessDenied, Self(.invalidAccessKeyID),
        Self(.signatureDoesNotMatch), .notFound, .methodNotAllowed, Self(.tooManyRequests), Self(.internalError),
        .serviceUnavailable,
    ]
    /// What every operation with a body may answer besides.
    static let ofBodies: [Self] = [
        .malformedJSON, Self(.maxMessageLengthExceeded), Self(.contentSHA256Mismatch), .unsupportedMediaType,
        Self(.notImplemented),
    ]
}

extension JSONShape {
    enum Openness {
        case closed, furtherMembers
    }

    /// As JSON Schema.
    func schema(openTo openness: Openness = .closed) -> StrictJSON {
        switch self {
        case .text(let text): return text.schema
        case .integer(let range):
            return .object([
                ("type", .string("integer")), ("minimum", .integer(range.lowerBound)),
                ("maximum", .integer(range.upperBound)),
            ])
        case .boolean: return .object([("type", .string("boolean"))])
        case .array(let element, let count):
            return .object([
                ("type", .string("array")), ("items", element.schema(openTo: openness)),
                ("minItems", .integer(Int64(count.lowerBound))), ("maxItems", .integer(Int64(count.upperBound))),
            ])
        case .object(let members):
            return .object(of: [
                ("type", .string("object")),
                (
                    "properties",
                    .object(members.map { ($0.name, $0.shape.schema(openTo: openness).described($0.summary)) })
                ),
                ("required", .array(members.filter { $0.presence == .required }.map { .string($0.name) })),
                ("additionalProperties", openness == .closed ? .bool(false) : nil),
            ])
        case .map(let shape, let limit):
            return .object([
                ("type", .string("object")), ("additionalProperties", shape.schema(openTo: openness)),
                ("maxProperties", .integer(Int64(limit))),
            ])
        case .either(let one, let other):
            return .object([("anyOf", .array([one.schema(openTo: openness), other.schema(openTo: openness)]))])
        case .choice(_, let one, let other):
            return .object([("oneOf", .array([one.schema(openTo: openness), other.schema(openTo: openness)]))])
        }
    }
}

extension JSONText {
    fileprivate var schema: StrictJSON {
        var members: [(name: String, value: StrictJSON)] = [("type", .string("string"))]
        if case .oneOf(let names) = form {
            members.append(("enum", .array(names.map { .string($0) })))
            return .object(members)
        }
        members.append(("minLength", .integer(Int64(length.lowerBound))))
        members.append(("maxLength", .integer(Int64(length.upperBound))))
        switch form {
        case .any, .oneOf: break
        case .duration: members.append(("pattern", .string("^[0-9]{1,9}(ms|s|m|h|d)$")))
        case .instant: members.append(("format", .string("date-time")))
        case .hexadecimal(let digits): members.append(("pattern", .string("^[0-9a-f]{\(digits)}$")))
        }
        return .object(members)
    }
}

extension StrictJSON {
    /// A schema with what it means.
    fileprivate func described(_ summary: String) -> StrictJSON {
        guard !summary.isEmpty, case .object(let members) = self else { return self }
        return .object(members + [(name: "description", value: .string(summary))])
    }
}
