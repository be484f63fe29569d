import HTTP1
import S3API
import Testing
import WireFormats

@testable import EmbeddedStore

extension ServedStore {
    func setVersioning(_ status: String) async throws {
        let document = "<VersioningConfiguration><Status>\(status)</Status></VersioningConfiguration>"
        #expect(try await send(.put, "/demo", query: "versioning=", document).status == 200)
    }
}

@Suite struct ServedVersionsTests {
    @Test func versioningIsOffUntilItIsTurnedOn() async throws {
        try await ServedStore.serving { store in
            let off = try await store.send(.get, "/demo", query: "versioning=")
            #expect(off.status == 200 && !off.text.contains("<Status>"))
            #expect(try await store.send(.put, "/demo/k", "x").fields.string("x-amz-version-id") == nil)
            for status in ["Enabled", "Suspended"] {
                try await store.setVersioning(status)
                let got = try await store.send(.get, "/demo", query: "versioning=")
                #expect(got.text.contains("<Status>\(status)</Status>"))
            }
            #expect(try await store.send(.get, "/demo/k").fields.string("x-amz-version-id") == "null")
            for document in [
                "<VersioningConfiguration/>", "<VersioningConfiguration><Status>Off</Status></VersioningConfiguration>",
                "x",
            ] {
                #expect(try await store.send(.put, "/demo", query: "versioning=", document).status == 400)
            }
        }
    }

    @Test func aDeleteMarkerSaysSo() async throws {
        try await ServedStore.serving { store in
            try await store.setVersioning("Enabled")
            let version = try #require(try await store.send(.put, "/demo/k", "one").fields.string("x-amz-version-id"))
            let deleted = try await store.send(.delete, "/demo/k")
            #expect(deleted.status == 204 && deleted.fields.string("x-amz-delete-marker") == "true")
            let marker = try #require(deleted.fields.string("x-amz-version-id"))
            let hidden = try await store.send(.get, "/demo/k")
            #expect(hidden.status == 404 && hidden.text.contains("NoSuchKey"))
            #expect(hidden.fields.string("x-amz-delete-marker") == "true")
            #expect(hidden.fields.string("x-amz-version-id") == marker)
            for method in [HTTPMethod.get, .head] {
                let named = try await store.send(method, "/demo/k", query: "versionId=\(marker)")
                #expect(named.status == 405 && named.fields.string("x-amz-delete-marker") == "true")
                #expect(named.fields.string("allow") == "DELETE")
            }
            let old = try await store.send(.get, "/demo/k", query: "versionId=\(version)")
            #expect(old.text == "one" && old.fields.string("x-amz-version-id") == version)
            let listing = try await store.send(.get, "/demo", query: "versions=").text
            #expect(
                listing.contains("<DeleteMarker><Key>k</Key><VersionId>\(marker)</VersionId><IsLatest>true</IsLatest>")
            )
            #expect(
                listing.contains("<Version><Key>k</Key><VersionId>\(version)</VersionId><IsLatest>false</IsLatest>")
            )
            let removed = try await store.send(.delete, "/demo/k", query: "versionId=\(marker)")
            #expect(removed.status == 204 && removed.fields.string("x-amz-delete-marker") == "true")
            #expect(try await store.send(.get, "/demo/k").text == "one")
            let copied = try await store.send(
                .put,
                "/demo/copy",
                fields: [("x-amz-copy-source", "/demo/k?versionId=\(version)")]
            )
            #expect(copied.fields.string("x-amz-copy-source-version-id") == version)
            #expect(copied.fields.string("x-amz-version-id") != nil)
        }
    }

    @Test(arguments: [
        ("0123456789abcdef0123456789abcdef", 404, "NoSuchVersion"), ("null", 404, "NoSuchVersion"),
        ("nonsense", 400, "InvalidArgument"), ("0123", 400, "InvalidArgument"),
    ])
    func versionsThatAreNotThere(_ id: String, _ status: Int, _ code: String) async throws {
        try await ServedStore.serving { store in
            try await store.setVersioning("Enabled")
            _ = try await store.send(.put, "/demo/k", "one")
            let got = try await store.send(.get, "/demo/k", query: "versionId=\(id)")
            #expect(got.status == status && got.text.contains("<Code>\(code)</Code>"))
            let other = try await store.send(.get, "/demo/other", query: "versionId=\(id)")
            #expect(other.status == status)
        }
    }

    @Test func severalVersionsAreDeletedAtOnce() async throws {
        try await ServedStore.serving { store in
            try await store.setVersioning("Enabled")
            let version = try #require(try await store.send(.put, "/demo/k", "one").fields.string("x-amz-version-id"))
            let document = """
                <Delete><Object><Key>k</Key><VersionId>\(version)</VersionId></Object><Object><Key>new</Key></Object>\
                <Object><Key>k</Key><VersionId>nonsense</VersionId></Object></Delete>
                """
            let root = try XMLReader.parse(try await store.send(.post, "/demo", query: "delete=", document).body)
            let deleted = root.children(named: "Deleted")
            #expect(deleted.map { $0.value("VersionId") } == [version, nil])
            #expect(deleted.map { $0.value("DeleteMarker") } == [nil, "true"])
            #expect(root.child("Error")?.value("Code") == "NoSuchVersion")
        }
    }

    @Test func aBucketThatWasNeverVersionedHasNullVersionsOnly() async throws {
        try await ServedStore.serving { store in
            _ = try await store.send(.put, "/demo/k", "one")
            #expect(try await store.send(.get, "/demo/k", query: "versionId=null").text == "one")
            #expect(
                try await store.send(.get, "/demo", query: "versions=").text.contains("<VersionId>null</VersionId>")
            )
            #expect(try await store.send(.delete, "/demo/k", query: "versionId=null").status == 204)
            #expect(try await store.send(.head, "/demo/k").status == 404)
        }
    }
}
