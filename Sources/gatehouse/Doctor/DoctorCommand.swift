import ArgumentParser
import Backends
import Foundation
import Pipeline
import S3API
import Settings

struct DoctorCommand: AsyncParsableCommand, AnswersInJSON {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Ask each bucket's store what works: reachable, credential, clock, writes, checksums.",
        discussion: """
            Uses the configuration as a running gateway does, credentials that have to be obtained included, and asks the \
            stores directly. Unless --read-only is given, an object below .gatehouse/doctor/ is written, read and deleted \
            in each bucket, to see which of these the store honours: conditional writes, the signed payload hash, \
            checksums. What it does not, Gatehouse does itself: such findings are notes.

            For each store that is reached over the network, the CORS rule is printed that browsers need there to use \
            signed URLs, for the origins that the bucket's own rules or [[server.cors]] allow. Where neither allows any, a \
            note says so.

            Exit codes: 0 everything works; 1 something does not, or the configuration has errors; 64 the command line \
            was not understood.
            """
    )

    @Argument(help: "The buckets to look at; none: all of the configuration.") var buckets: [String] = []
    @Option(name: [.short, .long], help: "The configuration file.") var config = "gatehouse.toml"
    @Flag(help: "Write nothing.") var readOnly = false
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        let configuration = try GatehouseConfiguration.ofCommand(config)
        let names = buckets.isEmpty ? configuration.buckets.map(\.name) : buckets
        let examinations = try await Practice.asking(configuration) { practice in
            var examinations: [Examination] = []
            for name in names {
                examinations.append(
                    try await Self.examine(name, practice, readOnly ? .readingOnly : .withProbeObject)
                )
            }
            return examinations
        }
        guard Examination.show(examinations, asJSON: json) else { throw ExitCode(1) }
    }

    static func examine(
        _ text: String,
        _ practice: Practice,
        _ depth: StoreExamination.Depth
    ) async throws -> Examination {
        guard let name = BucketName(validating: text) else {
            return Examination(subject: text, findings: [Finding("bucket", .failed, "is not a bucket name")])
        }
        guard let (bucket, credential, urls) = try await practice.bucket(name) else {
            return Examination(
                subject: text,
                findings: [Finding("bucket", .failed, "the configuration has none of this name")]
            )
        }
        guard credential.verdict != .failed else {
            return Examination(subject: text, findings: [credential, Finding("reachable", .skipped, "no credential")])
        }
        let subject = "\(text): \(bucket.kind) at \(bucket.backend.endpoint)"
        if bucket.kind == .file {
            return Examination(subject: text, findings: [folder(of: text, practice.configuration)])
        }
        var findings = [credential] + [urls].compactMap(\.self)
        findings += await StoreExamination(bucket, practice.client).findings(depth)
        let rule = practice.configuration.crossOriginRule(for: text)
        if rule == nil {
            findings.append(
                Finding("CORS", .note, "no rule is printed: neither the bucket nor [[server.cors]] allows any origin")
            )
        }
        return Examination(subject: subject, findings: findings, crossOriginRule: rule)
    }

    /// A store of our own needs nothing but its folder.
    private static func folder(of bucket: String, _ configuration: GatehouseConfiguration) -> Finding {
        let backend =
            configuration.buckets.first { $0.name == bucket }?.backend
            ?? configuration.accountOfEveryOtherBucket?.backend
        guard case .file(let path)? = backend else {
            return Finding("folder", .failed, "the configuration has no folder for it")
        }
        let files = FileManager.default
        guard files.fileExists(atPath: path) else {
            return Finding("folder", .note, "\(path) is made at the first start")
        }
        return files.isWritableFile(atPath: path)
            ? Finding("folder", .ok, "\(path) can be written")
            : Finding("folder", .failed, "\(path) can't be written by this user")
    }
}

extension GatehouseConfiguration {
    /// What a store's bucket has to say to pages that use URLs signed for it: what we say ourselves, and the fields that
    /// uploads need. Nil where no page of another origin is expected.
    fileprivate func crossOriginRule(for bucket: String) -> JSONValue? {
        let own = buckets.first { $0.name == bucket }?.cors ?? []
        var origins: [String] = []
        for origin in (own.isEmpty ? server.cors : own).flatMap(\.allowedOrigins) where !origins.contains(origin) {
            origins.append(origin)
        }
        guard !origins.isEmpty else { return nil }
        return .object([
            ("AllowedOrigins", .array(origins.map { .text($0) })),
            ("AllowedMethods", .array(["GET", "HEAD", "PUT", "POST"].map { .text($0) })),
            ("AllowedHeaders", .array([.text("*")])),
            ("ExposeHeaders", .array(["ETag", "x-amz-version-id"].map { .text($0) })),
            ("MaxAgeSeconds", .integer(3600)),
        ])
    }
}
