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
    let type: BackendType.Reading
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
        backend = BackendConfiguration(type: type, reading: options, owner: .account)
        self.type = type
        self.options = options
        buckets = section.texts("buckets") ?? []
        if type.type == .azure || type.type == .gcs, let every = buckets.first(where: { $0.value == "*" }) {
            section.reader.report(
                "\"*\" is not possible where backend_type is \(quoted(type.type.rawValue))",
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
    /// What kind of store the options are those of.
    struct Reading {
        let type: BackendType
        /// False: no kind was named that there is. What is wrong with the options is said all the same, by the kind that
        /// they look like.
        let isNamed: Bool
    }

    /// The `backend_type` of an account or bucket, "s3" where none is given.
    static func read(_ section: Section) -> Reading {
        guard section.has("backend_type") else { return Reading(type: .s3, isNamed: true) }
        let text = section.text("backend_type")
        guard let text, let type: BackendType = section.choice(text) else {
            let options = section.section("backend_options").names
            return Reading(type: OptionNames.likelyType(text?.value ?? "", options: options), isNamed: false)
        }
        return Reading(type: type.itself, isNamed: true)
    }

    /// The kind that a name means.
    var itself: BackendType {
        switch self {
        case .s3, .file, .azure, .gcs: self
        case .az: .azure
        case .gs: .gcs
        }
    }
}
