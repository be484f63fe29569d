import AsyncHTTPClient
package import Backends
import Crypto
import Foundation
import HTTP1
import NIOCore
import NIOHTTP1
import NIOSSL
import NetworkReasons
package import Pipeline
import Synchronization

/// Asks stores, and others on the network, on Gatehouse's own account: short requests with short answers. What clients send
/// and fetch never comes this way.
package final class StoreClient: Sendable {
    /// What was answered.
    package struct Answer: Sendable {
        package let status: Int
        package let body: [UInt8]
        let fields: HTTPHeaders

        init(status: Int, fields: HTTPHeaders, body: [UInt8]) {
            self.status = status
            self.fields = fields
            self.body = body
        }

        /// The value of a field that came once.
        package func field(_ name: String) -> String? {
            let values = fields[name]
            return values.count == 1 ? values[0] : nil
        }
    }

    /// Why there is no answer.
    package enum Trouble: Error, Hashable, Sendable, CustomStringConvertible {
        case unreachable(String)
        case timeout
        case tooLong

        package var description: String {
            switch self {
            case .unreachable(let reason): "can't be reached: \(reason)"
            case .timeout: "does not answer in time"
            case .tooLong: "answers with more than is read"
            }
        }
    }

    private static let longestAnswer = 4 << 20

    private let client: HTTPClient
    /// By the PEM text of their authorities: as many as there are stores of their own.
    private let trust = Mutex<[String: TLSConfiguration]>([:])

    package init() {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(5)
        configuration.connectionPool.idleTimeout = .seconds(30)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 32
        configuration.httpVersion = .http1Only
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    package func close() async { try? await client.shutdown() }

    /// - Throws: ``Trouble``; every answer of the store is one, whatever its status.
    package func send(_ request: OwnRequest, to upstream: Upstream) async throws(Trouble) -> Answer {
        try await send(Self.plain(request, to: upstream), within: upstream.responseTimeout, trusting: upstream) {
            try await Self.answer($0)
        }
    }

    /// The SHA-256 of a body that is read through and not kept: 32 bytes; nil where the answer is not 200.
    ///
    /// - Parameter size: of the body, in bytes: a large one may take longer.
    package func digest(
        _ exchange: Exchange,
        ofSize size: Int64,
        from upstream: Upstream
    ) async throws(Trouble) -> [UInt8]? {
        let request = OwnRequest(head: exchange.request, body: exchange.document)
        let timeout = upstream.responseTimeout + .seconds(size >> 20)
        return try await send(Self.plain(request, to: upstream), within: timeout, trusting: upstream) { response in
            guard response.status == .ok else { return nil }
            var hash = SHA256()
            for try await part in response.body { part.withUnsafeReadableBytes { hash.update(bufferPointer: $0) } }
            return Array(hash.finalize())
        }
    }

    /// As the client wants it.
    private static func plain(_ request: OwnRequest, to upstream: Upstream) -> HTTPClientRequest {
        var target = String(decoding: request.head.path, as: UTF8.self)
        if !request.head.query.isEmpty { target += "?" + String(decoding: request.head.query, as: UTF8.self) }
        let endpoint = upstream.endpoint
        let origin =
            switch endpoint.address {
            case .tcp(let host, let port):
                (endpoint.transport == .tls ? "https://" : "http://") + (host.contains(":") ? "[\(host)]" : host)
                    + ":\(port)"
            case .unix(let path):
                "http+unix://" + (path.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")
            }
        var fields = HTTPHeaders()
        for entry in request.head.fields.entries where !request.head.fields.isNamed(entry, "content-length") {
            fields.add(
                name: String(decoding: request.head.fields.name(entry), as: UTF8.self),
                value: String(decoding: request.head.fields.value(entry), as: UTF8.self)
            )
        }
        return plain(request.head.method.name, origin + target, fields, request.body)
    }

    private static func plain(
        _ method: String,
        _ url: String,
        _ fields: HTTPHeaders,
        _ body: [UInt8]
    ) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.method = HTTPMethod(rawValue: method)
        request.headers = fields
        if !body.isEmpty { request.body = .bytes(body) }
        return request
    }

    package func post(
        _ url: String,
        fields: [(String, String)],
        body: [UInt8],
        within timeout: Duration
    ) async throws(Trouble) -> Answer {
        try await send(Self.plain("POST", url, HTTPHeaders(fields), body), within: timeout, trusting: nil) {
            try await Self.answer($0)
        }
    }

    private static func answer(_ response: HTTPClientResponse) async throws -> Answer {
        let bytes = try await response.body.collect(upTo: longestAnswer)
        return Answer(status: Int(response.status.code), fields: response.headers, body: Array(buffer: bytes))
    }

    /// - Parameter upstream: whose authorities are believed; nil: the system's.
    private func send<Result>(
        _ request: HTTPClientRequest,
        within timeout: Duration,
        trusting upstream: Upstream?,
        read: (HTTPClientResponse) async throws -> Result
    ) async throws(Trouble) -> Result {
        var request = request
        do {
            if let caCertificate = upstream?.caCertificate { request.tlsConfiguration = try tls(caCertificate) }
            let deadline = NIODeadline.now() + TimeAmount(timeout)
            return try await read(try await client.execute(request, deadline: deadline))
        } catch is NIOTooManyBytesError {
            throw .tooLong
        } catch let error as HTTPClientError where Self.timeouts.contains(error) {
            throw .timeout
        } catch {
            throw .unreachable(NetworkReason(error).description)
        }
    }

    private static let timeouts: [HTTPClientError] = [.connectTimeout, .deadlineExceeded, .readTimeout]

    private func tls(_ caCertificate: String) throws -> TLSConfiguration {
        if let known = trust.withLock({ $0[caCertificate] }) { return known }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(caCertificate.utf8)))
        trust.withLock { $0[caCertificate] = configuration }
        return configuration
    }
}
