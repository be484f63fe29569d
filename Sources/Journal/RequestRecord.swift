package import Identity
package import WireFormats

/// What is worth remembering about one request: a plain value that the data plane fills while the request lives and
/// hands to its loop's ``LoopJournal``. It holds no query string, header value, token or signature, so no log line
/// or metric made from it can leak one.
package struct RequestRecord: Sendable {
    package var requestID: RequestID
    package var startedAt: Instant
    /// From the first byte of the head to the last byte of the answer.
    package var duration: Duration = .zero
    /// The client's address as text, already resolved through trusted proxies.
    package var clientAddress: [UInt8]
    /// Nil where nobody was recognised: the credential was refused, or the request never got so far.
    package var principal: Principal?
    /// The method's name as sent.
    package var method: String
    /// The operation's metric name: always a literal, which is what keeps the metrics' label sets closed.
    package var operation: StaticString = "none"
    /// The path as sent, percent-encoded, without the query.
    package var path: [UInt8] = []
    package var bucket: String?
    /// The decoded key, in UTF-8.
    package var key: [UInt8]?
    /// What a copy reads: the other bucket that the decision was about.
    package var copied: CopiedFrom?
    package var status: Int = 0
    package var bytesIn: Int64 = 0
    package var bytesOut: Int64 = 0
    /// The bucket's backend as configured: never anything a client chose.
    package var backend: String?
    /// From sending the request to the backend until its response head was there.
    package var timeToFirstByte: Duration?
    package var verdict: RecordedVerdict = .undecided
    /// Why the verdict was reached, for the logs; never sent to the client.
    package var reason: String = ""
    package var userAgent: [UInt8]?

    package init(requestID: RequestID, startedAt: Instant, clientAddress: [UInt8], method: String) {
        self.requestID = requestID
        self.startedAt = startedAt
        self.clientAddress = clientAddress
        self.method = method
    }
}

/// The source of a copy.
package struct CopiedFrom: Sendable {
    package let bucket: String
    /// The decoded key, in UTF-8.
    package let key: [UInt8]

    package init(bucket: String, key: [UInt8]) {
        self.bucket = bucket
        self.key = key
    }
}

/// What was decided about a request.
package enum RecordedVerdict: Sendable {
    /// It may be done.
    case allowed
    /// The caller is known (or anonymous) and may not.
    case denied
    /// The credential was refused: nobody knows who this was.
    case unauthenticated
    /// Admitted by policy, stopped by a limit.
    case limited
    /// There was nothing to decide: health checks, unreadable requests.
    case undecided

    package var name: StaticString {
        switch self {
        case .allowed: "allowed"
        case .denied: "denied"
        case .unauthenticated: "unauthenticated"
        case .limited: "limited"
        case .undecided: "undecided"
        }
    }
}
