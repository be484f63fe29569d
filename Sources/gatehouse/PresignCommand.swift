import Admission
import ArgumentParser
import Backends
import HTTP1
import Identity
import Pipeline
import S3API
import Settings
import Signatures
import WireFormats

struct PresignCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "presign",
        abstract: "Sign a URL for one object, offline, as an operator.",
        discussion: """
            Uses what the configuration holds and asks nobody: neither whether the object is there nor whether somebody \
            else may read it. The URL leads to the store (under its public_endpoint, if it has one) and is signed with the \
            bucket's own credential. For a store in a folder, and for one without a credential, it leads to Gatehouse and \
            is signed with an access key of the configuration that may do it (--key chooses which).

            A URL that is printed can't be taken back: keep --ttl short.
            """,
        subcommands: [Get.self, Put.self]
    )

    struct Options: ParsableArguments {
        @Argument(help: "The object, as BUCKET/KEY.") var object: String
        @Option(help: "How long it lasts, e.g. 90s, 15m, 1h; at most 7d.") var ttl = "15m"
        @Option(name: [.short, .long], help: "The configuration file.") var config = "gatehouse.toml"
        @Option(help: "The access key that signs where the URL leads to Gatehouse.") var key: String?
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            _ = try lifetime()
            _ = try place()
        }

        func lifetime() throws -> Duration {
            guard let lifetime = Durations.parse(ttl), lifetime >= .seconds(1), lifetime <= S3Backend.longestPresigned
            else { throw ValidationError("--ttl takes a duration from 1s to 7d, such as 15m") }
            return .seconds(lifetime.components.seconds)
        }

        func place() throws -> (bucket: BucketName, key: [UInt8]) {
            let parts = object.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let bucket = BucketName(validating: String(parts[0])) else {
                throw ValidationError("the object is named as BUCKET/KEY")
            }
            return (bucket, Array(parts[1].utf8))
        }
    }

    struct Get: ParsableCommand, AnswersInJSON {
        static let configuration = CommandConfiguration(abstract: "A URL to read an object.")

        @OptionGroup var options: Options
        var json: Bool { options.json }
        @Option(help: "The name that browsers save it under.") var filename: String?
        @Option(help: "The type it is sent as.") var contentType: String?

        func run() throws {
            try Presigning(options).print(.get, ActionSet(.getObject)) { wish throws(S3Error) in
                wish.query = try ResponseOverrides(filename: filename, contentType: contentType).query
            }
        }
    }

    struct Put: ParsableCommand, AnswersInJSON {
        static let configuration = CommandConfiguration(abstract: "A URL to write an object.")

        @OptionGroup var options: Options
        var json: Bool { options.json }
        @Option(help: "The object's type, which the request then has to name.") var contentType: String?
        @Option(help: "The object's size in bytes, which it then has to have.") var size: Int64?

        func validate() throws {
            guard size.map({ $0 >= 0 }) ?? true else { throw ValidationError("--size takes a number of bytes") }
        }

        func run() throws {
            try Presigning(options).print(.put, ActionSet(.putObject)) { wish throws(S3Error) in
                if let size { wish.fields.append("content-length", String(size)) }
                if let contentType {
                    _ = try ResponseOverrides(contentType: contentType)
                    wish.fields.append("content-type", contentType)
                }
            }
        }
    }
}

/// Signs by what a configuration file says.
private struct Presigning {
    private let options: PresignCommand.Options
    private let lifetime: Duration
    private let snapshot: Snapshot
    private let credentials: [CredentialConfiguration]

    init(_ options: PresignCommand.Options) throws {
        self.options = options
        lifetime = try options.lifetime()
        let configuration = try GatehouseConfiguration.ofCommand(options.config)
        credentials = configuration.credentials
        if let key = options.key, !credentials.contains(where: { $0.key.id == key }) {
            throw CommandFailure("InvalidAccessKeyId", "the configuration has no access key \(quoted(key))")
        }
        snapshot = try SnapshotCompiler(stores: .unopened(configuration)).compile(configuration, generation: 1)
    }

