import Backends
import Pipeline
import S3API
import Synchronization
import Valet
import WireFormats

/// Which of the conditions that slots rest on a store heeds. What a store calls itself does not say it, so each is asked
/// once, with two empty objects in quarantine, before the first slot is issued for it.
final class StoreConditions: Sendable {
    struct Heeded: Hashable, Sendable {
        /// `If-None-Match: *` of a PUT: nothing is replaced.
        let absence: Bool
        /// `x-amz-copy-source-if-match`: what is copied is what was looked at.
        let source: Bool

        static let all = Heeded(absence: true, source: true)
    }

    /// By endpoint: as many as the configuration names.
    private let known = Mutex<[Endpoint: Heeded]>([:])
    private let turns = SlotTurns()

    /// An ETag that nothing has: of MD5's form, and of no object that is as small.
    private static let noETag = "\"00000000000000000000000000000000\""

    /// - Parameter random: so many unpredictable bytes.
    /// - Throws: what the store's failure is; nothing is remembered then.
    func heeded(
        at place: SlotPlace,
        under rules: UploadRules,
        random: @escaping @Sendable (Int) -> [UInt8]
    ) async throws(APIFailure) -> Heeded {
        let endpoint = place.bucket.backend.endpoint
        if endpoint.isOfAWS || endpoint.isEmbedded { return .all }
        if let heeded = known.withLock({ $0[endpoint] }) { return heeded }
        // Those who come meanwhile wait for the one answer.
        return try await turns.take(endpoint.description) { [self] () async throws(APIFailure) -> Heeded in
            if let heeded = known.withLock({ $0[endpoint] }) { return heeded }
            let first: ObjectKey
            let second: ObjectKey
            do throws(S3Error) {
                let id = Hex.encode(random(16))
                first = try rules.quarantined(ObjectKey("condition"), of: id)
                second = try rules.quarantined(ObjectKey("copy"), of: id)
            } catch {
                throw APIFailure(error)
            }
            let heeded = try await Self.ask(place, first, second)
            known.withLock { $0[endpoint] = heeded }
            return heeded
        }
    }

    private static func ask(
        _ place: SlotPlace,
        _ first: ObjectKey,
        _ second: ObjectKey
    ) async throws(APIFailure) -> Heeded {
        var made: [(key: ObjectKey, versionID: String?)] = []
        let outcome: Result<Heeded, APIFailure>
        do throws(APIFailure) {
            var isAbsenceHeeded = false
            switch try await place.put(first, if: .absent) {
            case .done(let version):
                made.append((first, version))
                switch try await place.put(first, if: .absent) {
                case .refused: isAbsenceHeeded = true
                case .done(let version): made.append((first, version))
                case .unknown: break
                }
            case .refused, .unknown:
                if case .done(let version) = try await place.put(first, if: .any) { made.append((first, version)) }
            }
            var isSourceHeeded = false
            switch try await place.copy(first, etag: noETag, to: second) {
            case .refused: isSourceHeeded = true
            case .done(let version): made.append((second, version))
            case .unknown: break
            }
            outcome = .success(Heeded(absence: isAbsenceHeeded, source: isSourceHeeded))
        } catch {
            outcome = .failure(error)
        }
        for (key, version) in made {
            // What stays is empty, and seen by nobody.
            try? await place.removeQuarantined(key, versionID: version)
        }
        return try outcome.get()
    }
}
