import Backends
import HTTP1
import WireFormats

/// What URLs that lead to a store are signed with, and so what they end with.
public enum URLBasis: Sendable {
    /// What the configuration holds, which does not end; or nothing.
    case lasting
    /// Something that is obtained and renewed: what requests are made with, or another credential for URLs alone.
    case leased(CredentialLease)
    /// Somebody who is asked for each signature.
    case asked(any URLSignatory)

    var lease: CredentialLease? { if case .leased(let lease) = self { lease } else { nil } }
}

/// Makes signatures where the key is: an I/O port.
public protocol URLSignatory: Sendable {
    /// How long a signature holds at most.
    var longestLifetime: Duration { get }
    func signature(of text: [UInt8]) async -> SignatureFinding
}

/// What became of the wish for a signature.
public enum SignatureFinding: Hashable, Sendable {
    case made([UInt8])
    /// The reason is for the log.
    case unavailable(reason: String)
}

extension Bucket {
    /// What is obtained for its store.
    var leases: [CredentialLease] {
        [lease, urls.lease].compactMap(\.self).reduce(into: []) { leases, lease in
            if !leases.contains(where: { $0.source == lease.source }) { leases.append(lease) }
        }
    }

    /// Whether URLs to its store can be made now that permit this method alone; a signature may still have to be asked for.
    func signsURLs(of method: HTTPMethod, at now: Instant) -> Bool {
        backend.signsURLs(of: method) && !lacksURLCredential(at: now)
    }

    /// Whether what signs URLs to its store is obtained, and can't be had now.
    func lacksURLCredential(at now: Instant) -> Bool { urls.lease.map { !$0.isUsable(at: now) } ?? false }
}

extension URLWish {
    /// The same, but for what the URL's signature ends with.
    func limited(by urls: URLBasis, at now: Instant) -> URLWish {
        let end: Instant? =
            switch urls {
            case .lasting: nil
            case .leased(let lease): lease.term?.expiresAt
            case .asked(let signatory): now + signatory.longestLifetime
            }
        guard let end else { return self }
        var wish = self
        wish.limits.append((.backendCredential, end))
        return wish
    }
}
