import HTTPTypes
import Hummingbird
import Logging
import Pipeline
import WireFormats

/// The outermost layer: an id and the same protective headers on every answer, errors included, and errors worded as
/// JSON.
struct HardeningHeaders: RouterMiddleware {
    typealias Context = AdminContext

    private static let requestID = HTTPField.Name("x-amz-request-id")

    private let sources: AdminSources
    private let fields: [HTTPField]

    init(_ sources: AdminSources) {
        self.sources = sources
        let values = [
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "content-security-policy":
                "default-src 'self'; frame-ancestors 'none'; form-action 'self'; base-uri 'none'; object-src 'none'",
            // With "no-referrer", browsers say of our own forms that they come from nowhere (Fetch standard, "append a
            // request Origin header").
            "referrer-policy": "same-origin",
            "cache-control": "no-store",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
        ]
        fields = values.compactMap { name, value in HTTPField.Name(name).map { HTTPField(name: $0, value: value) } }
    }

    func handle(
        _ request: Request,
        context: AdminContext,
        next: (Request, AdminContext) async throws -> Response
    ) async throws -> Response {
        var response: Response
        do {
            response = try await next(request, context)
        } catch let error as any HTTPResponseError {
            response = AdminReply.refusal(error.status, Self.code(error.status), error.status.reasonPhrase)
        } catch {
            context.logger.warning("admin request failed", metadata: ["error": "\(error)"])
            response = AdminReply.refusal(.internalServerError, "InternalError", "The request failed.")
        }
        for field in fields { response.headers[field.name] = field.value }
        if let name = Self.requestID { response.headers[name] = newRequestID }
        if sources.isReachedOverTLS() {
            response.headers[.strictTransportSecurity] = HardeningFields.strictTransportSecurity
        }
        return response
    }

    private var newRequestID: String {
        WireFormats.RequestID(random: sources.random(8).reduce(0) { $0 << 8 | UInt64($1) }).description
    }

    private static func code(_ status: HTTPResponse.Status) -> String {
        switch status {
        case .notFound: "NotFound"
        case .methodNotAllowed: "MethodNotAllowed"
        case .contentTooLarge: "EntityTooLarge"
        default: status.code < 500 ? "InvalidRequest" : "InternalError"
        }
    }
}
