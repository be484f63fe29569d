import Backends
import Identity
import S3API

/// ListBuckets: the configured buckets, and those of the account that owns all others, as far as the caller may list
/// them.
struct BucketListing: Sendable {
    /// A store with more buckets than fit into so many pages is listed in part: it is not made for this.
    private static let maxPages = 100

    private let admitted: Admitted
    private let asking: Asking

    init(_ admitted: Admitted, _ asking: Asking) {
        self.admitted = admitted
        self.asking = asking
    }

    func plan() throws(Refusal) -> Plan {
        let page: BucketPage
        do {
            page = try BucketPage(admitted.request.query)
        } catch {
            throw .request(error)
        }
        let named = asking.snapshot.namedBuckets.filter { admitted.mayList($0.name, $0.facts, asking) }
        let entries = named.map { BucketList.Entry(name: $0.name.string) }
        guard let account = asking.snapshot.openAccount else { return .reply(reply(entries, page)) }
        return collect(page, of: account, token: nil, after: entries, number: 1)
    }

    private func collect(
        _ page: BucketPage,
        of account: OpenAccount,
        token: String?,
        after entries: [BucketList.Entry],
        number: Int
    ) -> Plan {
        let answer = StoreAnswer(admitted, asking, account.upstream) { document in
            let found = entries + visible(BucketList(parsing: document)?.entries ?? [])
            guard number < Self.maxPages, let next = BucketList.continuationToken(in: document) else {
                return .reply(reply(found, page))
            }
            return collect(page, of: account, token: next, after: found, number: number + 1)
        }
        return .forward(
            Forward(
                admitted: admitted,
                upstream: account.upstream,
                request: account.backend.listBucketsRequest(continuationToken: token, at: asking.now),
                body: .none,
                replay: .allowed,
                answer: { head in
                    answer.answer(
                        account.backend.answer(to: admitted.request, head: head, view: asking.snapshot.server.view)
                    )
                }
            )
        )
    }

    /// Of the store's buckets, those that are reached under their own name and that the caller may list.
    private func visible(_ entries: [BucketList.Entry]) -> [BucketList.Entry] {
        entries.filter { entry in
            guard let name = BucketName(validating: entry.name), let bucket = asking.snapshot.bucket(name) else {
                return false
            }
            return bucket.isOfOpenAccount && admitted.mayList(name, bucket.facts, asking)
        }
    }

    private func reply(_ entries: [BucketList.Entry], _ page: BucketPage) -> Reply {
        let owner = admitted.principal.description
        return .xml(page.list(of: entries, owner: owner, region: asking.snapshot.server.region).document())
    }
}
