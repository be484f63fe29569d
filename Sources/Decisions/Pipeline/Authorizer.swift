import Admission
public import Identity
public import S3API
public import WireFormats

/// `[authorizer]`: the application that is asked last, and may veto.
public struct AuthorizerSettings: Hashable, Sendable {
    /// What holds where the application gives no proper answer in time.
    public enum OnError: String, CaseIterable, Sendable {
        case deny, allow
    }

    public let url: ServiceURL
    public let timeout: Duration
    public let onError: OnError

    public init(url: ServiceURL, timeout: Duration = .milliseconds(200), onError: OnError = .deny) {
        self.url = url
        self.timeout = timeout
        self.onError = onError
    }
}

/// What the application is asked: everything one request wants to do, at once.
public struct ApplicationQuestion: Hashable, Sendable {
    public struct Item: Hashable, Sendable {
        public let action: S3Action
        /// Nil for the list of buckets.
        public let bucket: String?
        /// Nil where the bucket as a whole is meant; of a listing its prefix.
        ///
        /// Bytes: as text, keys that only look the same would be one.
        public let key: [UInt8]?

        public init(action: S3Action, bucket: String?, key: [UInt8]?) {
            self.action = action
            self.bucket = bucket
            self.key = key
        }
    }

    public let principal: Principal
    /// The caller's claims: a JSON object, empty for callers without a token.
    public let claims: [UInt8]
    public let sourceAddress: IPAddress?
    public var items: [Item]

    public init(principal: Principal, claims: [UInt8], sourceAddress: IPAddress?, items: [Item]) {
        self.principal = principal
        self.claims = claims
        self.sourceAddress = sourceAddress
        self.items = items
    }
}

extension ApplicationQuestion.Item {
    /// One for each action, on what is asked for and on what the store may take it for.
    static func items(of question: AccessQuestion) -> [Self] {
        question.targets.flatMap { items(of: question.actions, at: $0) }
    }

    private static func items(of actions: ActionSet, at target: AccessQuestion.Target) -> [Self] {
        let bucket: String?
        let key: [UInt8]?
        switch target {
        case .service: (bucket, key) = (nil, nil)
        case .bucket(let name): (bucket, key) = (name.string, nil)
        case .listing(let name, let prefix): (bucket, key) = (name.string, prefix)
        case .object(let name, let object): (bucket, key) = (name.string, object.bytes)
        }
        return actions.actions.map { Self(action: $0, bucket: bucket, key: key) }
    }
}

/// The application's answer to one item.
public enum ApplicationVerdict: Hashable, Sendable {
    /// Nothing that rests on it outlives `until`, where the application said so.
    case allowed(until: Instant?)
    case vetoed
    /// No proper answer in time: the text is for the log.
    case failed(String)
}

/// Asks the application: an I/O port.
public protocol Authorizer: Sendable {
    /// The answers to every item that are still good; nil where one of them has to be asked for.
    func known(_ question: ApplicationQuestion, under snapshot: Snapshot, at now: Instant) -> [ApplicationVerdict]?
    /// The answers in the order of the items, as many as there are.
    func verdicts(
        on question: ApplicationQuestion,
        under snapshot: Snapshot,
        at now: Instant
    ) async -> [ApplicationVerdict]
}

/// Where nobody can be asked.
public struct NoAuthorizer: Authorizer {
    public init() {}

    public func known(_: ApplicationQuestion, under _: Snapshot, at _: Instant) -> [ApplicationVerdict]? { nil }

    public func verdicts(
        on question: ApplicationQuestion,
        under _: Snapshot,
        at _: Instant
    ) async -> [ApplicationVerdict] {
        question.items.map { _ in .failed("nobody can be asked") }
    }
}

/// What was heard from the application about one question.
public struct ApplicationFinding: Sendable {
    let question: ApplicationQuestion
    let verdicts: [ApplicationVerdict]
}

extension ApplicationVerdict {
    /// Why it is denied; nil where it is not.
    func denial(_ settings: AuthorizerSettings) -> String? {
        switch self {
        case .allowed: nil
        case .vetoed: "authorizer"
        case .failed(let problem): settings.onError == .allow ? nil : "authorizer_unavailable: " + problem
        }
    }
}
