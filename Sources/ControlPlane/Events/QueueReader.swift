package import Backends
import Crypto
import HTTP1
package import Logging
package import Pipeline
import ServiceLifecycle
package import Signatures
package import WireFormats

/// Takes stores' events out of an SQS queue, by long polling (SQS API reference, the JSON protocol: ReceiveMessage,
/// DeleteMessage).
package struct QueueReader: Service {
    /// Which queue, and how it is asked.
    package struct Place: Sendable {
        /// As messages name it.
        package let queueURL: String
        /// Where the service is.
        package let endpoint: Endpoint
        /// Nil: requests go out unsigned.
        package let signer: SigV4Signer?

        package init(queueURL: String, endpoint: Endpoint, signer: SigV4Signer?) {
            self.queueURL = queueURL
            self.endpoint = endpoint
            self.signer = signer
        }
    }

    private let place: Place
    private let upstream: Upstream
    private let events: StoreEvents
    private let client: StoreClient
    private let snapshot: @Sendable () -> Snapshot
    private let now: @Sendable () -> Instant
    private let logger: Logger

    private static let wait = 20
    private static let longestPause = Duration.seconds(60)

    package init(
        _ place: Place,
        _ events: StoreEvents,
        _ client: StoreClient,
        snapshot: @escaping @Sendable () -> Snapshot,
        now: @escaping @Sendable () -> Instant,
        logger: Logger
    ) {
        self.place = place
        self.events = events
        self.client = client
        self.snapshot = snapshot
        self.now = now
        self.logger = logger
        upstream = Upstream(
            name: "sqs",
            endpoint: place.endpoint,
            responseTimeout: .seconds(Self.wait + 10)
        )
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var pause = Duration.seconds(1)
            while !Task.isCancelled {
                do throws(Trouble) {
                    for message in try await receive() { await handle(message) }
                    pause = .seconds(1)
                } catch {
                    if Task.isCancelled { return }
                    logger.warning("the queue can't be read", metadata: ["reason": "\(error.reason)"])
                    try? await Task.sleep(for: pause)
                    pause = min(pause * 2, Self.longestPause)
                }
            }
        }
    }

    private struct Trouble: Error {
        let reason: String
    }

    private struct Message {
        let handle: String
        let body: [UInt8]
        /// How often it was handed out, this time included.
        let tries: Int
    }

    private func receive() async throws(Trouble) -> [Message] {
        let answer = try await ask(
            "ReceiveMessage",
            [
                ("MaxNumberOfMessages", .integer(10)), ("WaitTimeSeconds", .integer(Int64(Self.wait))),
                ("VisibilityTimeout", .integer(30)),
                ("AttributeNames", .array([.string("ApproximateReceiveCount")])),
            ]
        )
        return (answer.objects("Messages") ?? []).compactMap { message in
            guard let handle = message.text("ReceiptHandle"), let body = message.text("Body") else { return nil }
            let tries = message.object("Attributes")?.text("ApproximateReceiveCount").flatMap { Int($0) }
            return Message(handle: handle, body: Array(body.utf8), tries: tries ?? 1)
        }
    }

    /// What was taken in is removed; the rest comes again by itself.
    private func handle(_ message: Message) async {
        let outcome = await events.take(message.body, from: nil, under: snapshot())
        if events.drops(outcome, handedOut: message.tries) {
            let why =
                if case .unreadable = outcome { "it is not understood" } else { "nothing can be done about it" }
            logger.warning(
                "a message of the queue is dropped",
                metadata: ["reason": "\(why)", "tries": "\(message.tries)"]
            )
        } else if outcome != .handled {
            return
        }
        do throws(Trouble) {
            _ = try await ask("DeleteMessage", [("ReceiptHandle", .string(message.handle))])
        } catch {
            logger.warning("a message can't be removed from the queue", metadata: ["reason": "\(error.reason)"])
        }
    }

    private func ask(_ action: String, _ members: [(name: String, value: StrictJSON)]) async throws(Trouble)
        -> JSONObject
    {
        let body = StrictJSON.object([(name: "QueueUrl", value: .string(place.queueURL))] + members).text
        var head = OutgoingRequest(method: .post, path: [UInt8(ascii: "/")])
        head.fields.append("host", place.endpoint.authority)
        head.fields.append("content-type", "application/x-amz-json-1.0")
        head.fields.append("x-amz-target", "AmazonSQS." + action)
        place.signer?.sign(&head, payload: .sha256(Array(SHA256.hash(data: body))), at: now())
        let answer: StoreClient.Answer
        do {
            answer = try await client.send(OwnRequest(head: head, body: body), to: upstream)
        } catch {
            throw Trouble(reason: "\(error)")
        }
        guard answer.status == 200 else { throw Trouble(reason: "\(action) was answered \(answer.status)") }
        guard !answer.body.isEmpty else { return JSONObject() }
        guard let document = try? StrictJSON(parsing: answer.body), let object = JSONObject(document) else {
            throw Trouble(reason: "\(action) was answered with something else than JSON")
        }
        return object
    }
}
