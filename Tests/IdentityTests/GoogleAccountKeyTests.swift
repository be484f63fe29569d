import Identity
import Testing
import WireFormats

@Suite("Key files of Google's service accounts")
struct GoogleAccountKeyTests {
    private static func file(_ changes: [String: String?] = [:]) -> Secret<String> {
        var members: [String: String] = [
            "type": "service_account", "private_key_id": "k1", "private_key": "PEM",
            "client_email": "data@project.iam.gserviceaccount.com", "token_uri": "https://oauth2.googleapis.com/token",
        ]
        for (name, value) in changes { members[name] = value }
        let document = StrictJSON.object(
            members.sorted { $0.key < $1.key }.map { (name: $0.key, value: StrictJSON.string($0.value)) }
        )
        return Secret(String(decoding: document.text, as: UTF8.self))
    }

    private func refusal(_ file: Secret<String>) -> GoogleAccountKey.Refusal? {
        do throws(GoogleAccountKey.Refusal) {
            _ = try GoogleAccountKey(keyFile: file)
            return nil
        } catch {
            return error
        }
    }

    @Test("A key file says who it is of, and where its tokens are issued")
    func parts() throws {
        let key = try GoogleAccountKey(keyFile: Self.file())
        #expect(key.email == "data@project.iam.gserviceaccount.com")
        #expect(key.keyID == "k1")
        #expect(key.privateKey.reveal() == "PEM")
        #expect(key.tokenService.description == "https://oauth2.googleapis.com/token")
        #expect("\(key)".contains("PEM") == false)
    }

    @Test("What is no key file is refused for what it lacks")
    func refusals() {
        #expect(refusal(Secret("")) == .malformed)
        #expect(refusal(Secret("[]")) == .malformed)
        #expect(refusal(Secret(#"{"type":"service_account","type":"service_account"}"#)) == .malformed)
        #expect(refusal(Self.file(["type": "authorized_user"])) == .otherType)
        for name in ["client_email", "private_key_id", "private_key", "token_uri"] {
            #expect(refusal(Self.file([name: ""])) == .missing(name))
            #expect(refusal(Self.file([name: nil])) == .missing(name))
        }
    }

    @Test(
        "An assertion travels to no place where it could be read on the way",
        arguments: ["http://oauth2.googleapis.com/token", "ftp://x/", "token", "https://user@host/token"]
    )
    func tokenService(_ url: String) {
        #expect(refusal(Self.file(["token_uri": url])) == .tokenService)
    }

    @Test("The same key is one source of tokens, another one another", arguments: ["private_key_id", "private_key"])
    func sources(_ part: String) throws {
        let one = CredentialSource.googleKey(try GoogleAccountKey(keyFile: Self.file()))
        #expect(one == .googleKey(try GoogleAccountKey(keyFile: Self.file())))
        #expect(one != .googleKey(try GoogleAccountKey(keyFile: Self.file([part: "another"]))))
        #expect(one.label == "data@project.iam.gserviceaccount.com")
    }
}
