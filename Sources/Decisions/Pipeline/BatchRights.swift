import Admission
import S3API

/// Which keys of a DeleteObjects may be deleted. What is the same for all of them is looked at once: neither what a policy of
/// the caller's own costs, nor what they send along with it, is multiplied by the number of keys.
struct BatchRights: Sendable {
    private let question: AccessQuestion
    private let bucket: BucketName?
    private let asking: Asking
    private let actions: @Sendable (DeleteRequest.Entry) -> ActionSet

    init(
        _ question: AccessQuestion,
        in bucket: BucketName?,
        _ asking: Asking,
        actions: @escaping @Sendable (DeleteRequest.Entry) -> ActionSet
    ) {
        var values = KnownValues(asking)
        self.question = question.settled { values.value($0) }
        self.bucket = bucket
        self.asking = asking
        self.actions = actions
    }

    /// Whether a policy takes part that the caller chose, of which each key's version may be a condition: how long that takes is
    /// for whoever wrote both to say.
    var costIsOfCaller: Bool { !question.sessionPolicies.isEmpty }

    /// The keys among these that may be deleted, by their places.
    func permitted(_ entries: ArraySlice<DeleteRequest.Entry>) throws(Refusal) -> [Int] {
        guard let bucket else { return [] }
        var values = KnownValues(asking)
        var permitted: [Int] = []
        for place in entries.indices {
            let entry = entries[place]
            guard !asking.snapshot.uploads.isQuarantined(entry.key) else { continue }
            var one = question
            one.actions = actions(entry)
            one.target = .object(bucket, entry.key)
            one.versionID = entry.versionID.map { Array($0.utf8) }
            let verdict = asking.verdict(on: one) { value in
                // Of a batch each object says by itself what it has to be.
                guard value == .header("if-match") else { return values.value(value) }
                return entry.conditions[.etag].map { [Array($0.utf8)] } ?? []
            }
            guard !asking.state.isMissing(for: verdict) else { throw .stateAway }
            switch verdict {
            // A use for each key of a batch is more than can be taken before the first one is deleted.
            case .allowed(.countedGrant), .denied: continue
            case .allowed: permitted.append(place)
            }
        }
        return permitted
    }
}

/// What policies asked of a request, read once.
private struct KnownValues {
    private let asking: Asking
    private var known: [RequestValue: [[UInt8]]] = [:]

    init(_ asking: Asking) { self.asking = asking }

    mutating func value(_ value: RequestValue) -> [[UInt8]] {
        if let values = known[value] { return values }
        let values = asking.values(value)
        known[value] = values
        return values
    }
}
