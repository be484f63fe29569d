import Foundation
import Testing
import WireFormats

@testable import Journal

struct MetricsTests {
    private func text(_ loops: [LoopMetrics]) async -> String {
        let registry = MetricsRegistry(version: "1.2.3", startedAt: newYear)
        for loop in loops { registry.register { loop } }
        return String(decoding: await registry.exposition(), as: UTF8.self)
    }

    private func counted(_ change: (inout RequestRecord) -> Void = { _ in }) -> RequestRecord {
        var one = record()
        change(&one)
        return one
    }

    @Test func loopsAreSummed() async {
        var first = LoopMetrics()
        var second = LoopMetrics()
        first.count(counted())
        first.count(counted { $0.status = 404 })
        first.inflight = 2
        second.count(
            counted {
                $0.operation = "put_object"; $0.bytesIn = 10
            }
        )
        second.count(counted { $0.backend = nil })
        second.count(counted())
        second.inflight = 1
        first.countAuthenticationFailure("expired")
        second.countAuthenticationFailure("expired")
        second.count(
            counted {
                $0.verdict = .limited; $0.status = 429
            }
        )
        let exposition = await text([first, second])
        for line in [
            "gatehouse_requests_total{operation=\"get_object\",status=\"200\",backend=\"minio\"} 2",
            "gatehouse_requests_total{operation=\"get_object\",status=\"404\",backend=\"minio\"} 1",
            "gatehouse_requests_total{operation=\"get_object\",status=\"200\",backend=\"none\"} 1",
            "gatehouse_requests_total{operation=\"put_object\",status=\"200\",backend=\"minio\"} 1",
            "gatehouse_bytes_total{direction=\"in\"} 10",
            "gatehouse_bytes_total{direction=\"out\"} 6144",
            "gatehouse_inflight_requests 3",
            "gatehouse_auth_failures_total{reason=\"expired\"} 2",
            "gatehouse_limited_total 1",
            "gatehouse_request_seconds_bucket{le=\"0.001\"} 0",
            "gatehouse_request_seconds_bucket{le=\"0.0025\"} 6",
            "gatehouse_request_seconds_bucket{le=\"+Inf\"} 6",
            "gatehouse_request_seconds_count 6",
            "gatehouse_backend_seconds_count{backend=\"minio\"} 5",
            "gatehouse_build_info{version=\"1.2.3\"} 1",
        ] {
            #expect(exposition.contains(line + "\n"), "\(line)")
        }
    }

    /// The format's rules that a scraper trips over: HELP and TYPE once per family and before its samples, families
    /// not interleaved, every value a number, buckets cumulative.
    @Test func theExpositionParses() async throws {
        var loop = LoopMetrics()
        for number in 0..<100 {
            loop.count(
                counted {
                    $0.duration = .milliseconds(number * 7); $0.status = 200 + number % 3
                }
            )
        }
        let registry = MetricsRegistry(version: "x\"y\\z", startedAt: newYear)
        registry.register { [loop] in loop }
        registry.observe(.gauge, "gatehouse_a", "A.", labels: [("k", "1")]) { 1.5 }
        registry.observe(.gauge, "gatehouse_b", "B.") { 2 }
        registry.observe(.gauge, "gatehouse_a", "A.", labels: [("k", "2")]) { 3 }
        registry.configurationReloaded(succeeded: false, at: newYear)
        let body = String(decoding: await registry.exposition(), as: UTF8.self)
        #expect(body.hasSuffix("\n"))
        let sample = /([a-z_:]+)(\{([a-z_]+="(\\.|[^"\\\n])*",?)+\})? (-?[0-9.e+-]+)/
        var family = ""
        var seen: Set<String> = []
        for line in body.split(separator: "\n") {
            if line.hasPrefix("# HELP ") {
                family = String(line.split(separator: " ")[2])
                #expect(seen.insert(family).inserted, "\(family) twice")
            } else if line.hasPrefix("# TYPE ") {
                #expect(line.split(separator: " ")[2] == family)
            } else {
                let match = try #require(try sample.wholeMatch(in: line), "\(line)")
                #expect(match.1.hasPrefix(family), "\(line)")
                #expect(Double(match.5) != nil)
            }
        }
        #expect(body.contains("gatehouse_config_reloads_total{outcome=\"failure\"} 1\n"))
        #expect(body.contains("gatehouse_config_last_reload_successful 0\n"))
        #expect(body.contains("gatehouse_build_info{version=\"x\\\"y\\\\z\"} 1\n"))
        #expect(body.contains("process_open_fds "))
    }

    @Test func labelsAreBoundedWhateverTheirNumber() async {
        var loop = LoopMetrics()
        for number in 0..<3000 { loop.count(counted { $0.backend = "b\(number)" }) }
        loop.count(counted { $0.status = 987_654 })
        #expect(loop.requestCounts.count <= LabelTable.maximum + 3)
        #expect(loop.requestCounts.reduce(0) { $0 + $1.count } == 3001)
        #expect(loop.requestCounts.contains { $0.backend == "other" })
        #expect(loop.requestCounts.contains { $0.status == 0 })
    }

    @Test func theLogsLossesAreShown() async throws {
        let directory = try TemporaryDirectory()
        let access = try AccessLog(path: "/dev/full", format: .json)
        access.submit([0x0A], count: 4)
        await access.flush()
        let audit = try AuditLog(.init(path: directory.file("audit.jsonl")), now: { newYear })
        let registry = MetricsRegistry(version: "1", startedAt: newYear)
        registry.observe(accessLog: access, auditLog: audit)
        let body = String(decoding: await registry.exposition(), as: UTF8.self)
        #expect(body.contains("gatehouse_log_lines_dropped_total{log=\"access\"} 4\n"))
        #expect(body.contains("gatehouse_log_lines_dropped_total{log=\"audit\"} 0\n"))
        #expect(body.contains("gatehouse_audit_healthy 1\n"))
        await audit.close()
    }
}
