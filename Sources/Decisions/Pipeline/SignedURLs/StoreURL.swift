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
    /// Signatures that are asked for at a time.
    private static let mostAtOnce = 16

    /// The same rights with the signatures that these URLs take and others make, as far as they can be had: each text's
    /// once, some at a time. Where as many were missed one after another, nobody is there, and the rest is not waited for.
    func withSignatures(for wishes: [URLWish], at now: Instant) async -> Rights {
        var questions: [(text: [UInt8], signatory: any URLSignatory)] = []
        var texts: Set<[UInt8]> = []
        for wish in wishes {
            guard case .unsigned(let url, by: let signatory)? = (try? draft(of: wish, at: now))?.store?.url else {
                continue
            }
            if texts.insert(url.text).inserted { questions.append((url.text, signatory)) }
        }
        guard !questions.isEmpty else { return self }
        let signatures = await withTaskGroup(of: ([UInt8], SignatureFinding).self) { tasks in
            var rest = questions[...]
            var found: [[UInt8]: SignatureFinding] = [:]
            var missed = 0
            func ask() {
                guard let question = rest.popFirst() else { return }
                tasks.addTask { (question.text, await question.signatory.signature(of: question.text)) }
            }
            for _ in 0..<Self.mostAtOnce { ask() }
            while let (text, finding) = await tasks.next() {
                found[text] = finding
                switch finding {
                case .made: missed = 0
                case .unavailable: missed += 1
                }
                if missed < Self.mostAtOnce { ask() }
            }
            return found
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
            case nil: reason = "none was asked for"
            }
            guard wish.via == .store else { return nil }
            throw URLRefusal(
                S3Error(.backendCredentialUnavailable, retryAfter: 1),
                reason: "no signature for the store: " + reason
            )
        }
    }
}
