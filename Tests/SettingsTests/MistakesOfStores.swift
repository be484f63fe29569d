/// A bucket whose credential is exchanged, but for the key that this needs.
private let oidc = "region = \"x\"\nauth_type = \"oidc\"\noidc_role_arn = \"arn:aws:iam::123456789012:role/R\"\n"

/// `[[accounts]]` and `[[buckets]]`.
extension Mistake {
    static let stores: [Mistake] = [
        Mistake("[accounts]\nname = \"x\"", 1, "accounts", "must be an array of tables", "[[accounts]]"),
        Mistake("[[accounts]]\n[accounts.backend_options]\nregion = \"x\"", 1, "accounts[0].name", "is required"),
        Mistake("[[accounts]]\nname = \"a\"", 1, "accounts[0].backend_options.endpoint", "is required", "region"),
        Mistake(
            account + "[[accounts]]\nname = \"minio\"\n[accounts.backend_options]\nregion = \"x\"",
            7,
            "accounts[1].name",
            "already, at gatehouse.toml:2"
        ),
        Mistake(
            account + "[[accounts]]\nname = \"b\"\nbuckets = [\"photos\"]\n[accounts.backend_options]\nregion = \"x\"",
            8,
            "accounts[1].buckets[0]",
            "bucket \"photos\" is claimed already, at gatehouse.toml:3"
        ),
        Mistake(
            account.replacing("photos", with: "*")
                + "[[accounts]]\nname = \"b\"\nbuckets = [\"*\"]\n[accounts.backend_options]\nregion = \"x\"",
            8,
            "accounts[1].buckets[0]",
            "every other bucket is claimed already"
        ),
        Mistake(
            "[[accounts]]\nname = \"a\"\nchecksums = \"no\"\nbackend_options.region = \"x\"",
            3,
            "accounts[0].checksums",
            "pass"
        ),
        Mistake(account.replacing("photos", with: "Photos"), 3, "accounts[0].buckets[0]", "is not a bucket name"),
        Mistake(account + "bucket_name = \"x\"", 6, "accounts[0].backend_options.bucket_name", "[[buckets]]"),
        Mistake(
            account + "[[buckets]]\nname = \"photos\"\naccount = \"minio\"",
            3,
            "accounts[0].buckets[0]",
            "bucket \"photos\" is claimed already, at gatehouse.toml:7"
        ),
        Mistake(
            account + "[[buckets]]\nname = \"data\"\naccount = \"mino\"",
            8,
            "buckets[0].account",
            "there is no account \"mino\"",
            "did you mean \"minio\"?"
        ),
        Mistake(
            account + "[[buckets]]\nname = \"data\"\nacount = \"minio\"\n[buckets.backend_options]\nregion = \"x\"",
            8,
            "buckets[0].acount",
            "unknown key",
            "did you mean \"account\"?"
        ),
        Mistake(
            account + "[[buckets]]\nname = \"data\"\naccount = \"minio\"\nbackend_type = \"file\"",
            9,
            "buckets[0].backend_type",
            "account \"minio\" is \"s3\""
        ),
        Mistake("[[buckets]]\n[buckets.backend_options]\nregion = \"x\"", 1, "buckets[0].name", "is required"),
        Mistake("[[buckets]]\nname = \"da_ta\"\nbackend_options.region = \"x\"", 2, "buckets[0].name", "bucket name"),
        Mistake(
            bucket("backend_type = \"azure\"", options: "container_name = \"x\""),
            4,
            "buckets[0].backend_options.account_name",
            "is required"
        ),
        Mistake(
            bucket("backend_type = \"az\"", options: "account_name = \"Not-A-Name\""),
            5,
            "buckets[0].backend_options.account_name",
            "not the name of a storage account"
        ),
        Mistake(
            bucket("backend_type = \"azure\"", options: "account_name = \"acct\"\naccess_key = \"no key\""),
            6,
            "buckets[0].backend_options.access_key",
            "those are base64"
        ),
        Mistake(
            bucket("backend_type = \"azure\"", options: "account_name = \"acct\"\nclient_id = \"x\""),
            6,
            "buckets[0].backend_options.client_id",
            "belongs to auth_type \"oidc\""
        ),
        Mistake(bucket("backend_type = \"S3\""), 3, "buckets[0].backend_type", "did you mean \"s3\"?"),
        Mistake(bucket("backend_prefix = \"../x\""), 3, "buckets[0].backend_prefix", "is not a prefix"),
        Mistake(bucket("anonymous_access = 1"), 3, "buckets[0].anonymous_access", "must be true or false"),
        Mistake(bucket("allowed_roles = \"r\""), 3, "buckets[0].allowed_roles", "must be an array of strings"),
        Mistake(bucket("verify_payload = \"never\""), 3, "buckets[0].verify_payload", "\"always\", \"backend\""),
        Mistake(bucket("checksums = \"pas\""), 3, "buckets[0].checksums", "did you mean \"pass\"?"),
        Mistake(bucket("frame_options = \"ALLOW\""), 3, "buckets[0].frame_options", "DENY"),
        Mistake(bucket("skip_signature = true"), 3, "buckets[0].skip_signature", "has no effect"),
        Mistake(bucket("endpoint = \"http://x\""), 3, "buckets[0].endpoint", "belongs in backend_options"),
        Mistake(
            bucket("cors = { allowed_origins = [\"*\"], allowed_methods = [\"GTE\"] }"),
            3,
            "buckets[0].cors.allowed_methods[0]",
            "is none of",
            "did you mean \"GET\"?"
        ),
        Mistake(
            bucket("cors = { allowed_origins = [\"*\"], allowed_headers = [\"x-*-*\"] }"),
            3,
            "buckets[0].cors.allowed_headers[0]",
            "is not the name of a header field",
            "one * is allowed"
        ),
        Mistake(
            bucket("cors = { allowed_origins = [\"*\"], expose_headers = [\"x-amz-*\"] }"),
            3,
            "buckets[0].cors.expose_headers[0]",
            "is not the name of a header field",
            "name each of them"
        ),
        Mistake(
            bucket("", options: "region = \"x\"\nskip_signature = true"),
            6,
            "buckets[0].backend_options.skip_signature",
            "has no effect",
            "unsigned exactly where"
        ),
        Mistake(
            bucket("", options: "endpoint = \"store:80\""),
            5,
            "buckets[0].backend_options.endpoint",
            "is not the URL of a store"
        ),
        Mistake(
            bucket("", options: "endpoint = \"http://store/path\""),
            5,
            "buckets[0].backend_options.endpoint",
            "no path"
        ),
        Mistake(bucket("", options: ""), 4, "buckets[0].backend_options.endpoint", "is required"),
        Mistake(
            bucket("", options: "region = \"x\"\naccess_key_id = \"A\""),
            4,
            "buckets[0].backend_options.secret_access_key",
            "is required beside access_key_id"
        ),
        Mistake(
            bucket("", options: "region = \"x\"\nsecret_access_key = \"A\""),
            4,
            "buckets[0].backend_options.access_key_id",
            "is required beside secret_access_key"
        ),
        Mistake(
            bucket("", options: "region = \"x\"\nsession_token = \"A\""),
            6,
            "buckets[0].backend_options.session_token",
            "is of no use"
        ),
        Mistake(
            bucket("", options: "region = \"x\"\naccess_key_id = \"A\"\nsecret_access_key = \"env:UNSET\""),
            7,
            "buckets[0].backend_options.secret_access_key",
            "environment variable UNSET is not set"
        ),
        Mistake(
            bucket("", options: "region = \"x\"\nauth_type = \"web-identity\""),
            6,
            "buckets[0].backend_options.auth_type",
            "AWS_WEB_IDENTITY_TOKEN_FILE is not set"
        ),
        Mistake(
            bucket("", options: "region = \"x\"\nauth_type = \"env\""),
            6,
            "buckets[0].backend_options.auth_type",
            "AWS_ACCESS_KEY_ID is not set"
        ),
        Mistake(
            bucket("", options: "region = \"x\"\nauth_type = \"oidc\""),
            4,
            "buckets[0].backend_options.oidc_role_arn",
            "is required where auth_type is \"oidc\""
        ),
        Mistake(
            bucket("", options: oidc + "access_key_id = \"A\"\nsecret_access_key = \"B\""),
            8,
            "buckets[0].backend_options.access_key_id",
            "is of no use where auth_type is \"oidc\""
        ),
        Mistake(
            bucket("", options: oidc + "sts_endpoint = \"http://sts.example.com\""),
            8,
            "buckets[0].backend_options.sts_endpoint",
            "must be https"
        ),
        Mistake(
            bucket("", options: oidc + "sts_endpoint = \"sts.example.com\""),
            8,
            "buckets[0].backend_options.sts_endpoint",
            "is not the URL of a token service"
        ),
        Mistake(
            bucket("", options: oidc + "role_chain = [\"Reader\"]"),
            8,
            "buckets[0].backend_options.role_chain[0]",
            "is not the ARN of a role"
        ),
        Mistake(
            bucket("", options: oidc + "oidc_subject = \"two words\""),
            8,
            "buckets[0].backend_options.oidc_subject",
            "visible ASCII"
        ),
        Mistake(
            bucket("", options: oidc),
            1,
            "buckets[0]",
            "there is no key to sign our tokens with",
            "OIDC_PROVIDER_KEY"
        ),
        Mistake(
            bucket("", options: "region = \"x\"\nauth_type = \"instance\"\nsts_endpoint = \"https://sts\""),
            7,
            "buckets[0].backend_options.sts_endpoint",
            "is of no use without role_chain"
        ),
        Mistake(
            bucket("", options: "region = \"x\"\nauth_type = \"statc\""),
            6,
            "buckets[0].backend_options.auth_type",
            "did you mean \"static\"?"
        ),
        Mistake(
            bucket("", options: "region = \"x\"\noidc_role_arn = \"arn\""),
            6,
            "buckets[0].backend_options.oidc_role_arn",
            "belongs to auth_type \"oidc\" or \"web-identity\""
        ),
        Mistake(
            bucket("", options: "region = \"x\"\naccount_name = \"a\""),
            6,
            "buckets[0].backend_options.account_name",
            "backend_type \"azure\""
        ),
        Mistake(
            bucket("backend_type = \"gcs\"", options: "hmac_access_id = \"G\""),
            4,
            "buckets[0].backend_options.hmac_secret",
            "is required beside hmac_access_id"
        ),
        Mistake(
            bucket(
                "backend_type = \"gs\"",
                options: "hmac_access_id = \"G\"\nhmac_secret = \"s\"\nservice_account_key = \"{}\""
            ),
            7,
            "buckets[0].backend_options.service_account_key",
            "is given beside an HMAC key"
        ),
        Mistake(
            bucket("backend_type = \"gcs\"", options: "access_key_id = \"AK\""),
            5,
            "buckets[0].backend_options.access_key_id",
            "belongs to backend_type \"s3\""
        ),
        Mistake(
            bucket("backend_type = \"gcs\"", options: "auth_type = \"oidc\""),
            4,
            "buckets[0].backend_options.workload_provider",
            "is required where auth_type is \"oidc\""
        ),
        Mistake(
            bucket("backend_type = \"gcs\"", options: "auth_type = \"oidc\"\nworkload_provider = \"p\""),
            6,
            "buckets[0].backend_options.workload_provider",
            "is not a workload identity provider"
        ),
        Mistake(
            bucket(
                "backend_type = \"gcs\"",
                options: "auth_type = \"oidc\"\nhmac_access_id = \"A\"\nhmac_secret = \"B\"\nworkload_provider = "
                    + "\"projects/1/locations/global/workloadIdentityPools/p/providers/x\""
            ),
            6,
            "buckets[0].backend_options.hmac_access_id",
            "is of no use where auth_type is \"oidc\""
        ),
        Mistake(
            bucket("backend_type = \"gcs\"", options: "auth_type = \"instance\""),
            5,
            "buckets[0].backend_options.auth_type",
            "\"instance\" is for backend_type \"s3\""
        ),
        Mistake(
            bucket("backend_type = \"gcs\"", options: "workload_provider = \"p\""),
            5,
            "buckets[0].backend_options.workload_provider",
            "belongs to auth_type \"oidc\""
        ),
        Mistake(
            bucket(
                "backend_type = \"gcs\"",
                options: "endpoint = \"http://store.example\"\nservice_account_key = '''\(serviceAccountKeyFile)'''"
            ),
            5,
            "buckets[0].backend_options.endpoint",
            "an access token must not travel unencrypted"
        ),
        Mistake(
            bucket("backend_type = \"gcs\"", options: "service_account_key = \"{}\""),
            5,
            "buckets[0].backend_options.service_account_key",
            "has no type"
        ),
        Mistake(
            "[[accounts]]\nname = \"g\"\nbackend_type = \"gcs\"\nbuckets = [\"*\"]",
            4,
            "accounts[0].buckets[0]",
            "is not possible where backend_type is \"gcs\""
        ),
        Mistake(
            bucket("", options: "region = \"x\"\nhmac_secret = \"a\""),
            6,
            "buckets[0].backend_options.hmac_secret",
            "belongs to backend_type \"gcs\""
        ),
        Mistake(
            bucket("", options: "region = \"x\"\npath = \"a\""),
            6,
            "buckets[0].backend_options.path",
            "belongs to backend_type \"file\""
        ),
        Mistake(
            bucket("backend_type = \"file\"", options: "bucket_name = \"x\""),
            4,
            "buckets[0].backend_options.path",
            "is required"
        ),
        Mistake(
            bucket("backend_type = \"file\"", options: "path = \"d\"\nregion = \"x\""),
            6,
            "buckets[0].backend_options.region",
            "belongs to backend_type \"s3\""
        ),
        Mistake(
            bucket("", options: "region = \"x\"\naddressing = \"vhost\""),
            6,
            "buckets[0].backend_options.addressing",
            "\"path\", \"virtual\""
        ),
        Mistake(
            bucket("", options: "region = \"x\"\nbucket_name = \"a/b\""),
            6,
            "buckets[0].backend_options.bucket_name",
            "is not the name of a bucket"
        ),
        Mistake(
            bucket("", options: "region = \"x\"\nacces_key_id = \"a\""),
            6,
            "buckets[0].backend_options.acces_key_id",
            "did you mean \"access_key_id\"?"
        ),
        Mistake(bucket("", options: "region = \"a b\""), 5, "buckets[0].backend_options.region", "is not a region"),
        Mistake(
            bucket("", options: "region = \"x\"\nca_certificate = \"ca.pem\""),
            6,
            "buckets[0].backend_options.ca_certificate",
            "is not PEM text"
        ),
    ]
}
