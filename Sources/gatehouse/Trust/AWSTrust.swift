import Identity
import S3API
import Settings
import WireFormats

/// What AWS has to be told: the identity provider, the role's trust policy and its permissions.
struct AWSTrust: CloudTrust {
    static let kind = "at a store of S3's kind"

    private let issuer: String
    private let audience: String
    private let subject: String
    private let roleARN: String
    private let bucket: String
    private let prefix: String
    private let permissions: TrustPermissions

    init?(_ bucket: BucketConfiguration, issuer: String, permissions: TrustPermissions) {
        guard case .aws(let session)? = bucket.backend.credentialSource,
            case .webIdentity(.own(let subject, let audience), let roleARN) = session.beginning
        else { return nil }
        self.issuer = issuer
        self.audience = audience
        self.subject = subject
        self.roleARN = roleARN
        self.bucket = bucket.backendBucket
        prefix = bucket.backendPrefix.isEmpty ? "" : bucket.backendPrefix + "/"
        self.permissions = permissions
    }

    /// IAM names a provider by its URL without the scheme.
    private var provider: String {
        let name = issuer.drop { $0 != ":" }.dropFirst(3)
        return String(name.hasSuffix("/") ? name.dropLast() : name)
    }

    /// `arn:aws:iam::123456789012:role/Name`
    private var parts: (partition: String, account: String, role: String) {
        let fields = roleARN.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
        guard fields.count == 6 else { return ("aws", "ACCOUNT", roleARN) }
        return (fields[1], fields[4], fields[5].split(separator: "/").last.map(String.init) ?? fields[5])
    }

    private var trustPolicy: JSONValue {
        let (partition, account, _) = parts
        return .object([
            ("Version", .text("2012-10-17")),
            (
                "Statement",
                .array([
                    .object([
                        ("Effect", .text("Allow")),
                        (
                            "Principal",
                            .object([
                                ("Federated", .text("arn:\(partition):iam::\(account):oidc-provider/\(provider)"))
                            ])
                        ),
                        ("Action", .text("sts:AssumeRoleWithWebIdentity")),
                        (
                            "Condition",
                            .object([
                                (
                                    "StringEquals",
                                    .object([
                                        ("\(provider):aud", .text(audience)), ("\(provider):sub", .text(subject)),
                                    ])
                                )
                            ])
                        ),
                    ])
                ])
            ),
        ])
    }

    /// What the groups of actions mean at AWS, split by what each is about. Whoever names more than the groups, ACLs, locks
    /// or the bucket's configuration, adds it there too.
    private var permissionPolicy: JSONValue {
        let (partition, _, _) = parts
        let place = "arn:\(partition):s3:::\(bucket)"
        let granted: ActionSet = permissions == .read ? .readOnlyCeiling : .all
        let names = granted.subtracting(ActionSet(.listAllMyBuckets)).actions.reduce(into: [String]()) {
            names,
            action in
            if !names.contains(action.iamName) { names.append(action.iamName) }
        }
        var statements = [
            statement(names.filter { !Self.ofBuckets.contains($0) }, on: "\(place)/\(prefix)*")
        ]
        if prefix.isEmpty {
            statements.append(statement(names.filter(Self.ofBuckets.contains), on: place))
        } else {
            let narrowed = JSONValue.object([("StringLike", .object([("s3:prefix", .text(prefix + "*"))]))])
            statements.append(statement(names.filter(Self.ofPrefixes.contains), on: place, where: narrowed))
            statements.append(
                statement(names.filter { Self.ofBuckets.contains($0) && !Self.ofPrefixes.contains($0) }, on: place)
            )
        }
        return .object([("Version", .text("2012-10-17")), ("Statement", .array(statements))])
    }

    /// Actions on the bucket, and not on its objects (Service Authorization Reference, "Actions defined by Amazon S3").
    private static let ofBuckets: Set = [
        "s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "s3:GetBucketLocation",
    ]
    /// Of these, what knows the condition key `s3:prefix`: under it, the others would always be refused.
    private static let ofPrefixes: Set = ["s3:ListBucket", "s3:ListBucketVersions"]

    private func statement(
        _ actions: [String],
        on resource: String,
        where condition: JSONValue? = nil
    ) -> JSONValue {
        var members: [(String, JSONValue)] = [
            ("Effect", .text("Allow")), ("Action", .array(actions.map { .text($0) })), ("Resource", .text(resource)),
        ]
        if let condition { members.append(("Condition", condition)) }
        return .object(members)
    }

    /// What can't be had for a part of a bucket.
    private var remarks: [String] {
        guard !prefix.isEmpty else { return [] }
        return [
            "# AWS allows no HeadBucket for a part of a bucket, and answers 403 instead of 404 for what is not in it:",
            "# without the Condition on s3:prefix it does, and the names of the whole bucket can be listed.",
        ]
    }

    private var commands: [String] {
        let (partition, account, role) = parts
        return [
            "aws iam create-open-id-connect-provider --url \(issuer) --client-id-list \(audience)",
            "aws iam create-role --role-name \(role) --assume-role-policy-document file://trust.json",
            "aws iam put-role-policy --role-name \(role) --policy-name gatehouse-\(bucket) "
                + "--policy-document file://permissions.json",
            "# where the provider exists already: aws iam add-client-id-to-open-id-connect-provider "
                + "--open-id-connect-provider-arn arn:\(partition):iam::\(account):oidc-provider/\(provider) "
                + "--client-id \(audience)",
        ]
    }

    var text: String {
        """
        # trust.json: who may assume \(roleARN)
        \(trustPolicy.rendered())

        # permissions.json: what it may do
        \((remarks + [permissionPolicy.rendered()]).joined(separator: "\n"))

        # AWS fetches \(issuer)/.well-known/openid-configuration: it must be reachable from the internet.
        \(commands.joined(separator: "\n"))
        """
    }

    var json: JSONValue {
        .object([
            ("issuer", .text(issuer)), ("role_arn", .text(roleARN)), ("trust_policy", trustPolicy),
            ("permission_policy", permissionPolicy), ("commands", .array(commands.map { .text($0) })),
        ])
    }
}
