import WireFormats

/// The credential that a machine at AWS is given: by a container's agent (ECS, EKS Pod Identity) where the environment
/// names one, else by EC2's metadata service, version 2 only (EC2 user guide, "Use IMDSv2"; ECS developer guide, "Task
/// IAM role").
struct InstanceMetadata: Sendable {
    private static let containerHost = "http://169.254.170.2"
    /// Where agents may be reached in the open: on this machine, and at the addresses that AWS gives them.
    private static let agents = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"]
    private static let ec2 = "http://169.254.169.254"
    private static let longestText = 2048

    let surroundings: Surroundings

    /// Where to ask.
    enum Place: Equatable {
        case container(url: String, authorization: String?)
        case ec2(base: String)
    }

    func place() throws(ExchangeFailure) -> Place {
        if let path = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            guard path.hasPrefix("/"), ServiceURL(Self.containerHost + path) != nil else {
                throw ExchangeFailure("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not a path")
            }
            return .container(url: Self.containerHost + path, authorization: try authorization())
        }
        if let text = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
            guard let url = ServiceURL(text), url.isPrivate || Self.agents.contains(url.host) else {
                throw ExchangeFailure(
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI names neither an https URL nor an agent of this machine"
                )
            }
            return .container(url: text, authorization: try authorization())
        }
        guard let text = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT") else { return .ec2(base: Self.ec2) }
        guard let url = ServiceURL(text), url.path == "/" else {
            throw ExchangeFailure("AWS_EC2_METADATA_SERVICE_ENDPOINT is not a URL without a path")
        }
        return .ec2(base: url.scheme + "://" + url.authority)
    }

    private func variable(_ name: String) -> String? {
        surroundings.environment(name).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// EKS writes it into a file and replaces it there.
    private func authorization() throws(ExchangeFailure) -> String? {
        let text: String
        if let path = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            text = try surroundings.text(ofFile: path)
        } else if let given = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN") {
            text = given
        } else {
            return nil
        }
        guard TokenShape.isToken(text.filter { $0 != " " }, longest: 16_384) else {
            throw ExchangeFailure("the container's authorization token can't be sent")
        }
        return text
    }

    // MARK: - EC2

    static func sessionRequest(_ base: String) -> ExchangeRequest {
        ExchangeRequest(.put, base + "/latest/api/token", fields: [("x-aws-ec2-metadata-token-ttl-seconds", "300")])
    }

    static func session(_ answer: ExchangeAnswer) throws(ExchangeFailure) -> String {
        try line(answer, of: "its session token")
    }

    private static let roles = "/latest/meta-data/iam/security-credentials/"

    static func roleRequest(_ base: String, session: String) -> ExchangeRequest {
        ExchangeRequest(.get, base + roles, fields: [("x-aws-ec2-metadata-token", session)])
    }

    /// The machine's role.
    static func role(_ answer: ExchangeAnswer) throws(ExchangeFailure) -> String {
        if answer.status == 404 { throw ExchangeFailure("this machine has no role: its instance profile is missing") }
        let role = try line(answer, of: "its role")
        // IAM: letters, digits and +=,.@_-
        guard role.utf8.count <= 128, role.utf8.allSatisfy({ isOfRole($0) }) else {
            throw ExchangeFailure("the metadata service named a role that is none")
        }
        return role
    }

    private static func isOfRole(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10 || "+=,.@_-".utf8.contains(byte)
    }

    static func credentialRequest(_ base: String, role: String, session: String) -> ExchangeRequest {
        ExchangeRequest(.get, base + roles + role, fields: [("x-aws-ec2-metadata-token", session)])
    }

    private static func line(_ answer: ExchangeAnswer, of what: String) throws(ExchangeFailure) -> String {
        guard answer.status == 200 else {
            throw ExchangeFailure("the metadata service answered \(answer.status) when asked for \(what)")
        }
        let first = answer.body.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        guard let text = String(validating: first, as: UTF8.self), TokenShape.isToken(text, longest: longestText)
        else { throw ExchangeFailure("the metadata service answered with something else than \(what)") }
        return text
    }

    // MARK: - Both

    static func containerRequest(_ url: String, authorization: String?) -> ExchangeRequest {
        ExchangeRequest(.get, url, fields: authorization.map { [("authorization", $0)] } ?? [])
    }

    static func credential(_ answer: ExchangeAnswer) throws(ExchangeFailure) -> TimedCredential {
        let service = "the machine's metadata service"
        let document = JSONAnswer(answer.body)
        guard answer.status == 200 else {
            throw ExchangeFailure(
                service,
                status: answer.status,
                code: document?.text("code"),
                message: document?.text("message")
            )
        }
        // EC2 says so inside of a success.
        if let code = document?.text("Code"), code != "Success" {
            throw ExchangeFailure(service, status: answer.status, code: code, message: document?.text("Message"))
        }
        guard let document, let id = document.text("AccessKeyId"), let secret = document.text("SecretAccessKey"),
            let token = document.text("Token"), let expiresAt = document.instant("Expiration")
        else { throw ExchangeFailure("\(service) answered with something that is no credential") }
        return TimedCredential(
            credential: .keys(try TokenShape.pair(service, id: id, secret: secret, sessionToken: token)),
            expiresAt: expiresAt
        )
    }
}
