import Foundation
import Settings
import Testing
import WireFormats

/// Includes, files of secrets, and the inputs by which a change is noticed.
@Suite struct FilesTests {
    private static func file(_ path: String) -> String {
        "[[buckets]]\nname = \"bucket-\(path)\"\nbackend_type = \"file\"\nbackend_options.path = \"data\"\n"
    }

    @Test func includesFollowInOrderOfPatternsAndThenOfNames() throws {
        let result = reading(
            "include = [\"z.toml\", \"conf.d/*.toml\"]\n" + Self.file("main"),
            beside: [
                "conf.d/b.toml": Self.file("b"), "conf.d/a.toml": Self.file("a"), "conf.d/c.txt": "nonsense",
                "z.toml": Self.file("z"), "conf.d/deeper/d.toml": "nonsense",
            ]
        )
        #expect(result.problems.isEmpty)
        #expect(
            result.configuration?.buckets.map(\.name) == ["bucket-main", "bucket-z", "bucket-a", "bucket-b"]
        )
        #expect(result.inputs.files == ["gatehouse.toml", "z.toml", "conf.d/a.toml", "conf.d/b.toml"])
    }

    /// What a relative path leads to, read at `etc/gatehouse.toml`.
    private static func paths(_ files: [String: String], data: String? = nil) throws -> [String] {
        let source = MemorySource(files)
        let reading = GatehouseConfiguration.read("etc/gatehouse.toml", from: source, data: data)
        let configuration = try #require(reading.configuration, "\(reading.problems)")
        #expect(
            try GatehouseConfiguration.state(of: "etc/gatehouse.toml", from: source, data: data).store
                == configuration.state.store
        )
        let folders = configuration.buckets.compactMap { if case .file(let path) = $0.backend { path } else { nil } }
        return [
            configuration.state.store.description, configuration.audit.destination.description,
            configuration.accessLog.destination.description,
        ] + folders
    }

    @Test func relativePathsLeadFromTheFileThatSaysThemAndNotFromTheWorkingDirectory() throws {
        let written = [
            "etc/gatehouse.toml":
                "include = [\"conf.d/a.toml\"]\n[audit]\npath = \"log/a.jsonl\"\n[access_log]\npath = \"log/access.log\"",
            "etc/conf.d/a.toml": "[state]\nstore = \"sqlite:kept.db\"\n" + Self.file("a"),
        ]
        #expect(
            try Self.paths(written) == [
                "sqlite:etc/conf.d/kept.db", "etc/log/a.jsonl", "etc/log/access.log", "etc/conf.d/data",
            ]
        )
        // The state and the audit log are what --data is about.
        #expect(
            try Self.paths(written, data: "/srv") == [
                "sqlite:/srv/kept.db", "/srv/log/a.jsonl", "etc/log/access.log", "etc/conf.d/data",
            ]
        )
        // What is not said lies beside the configuration itself, also where an included file has the section.
        let silent = ["etc/gatehouse.toml": "include = [\"conf.d/a.toml\"]", "etc/conf.d/a.toml": "[state]\n[audit]"]
        #expect(try Self.paths(silent) == ["sqlite:etc/gatehouse.db", "etc/audit.jsonl", "-"])
        #expect(try Self.paths(["etc/gatehouse.toml": ""]) == ["sqlite:etc/gatehouse.db", "etc/audit.jsonl", "-"])
        #expect(try Self.paths(silent, data: "d") == ["sqlite:d/gatehouse.db", "d/audit.jsonl", "-"])
        let absolute = "[state]\nstore = \"sqlite:/v/s.db\"\n[audit]\npath = \"/v/a\"\n[access_log]\npath = \"/v/l\""
        #expect(try Self.paths(["etc/gatehouse.toml": absolute], data: "d") == ["sqlite:/v/s.db", "/v/a", "/v/l"])
    }

    @Test func whereTheStateLiesIsReadWithoutAnySecret() throws {
        let text = "[state]\nstore = \"sqlite:s.db\"\n[[users]]\nname = \"a\"\napi_key = \"env:NOT_SET\""
        #expect(reading(text).configuration == nil)
        let source = MemorySource(["gatehouse.toml": text, "bad.toml": "[state]\nstore = \"postgres:x\""])
        #expect(try GatehouseConfiguration.state(of: "gatehouse.toml", from: source).folder == ".")
        for path in ["bad.toml", "none.toml"] {
            let problem = #expect(throws: ConfigurationProblem.self) {
                try GatehouseConfiguration.state(of: path, from: source)
            }
            #expect(problem?.description.contains(path) == true)
        }
    }

    @Test func includesMayIncludeBesideThemselvesAndTablesMerge() throws {
        let result = reading(
            "include = [\"conf.d/a.toml\"]\n[server]\nregion = \"*\"",
            beside: [
                "conf.d/a.toml": "include = [\"b.toml\"]\n[server]\nmax_connections = 5",
                "conf.d/b.toml": "[server]\nstrict_keys = true",
            ]
        )
        #expect(result.problems.isEmpty)
        let server = try #require(result.configuration?.server)
        #expect(server.region == "*" && server.maxConnections == 5 && server.strictKeys)
    }

    @Test func aPatternThatMatchesNothingIsFine() {
        #expect(reading("include = [\"conf.d/*.toml\"]").problems.isEmpty)
    }

    @Test func aFileThatTwoPatternsFindIsReadOnce() {
        let result = reading("include = [\"a.toml\", \"a*.toml\"]", beside: ["a.toml": Self.file("a")])
        #expect(result.problems.isEmpty)
        #expect(result.configuration?.buckets.count == 1)
    }

    @Test func anIncludeLoopIsAProblemAndNotALoop() {
        let result = reading("include = [\"a.toml\"]", beside: ["a.toml": "\ninclude = [\"gatehouse.toml\"]"])
        #expect(
            result.problems.map(\.description)
                == ["a.toml:2: include[0]: includes gatehouse.toml within itself"]
        )
        #expect(reading("include = [\"*.toml\"]").problems.count == 1)
    }

    @Test func aKeyInTwoFilesIsAProblemThatNamesBoth() {
        let result = reading(
            "include = [\"a.toml\"]\n[server]\nregion = \"us-east-1\"",
            beside: ["a.toml": "server.region = \"*\""]
        )
        #expect(
            result.problems.map(\.description) == ["a.toml:1: server.region: is given in gatehouse.toml:3 already"]
        )
    }

    @Test func problemsOfAnIncludeNameItsFileAndLine() {
        let result = reading("include = [\"a.toml\"]", beside: ["a.toml": "\n\n[server]\nlisen = \"\""])
        #expect(result.problems.map(\.origin.file) == ["a.toml"])
        #expect(result.problems.map(\.origin.line) == [4])
        let broken = reading("include = [\"a.toml\"]\n[servr]", beside: ["a.toml": "\n= 1"])
        #expect(broken.problems.map { "\($0.origin.file):\($0.origin.line ?? 0)" } == ["a.toml:2", "gatehouse.toml:2"])
    }

    @Test func secretsComeFromVariablesAndFilesWithoutTheirLineEnd() throws {
        let result = reading(
            """
            include = ["conf.d/b.toml"]
            [[accounts]]
            name = "a"
            [accounts.backend_options]
            region = "us-east-1"
            access_key_id = "env:KEY"
            secret_access_key = "file:secrets/a"
            """,
            beside: [
                "secrets/a": "first secret \r\n",
                "conf.d/b.toml":
                    "[[accounts]]\nname = \"b\"\n[accounts.backend_options]\nregion = \"us-east-1\"\n"
                    + "access_key_id = \"AKB\"\nsecret_access_key = \"file:../secrets/b\"",
                "conf.d/../secrets/b": "second\n\n",
            ],
            variables: ["KEY": "AKA"]
        )
        #expect(result.problems.isEmpty)
        let secrets = try #require(result.configuration).accounts.map { account -> String? in
            guard case .s3(let connection) = account.backend else { return nil }
            return connection.credential?.secretAccessKey.reveal()
        }
        #expect(secrets == ["first secret ", "second\n"])
    }

    @Test func theDigestChangesWithEveryInputAndOnlyThen() {
        let text = "[audit]\nhmac_key = \"file:key\"\n"
        let first = reading(text, beside: ["key": "0123456789abcdef"]).inputs
        #expect(first.files == ["gatehouse.toml", "key"])
        #expect(reading(text, beside: ["key": "0123456789abcdef", "unused": "x"]).inputs.digest == first.digest)
        #expect(reading(text, beside: ["key": "0123456789abcdeF"]).inputs.digest != first.digest)
        #expect(reading(text + "\n", beside: ["key": "0123456789abcdef"]).inputs.digest != first.digest)
        // A file that is missing, and a broken configuration, are watched all the same.
        let missing = reading(text).inputs
        #expect(missing.files == ["gatehouse.toml", "key"] && missing.digest != first.digest)
        #expect(reading("[", beside: [:]).inputs.files == ["gatehouse.toml"])
    }

    @Test func aMissingConfigurationIsAProblemThatNamesIt() {
        let result = GatehouseConfiguration.read("nowhere.toml", from: MemorySource([:]))
        #expect(result.configuration == nil)
        #expect(result.problems.map(\.description) == ["nowhere.toml: can't be read: no such file"])
    }

    @Test func realFilesFoldersAndPatterns() throws {
        let folder = FileManager.default.temporaryDirectory.path() + "/gatehouse-settings-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder + "/conf.d", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let main = folder + "/gatehouse.toml"
        try Data("include = [\"conf.d/*.toml\"]".utf8).write(to: URL(filePath: main))
        try Data(Self.file("a").utf8).write(to: URL(filePath: folder + "/conf.d/a.toml"))
        let source = FileSystemSource()
        #expect(GatehouseConfiguration.read(main, from: source).configuration?.buckets.map(\.name) == ["bucket-a"])
        #expect(throws: SourceFailure(reason: "is a directory")) { try source.read(folder) }
        #expect(throws: SourceFailure(reason: "no such file")) { try source.read(folder + "/none") }
        try Data(count: FileSystemSource.largestFile + 1).write(to: URL(filePath: folder + "/large"))
        #expect(throws: SourceFailure(reason: "is larger than 4 MiB")) { try source.read(folder + "/large") }
        #expect(source.environment("PATH") != nil && source.environment("GATEHOUSE_NO_SUCH_VARIABLE") == nil)
    }
}
