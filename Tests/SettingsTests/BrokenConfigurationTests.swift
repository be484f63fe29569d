import Settings
import Testing

@Suite struct BrokenConfigurationTests {
    @Test(
        arguments: Mistake.syntax + Mistake.server + Mistake.stores + Mistake.callers + Mistake.providers
            + Mistake.others
    )
    func oneMistakeIsSaidOnceWithItsPlace(mistake: Mistake) throws {
        let result = reading(mistake.text)
        #expect(result.configuration == nil)
        let problem = try #require(result.errors.first)
        #expect(result.errors.count == 1, "\(result.errors)")
        #expect(problem.origin.file == "gatehouse.toml")
        #expect(problem.origin.line == mistake.line, "\(problem)")
        #expect(problem.origin.path.description == mistake.key)
        for fragment in mistake.fragments {
            #expect(problem.description.contains(fragment), "\(problem)")
        }
    }

    @Test func everyMistakeOfAFileIsSaidAtOnceInReadingOrder() {
        let result = reading(
            """
            [server]
            lisen = "127.0.0.1:9000"
            idle_timeout = 75
            [[accounts]]
            name = "minio"
            buckets = ["photos", "Photos"]
            [accounts.backend_options]
            endpoint = "http://127.0.0.1:8333"
            access_key_id = "env:NOWHERE"
            [[users]]
            name = "alice"
            role = "owner"
            [roles]
            """
        )
        #expect(result.errors.compactMap(\.origin.line) == [2, 3, 6, 7, 9, 10, 12, 13])
    }

    @Test func problemsOfAnAccountAreNotRepeatedForTheBucketsThatShareIt() {
        let result = reading(
            account.replacing("http:", with: "ftp:")
                + "[[buckets]]\nname = \"one\"\naccount = \"minio\"\n[[buckets]]\nname = \"two\"\naccount = \"minio\"\n"
        )
        #expect(result.errors.map(\.origin.line) == [5])
    }

    @Test(
        "What is wrong with a store's options is said although its kind is wrong too",
        arguments: [
            ("s4", "endpoint = \"nowhere\"\naccess_key_id = \"AK\"\nskip_signature = true", [3, 4, 5, 7]),
            ("minio", "endpoint = \"nowhere\"\nregion = \"x\"", [3, 5]),
            ("blob", "account_name = \"acct\"\naccess_key = \"no key\"", [3, 6]),
            ("google", "service_account_key = \"{}\"", [3, 5]), ("folder", "path = \"\"", [3, 5]), ("disk", "", [3]),
        ] as [(String, String, [Int])]
    )
    func optionsOfAnUnknownKindOfStore(type: String, options: String, lines: [Int]) {
        let text = "[[accounts]]\nname = \"a\"\nbackend_type = \"\(type)\"\n[accounts.backend_options]\n\(options)"
        #expect(reading(text).errors.compactMap(\.origin.line) == lines, "\(reading(text).errors)")
        let shared = "\n[[buckets]]\nname = \"data\"\naccount = \"a\"\n"
        #expect(reading(text + shared).errors.compactMap(\.origin.line) == lines)
    }

    @Test func aNameThatWasRefusedIsNoAdvice() throws {
        let result = reading(
            user("allowed_buckets = [\"photo\"]").replacing("[\"photos\"]", with: "[\"Photos\", \"photos\"]")
        )
        let problem = try #require(result.errors.last)
        #expect(result.errors.count == 2 && problem.suggestion == "did you mean \"photos\"?", "\(result.errors)")
    }

    @Test func aSecretNeverAppearsInAProblem() {
        let result = reading(
            """
            [[users]]
            name = "alice"
            api_key = "hush hush hush"
            [[users]]
            name = "bob"
            api_key_sha256 = "env:HASH"
            [[credentials]]
            access_key_id = "AKEXAMPLE"
            secret_access_key = "hush"
            """,
            variables: ["HASH": "hush"]
        )
        #expect(!result.problems.isEmpty)
        for problem in result.problems {
            #expect(!problem.description.contains("hush"))
            #expect(!problem.json.rendered().contains("hush"))
        }
    }
}
