package import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NetworkReasons
import WireFormats

/// Exchanges over HTTP/1.1, certificates verified against the system's authorities, redirects not followed.
package struct HTTPExchangeTransport: ExchangeTransport {
    /// For one request, from the name's resolution to the last byte.
    private static let patience = Duration.seconds(5)
    private static let longestAnswer = 256 * 1024

    private let client: HTTPClient

    /// - Parameter client: of ``HTTPDocumentSource/configuration``.
    package init(client: HTTPClient) {
        self.client = client
    }

    package func send(_ request: ExchangeRequest) async throws(ExchangeFailure) -> ExchangeAnswer {
        let result = await withTaskGroup(of: Result<ExchangeAnswer, ExchangeFailure>?.self) { tasks in
            tasks.addTask { await self.carry(request) }
            tasks.addTask {
                try? await Task.sleep(for: Self.patience)
                return nil
            }
            let first = await tasks.next() ?? nil
            tasks.cancelAll()
            return first ?? .failure(ExchangeFailure("\(Self.host(request)) did not answer within \(Self.patience)"))
        }
        return try result.get()
    }

    private func carry(_ request: ExchangeRequest) async -> Result<ExchangeAnswer, ExchangeFailure> {
        var carried = HTTPClientRequest(url: request.url)
        carried.method = HTTPMethod(rawValue: request.method.rawValue)
        for (name, value) in request.fields.reveal() { carried.headers.add(name: name, value: value) }
        let body = request.body.reveal()
        if !body.isEmpty { carried.body = .bytes(body) }
        do {
            // Whoever waits gives up first, and says so in words.
            let answer = try await client.execute(carried, timeout: TimeAmount(Self.patience + .seconds(1)))
            let bytes = try await answer.body.collect(upTo: Self.longestAnswer)
            return .success(ExchangeAnswer(status: Int(answer.status.code), body: Array(bytes.readableBytesView)))
        } catch is NIOTooManyBytesError {
            return .failure(ExchangeFailure("the answer of \(Self.host(request)) is too long"))
        } catch {
            let reason = ShownText.of(NetworkReason(error).description, longest: 300)
            return .failure(ExchangeFailure("\(Self.host(request)): \(reason)"))
        }
    }

    private static func host(_ request: ExchangeRequest) -> String { ServiceURL(request.url)?.host ?? "the service" }
}
