import Testing
import WireFormats

@testable import Identity

@Suite struct AccessKeyTableTests {
    private let start = Instant(secondsSince1970: 1_700_000_000)

    private func key(_ id: String, enabled: Bool = true, expiresAt: Instant? = nil) -> AccessKey {
        AccessKey(id: id, secret: Secret("s"), principalName: "dash", enabled: enabled, expiresAt: expiresAt)
    }

    @Test func findsAKeyByItsExactID() throws {
        let table = try AccessKeyTable([key("AKONE"), key("AKTWO")])
        #expect(try table.find("AKTWO", at: start).id == "AKTWO")
        #expect(try table.find("AKONE", at: start).principal == .key("dash"))
        for id in ["", "akone", "AKONE ", "AKON", "AKONEE", "dash"] {
            #expect(throws: AccessKeyRefusal.unknown) { try table.find(id, at: start) }
        }
    }

    @Test func saysWhetherAKeyIsDisabledOrExpired() throws {
        let table = try AccessKeyTable([
            key("OFF", enabled: false), key("OLD", expiresAt: start), key("BOTH", enabled: false, expiresAt: start),
        ])
        #expect(throws: AccessKeyRefusal.disabled) { try table.find("OFF", at: start) }
        #expect(throws: AccessKeyRefusal.disabled) { try table.find("BOTH", at: start) }
        #expect(throws: AccessKeyRefusal.expired) { try table.find("OLD", at: start) }
    }

    @Test func aKeyEndsAtItsExpiryAndNotBefore() throws {
        let table = try AccessKeyTable([key("K", expiresAt: start)])
        #expect(try table.find("K", at: start - .nanoseconds(1)).id == "K")
        #expect(throws: AccessKeyRefusal.expired) { try table.find("K", at: start) }
        #expect(throws: AccessKeyRefusal.expired) { try table.find("K", at: start + .seconds(1)) }
    }

    @Test func refusesTwoKeysOfOneIDAndAnEmptyID() {
        #expect(throws: AccessKeyTableError.duplicateID("A")) { try AccessKeyTable([key("A"), key("A")]) }
        #expect(throws: AccessKeyTableError.emptyID(principalName: "dash")) { try AccessKeyTable([key("")]) }
    }

    @Test func aSecretIsNotPrinted() {
        let key = AccessKey(id: "A", secret: Secret("planted-secret"), principalName: "p")
        #expect(!"\(key)".contains("planted"))
        #expect(!String(reflecting: key).contains("planted"))
    }
}
