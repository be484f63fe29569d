import Testing
import WireFormats

@testable import Settings

/// A mistake that is there once; what else is said about the section as a whole is left out.
private let mistakes: [Mistake] = [
    Mistake("[uploads]\ndefault_tll = \"5m\"", 2, "uploads.default_tll", "did you mean \"default_ttl\"?"),
    Mistake("[uploads]\nmax_ttl = \"8d\"", 2, "uploads.max_ttl", "at most 7d"),
    Mistake("[uploads]\nmax_ttl = 60", 2, "uploads.max_ttl", "with its unit"),
    Mistake("[uploads]\ndefault_ttl = \"2h\"", 2, "uploads.default_ttl", "longer than max_ttl (1h)"),
    Mistake("[uploads]\nmax_size = \"6TiB\"", 2, "uploads.max_size", "between 1 and 5TiB"),
    Mistake("[uploads]\nallowed_content_types = \"image/*\"", 2, "uploads.allowed_content_types", "[\"image/*\"]"),
    Mistake("[uploads]\nallowed_content_types = [\"image\"]", 2, "uploads.allowed_content_types[0]", "is not a type"),
    Mistake("[uploads]\nallowed_content_types = [\"*/png\"]", 2, "uploads.allowed_content_types[0]", "is not a type"),
    Mistake("[uploads]\nallowed_content_types = [\"a/b;c=d\"]", 2, "uploads.allowed_content_types[0]", "parameters"),
    Mistake("[uploads]\nmax_open_per_principal = 0", 2, "uploads.max_open_per_principal", "between 1 and"),
    Mistake("[uploads]\non_mismatch = \"remove\"", 2, "uploads.on_mismatch", "\"keep\", \"delete\""),
    Mistake("[uploads]\nquarantine_prefix = \"\"", 2, "uploads.quarantine_prefix", "is not a folder"),
    Mistake("[uploads]\nquarantine_prefix = \"q\"", 2, "uploads.quarantine_prefix", "is not a folder"),
    Mistake("[uploads]\nquarantine_prefix = \"/q/\"", 2, "uploads.quarantine_prefix", "is not a folder"),
    Mistake("[uploads]\nquarantine_prefix = \"a/../b/\"", 2, "uploads.quarantine_prefix", "is not a folder"),
    Mistake("[uploads]\nretention = \"0d\"", 2, "uploads.retention", "is not a time"),
    Mistake("[uploads]\nevents = [\"http://a/\"]", 2, "uploads.events[0]", "webhook:https://"),
    Mistake("[uploads]\nevents = [\"webhook:ftp://a/\"]", 2, "uploads.events[0]", "nobody who could be told"),
    Mistake("[uploads]\nevents = [\"webhook:http://u:p@a/\"]", 2, "uploads.events[0]", "nobody who could be told"),
    Mistake("[uploads]\nevents = [\"webhook:http://a\"]", 1, "uploads.webhook_secret", "is required"),
    Mistake(
        "[uploads]\nwebhook_secret = \"0123456789abcdef\"\nevents = [\"webhook:http://a\",\n \"webhook:http://a/\"]",
        4,
        "uploads.events[1]",
        "is told already"
    ),
    Mistake("[uploads]\nwebhook_secret = \"env:NO_SUCH\"", 2, "uploads.webhook_secret", "NO_SUCH"),
    Mistake("[uploads]\nevent_tokens = \"x\"", 2, "uploads.event_tokens", "must be a table"),
    Mistake(
        account + "[uploads.event_tokens]\nminoi = \"0123456789abcdef\"",
        7,
        "uploads.event_tokens.minoi",
        "there is no account and no bucket \"minoi\"",
        "did you mean \"minio\"?"
    ),
    Mistake("[uploads]\nsqs_region = \"eu-central-1\"", 2, "uploads.sqs_region", "needs sqs_queue_url"),
    Mistake("[uploads]\nsqs_queue_url = \"uploads\"", 2, "uploads.sqs_queue_url", "is not a queue's URL"),
    Mistake("[uploads]\nsqs_queue_url = \"http://h/1/q\"", 1, "uploads.sqs_region", "is required"),
    Mistake(
        "[uploads]\nsqs_queue_url = \"https://sqs.eu-central-1.amazonaws.com/1/q\"\nsqs_access_key_id = \"A\"",
        1,
        "uploads.sqs_secret_access_key",
        "both its parts"
    ),
]

