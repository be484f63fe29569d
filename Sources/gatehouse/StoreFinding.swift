import Backends
import ControlPlane
import DataPlane
import Logging
import NetworkReasons
import Pipeline
import ServiceLifecycle
import Settings

/// What stores have been found to be, by asking them.
typealias StoreFindings = [Endpoint: StoreFinding]

/// What one store said when it was asked, or that it could not be.
struct StoreFinding: Equatable, Sendable {
    enum State: Equatable, Sendable {
        case answered(server: String?)
        case unreachable(String)
    }

    var state: State

    var checksums: StoreChecksums {
        switch state {
        case .answered(let server): StoreChecksums(server: server)
        case .unreachable: .unknown
        }
    }

    var health: BucketStatus.Health {
        switch state {
        case .answered: .up
        case .unreachable: .down
        }
    }

    /// For the people who run the gateway.
    var detail: String {
        switch state {
        case .answered(let server):
            "says it is \(server.map { "\"\($0.prefix(100))\"" } ?? "nothing"); checksums: \(checksums.rawValue)"
        case .unreachable(let reason): "could not be reached: \(reason.prefix(300))"
        }
    }
}

extension BucketConfiguration.Checksums {
    /// What a store is told of checksums under this setting.
    func known(of endpoint: Endpoint, _ findings: StoreFindings) -> StoreChecksums {
        switch self {
        case .verify: .unknown
        // The embedded store is ours: it knows the fields and takes no trailers.
        case _ where endpoint.isEmbedded: .headers
        case .pass: .headersAndTrailers
        case .auto: endpoint.isOfAWS ? .headersAndTrailers : findings[endpoint]?.checksums ?? .unknown
        }
    }
}

extension GatehouseConfiguration {
    /// The endpoints whose checksums are left to be found out by asking.
    var endpointsToAsk: Set<Endpoint> {
        var stores = buckets.filter { $0.checksums == .auto }.map(\.backend)
        if let account = accountOfEveryOtherBucket, account.checksums == .auto { stores.append(account.backend) }
        return Set(stores.compactMap(\.endpoint).filter { !$0.isOfAWS })
    }
}

extension BackendConfiguration {
    /// Nil for what is no store elsewhere.
    var endpoint: Endpoint? {
        switch self {
        case .s3(let connection): Endpoint(url: connection.endpoint.description)
        case .gcs(let connection): Endpoint(url: connection.endpoint.description)
        case .azure(let connection): Endpoint(url: connection.address)
        case .file: nil
        }
    }
}

/// Asks each store that the configuration leaves it to find out about what it is: at the start, after a reload, and
/// again, ever less often, where it can't be reached. Nothing waits for the answer.
struct StoreProbeService: Service {
    /// How often it is looked whether there are stores to ask, and the first pause after one could not be reached.
    private static let interval = Duration.seconds(1)
    private static let longestPause = Duration.seconds(60)

    let running: RunningConfiguration
    let probe: StoreProbe
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await self.ask()
        }
    }

    private func ask() async {
        var pauses: [Endpoint: (next: ContinuousClock.Instant, pause: Duration)] = [:]
        while !Task.isCancelled {
            for upstream in await running.storesToAsk {
                if let pause = pauses[upstream.endpoint], pause.next > .now { continue }
                let finding = await self.finding(upstream)
                switch finding.state {
                case .answered:
                    pauses[upstream.endpoint] = nil
                case .unreachable:
                    let pause = min(
                        (pauses[upstream.endpoint]?.pause).map { $0 * 2 } ?? Self.interval,
                        Self.longestPause
                    )
                    pauses[upstream.endpoint] = (.now + pause, pause)
                }
                await running.found(finding, at: upstream.endpoint)
            }
            try? await Task.sleep(for: Self.interval)
        }
    }

    private func finding(_ upstream: Upstream) async -> StoreFinding {
        do {
            let server = try await probe.server(of: upstream)
            logger.notice(
                "a store was asked what it is",
                metadata: ["backend": "\(upstream.name)", "server": "\(server ?? "")"]
            )
            return StoreFinding(state: .answered(server: server))
        } catch {
            return StoreFinding(state: .unreachable(NetworkReason(error).description))
        }
    }
}
