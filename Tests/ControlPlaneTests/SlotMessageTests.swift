import Crypto
import S3API
import Testing
import Valet
import WireFormats

@testable import ControlPlane

@Suite("Events as webhooks get them")
struct SlotMessageTests {
    private func event() throws -> SlotEvent {
        try sampleEvent("a \"b\".png")
    }

    @Test("The body is a CloudEvent of version 1.0")
    func cloudEvent() throws {
        let message = SlotMessage(try event(), from: "https://files.example.com", secret: Secret("s"), at: noon)
        let body = try #require(JSONObject(try StrictJSON(parsing: message.body)))
        #expect(body.text("specversion") == "1.0")
        #expect(body.text("id") == String(repeating: "09", count: 16))
        #expect(body.text("source") == "https://files.example.com")
        #expect(body.text("type") == "gatehouse.upload.issued")
        #expect(body.text("subject") == "photos/a \"b\".png")
        #expect(body.object("data")?.text("key") == "a \"b\".png")
        #expect(body.object("data")?.integer("size") == 5)
        #expect(body.text("data") == nil && body.object("data")?.has("etag") == false)
    }

    @Test(
        "Id, time and body are signed with the secret, as text or as whsec_ has it",
        arguments: [("plain secret", Array("plain secret".utf8)), ("whsec_AAECAw==", [0, 1, 2, 3])]
    )
    func signed(secret: String, key: [UInt8]) throws {
        let later = noon + .seconds(60)
        let message = SlotMessage(try event(), from: "x", secret: Secret(secret), at: later)
        let fields = Dictionary(message.fields, uniquingKeysWith: { first, _ in first })
        #expect(fields["webhook-timestamp"] == String(later.secondsSince1970))
        let signed = Array("\(fields["webhook-id"] ?? "").\(fields["webhook-timestamp"] ?? "").".utf8) + message.body
        let code = HMAC<SHA256>.authenticationCode(for: signed, using: SymmetricKey(data: key))
        #expect(fields["webhook-signature"] == "v1," + Base64.encode(Array(code)))
    }

    @Test("Pauses double up to an hour, and differ from event to event")
    func pauses() throws {
        let event = try event()
        let pauses = (1...20).map { attempts in
            EventDelivery.pause(
                after: OutboxEntry(id: 1, target: "webhook:x", event: event, attempts: attempts, lastFailure: "")
            )
        }
        #expect(pauses[0] >= .milliseconds(1500) && pauses[0] <= .milliseconds(2500))
        #expect(pauses[19] >= .seconds(2700) && pauses[19] <= .seconds(4500))
        #expect(Set(pauses[12...]).count > 1)
    }

    @Test(
        "Numbers of parts are read strictly",
        arguments: [("1-3", [1, 2, 3]), ("7", [7]), ("1,3-4", [1, 3, 4]), ("10000", [10_000])]
    )
    func numbers(text: String, numbers: [Int]) throws {
        #expect(try PartNumbers(text).numbers == numbers)
    }

    @Test(
        "What is no number of a part, or asks for too many, is refused",
        arguments: [
            "", "0", "-1", "1-", "-", "2-1", "1-101", "10001", "1,,2", "a", "+1", "1-2-3", "99999999999999999999",
        ]
    )
    func badNumbers(text: String) {
        #expect(throws: APIFailure.self) { try PartNumbers(text) }
    }
}
