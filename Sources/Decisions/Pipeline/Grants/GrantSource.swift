public import Admission
public import HTTP1
public import S3API
import Synchronization
public import WireFormats

/// What the pipeline knows of grants: the table that decisions read, and who counts the uses of those that can be used up.
public struct GrantSource: Sendable {
    public let book: GrantBook
    public let counter: any UseCounter

    public init(book: GrantBook, counter: any UseCounter) {
        self.book = book
        self.counter = counter
    }
}

/// A URL of a store that rests on a grant: taking the grant back does not end it.
public struct URLOnGrant: Hashable, Sendable {
    public let grant: String
    public let method: HTTPMethod
    public let bucket: BucketName
    public let key: ObjectKey
    public let expiresAt: Instant

    /// What remains of a URL when the grants are taken back that it rests on: one for each of them.
    static func all(_ wish: URLWish, _ verdict: Verdict, until end: Instant) -> [URLOnGrant] {
        verdict.grants.map {
            URLOnGrant(grant: $0, method: wish.method, bucket: wish.bucket, key: wish.key, expiresAt: end)
        }
    }
}

/// Counts the uses of grants, and what was handed out on their account: an I/O port, since all instances do it together.
public protocol UseCounter: Sendable {
    func take(_ grant: String, _ kind: UseOfGrant, from address: IPAddress?, at now: Instant) async -> TakenUse
    /// A use that was taken is made, so that its address may go on with it: from the next ``take(_:_:from:at:)`` on. Does not
    /// wait.
    func keep(_ grant: String, from address: IPAddress, at now: Instant)
    /// A use that was taken came to nothing. Does not wait.
    func giveBack(_ grant: String)
    /// Keeps a URL for whoever takes its grant back.
    /// - Returns: false where it could not be kept: then it must not be handed out.
    func remember(_ url: URLOnGrant) async -> Bool
}

/// What somebody does with a grant that can be used up.
public enum UseOfGrant: Hashable, Sendable {
    /// Takes a use.
    case fresh
    /// A later part of an object: free for the address that used the grant a short time ago.
    case continuing
    /// Takes nothing, and is refused where nothing is left.
    case looking
}

public enum TakenUse: Hashable, Sendable {
    case counted
    /// Nothing was taken.
    case free
    /// Nothing is left, or the grant is no more.
    case refused
    /// Nobody can count at the moment.
    case unavailable(reason: String)
}

/// Uses that were taken for one request. Given back where nobody says that they were made.
final class UseTicket: Sendable {
    let grants: [String: TakenUse]
    private let counter: any UseCounter
    private let address: IPAddress?
    private let takenAt: Instant
    private let isKept = Atomic<Bool>(false)

    init(_ grants: [String: TakenUse], of counter: any UseCounter, from address: IPAddress?, at now: Instant) {
        self.grants = grants
        self.counter = counter
        self.address = address
        takenAt = now
    }

    var isFree: Bool { !grants.values.contains(.counted) }

    func keep() {
        guard !isKept.exchange(true, ordering: .acquiringAndReleasing), let address else { return }
        for (grant, taken) in grants where taken == .counted { counter.keep(grant, from: address, at: takenAt) }
    }

    deinit {
        guard !isKept.load(ordering: .acquiring) else { return }
        for (grant, taken) in grants where taken == .counted { counter.giveBack(grant) }
    }
}
