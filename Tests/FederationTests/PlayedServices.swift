import Federation
import Identity
import Synchronization
import WireFormats

/// Token services played by a test: what was asked, and what is answered.
final class PlayedServices: ExchangeTransport {
    struct Asked: Sendable {
        let request: ExchangeRequest

        var line: String { request.method.rawValue + " " + request.url }
        var form: [String: String] {
            var values: [String: String] = [:]
            for pair in String(decoding: request.body.reveal(), as: UTF8.self).split(separator: "&") {
                let parts = pair.split(separator: "=", maxSplits: 1).map { part in
                    String(decoding: (try? PercentEncoding.decode(part.utf8)) ?? [], as: UTF8.self)
                }
                values[parts[0]] = parts.count > 1 ? parts[1] : ""
            }
            return values
        }
        func field(_ name: String) -> String? { request.fields.reveal().first { $0.name == name }?.value }
    }

    private struct State {
        var asked: [Asked] = []
        var answers: [(status: Int, body: String)]
    }

    private let state: Mutex<State>
    /// Before it answers.
    private let pause: @Sendable (ExchangeRequest) async -> Void

    /// - Parameter answers: in their order; the last one again and again.
    init(
        _ answers: [(status: Int, body: String)],
        pause: @escaping @Sendable (ExchangeRequest) async -> Void = { _ in }
    ) {
        state = Mutex(State(answers: answers))
        self.pause = pause
    }

    var asked: [Asked] { state.withLock(\.asked) }

    func answer(_ answers: [(status: Int, body: String)]) { state.withLock { $0.answers = answers } }

    func send(_ request: ExchangeRequest) async throws(ExchangeFailure) -> ExchangeAnswer {
        let next = state.withLock { state in
            state.asked.append(Asked(request: request))
            return state.answers.count > 1 ? state.answers.removeFirst() : state.answers.first
        }
        await pause(request)
        guard let next else { throw ExchangeFailure("nobody is there") }
        return ExchangeAnswer(status: next.status, body: Array(next.body.utf8))
    }
}

/// What services answer, as their documentation shows it.
enum PlayedAnswers {
    static func session(_ action: String, id: String, expires: String = "2030-01-01T00:00:00Z") -> String {
        """
        <\(action)Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><\(action)Result>
        <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/R/gatehouse</Arn></AssumedRoleUser>
        <Credentials><SessionToken>session-\(id)</SessionToken><SecretAccessKey>secret-\(id)</SecretAccessKey>
        <Expiration>\(expires)</Expiration><AccessKeyId>\(id)</AccessKeyId></Credentials>
        </\(action)Result><ResponseMetadata><RequestId>x</RequestId></ResponseMetadata></\(action)Response>
        """
    }
}

extension Surroundings {
    /// A clock that stands still, an environment and files of the test's own.
    static func played(
        at now: Instant = Instant(secondsSince1970: 1_767_225_600),
        environment: [String: String] = [:],
        files: [String: String] = [:]
    ) -> Surroundings {
        struct Missing: Error {}
        return Surroundings(
            now: { now },
            environment: { environment[$0] },
            read: { path in
                guard let text = files[path] else { throw Missing() }
                return Array(text.utf8)
            },
            random: { [UInt8](repeating: 7, count: $0) }
        )
    }
}
