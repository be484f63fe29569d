import Federation
import Identity
import Journal
import Pipeline
import ServiceLifecycle
import Settings
import WireFormats

/// Obtains the credentials of stores, and keeps them from ending.
struct CredentialService: Service {
    let credentials: StoreCredentials
    let current: CurrentSnapshot

    func run() async throws {
        credentials.adopt(current.now)
        await cancelWhenGracefulShutdown { await credentials.keepFresh() }
    }
}

extension StoreCredentials {
    /// Under the names of the stores that have them.
    func observe(by metrics: MetricsRegistry, under current: CurrentSnapshot) {
        metrics.observe(
            .gauge,
            "gatehouse_credentials_expiry_seconds",
            "Seconds until a store's credential that is renewed ends; absent: there is none."
        ) {
            let now = Clock.now()
            return self.samples(under: current) { condition in
                condition.expiresAt.map { Double($0.duration(since: now).saturatingNanoseconds) / 1e9 }
            }
        }
        metrics.observe(
            .counter,
            "gatehouse_credential_exchanges_total",
            "Credentials of stores that were obtained."
        ) {
            self.samples(under: current) { Double($0.renewals) }
        }
        metrics.observe(
            .counter,
            "gatehouse_credential_failures_total",
            "Attempts to obtain a store's credential that failed."
        ) {
            self.samples(under: current) { Double($0.failures) }
        }
        metrics.observe(
            .counter,
            "gatehouse_url_signatures_total",
            "Signatures of URLs that others were asked for."
        ) {
            let stores = current.now.credentialSources
            var samples: [MetricsRegistry.Sample] = []
            for condition in self.signatureConditions {
                for name in (stores[condition.source] ?? []).sorted() {
                    for (result, count) in [("made", condition.made), ("failed", condition.failures)] {
                        samples.append((labels: [("backend", name), ("result", result)], value: Double(count)))
                    }
                }
            }
            return samples
        }
    }

    private func samples(
        under current: CurrentSnapshot,
        _ value: (Cache.Condition) -> Double?
    ) -> [MetricsRegistry.Sample] {
        let stores = current.now.credentialSources
        var samples: [MetricsRegistry.Sample] = []
        for condition in conditions {
            guard let value = value(condition) else { continue }
            for name in (stores[condition.source] ?? []).sorted() {
                samples.append((labels: [("backend", name), ("use", condition.source.use.rawValue)], value: value))
            }
        }
        return samples
    }
}

extension Surroundings {
    /// This process's own.
    static var ofProcess: Surroundings {
        let source = FileSystemSource()
        return Surroundings(
            now: Clock.now,
            environment: source.environment,
            read: { try source.read($0) },
            random: NewKey.random
        )
    }
}
