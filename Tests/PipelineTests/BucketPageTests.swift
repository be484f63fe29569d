import Pipeline
import S3API
import Testing
import WireFormats

@Suite("Pages of the list of buckets") struct BucketPageTests {
    private func list(_ query: String) throws -> (names: [String], token: String?, xml: XMLNode) {
        var gate = Gate()
        let reply = try gate.decide(Call("GET", "/" + query).signed()).reply()
        let root = try XMLReader.parse(reply.body)
        let names = root.child("Buckets")?.children(named: "Bucket").compactMap { $0.value("Name") } ?? []
        return (names, root.value("ContinuationToken"), root)
    }

    @Test("Every bucket comes once, whatever the length of the page", arguments: [1, 2, 3, 100])
    func pages(_ limit: Int) throws {
        let all = try list("").names
        #expect(all == all.sorted() && all.count > 5)
        var found: [String] = []
        var token: String?
        repeat {
            let page = try list("?max-buckets=\(limit)" + (token.map { "&continuation-token=" + $0 } ?? ""))
            #expect(page.names.count <= limit)
            found += page.names
            token = page.token
        } while token != nil && found.count <= all.count
        #expect(found == all)
    }

    @Test("A prefix and a region choose, and the answer says so")
    func chosen() throws {
        let page = try list("?prefix=p&bucket-region=us-east-1")
        #expect(page.names == ["photos", "prefixed", "public"] && page.xml.value("Prefix") == "p")
        #expect(page.xml.child("Buckets")?.child("Bucket")?.value("BucketRegion") == "us-east-1")
        #expect(try list("?bucket-region=eu-central-1").names.isEmpty)
        #expect(try list("").xml.child("Buckets")?.child("Bucket")?.child("BucketRegion") == nil)
    }

    @Test(
        "What can't be meant is refused",
        arguments: [
            "?max-buckets=0", "?max-buckets=10001", "?max-buckets=x", "?continuation-token=", "?continuation-token=!!",
            "?prefix=q&continuation-token=cGhvdG9z", "?continuation-token=Li4v",
        ]
    )
    func refused(_ query: String) throws {
        var gate = Gate()
        try expect(400, .invalidArgument, gate.decide(Call("GET", "/" + query).signed()))
    }
}
