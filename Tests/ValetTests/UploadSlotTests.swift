import S3API
import Testing
import Valet
import WireFormats

@Suite("An upload slot: what may happen to it, and when it counts as used")
struct UploadSlotTests {
    @Test("A slot goes from issued to started to completed, each step a revision")
    func life() throws {
        let issued = try slot()
        #expect(issued.id == "000102030405060708090a0b0c0d0e0f")
        #expect(issued.state == .issued && issued.revision == 0)
        let started = try issued.started(multipart: UploadSlot.Multipart(uploadID: "u", partSize: 5 << 20))
        #expect(started.state == .started && started.revision == 1)
        #expect(started.multipart?.uploadID == "u")
        let completed = try started.completed(with: found(), at: noon)
        #expect(completed.state == .completed && completed.revision == 2)
        #expect(completed.result == found() && completed.finishedAt == noon)
    }

    @Test("Nothing happens to a slot that has ended")
    func ended() throws {
        let open = try slot()
        let ends = [
            try open.completed(with: found(), at: noon), try open.expired(at: noon), try open.aborted(at: noon),
            try open.rejected(for: .sizeMismatch, found: found(), at: noon),
        ]
        #expect(Set(ends.map(\.state)) == [.completed, .expired, .aborted, .rejected])
        for end in ends {
            #expect(throws: SlotRefusal.ended(end.state)) { try end.completed(with: found(), at: noon) }
            #expect(throws: SlotRefusal.ended(end.state)) { try end.expired(at: noon) }
            #expect(throws: SlotRefusal.ended(end.state)) { try end.aborted(at: noon) }
            #expect(throws: SlotRefusal.ended(end.state)) { try end.started() }
            #expect(throws: SlotRefusal.ended(end.state)) {
                try end.rejected(for: .timeout, found: nil, at: noon)
            }
        }
    }

    @Test("What was there before is not what was uploaded, even where it looks the same")
    func prior() throws {
        let old = UploadSlot.Prior.object(etag: "\"old\"", versionID: nil)
        #expect(try slot().judge(nil) == .notFound)
        #expect(try slot(prior: old).judge(found(etag: "\"old\"")) == .notFound)
        #expect(try slot(prior: old).judge(found(etag: "\"old\"", size: 7)) == .notFound)
        #expect(try slot(prior: old).judge(found()) == .matches)
        let versioned = UploadSlot.Prior.object(etag: "\"old\"", versionID: "v1")
        #expect(try slot(prior: versioned).judge(found(etag: "\"old\"", version: "v2")) == .matches)
        #expect(try slot(prior: versioned).judge(found(etag: "\"old\"", version: "v1")) == .notFound)
        // What waits elsewhere was uploaded, whatever is under the key.
        let waiting = UploadSlot.Landing.quarantine(ObjectKey(".gatehouse/quarantine/1/a.png"))
        #expect(try slot(landing: waiting, prior: old).judge(found(etag: "\"old\"")) == .matches)
    }

    @Test("Size, type and checksum are those that were promised")
    func mismatches() throws {
        let sum = [UInt8](repeating: 7, count: 32)
        #expect(try slot().judge(found(size: 99)) == .mismatch([.sizeMismatch]))
        #expect(try slot().judge(found(type: "text/html")) == .mismatch([.contentTypeMismatch]))
        #expect(
            try slot().judge(found(size: 1, type: "a/b")) == .mismatch([.sizeMismatch, .contentTypeMismatch])
        )
        #expect(try slot(sha256: sum).judge(found(sha256: [])) == .mismatch([.checksumMismatch]))
        #expect(try slot(sha256: sum).judge(found(sha256: sum)) == .matches)
        // Where nobody knows the checksum, nobody knows that it is right.
        #expect(try slot(sha256: sum).judge(found()) == .mismatch([.checksumMismatch]))
        #expect(try slot(sha256: sum).judge(found(size: 1)) == .mismatch([.sizeMismatch]))
        #expect(try slot().judge(found(type: "Image/PNG")) == .matches)
        #expect(try slot().judge(found(type: "image/png; charset=x")) == .mismatch([.contentTypeMismatch]))
        #expect(try slot().judge(found(type: "image/png,text/html")) == .mismatch([.contentTypeMismatch]))
        #expect(try slot().judge(found(type: "")) == .mismatch([.contentTypeMismatch]))
    }

    @Test("What was put under the key itself has the metadata that were promised and no others")
    func metadata() throws {
        let issued = try slot(metadata: ["owner": "app", "empty": ""])
        let promised = ObjectProperties(metadata: ["owner": "app"], disposition: "inline; filename=\"a.png\"")
        #expect(issued.judge(found(properties: promised)) == .matches)
        // Of an object that was looked at before, nobody knows them any more.
        #expect(issued.judge(found()) == .matches)
        let others = [
            ObjectProperties(metadata: [:]), ObjectProperties(metadata: ["owner": "attacker"]),
            ObjectProperties(metadata: ["owner": "app", "more": "x"]),
            ObjectProperties(metadata: ["owner": "app"], encoding: "gzip"),
            ObjectProperties(metadata: ["owner": "app"], disposition: "attachment; filename=x.exe"),
        ]
        for other in others {
            #expect(issued.judge(found(properties: other)) == .mismatch([.metadataMismatch]))
            #expect(issued.judge(found(size: 1, properties: other)) == .mismatch([.sizeMismatch]))
        }
        // What waits elsewhere is given its own when it comes to its key.
        let waiting = try self.waiting(metadata: ["owner": "app"])
        #expect(waiting.judge(found(properties: others[1])) == .matches)
    }

    private func waiting(metadata: [String: String] = [:]) throws -> UploadSlot {
        try slot(landing: .quarantine(ObjectKey(".gatehouse/quarantine/1/a.png")), metadata: metadata)
    }

    @Test("A copy of ours has all that it was given, whatever was said of its source")
    func copies() throws {
        let issued = try waiting(metadata: ["owner": "app"])
        let source = found(properties: ObjectProperties(metadata: ["owner": "attacker"]))
        let copy = ObjectProperties(metadata: ["owner": "app"])
        #expect(issued.mayBeCopied(source, as: found(etag: "\"copy\"", properties: copy)))
        #expect(!issued.mayBeCopied(source, as: found(etag: "\"copy\"", properties: source.properties)))
        #expect(!issued.mayBeCopied(source, as: found(etag: "\"copy\"")))
        #expect(!issued.mayBeCopied(source, as: found(size: 1, properties: copy)))
        #expect(!issued.mayBeCopied(source, as: found(type: "text/html", properties: copy)))
    }

    @Test("An object that was there before its bucket had versions is not an upload")
    func priorWithoutVersion() throws {
        let old = try slot(prior: .object(etag: "\"old\"", versionID: nil))
        #expect(old.judge(found(etag: "\"old\"", version: "null")) == .notFound)
        #expect(old.judge(found(etag: "\"old\"", version: "v1")) == .matches)
        #expect(old.judge(found(version: "null")) == .matches)
    }

    @Test("The very bytes that were there before are an upload where the store was told to put them there")
    func replacedByTheSame() throws {
        let old = try slot(prior: .object(etag: "\"new\"", versionID: nil))
        #expect(old.judge(found(etag: "\"new\"")) == .notFound)
        #expect(old.judge(found(etag: "\"new\""), .made) == .matches)
    }

    @Test("An upload that began in time may take as long as its size needs")
    func arrival() throws {
        let large = try slot(size: 5 << 30)
        #expect(large.lastArrival == large.expiresAt + .seconds(5 + (5 << 30) / (256 << 10)))
        #expect(try slot(size: 5 << 40).lastArrival == large.expiresAt + .seconds(6 * 3600))
        #expect(try slot(size: 0).lastArrival == large.expiresAt + .seconds(5))
    }

    @Test("What a slot may leave behind is remembered until it is cleared")
    func leftovers() throws {
        let direct = try slot()
        let upload = UploadSlot.Multipart(uploadID: "u", partSize: 5 << 20)
        let quarantined = try slot(landing: .quarantine(ObjectKey("q/1")))
        #expect(try !direct.completed(with: found(), at: noon).hasLeftovers)
        #expect(try !direct.started(multipart: upload).completed(with: found(), at: noon).hasLeftovers)
        #expect(try !direct.expired(at: noon).hasLeftovers)
        #expect(try direct.started(multipart: upload).expired(at: noon).hasLeftovers)
        #expect(try !direct.rejected(for: .sizeMismatch, found: found(), at: noon).hasLeftovers)
        #expect(try quarantined.rejected(for: .sizeMismatch, found: found(), at: noon).hasLeftovers)
        #expect(try quarantined.completed(with: found(), at: noon).hasLeftovers)
        #expect(try direct.revoked(at: noon).hasLeftovers && direct.aborted(at: noon).hasLeftovers)
        let aborted = try quarantined.aborted(at: noon)
        #expect(aborted.hasLeftovers)
        let cleared = try aborted.cleared()
        #expect(!cleared.hasLeftovers && cleared.state == .aborted && cleared.revision == aborted.revision + 1)
        #expect(cleared.finishedAt == noon && cleared.cause == .byIssuer)
        #expect(throws: SlotRefusal.open) { try quarantined.cleared() }
    }

    @Test("The multipart upload of a slot that was seen may become known later")
    func startedTwice() throws {
        let seen = try slot().started()
        let begun = try seen.started(multipart: UploadSlot.Multipart(uploadID: "u", partSize: 1))
        #expect(begun.multipart?.uploadID == "u" && begun.revision == 2)
        #expect(try begun.started().multipart == begun.multipart)
    }

    @Test("The funnel knows how many are open")
    func funnel() {
        let reached: [SlotFunnel.Step: Int] = [
            .init(.issued): 10, .init(.started): 4, .init(.completed): 3, .init(.expired, .timeout): 2,
            .init(.rejected, .sizeMismatch): 1,
        ]
        #expect(SlotFunnel(reached: reached).open == 4)
    }

    @Test("An upload in quarantine lands under the other key")
    func landing() throws {
        #expect(try slot().landingKey == ObjectKey("a.png"))
        #expect(try slot(landing: .quarantine(ObjectKey("q/1"))).landingKey == ObjectKey("q/1"))
    }
}

