import Crypto
import Identity
import Pipeline
import S3API
package import Valet

/// Carries creations out once: the same `Idempotency-Key` from the same caller gets, for a day, what the first one got.
package struct Creation: Sendable {
    /// How long the first request is taken to be under way before another one may try.
    private static let lease = Duration.seconds(60)

    private let store: any IdempotencyStore

    package init(_ store: any IdempotencyStore) { self.store = store }

    /// - Parameters:
    ///   - create: creates and answers; it hands the key on to the store that keeps what is created, which keeps the
    ///     answer with it.
    ///   - show: answers for what was created before, by its id.
    package func once(
        _ request: APIRequest,
        create: (IdempotencyKey?) async throws(APIFailure) -> APIAnswer,
        show: (_ id: String) async throws(APIFailure) -> APIAnswer
    ) async throws(APIFailure) -> APIAnswer {
        guard let text = request.parameters[APIParameter.idempotencyKey.name] else { return try await create(nil) }
        let key = IdempotencyKey(
            principal: request.caller.principal.description,
            operation: request.operation.id,
            key: text
        )
        switch try await begin(key, request) {
        case .conflict: throw APIFailure(.idempotencyConflict)
        case .underWay: throw APIFailure(.underWay, retryAfter: 1)
        case .answered(.created(let id)): return try await show(id)
        case .answered(.reply): throw APIFailure(.idempotencyConflict)
        case .begun: break
        }
        do throws(APIFailure) {
            return try await create(key)
        } catch {
            // What came to nothing may be tried again at once; otherwise the lease ends some time.
            try? await store.cancel(key)
            throw error
        }
    }

    private func begin(_ key: IdempotencyKey, _ request: APIRequest) async throws(APIFailure) -> IdempotencyOutcome {
        do {
            return try await store.begin(
                key,
                request: Array(SHA256.hash(data: request.call.body)),
                at: request.now,
                lease: Self.lease
            )
        } catch {
            throw APIFailure(error)
        }
    }
}

extension APIFailure {
    /// The state can't be asked: what needs it answers 503.
    package init(_ error: StateError) {
        switch error {
        case .unavailable(let reason), .full(let reason):
            self.init(.serviceUnavailable, retryAfter: 1, reason: "state: " + reason)
        case .corrupt(let reason):
            self.init(Code(.internalError), reason: "state: " + reason)
        }
    }
}
