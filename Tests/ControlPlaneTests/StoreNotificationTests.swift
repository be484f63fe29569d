import Testing

@testable import ControlPlane

@Suite("What stores say has happened, in each of its forms")
struct StoreNotificationTests {
    private static func record(
        _ name: String = "ObjectCreated:Put",
        key: String = "a+b%2Bc/%C3%BC",
        version: String = "2.1"
    ) -> String {
        """
        {"Records":[{"eventVersion":"\(version)","eventSource":"aws:s3","eventName":"\(name)",
        "s3":{"bucket":{"name":"photos"},"object":{"key":"\(key)","size":1,"sequencer":"0A"}}}]}
        """
    }

    private static func inSNS(_ text: String) -> String {
        let quoted = text.replacing("\"", with: "\\\"").replacing("\n", with: "")
        return "{\"Type\":\"Notification\",\"TopicArn\":\"t\",\"Message\":\"\(quoted)\"}"
    }

    private let expected = StoreNotification.Record(bucket: "photos", key: Array("a b+c/ü".utf8))

    @Test(
        "A created object is found",
        arguments: [
            record(), record("s3:ObjectCreated:CompleteMultipartUpload", version: "3.0"), inSNS(record()),
            """
            {"source":"aws.s3","detail-type":"Object Created",
            "detail":{"bucket":{"name":"photos"},"object":{"key":"a b+c/ü"}}}
            """,
        ]
    )
    func created(text: String) throws {
        let notification = try #require(StoreNotification(Array(text.utf8)))
        #expect(notification.created == [expected])
    }

    @Test(
        "What is about something else is understood, and asks for nothing",
        arguments: [
            record("ObjectRemoved:Delete"), "{\"Event\":\"s3:TestEvent\"}", "{\"Records\":[]}",
            "{\"Type\":\"SubscriptionConfirmation\",\"TopicArn\":\"t\",\"SubscribeURL\":\"http://169.254.169.254/\"}",
            "{\"source\":\"aws.s3\",\"detail-type\":\"Object Deleted\",\"detail\":{\"bucket\":{\"name\":\"b\"},\"object\":{\"key\":\"k\"}}}",
        ]
    )
    func others(text: String) throws {
        #expect(try #require(StoreNotification(Array(text.utf8))).created.isEmpty)
    }

    @Test(
        "What is none of the forms is not guessed at",
        arguments: [
            "", "[]", "null", "{}", "{\"Records\":5}", "{\"Records\":[{}]}", record(key: "%zz"), record(version: "1.0"),
            "{\"Records\":[{\"eventName\":\"ObjectCreated:Put\"}]}", "{\"Type\":\"Notification\",\"TopicArn\":\"t\"}",
            "{\"Type\":\"Other\",\"TopicArn\":\"t\"}", inSNS("{}"), inSNS(inSNS(inSNS(record()))),
            "{\"source\":\"aws.s3\",\"detail\":{}}", "{\"Records\":[],\"Records\":[]}",
        ]
    )
    func unreadable(text: String) {
        #expect(StoreNotification(Array(text.utf8)) == nil)
    }
}