@Suite("A grant holds until it ends or is taken back")
struct GrantTests {
    @Test("It covers a key, or keys by their first bytes")
    func reach() {
        #expect(Grant.Reach.key(ObjectKey("a")).covers(ObjectKey("a")))
        #expect(!Grant.Reach.key(ObjectKey("a")).covers(ObjectKey("a/b")))
        #expect(Grant.Reach.prefix(Array("a/".utf8)).covers(ObjectKey("a/b")))
        #expect(!Grant.Reach.prefix(Array("a/".utf8)).covers(ObjectKey("ab")))
        #expect(Grant.Reach.prefix(Array("a".utf8)).covers(ObjectKey("a")))
        #expect(Grant.Reach.prefix(Array("a".utf8)).covers(ObjectKey("a/b")))
        #expect(!Grant.Reach.prefix(Array("a".utf8)).covers(ObjectKey("ab")))
        #expect(!Grant.Reach.prefix(Array("a/b".utf8)).covers(ObjectKey("a")))
        #expect(Grant.Reach.prefix([]).covers(ObjectKey("ab")))
    }

    @Test("Expired and revoked grants are not in force")
    func force() throws {
        func grant(revoked: Instant? = nil) throws -> Grant {
            Grant(
                id: "1",
                subject: .principal("user:bob"),
                bucket: try #require(BucketName(validating: "photos")),
                reach: .key(ObjectKey("a")),
                actions: ActionSet(.getObject),
                grantor: "user:alice",
                issuedAt: noon,
                expiresAt: noon + .seconds(60),
                revokedAt: revoked
            )
        }
        #expect(try grant().isInForce(at: noon + .seconds(59)))
        #expect(try !grant().isInForce(at: noon + .seconds(60)))
        #expect(try !grant(revoked: noon).isInForce(at: noon))
        #expect(try !grant().revoked(at: noon).isInForce(at: noon))
        #expect(try grant(revoked: noon).revoked(at: noon + .seconds(5)).revokedAt == noon)
    }
}
