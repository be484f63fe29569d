import Identity
import Settings
import Testing
import WireFormats

@Suite struct IdentityProviderTests {
    @Test func whatIsNotSaidHasTheDefaultsOfTheContract() throws {
        let result = reading(provider(""))
        #expect(result.problems.isEmpty)
        let provider = try #require(result.configuration?.identityProviders.first?.provider)
        #expect(provider.uses == [.bearer, .sts] && provider.principalClaim == "sub" && provider.cookie == nil)
        #expect(provider.maxGrantTTL == .seconds(86_400))
        guard case .discovery(let url) = provider.keys else {
            Issue.record("no discovery")
            return
        }
        #expect(url.description == "https://auth.example.com")
    }

    @Test func everyKeyIsReadAndShownWithoutTheSecret() throws {
        let result = reading(
            provider(
                """
                use = ["bearer"]
                shared_secret = "env:JWT_SECRET"
                principal_claim = "email"
                cookie = "session"
                max_grant_ttl = "1h"
                [[identity_providers.allowed_scopes]]
                bucket = "{sub}-bucket"
                prefixes = ["{org}/"]
                actions = ["read", "list"]
                """,
                issuer: "my-app"
            ),
            variables: ["JWT_SECRET": "hush-0123456789-0123456789-0123456789"]
        )
        let configuration = try #require(result.configuration)
        let entry = try #require(configuration.identityProviders.first)
        #expect(entry.provider.issuer == "my-app" && entry.provider.cookie == "session")
        #expect(entry.provider.accepts(.hs256) && !entry.provider.accepts(.rs256))
        #expect(entry.scopes.map(\.bucket) == ["{sub}-bucket"])
        let effective = configuration.effective.rendered()
        #expect(effective.contains("\"{sub}-bucket\"") && effective.contains("\"my-app\""))
        #expect(!effective.contains("hush") && !String(reflecting: result).contains("hush"))
    }

    @Test func aChangedKeyFileIsAChangedConfiguration() throws {
        let modulus = String(repeating: "pQ", count: 171)
        func keys(_ id: String) -> String {
            #"{"keys":[{"kty":"RSA","kid":"\#(id)","n":"\#(modulus)","e":"AQAB"}]}"#
        }
        let text = provider("jwks_file = \"keys/jwks.json\"")
        let one = reading(text, beside: ["keys/jwks.json": keys("a")])
        let two = reading(text, beside: ["keys/jwks.json": keys("b")])
        #expect(one.problems.isEmpty && two.problems.isEmpty, "\(one.problems)")
        #expect(one.inputs.digest != two.inputs.digest)
    }

    @Test func policiesMayNameBearersOfAProviderThatIsThere() {
        let named = provider("[[policies]]\nname = \"p\"\napplies_to = [\"idp:auth:*\"]\ndocument = '\(readPolicy)'")
        #expect(reading(named).problems.isEmpty)
        let missing = reading(named.replacing("idp:auth", with: "idp:aut"))
        #expect(missing.errors.map(\.suggestion) == ["did you mean \"auth\"?"])
    }
}
