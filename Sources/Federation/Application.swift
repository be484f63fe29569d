package import AsyncHTTPClient
import Identity
import NIOCore
import NIOHTTP1
import NetworkReasons
package import Pipeline
import S3API
import Synchronization
package import WireFormats

/// `[authorizer]` over HTTP: one POST for everything a request wants, answers remembered for as long as the application
/// says.
package final class Application: Authorizer {
    /// An answer is good for one caller as it asked: with its claims, from its address, under one configuration.
    private struct Key: Hashable, Sendable {
        /// As bytes: names that Unicode calls equal are two.
        let principal: [UInt8]
        let claims: [UInt8]
        let sourceAddress: IPAddress?
        let item: ApplicationQuestion.Item
        let generation: Int
    }

    private struct Entry: Sendable {
        let isAllowed: Bool
        let until: Instant
    }

    private static let remembered = 20_000
    private static let longestTTL = 300.0
    private static let longestAnswer = 64 * 1024

    private let client: HTTPClient
    private let memory = Mutex(RecentEntries<Key, Entry>(limit: remembered))

    package init(client: HTTPClient) {
        self.client = client
    }

    package func known(
        _ question: ApplicationQuestion,
        under snapshot: Snapshot,
        at now: Instant
    ) -> [ApplicationVerdict]? {
        let found = remembered(question, under: snapshot, at: now)
        let known = found.compactMap(\.self)
        return known.count == found.count ? known : nil
    }

    package func verdicts(
        on question: ApplicationQuestion,
        under snapshot: Snapshot,
        at now: Instant
    ) async -> [ApplicationVerdict] {
        guard let settings = snapshot.authorizer else { return question.items.map { _ in .failed("not configured") } }
        var verdicts = remembered(question, under: snapshot, at: now)
        let open = verdicts.indices.filter { verdicts[$0] == nil }
        var asked = question
        asked.items = open.map { question.items[$0] }
        switch await ask(asked, settings) {
        case .failure(let problem):
            for index in open { verdicts[index] = .failed(problem.description) }
        case .success(let answers):
            memory.withLock { memory in
                for (index, answer) in zip(open, answers) {
                    let until = answer.ttl.map { now + .seconds($0) }
                    verdicts[index] = answer.isAllowed ? .allowed(until: until) : .vetoed
                    guard let until, until > now else { continue }
                    let key = key(question, question.items[index], snapshot)
                    memory.insert(Entry(isAllowed: answer.isAllowed, until: until), for: key)
                }
            }
        }
        return verdicts.map { $0 ?? .failed("no answer") }
    }

    private func remembered(
        _ question: ApplicationQuestion,
        under snapshot: Snapshot,
        at now: Instant
    ) -> [ApplicationVerdict?] {
        memory.withLock { memory in
            question.items.map { item in
                guard let entry = memory.value(of: key(question, item, snapshot)), now < entry.until else { return nil }
                return entry.isAllowed ? .allowed(until: entry.until) : .vetoed
            }
        }
    }

    private func key(_ question: ApplicationQuestion, _ item: ApplicationQuestion.Item, _ snapshot: Snapshot) -> Key {
        Key(
            principal: Array(question.principal.description.utf8),
            claims: question.claims,
            sourceAddress: question.sourceAddress,
            item: item,
            generation: snapshot.generation
        )
    }

    // MARK: - Asking

    private struct Answer: Sendable {
        let isAllowed: Bool
        /// Seconds; nil where it says nothing.
        let ttl: Double?
    }

    private func ask(
        _ question: ApplicationQuestion,
        _ settings: AuthorizerSettings
    ) async -> Result<[Answer], DocumentFailure> {
        await withTaskGroup(of: Result<[Answer], DocumentFailure>.self) { tasks in
            tasks.addTask { await self.post(question, settings) }
            tasks.addTask {
                try? await Task.sleep(for: settings.timeout)
                return .failure(DocumentFailure("no answer within \(settings.timeout)"))
            }
            let first = await tasks.next()
            tasks.cancelAll()
            return first ?? .failure(DocumentFailure("not asked"))
        }
    }

    private func post(
        _ question: ApplicationQuestion,
        _ settings: AuthorizerSettings
    ) async -> Result<[Answer], DocumentFailure> {
        var request = HTTPClientRequest(url: settings.url.description)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.headers.add(name: "accept", value: "application/json")
        request.body = .bytes(Self.body(question))
        do {
            let answer = try await client.execute(request, timeout: TimeAmount(settings.timeout))
            guard answer.status == .ok else { return .failure(DocumentFailure("status \(answer.status.code)")) }
            let body = try await answer.body.collect(upTo: Self.longestAnswer + 64 * question.items.count)
            guard let answers = Self.answers(Array(body.readableBytesView), count: question.items.count) else {
                return .failure(DocumentFailure("the answer can't be understood"))
            }
            return .success(answers)
        } catch {
            return .failure(DocumentFailure(NetworkReason(error).description))
        }
    }

    private static func body(_ question: ApplicationQuestion) -> [UInt8] {
        let requests = question.items.map { item -> StrictJSON in
            .object([
                ("action", .string(item.action.rawValue)), ("bucket", item.bucket.map { .string($0) } ?? .null),
                ("key", item.key.map { .string(String(decoding: $0, as: UTF8.self)) } ?? .null),
            ])
        }
        let claims = (try? StrictJSON(parsing: question.claims)) ?? .object([])
        let document: StrictJSON = .object([
            ("principal", .string(question.principal.description)), ("claims", claims),
            ("source_ip", question.sourceAddress.map { .string($0.description) } ?? .null),
            ("requests", .array(requests)),
        ])
        return document.text
    }

    /// One result for each request, in their order; anything else is no answer.
    private static func answers(_ body: [UInt8], count: Int) -> [Answer]? {
        guard case .object(let members)? = try? StrictJSON(parsing: body),
            case .array(let results)? = members.first(where: { $0.name == "results" })?.value, results.count == count
        else { return nil }
        var answers: [Answer] = []
        for result in results {
            guard case .object(let members) = result,
                case .bool(let isAllowed)? = members.first(where: { $0.name == "allow" })?.value
            else { return nil }
            switch members.first(where: { $0.name == "ttl" })?.value {
            case nil: answers.append(Answer(isAllowed: isAllowed, ttl: nil))
            case .number(let text)?:
                guard let ttl = Double(text), ttl >= 0 else { return nil }
                answers.append(Answer(isAllowed: isAllowed, ttl: min(ttl, longestTTL)))
            default: return nil
            }
        }
        return answers
    }
}
