package import Admission
package import Identity
package import S3API
package import WireFormats

/// What the pipeline made of a request: what to do, and what the logs shall say.
package struct Decision: Sendable {
    package private(set) var plan: Plan
    package var client: IPAddress?
    /// Nil where the caller is not known.
    package var principal: Principal?
    /// A label of a closed list.
    package var operation: StaticString = "none"
    package var bucket: BucketName?
    package var key: ObjectKey?
    package var outcome: Outcome = .undecided
    /// Why, for logs only.
    package var reason = ""
    /// Where authentication failed: why, as a label of a closed list.
    package var failure: StaticString = "none"
    /// Field lines of the bucket; empty: those of the server.
    package var hardening: [UInt8] = []
    /// What the request holds of its principal's limits until it ends.
    package var permit: Limiter.Permit?

    package enum Outcome: Sendable {
        case allowed, denied, unauthenticated, limited, undecided
    }

    func with(_ plan: Plan) -> Decision {
        var decision = self
        decision.plan = plan
        return decision
    }
}
