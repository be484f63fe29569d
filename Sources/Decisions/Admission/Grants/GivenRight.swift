public import Identity
public import S3API
public import WireFormats

/// A grant as decisions see it: what somebody who may do it let somebody else do.
public struct GivenRight: Sendable {
    public let id: String
    public let bucket: BucketName
    public let reach: Reach
    /// With what they imply.
    public let actions: ActionSet
    public let giver: Giver
    /// What ends whatever the giver had issued up to an instant ends it by this.
    public let issuedAt: Instant
    public let expiresAt: Instant
    public let uses: Uses
    /// Where the holder has to come from; nil: from anywhere.
    public let source: CIDR?
    /// What it permits where it is for a prefix; nil: it is for a key.
    private let scope: Scope?

    public enum Reach: Hashable, Sendable {
        case key(ObjectKey)
        /// As the prefixes of scopes.
        case prefix([UInt8])
    }

    public enum Uses: Sendable {
        case unlimited
        /// Each one is taken before it is made.
        case counted
    }

    public init(
        id: String,
        bucket: BucketName,
        reach: Reach,
        actions: ActionSet,
        giver: Giver,
        issuedAt: Instant,
        expiresAt: Instant,
        uses: Uses = .unlimited,
        source: CIDR? = nil
    ) {
        self.id = id
        self.bucket = bucket
        self.reach = reach
        self.actions = actions.withImplied.intersection(.grantable)
        self.giver = giver
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.uses = uses
        self.source = source
        switch reach {
        case .key: scope = nil
        case .prefix(let prefix):
            scope = Scope(
                bucket: .named(bucket),
                prefixes: [prefix],
                actions: self.actions,
                namesEveryAction: false
            )
        }
    }

    /// Of these actions, the ones that it is about at that place and in these circumstances.
    func permitted(_ wanted: ActionSet, for question: AccessQuestion) -> ActionSet {
        let common = actions.intersection(wanted)
        guard !common.isEmpty, question.circumstances.now < expiresAt, comesFrom(question.circumstances) else {
            return []
        }
        if let scope { return scope.permitted(at: question.target, question.bucket).intersection(wanted) }
        guard case .object(bucket, let key) = question.target, reach == .key(key) else { return [] }
        return common
    }

    /// Without an address that can be trusted, nobody comes from anywhere in particular.
    private func comesFrom(_ circumstances: AccessQuestion.Circumstances) -> Bool {
        guard let source else { return true }
        return circumstances.sourceAddress.map(source.contains) ?? false
    }
}

/// Who gave a right: what they may do is asked again whenever it is used.
public struct Giver: Hashable, Sendable {
    public let principal: Principal
    /// What the token said by which they were known when they gave it; empty for those who have none.
    public let claims: [String: String]

    public init(_ principal: Principal, claims: [String: String] = [:]) {
        self.principal = principal
        self.claims = claims
    }
}

extension ActionSet {
    /// What can be given to others: objects and their listings. Never to share: who was given something can't give it on.
    public static let grantable: ActionSet = all.subtracting(ActionSet(.listAllMyBuckets))
    /// What holders of links may do.
    public static let linkable = ActionSet([.getObject, .headObject])
}
