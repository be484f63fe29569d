import Identity
import Settings

/// What Google Cloud has to be told: the workload identity pool and its provider, and bindings for the service account and
/// the bucket.
struct GoogleTrust: CloudTrust {
    static let kind = "at Google"

    private let issuer: String
    private let audience: String
    private let subject: String
    private let workload: GoogleWorkload
    private let bucket: String
    private let permissions: TrustPermissions

    init?(_ bucket: BucketConfiguration, issuer: String, permissions: TrustPermissions) {
        guard case .google(let workload)? = bucket.backend.credentialSource,
            case .own(let subject, let audience) = workload.identity
        else { return nil }
        self.issuer = issuer
        self.audience = audience
        self.subject = subject
        self.workload = workload
        self.bucket = bucket.backendBucket
        self.permissions = permissions
    }

    /// `projects/N/locations/L/workloadIdentityPools/POOL/providers/NAME`
    private var parts: [String] { workload.provider.split(separator: "/").map(String.init) }

    /// Our subject in the pool, as bindings name it.
    private var principal: String {
        let pool = parts.prefix(6).joined(separator: "/")
        return "principal://iam.googleapis.com/\(pool)/subject/\(subject)"
    }

    private var commands: [String] {
        let place = "--project=\(parts[1]) --location=\(parts[3])"
        let role = permissions == .read ? "roles/storage.objectViewer" : "roles/storage.objectAdmin"
        var commands = [
            "gcloud iam workload-identity-pools create \(parts[5]) \(place)",
            "gcloud iam workload-identity-pools providers create-oidc \(parts[7]) \(place) "
                + "--workload-identity-pool=\(parts[5]) --issuer-uri=\(issuer) --allowed-audiences=\(audience) "
                + "--attribute-mapping=google.subject=assertion.sub "
                + "--attribute-condition=\"assertion.sub=='\(subject)'\"",
        ]
        let member: String
        if let account = workload.serviceAccount {
            member = "serviceAccount:" + account
            // The second one is for signing URLs; without it, they lead through Gatehouse.
            for (role, member) in [("workloadIdentityUser", principal), ("serviceAccountTokenCreator", member)] {
                commands.append(
                    "gcloud iam service-accounts add-iam-policy-binding \(account) --role=roles/iam.\(role) "
                        + "--member=\"\(member)\""
                )
            }
        } else {
            member = principal
        }
        commands.append(
            "gcloud storage buckets add-iam-policy-binding gs://\(bucket) --role=\(role) --member=\"\(member)\""
        )
        return commands
    }

    var text: String {
        """
        # Google fetches \(issuer)/.well-known/openid-configuration: it must be reachable from the internet.
        \(commands.joined(separator: "\n"))
        """
    }

    var json: JSONValue {
        .object([
            ("issuer", .text(issuer)), ("principal", .text(principal)),
            ("commands", .array(commands.map { .text($0) })),
        ])
    }
}
