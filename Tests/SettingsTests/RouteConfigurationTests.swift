import Admission
import Settings
import Testing

@Suite struct RouteConfigurationTests {
    @Test func aRouteHasTheDefaultsOfTheContract() throws {
        let result = reading(account + "[[routes]]\npath = \"/f/{id}\"\nbucket = \"{sub}-bucket\"\nkey = \"{id}\"\n")
        #expect(result.problems.isEmpty, "\(result.problems)")
        let route = try #require(result.configuration?.routes.first)
        #expect(route.methods == [.get, .head])
        #expect(route.delivery == .proxy)
        #expect(route.ttl == .seconds(30))
        #expect(route.redirectAbove == 1 << 20)
        #expect(!route.anonymous)
        #expect(route.bucket.needsClaims)
        #expect(!route.key.needsClaims)
    }

    @Test(arguments: [
        ("/photos/{id}", "takes paths of the bucket \"photos\""), ("/{all*}", "takes paths of every bucket"),
    ])
    func aRouteThatTakesABucketsPathsIsAWarning(path: String, message: String) {
        let result = reading(account + "[[routes]]\npath = \"\(path)\"\nbucket = \"photos\"\nkey = \"x\"\n")
        #expect(result.configuration != nil)
        #expect(result.warnings.map(\.message) == [message])
    }

    @Test func aClaimThatAProvidersScopesNameIsKnown() throws {
        let text =
            account + """
                [[identity_providers]]
                name = "auth"
                issuer = "auth"
                audiences = ["gatehouse"]
                shared_secret = "0123456789abcdef0123456789abcdef"
                [[identity_providers.allowed_scopes]]
                bucket = "photos"
                prefixes = ["{tenant}/"]
                actions = ["read"]
                [[routes]]
                path = "/f/{id}"
                bucket = "photos"
                key = "{tenant}/{id}"

                """
        let result = reading(text)
        #expect(result.errors.isEmpty, "\(result.errors)")
        #expect(try #require(result.configuration?.routes.first).key.needsClaims)
    }
}
