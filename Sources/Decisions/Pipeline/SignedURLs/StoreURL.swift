import Backends
import S3API
import WireFormats

/// A URL that leads to a store.
enum StoreURL: Sendable {
    case signed(PresignedRequest)
    /// Its signature is somebody else's to make.
    case unsigned(UnsignedURL, by: any URLSignatory)

    /// Nil where the store has no such URL.
    init?(_ wish: URLWish, _ bucket: Bucket, for lifetime: Duration, at now: Instant) throws(S3Error) {
        // What lands elsewhere for now is looked at before it comes to its key.
        let binding: FieldBinding = wish.place == nil ? .required : .checkedAfterwards
        let key = wish.place ?? wish.key
        guard case .asked(let signatory) = bucket.urls else {
            let signed = try bucket.backend.presign(
                wish.method,
                key,
                query: wish.query,
                fields: wish.fields,
                binding: binding,
                for: lifetime,
                at: now
            )
            guard let signed else { return nil }
            self = .signed(signed)
            return
        }
        let unsigned = try bucket.backend.unsignedURL(
            wish.method,
            key,
            query: wish.query,
            fields: wish.fields,
            binding: binding,
            for: lifetime,
            at: now
        )
        guard let unsigned else { return nil }
        self = .unsigned(unsigned, by: signatory)
    }
}

extension Rights {
    /// The same rights with the signatures that these URLs take and others make, as far as they can be had. All of them are
    /// asked for at once.
    func withSignatures(for wishes: [URLWish], at now: Instant) async -> Rights {
        var questions: [(text: [UInt8], signatory: any URLSignatory)] = []
        for wish in wishes {
            guard case .unsigned(let url, by: let signatory)? = (try? draft(of: wish, at: now))?.store?.url else {
                continue
            }
            questions.append((url.text, signatory))
        }
        guard !questions.isEmpty else { return self }
        let signatures = await withTaskGroup(of: ([UInt8], SignatureFinding).self) { tasks in
            for question in questions {
                tasks.addTask { (question.text, await question.signatory.signature(of: question.text)) }
            }
            return await tasks.reduce(into: [:]) { found, one in found[one.0] = one.1 }
        }
        return with(signatures: signatures)
    }

    /// Whether it can lead to the store as it was asked for.
    func isSigned(_ wish: URLWish, at now: Instant) -> Bool {
        guard let store = (try? draft(of: wish, at: now))?.store else { return false }
        return (try? signed(store.url, for: wish)) != nil
    }

    /// Nil where it has to lead back here, since nobody signs it at the moment.
    ///
    /// - Throws: `BackendCredentialUnavailable` where nothing but a URL to the store was asked for.
    func signed(_ url: StoreURL, for wish: URLWish) throws(URLRefusal) -> PresignedRequest? {
        switch url {
        case .signed(let request): return request
        case .unsigned(let unsigned, by: _):
            let reason: String
            switch signatures[unsigned.text] {
            case .made(let signature)?: return unsigned.signed(by: signature)
            case .unavailable(let told)?: reason = told
            case nil: reason = "nobody was asked"
            }
            guard wish.via == .store else { return nil }
            throw URLRefusal(
                S3Error(.backendCredentialUnavailable, retryAfter: 1),
                reason: "no signature for the store: " + reason
            )
        }
    }
}
