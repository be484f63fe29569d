import ControlPlane
import Foundation
import Testing
import WireFormats

/// The embedded default's keys.
struct CredentialsFileTests {
    private func random(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255) } }

    @Test func keysAreMadeOnceAndKept() throws {
        let directory = try TemporaryDirectory()
        let file = CredentialsFile(path: directory.file("data/.gatehouse/credentials.json"))
        let first = try file.loadOrCreate(endpoint: "http://127.0.0.1:9000", bucket: "demo", random: random)
        let second = try file.loadOrCreate(endpoint: "http://127.0.0.1:9000", bucket: "demo", random: random)
        #expect(first.accessKeyID == second.accessKeyID)
        #expect(first.secretAccessKey.reveal() == second.secretAccessKey.reveal())
        #expect(first.apiKey.reveal() == second.apiKey.reveal())
        #expect(first.accessKeyID.utf8.count == 20)
        #expect(first.secretAccessKey.reveal().utf8.count == 40)
        #expect(!"\(first)".contains(first.apiKey.reveal()))
        #expect(try directory.mode("data/.gatehouse/credentials.json") == 0o600)
        #expect(try directory.mode("data/.gatehouse") == 0o700)
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.file("data/.gatehouse"))
        #expect(names == ["credentials.json"])
    }

    @Test func theFileHasTheContractsFields() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("credentials.json")
        _ = try CredentialsFile(path: path).loadOrCreate(endpoint: "http://h:1", bucket: "demo", random: random)
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        let fields = try #require(try JSONSerialization.jsonObject(with: data) as? [String: String])
        #expect(Set(fields.keys) == ["endpoint", "bucket", "access_key_id", "secret_access_key", "api_key"])
        #expect(fields["endpoint"] == "http://h:1")
    }

    @Test func anotherAddressIsBroughtUpToDateWithoutNewKeys() throws {
        let directory = try TemporaryDirectory()
        let file = CredentialsFile(path: directory.file("credentials.json"))
        let first = try file.loadOrCreate(endpoint: "http://h:1", bucket: "demo", random: random)
        let second = try file.loadOrCreate(endpoint: "http://h:2", bucket: "demo", random: random)
        #expect(second.endpoint == "http://h:2")
        #expect(first.apiKey.reveal() == second.apiKey.reveal())
        #expect(try String(contentsOfFile: directory.file("credentials.json"), encoding: .utf8).contains("http://h:2"))
    }

    @Test func aFileOpenToOthersIsClosed() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("credentials.json")
        let file = CredentialsFile(path: path)
        _ = try file.loadOrCreate(endpoint: "http://h:1", bucket: "demo", random: random)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        _ = try file.loadOrCreate(endpoint: "http://h:1", bucket: "demo", random: random)
        #expect(try directory.mode("credentials.json") == 0o600)
    }

    @Test(arguments: ["", "{", "{\"endpoint\":\"x\"}", "[]"])
    func aDamagedFileIsAnErrorAndIsLeftAlone(text: String) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("credentials.json")
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: ControlPlaneError.self) {
            try CredentialsFile(path: path).loadOrCreate(endpoint: "e", bucket: "demo", random: random)
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
    }
}
