import Backends
import HTTP1
import Identity
import S3API

/// A browser's question before a request of another origin (Fetch standard, "CORS-preflight fetch"). It has no
/// credential and needs none: what it is told is no secret, and what it announces is judged when it comes. Only this
/// file makes one, and of a ``Forward`` it can only make one that asks a store the same question.
public struct Preflight: Sendable {
    private let asking: Asking
    private let question: CORSConfiguration.Preflight

    fileprivate init(_ asking: Asking) throws(S3Error) {
        self.asking = asking
        question = try CORSConfiguration.Preflight(asking.head.fields)
    }

    /// The bucket's rules where it has some; else whatever the store says of its own bucket.
    fileprivate func plan(by bucket: Bucket?) throws(S3Error) -> Plan {
        guard let bucket else { throw CrossOriginRules.notAllowed }
        if let rules = bucket.crossOrigin { return .reply(try rules.preflight(question)) }
        guard let address = asking.address, let store = bucket.backend as? S3Backend else {
            throw CrossOriginRules.notAllowed
        }
        let request = try store.preflightRequest(
            for: address,
            origin: question.origin,
            method: question.method,
            headers: question.headerList
        )
        return .forward(
            Forward(preflight: self, upstream: bucket.upstream, request: request) { head in .reply(answer(head)) }
        )
    }

    /// For our own paths, by the server's rules.
    fileprivate func plan(by rules: CrossOriginRules?) throws(S3Error) -> Plan {
        guard let rules else { throw CrossOriginRules.notAllowed }
        return .reply(try rules.preflight(question))
    }

    /// The store's leave, and nothing else of its answer.
    private func answer(_ head: ResponseHead) -> Reply {
        guard (200...299).contains(head.status), head.fields.first("access-control-allow-origin") != nil else {
            return asking.reply(CrossOriginRules.notAllowed)
        }
        var reply = Reply(status: 200)
        for entry in head.fields.entries
        where head.fields.hasPrefix(entry, "access-control-") || head.fields.isNamed(entry, "vary") {
            reply.fields.append(entry, of: head.fields, lowercasing: .name)
        }
        return reply
    }
}

extension Pipeline {
    /// What becomes of an `OPTIONS`. One that a store must answer counts as an anonymous request: it costs as much.
    mutating func preflight(_ asking: Asking, _ owner: PathOwner, noting notes: Decision) -> Decision {
        var decision = notes
        decision.operation = "Preflight"
        let bucket = owner == .s3 ? asking.bucketOfHost : nil
        decision.bucket = bucket?.name
        // Whether or not there is such a bucket, and whether it has rules.
        if owner == .s3 || decision.crossOrigin != nil { decision.crossOrigin = .varying }
        do throws(Refusal) {
            do throws(S3Error) {
                let preflight = try Preflight(asking)
                decision.plan =
                    try owner == .s3
                    ? preflight.plan(by: bucket) : preflight.plan(by: asking.snapshot.server.crossOrigin)
            } catch {
                throw .request(error)
            }
            if case .forward = decision.plan { decision.permit = try limitAnonymous(asking) }
        } catch {
            decision.outcome = error.outcome
            decision.reason = error.reason
            decision.plan = .reply(asking.reply(error.error))
        }
        return decision
    }
}

extension Asking {
    fileprivate var address: S3Address? {
        (try? S3Address.locate(
            host: origin.host,
            path: head.path,
            domains: snapshot.server.domains,
            rules: snapshot.server.keyRules
        ))?.address
    }

    /// What an answer says to browsers while its caller is nobody who has a right in the bucket: a page that its rules allow
    /// may read why it is refused, and to everybody else it is like one that does not exist.
    func crossOriginForAnybody(_ bucket: Bucket?) -> CrossOriginFields {
        bucket?.crossOrigin?.fields(for: head) ?? .varying
    }

    /// The bucket that is asked about, also where its key or query can't be read.
    var bucketOfHost: Bucket? {
        let path = head.path.prefix { $0 != UInt8(ascii: "?") }
        let name = path.dropFirst().prefix { $0 != UInt8(ascii: "/") }
        let located =
            (try? S3Address.locate(
                host: origin.host,
                path: [UInt8(ascii: "/")] + name,
                domains: snapshot.server.domains
            ))
            ?? (try? S3Address.locate(host: origin.host, path: "/".utf8, domains: snapshot.server.domains))
        return located?.address.bucket.flatMap(snapshot.bucket)
    }
}
