import Identity
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

    private var permissionPolicy: JSONValue {
        let (partition, _, _) = parts
        let place = "arn:\(partition):s3:::\(bucket)"
        let reads = ["s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectAttributes"]
        let writes = [
            "s3:PutObject", "s3:PutObjectTagging", "s3:DeleteObject", "s3:AbortMultipartUpload",
            "s3:ListMultipartUploadParts",
        ]
        var listing: [(String, JSONValue)] = [
            ("Effect", .text("Allow")),
            ("Action", .array(["s3:ListBucket", "s3:GetBucketLocation"].map { .text($0) })),
            ("Resource", .text(place)),
        ]
        if !prefix.isEmpty {
            // GetBucketLocation has no prefix, and is not limited.
            listing[1] = ("Action", .text("s3:ListBucket"))
            listing.append(("Condition", .object([("StringLike", .object([("s3:prefix", .text(prefix + "*"))]))])))
        }
        let objects: [(String, JSONValue)] = [
            ("Effect", .text("Allow")),
            ("Action", .array((permissions == .read ? reads : reads + writes).map { .text($0) })),
            ("Resource", .text("\(place)/\(prefix)*")),
        ]
        return .object([
            ("Version", .text("2012-10-17")), ("Statement", .array([.object(objects), .object(listing)])),
        ])
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
        \(permissionPolicy.rendered())

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
