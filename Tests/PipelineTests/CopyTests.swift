import HTTP1
import Pipeline
import S3API
import Testing

@Suite("Copies: reading there and writing here")
struct CopyTests {
    private static func copy(from source: String, to target: String) -> Call {
        Call("PUT", target, [("x-amz-copy-source", source)], length: 0)
    }

    @Test(
        "Both ends are decided",
        arguments: [
            ("/photos/a.txt", "/photos/b.txt", User.alice, true),
            // Not hers to read, not hers to write, not a writer at all.
            ("/docs/a.txt", "/photos/b.txt", .alice, false),
            ("/photos/a.txt", "/docs/b.txt", .alice, false),
            ("/photos/a.txt", "/docs/b.txt", .watcher, false),
            ("/photos/a.txt", "/docs/b.txt", .root, true),
            // What is open to everybody is open to her.
            ("/public/a.txt", "/photos/b.txt", .alice, true),
            ("/nobody/a.txt", "/photos/b.txt", .alice, false),
        ]
    )
    func bothEnds(source: String, target: String, user: User, allowed: Bool) throws {
        var gate = Gate()
        let decision = try gate.decide(Self.copy(from: source, to: target).by(user))
        if allowed {
            let forward = try decision.forward()
            #expect(forward.target == target)
            #expect(forward.request.fields.string("x-amz-copy-source") == source)
        } else {
            try expect(403, .accessDenied, decision)
            #expect(decision.outcome == .denied)
        }
    }

    @Test("A scope's prefix holds for the source as well")
    func scopes() throws {
        var gate = Gate()
        let inside = Self.copy(from: "/photos/models/a", to: "/photos/models/b")
        #expect(try gate.decide(inside.signed(by: .models)).outcome == .allowed)
        let outside = Self.copy(from: "/photos/private/a", to: "/photos/models/b")
        try expect(403, .accessDenied, gate.decide(outside.signed(by: .models)))
    }

    @Test("The source is named as the store knows it")
    func sourceBehindAPrefix() throws {
        var gate = Gate()
        let call = Self.copy(from: "/prefixed/dir/a%20b", to: "/photos/b.txt?partNumber=2&uploadId=u")
        let request = try gate.decide(call.by(.root)).forward().request
        #expect(request.fields.string("x-amz-copy-source") == "/shared/v2/dir/a%20b")
    }

    @Test(
        "Where no store reaches both ends, the copy is carried",
        arguments: [("/far/a", "/photos/b"), ("/photos/a", "/far/b")]
    )
    func acrossStores(source: String, target: String) throws {
        var gate = Gate()
        let decision = try gate.decide(Self.copy(from: source, to: target).by(.root))
        guard case .transfer(let transfer) = decision.plan else {
            Issue.record("it is not carried")
            return
        }
        #expect(transfer.backend == (target == "/photos/b" ? "north" : "south"))
    }

    @Test(
        "A copy between stores is decided at both ends too",
        arguments: [("/far/a", "/photos/b"), ("/photos/a", "/far/b")]
    )
    func bothEndsAcrossStores(source: String, target: String) throws {
        var gate = Gate()
        try expect(403, .accessDenied, gate.decide(Self.copy(from: source, to: target).by(.alice)))
        try expect(403, .accessDenied, gate.decide(Self.copy(from: source, to: target).by(.watcher)))
    }

    @Test("A source that is nobody's bucket is 404 to who may read everything")
    func nobodysBucket() throws {
        var gate = Gate()
        try expect(404, .noSuchBucket, gate.decide(Self.copy(from: "/nobody/a", to: "/photos/b").by(.root)))
    }
}
