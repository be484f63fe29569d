import AsyncHTTPClient
package import Backends
import Foundation
import HTTP1
import NIOCore
import NIOHTTP1
import NIOSSL
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
    package enum Trouble: Error, Hashable, Sendable {
        case unreachable(String)
        case timeout
        case tooLong
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
        return try await send(
            request.head.method.name,
            origin + target,
            fields,
            request.body,
            within: upstream.responseTimeout,
            trusting: upstream.caCertificate
        )
    }

    /// - Parameters:
    ///   - caCertificate: PEM text; nil: the system's authorities.
    package func post(
        _ url: String,
        fields: [(String, String)],
        body: [UInt8],
        within timeout: Duration
    ) async throws(Trouble) -> Answer {
        try await send("POST", url, HTTPHeaders(fields), body, within: timeout, trusting: nil)
    }

    private func send(
        _ method: String,
        _ url: String,
        _ fields: HTTPHeaders,
        _ body: [UInt8],
        within timeout: Duration,
        trusting caCertificate: String?
    ) async throws(Trouble) -> Answer {
        var request = HTTPClientRequest(url: url)
        request.method = HTTPMethod(rawValue: method)
        request.headers = fields
        if !body.isEmpty { request.body = .bytes(body) }
        do {
            if let caCertificate { request.tlsConfiguration = try tls(caCertificate) }
            let deadline = NIODeadline.now() + TimeAmount(timeout)
            let response = try await client.execute(request, deadline: deadline)
            let bytes = try await response.body.collect(upTo: Self.longestAnswer)
            return Answer(status: Int(response.status.code), fields: response.headers, body: Array(buffer: bytes))
        } catch is NIOTooManyBytesError {
            throw .tooLong
        } catch let error as HTTPClientError where Self.timeouts.contains(error) {
            throw .timeout
        } catch {
            throw .unreachable("\(error)")
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