    func print(
        _ method: HTTPMethod,
        _ actions: ActionSet,
        _ complete: (inout URLWish) throws(S3Error) -> Void
    ) throws {
        let (name, bytes) = try options.place()
        do {
            let key = try ObjectKey(validating: bytes, rules: snapshot.server.keyRules)
            var wish = URLWish(method, actions, bucket: name, key: key, lifetime: lifetime)
            try complete(&wish)
            guard let bucket = snapshot.bucket(name) else { throw S3Error(.noSuchBucket) }
            show(try signed(wish, bucket), wish)
        } catch let error as S3Error {
            throw CommandFailure(error.code.name, error.message)
        }
    }

    private func signed(_ wish: URLWish, _ bucket: Bucket) throws -> (request: PresignedRequest, expiresAt: Instant) {
        let now = Clock.now()
        let end = Instant(secondsSince1970: now.secondsSince1970) + wish.lifetime
        if bucket.kind != .file,
            let signed = try bucket.backend.presign(
                wish.method,
                wish.key,
                query: wish.query,
                fields: wish.fields,
                binding: .required,
                for: wish.lifetime,
                at: now
            )
        {
            guard options.key == nil else {
                throw CommandFailure(
                    "InvalidArgument",
                    "the URL leads to the store and is signed with the bucket's own credential: leave --key out"
                )
            }
            return (signed, end)
        }
        let signer = try signer(for: wish, until: end, at: now)
        guard let url = snapshot.server.url(for: wish, signer: signer, for: wish.lifetime, at: now) else {
            throw S3Error(.internalError, "public_url can't be signed for")
        }
        return (PresignedRequest(url: url, fields: wish.fields), end)
    }

    /// An access key that lasts as long as the URL and may do what it is for.
    private func signer(for wish: URLWish, until end: Instant, at now: Instant) throws -> SigV4Signer {
        let candidates = credentials.map(\.key).filter { options.key == nil || $0.id == options.key }
        for key in candidates where key.enabled && key.expiresAt.map({ $0 >= end }) ?? true {
            let question = AccessQuestion(
                principal: key.principal,
                basis: .scopes(snapshot.keyScopes[key.id] ?? []),
                actions: wish.actions,
                target: .object(wish.bucket, wish.key),
                circumstances: AccessQuestion.Circumstances(now: now, sourceAddress: nil, transport: .tls)
            )
            guard decide(question, policies: snapshot.policies, values: { _ in [] }).isAllowed else { continue }
            return SigV4Signer(accessKeyID: key.id, secret: key.secret, region: snapshot.server.signingRegion)
        }
        throw S3Error(
            .accessDenied,
            "the URL leads to Gatehouse, and "
                + (options.key.map { "the access key \($0) may not do this until then" }
                    ?? "no access key of the configuration may do this until then")
                + ": add [[credentials]] with a scope for it (gatehouse key new access), or give a shorter --ttl"
        )
    }

    private func show(_ signed: (request: PresignedRequest, expiresAt: Instant), _ wish: URLWish) {
        let fields = signed.request.fields
        let headers = fields.entries.map { entry in
            (
                String(decoding: fields.name(entry), as: UTF8.self),
                String(decoding: fields.value(entry), as: UTF8.self)
            )
        }
        guard options.json else {
            Swift.print(signed.request.url)
            for (name, value) in headers { StandardError.write("send with it: \(name): \(value)") }
            return
        }
        let members: [(String, JSONValue)] = [
            ("url", .text(signed.request.url)),
            ("method", .text(wish.method.name)),
            ("headers", .object(headers.map { ($0, .text($1)) })),
            ("expires_at", .text(Timestamp.iso8601(signed.expiresAt))),
        ]
        Swift.print(JSONValue.object(members).rendered())
    }
}
