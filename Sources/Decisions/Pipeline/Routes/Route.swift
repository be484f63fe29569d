public import Admission
import HTTP1

/// A path of the application's own, mapped to an object: one entry of `[[routes]]`.
public final class Route: Sendable {
    /// Who carries the bytes.
    public enum Delivery: Hashable, Sendable {
        /// We do.
        case proxy
        /// Whoever the client is sent to, with a signed URL.
        case redirect
        /// We do up to so many bytes; clients of larger objects are sent to the store where they can reach it.
        case auto(above: Int64)
    }

    public enum Method: String, CaseIterable, Sendable {
        case get = "GET"
        case head = "HEAD"
        case put = "PUT"

        init?(_ method: HTTPMethod) {
            switch method {
            case .get: self = .get
            case .head: self = .head
            case .put: self = .put
            case .post, .delete, .options, .other: return nil
            }
        }
    }

    /// Whether somebody without a credential may ask. What they may have is the bucket's matter.
    public enum Callers: Hashable, Sendable {
        case known
        case everybody
    }

    public let pattern: RoutePattern
    public let methods: Set<Method>
    public let bucket: RouteTemplate
    public let key: RouteTemplate
    public let delivery: Delivery
    /// Of the signed URL, in whole seconds.
    public let lifetime: Duration
    public let callers: Callers
    /// What answers say instead of what the store does; nil: what the store says.
    public let contentDisposition: String?
    public let contentType: String?

    public init(
        _ pattern: RoutePattern,
        methods: Set<Method>,
        bucket: RouteTemplate,
        key: RouteTemplate,
        delivery: Delivery = .proxy,
        lifetime: Duration = .seconds(30),
        callers: Callers = .known,
        contentDisposition: String? = nil,
        contentType: String? = nil
    ) {
        self.pattern = pattern
        self.methods = methods
        self.bucket = bucket
        self.key = key
        self.delivery = delivery
        self.lifetime = lifetime
        self.callers = callers
        self.contentDisposition = contentDisposition
        self.contentType = contentType
    }

    /// The value of `allow`.
    var allowed: String {
        Method.allCases.filter(methods.contains).map(\.rawValue).joined(separator: ", ")
    }
}
