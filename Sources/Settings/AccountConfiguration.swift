/// One entry of `[[accounts]]`: a store, and the buckets of it that appear under their own names.
package struct AccountConfiguration: Sendable {
    package let name: String
    package let backend: BackendConfiguration
    /// The buckets it names; each has an entry in ``GatehouseConfiguration/buckets`` too.
    package let buckets: [String]
    /// `buckets = ["*"]`: also every bucket that no other entry claims, creation included.
    package let ownsEveryOtherBucket: Bool
    /// What its store is told of checksums, for buckets that don't say otherwise.
    package let checksums: BucketConfiguration.Checksums
    package let origin: Origin
}

/// An account while buckets may still take options from it.
struct AccountReading {
    let name: Located<String>
    let type: BackendType?
    let options: Section
    let backend: BackendConfiguration?
    let buckets: [Located<String>]
    let checksums: BucketConfiguration.Checksums
    let origin: Origin

    init?(reading section: Section) {
        let name = section.required("name")
        if let name {
            section.reader.declare(
                name.value,
                as: .account,
                at: name.origin,
                "the account \(quoted(name.value)) is given"
            )
        }
        let type = BackendType.read(section)
        let options = section.section("backend_options")
        backend = type.flatMap { BackendConfiguration(type: $0, reading: options, owner: .account) }
        self.type = type
        self.options = options
        buckets = section.texts("buckets") ?? []
        if type == .azure || type == .gcs, let every = buckets.first(where: { $0.value == "*" }) {
            section.reader.report(
                "\"*\" is not possible where backend_type is \(quoted(type?.rawValue ?? ""))",
                at: every.origin,
                suggestion: "name the buckets"
            )
        }
        checksums = section.choice("checksums", or: .auto)
        origin = section.origin
        section.finish()
        guard let name else { return nil }
        self.name = name
    }

    var configuration: AccountConfiguration? {
        backend.map { backend in
            AccountConfiguration(
                name: name.value,
                backend: backend,
                buckets: buckets.map(\.value).filter { $0 != "*" },
                ownsEveryOtherBucket: buckets.contains { $0.value == "*" },
                checksums: checksums,
                origin: origin
            )
        }
    }
}

extension BackendType {
    /// The `backend_type` of an account or bucket, "s3" where none is given; nil after a problem was reported.
    static func read(_ section: Section) -> BackendType? {
        guard section.has("backend_type") else { return .s3 }
        guard let text = section.text("backend_type"), let type: BackendType = section.choice(text) else { return nil }
        switch type {
        case .s3, .file, .azure, .gcs: return type
        case .az: return .azure
        case .gs: return .gcs
        }
    }
}
