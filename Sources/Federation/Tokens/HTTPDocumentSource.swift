package import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NetworkReasons
package import WireFormats

/// Documents over HTTP/1.1, certificates verified against the system's authorities.
package struct HTTPDocumentSource: DocumentSource {
    /// For everything, from the name's resolution to the last byte.
    private static let patience = Duration.seconds(5)

    private let client: HTTPClient

    package init(client: HTTPClient) {
        self.client = client
    }

    /// As such a client must be: no redirects, nothing unpacked.
    package static var configuration: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(3), read: .seconds(5)),
            decompression: .disabled
        )
        configuration.httpVersion = .http1Only
        return configuration
    }

    package func document(at url: ServiceURL, limit: Int) async throws(DocumentFailure) -> Document {
        let result = await withTaskGroup(of: Result<Document, DocumentFailure>?.self) { tasks in
            tasks.addTask { await self.fetch(url, limit: limit) }
            tasks.addTask {
                try? await Task.sleep(for: Self.patience)
                return nil
            }
            let first = await tasks.next() ?? nil
            tasks.cancelAll()
            return first ?? .failure(DocumentFailure("\(url.host) did not answer within \(Self.patience)"))
        }
        return try result.get()
    }

    private func fetch(_ url: ServiceURL, limit: Int) async -> Result<Document, DocumentFailure> {
        var request = HTTPClientRequest(url: url.description)
        request.headers.add(name: "accept", value: "application/json")
        do {
            let answer = try await client.execute(request, timeout: TimeAmount(Self.patience))
            guard answer.status == .ok else {
                return .failure(DocumentFailure("\(url.host) answered \(answer.status.code)"))
            }
            let body = try await answer.body.collect(upTo: limit)
            return .success(Document(bytes: Array(body.readableBytesView), maxAge: Self.maxAge(answer.headers)))
        } catch is NIOTooManyBytesError {
            return .failure(DocumentFailure("the answer of \(url.host) is longer than \(limit) bytes"))
        } catch {
            return .failure(DocumentFailure("\(url.host): \(NetworkReason(error))"))
        }
    }

    /// RFC 9111, section 5.2.2: `no-store` and `no-cache` are an age of nothing.
    private static func maxAge(_ fields: HTTPHeaders) -> Duration? {
        var age: Duration?
        for directive in fields[canonicalForm: "cache-control"] {
            let text = directive.lowercased()
            if text == "no-store" || text == "no-cache" { return .zero }
            if text.hasPrefix("max-age="), let seconds = UInt32(text.dropFirst("max-age=".count)) {
                age = .seconds(Int64(seconds))
            }
        }
        return age
    }
}
