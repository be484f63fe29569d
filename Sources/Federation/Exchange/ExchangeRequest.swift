package import WireFormats

/// One request of those that a credential takes: to a token service, or to the machine's own metadata.
package struct ExchangeRequest: Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
    }

    package let method: Method
    package let url: String
    /// Some of them hold secrets.
    package let fields: Secret<[(name: String, value: String)]>
    package let body: Secret<[UInt8]>

    package init(
        _ method: Method,
        _ url: String,
        fields: [(name: String, value: String)] = [],
        body: [UInt8] = []
    ) {
        self.method = method
        self.url = url
        self.fields = Secret(fields)
        self.body = Secret(body)
    }

    /// A form, as browsers encode it but for the space, which every reader takes as `%20` too.
    static func form(_ url: String, _ values: [(name: String, value: String)]) -> ExchangeRequest {
        ExchangeRequest(
            .post,
            url,
            fields: [("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json")],
            body: formBody(values)
        )
    }

    static func formBody(_ values: [(name: String, value: String)]) -> [UInt8] {
        var body: [UInt8] = []
        for (name, value) in values {
            if !body.isEmpty { body.append(UInt8(ascii: "&")) }
            PercentEncoding.append(name.utf8, to: &body, keepSlash: .encode)
            body.append(UInt8(ascii: "="))
            PercentEncoding.append(value.utf8, to: &body, keepSlash: .encode)
        }
        return body
    }
}

/// What was answered, whole.
package struct ExchangeAnswer: Sendable {
    package let status: Int
    package let body: [UInt8]

    package init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }
}

/// Carries requests of exchanges: a port, so that token services can be played.
package protocol ExchangeTransport: Sendable {
    /// - Throws: where no answer came, or one that is too long.
    func send(_ request: ExchangeRequest) async throws(ExchangeFailure) -> ExchangeAnswer
}

/// Why there is no credential: for the log, metrics and the readiness detail, and never for a client. Holds nothing of a
/// token or a secret.
package struct ExchangeFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }

    /// What a service says of itself when it refuses.
    init(_ service: String, status: Int, code: String?, message: String?) {
        var text = "\(service) answered \(status)"
        if let code, !code.isEmpty { text += " " + ShownText.of(code, longest: 80) }
        if let message, !message.isEmpty { text += ": " + ShownText.of(message, longest: 400) }
        description = text
    }
}
