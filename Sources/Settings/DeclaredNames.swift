import S3API

/// The names that a configuration gives to things, to find what is named twice and what is named but not there.
/// A name counts also where the rest of its entry is wrong, so that one mistake does not bring others along.
struct DeclaredNames {
    enum Kind: Hashable {
        case account, bucket, user, apiKey, accessKey, principal, policy, identityProvider, role
    }

    private var origins: [Kind: [String: Origin]] = [:]

    /// The place where the name was given before, if it was.
    mutating func declare(_ name: String, as kind: Kind, at origin: Origin) -> Origin? {
        if let first = origins[kind]?[name] { return first }
        origins[kind, default: [:]][name] = origin
        return nil
    }

    func contains(_ name: String, as kind: Kind) -> Bool {
        origins[kind]?[name] != nil
    }

    /// In alphabetical order, so that suggestions do not vary.
    func names(_ kind: Kind) -> [String] {
        origins[kind].map { $0.keys.sorted() } ?? []
    }
}

extension ConfigurationReader {
    /// Gives a name to something; a problem where something else has it. `what` begins the message.
    @discardableResult
    func declare(_ name: String, as kind: DeclaredNames.Kind, at origin: Origin, _ what: String) -> Bool {
        guard let first = names.declare(name, as: kind, at: origin) else { return true }
        let place = first.line.map { "\(first.file):\($0)" } ?? first.file
        report("\(what) already, at \(place)", at: origin)
        return false
    }

    /// Reports a name that nothing has.
    ///
    /// - Parameter kinds: what it may be a name of.
    func require(_ name: String, as kinds: DeclaredNames.Kind..., at origin: Origin, _ what: String) {
        guard !kinds.contains(where: { names.contains(name, as: $0) }) else { return }
        // A name that was refused itself is no advice.
        let candidates = kinds.flatMap { kind in
            names.names(kind).filter { kind != .bucket || BucketName(validating: $0) != nil }
        }
        let nearest = NearestName.find(for: name, among: candidates)
        report(
            "there is no \(what) \(quoted(name))",
            at: origin,
            suggestion: nearest.map { "did you mean \(quoted($0))?" }
        )
    }
}