@Suite("[uploads]")
struct UploadsConfigurationTests {
    private func uploads(_ text: String, variables: [String: String] = [:]) throws -> UploadsConfiguration {
        let reader = ConfigurationReader(source: MemorySource(["gatehouse.toml": text], variables: variables))
        let entries = try #require(ConfigurationFiles.read("gatehouse.toml", with: reader))
        let root = Section(entries, at: Origin(file: "gatehouse.toml", line: nil, path: .root), reader: reader)
        let uploads = UploadsConfiguration(reading: root.section("uploads"))
        #expect(reader.problems.map(\.message) == [])
        return uploads
    }

    @Test("What is not said has the defaults of the contract")
    func defaults() throws {
        let uploads = try uploads("[uploads]")
        #expect(uploads.defaultTTL == .seconds(300) && uploads.maxTTL == .seconds(3600))
        #expect(uploads.maxSize == 5 << 30 && uploads.maxOpenPerPrincipal == 1000)
        #expect(uploads.allowedContentTypes.isEmpty && uploads.events.isEmpty && uploads.queue == nil)
        #expect(uploads.onMismatch == .keep && uploads.quarantinePrefix == ".gatehouse/quarantine/")
        #expect(uploads.retention == .seconds(30 * 86_400))
    }

    @Test("Every key is read")
    func everyKey() throws {
        let uploads = try uploads(
            """
            [uploads]
            default_ttl = "1m"
            max_ttl = "2m"
            max_size = "1GiB"
            allowed_content_types = ["Image/*", "video/mp4"]
            max_open_per_principal = 5
            on_mismatch = "delete"
            quarantine_prefix = "q/"
            retention = "1d"
            events = ["webhook:https://App.example.com/hooks?a=b"]
            webhook_secret = "env:WEBHOOK_SECRET"
            event_tokens = { minio = "env:TOKEN" }
            sqs_queue_url = "https://sqs.eu-central-1.amazonaws.com/123456789012/uploads"
            sqs_endpoint = "http://127.0.0.1:5000"
            sqs_access_key_id = "AK"
            sqs_secret_access_key = "env:TOKEN"
            """,
            variables: ["WEBHOOK_SECRET": "whsec_0123456789abcdef", "TOKEN": "0123456789abcdef"]
        )
        #expect(uploads.defaultTTL == .seconds(60) && uploads.maxTTL == .seconds(120))
        #expect(uploads.maxSize == 1 << 30 && uploads.maxOpenPerPrincipal == 5)
        #expect(uploads.allowedContentTypes.map(\.description) == ["image/*", "video/mp4"])
        #expect(uploads.onMismatch == .delete && uploads.quarantinePrefix == "q/")
        #expect(uploads.retention == .seconds(86_400))
        #expect(uploads.events.map(\.description) == ["webhook:https://app.example.com/hooks?a=b"])
        #expect(uploads.webhookSecret?.reveal() == "whsec_0123456789abcdef")
        #expect(uploads.eventTokens.mapValues { $0.reveal() } == ["minio": "0123456789abcdef"])
        let queue = try #require(uploads.queue)
        #expect(queue.region == "eu-central-1" && queue.url.target == "/123456789012/uploads")
        #expect(queue.endpoint?.authority == "127.0.0.1:5000" && queue.accessKeyID == "AK")
        #expect(queue.secretAccessKey?.reveal() == "0123456789abcdef")
    }

    @Test("The default does not outlive a maximum that is shorter")
    func shortMaximum() throws {
        #expect(try uploads("[uploads]\nmax_ttl = \"1m\"").defaultTTL == .seconds(60))
    }

    @Test("A mistake is named with its place", arguments: mistakes)
    func mistake(_ mistake: Mistake) {
        let problems = reading(mistake.text).errors.filter { $0.origin.path.description != "uploads" }
        #expect(problems.count == 1, "\(problems)")
        guard let problem = problems.first else { return }
        #expect(problem.origin.line == mistake.line && problem.origin.path.description == mistake.key)
        for fragment in mistake.fragments { #expect("\(problem)".contains(fragment), "\(problem)") }
    }

    @Test("A type is one of a range whatever its case and parameters")
    func ranges() throws {
        let images = try #require(MediaRange("image/*"))
        let video = try #require(MediaRange("video/mp4"))
        let every = try #require(MediaRange("*/*"))
        #expect(try images.contains(MediaType("image/png")))
        #expect(try images.contains(MediaType("IMAGE/svg+xml; charset=utf-8")))
        #expect(try video.contains(MediaType("video/mp4 ;codecs=x")))
        #expect(try every.contains(MediaType("application/octet-stream")))
        #expect(try !video.contains(MediaType("video/mp4x")))
        #expect(try !images.contains(MediaType("imagex/png")))
        #expect(try !images.contains(MediaType("text/html")))
    }
}
