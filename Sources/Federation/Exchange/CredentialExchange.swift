package import Identity
package import WireFormats

/// Turns a source into a credential: which requests that takes, in which order. No memory, no second tries.
package struct CredentialExchange: Sendable {
    /// How long a token of ours is good: long enough for clocks that differ, too short to be of use to a thief.
    private static let lifetime = Duration.seconds(300)

    private let transport: any ExchangeTransport
    private let provider: OIDCProvider?
    private let surroundings: Surroundings
    private let bearer: Bearer
    private let refused: @Sendable (CredentialSource, _ version: Int) -> Void

    /// The token of another source, and which one it is of all that were obtained.
    package typealias Bearer =
        @Sendable (CredentialSource) async throws(ExchangeFailure) -> (token: Secret<String>, version: Int)

    /// - Parameters:
    ///   - provider: signs tokens of ours; nil: nobody does.
    ///   - bearer: for what is asked for with the token of another source.
    ///   - refused: is told where such a token was not accepted.
    package init(
        _ transport: any ExchangeTransport,
        as provider: OIDCProvider?,
        surroundings: Surroundings,
        bearer: @escaping Bearer,
        refused: @escaping @Sendable (CredentialSource, _ version: Int) -> Void
    ) {
        self.transport = transport
        self.provider = provider
        self.surroundings = surroundings
        self.bearer = bearer
        self.refused = refused
    }

    package func credential(of source: CredentialSource) async throws(ExchangeFailure) -> TimedCredential {
        switch source {
        case .aws(let session): return try await begin(session)
        case .azure(let application):
            let service = EntraID(application: application)
            let answer = try await transport.send(service.tokenRequest(try token(application.identity)))
            return try service.token(answer, at: surroundings.now())
        case .azureDelegation(let delegation):
            let service = UserDelegation(delegation: delegation)
            let application = CredentialSource.azure(delegation.application)
            let (token, version) = try await bearer(application)
            let answer = try await transport.send(service.request(with: token, at: surroundings.now()))
            if answer.status == 401 { refused(application, version) }
            return try service.key(answer)
        case .google(let workload): return try await exchange(GoogleTokenService(workload: workload))
        case .googleKey(let key):
            let service = GoogleAccountToken(key: key)
            let answer = try await transport.send(try service.request(at: surroundings.now()))
            return try service.token(answer, at: surroundings.now())
        }
    }

    private func token(_ identity: WebIdentity) throws(ExchangeFailure) -> Secret<String> {
        switch identity {
        case .own(let subject, let audience):
            guard let provider else { throw ExchangeFailure("there is no key to sign our own tokens with") }
            do throws(OIDCKeyError) {
                return try provider.mint(
                    subject: subject,
                    audience: audience,
                    lifetime: Self.lifetime,
                    at: surroundings.now(),
                    jti: Hex.encode(surroundings.random(16))
                )
            } catch {
                throw ExchangeFailure("our own token could not be signed: \(error)")
            }
        case .file(let path):
            let text = try surroundings.text(ofFile: path)
            guard TokenShape.isToken(text, longest: 20_000) else {
                throw ExchangeFailure("\(path) holds no token")
            }
            return Secret(text)
        }
    }

    // MARK: - AWS

    private func begin(_ session: AWSSession) async throws(ExchangeFailure) -> TimedCredential {
        let service = SecurityTokenService(endpoint: session.endpoint, region: session.region)
        var pair: AccessKeyPair
        var expiresAt: Instant?
        switch session.beginning {
        case .webIdentity(let identity, let roleARN):
            let request = service.assumeRole(roleARN, withWebIdentity: try token(identity))
            (pair, expiresAt) = try service.session(try await transport.send(request), to: .withWebIdentity)
        case .environment:
            pair = try environmentPair()
        case .instance:
            let credential = try await instance()
            guard case .keys(let keys) = credential.credential else {
                throw ExchangeFailure("the machine's credential is no access key")
            }
            (pair, expiresAt) = (keys, credential.expiresAt)
        }
        for roleARN in session.chain {
            let request = service.assumeRole(roleARN, with: pair, at: surroundings.now())
            let next = try service.session(try await transport.send(request), to: .assumeRole)
            (pair, expiresAt) = (next.pair, next.expiresAt)
        }
        guard let expiresAt else { throw ExchangeFailure("the environment's key needs no exchange") }
        return TimedCredential(credential: .keys(pair), expiresAt: expiresAt)
    }

    private func environmentPair() throws(ExchangeFailure) -> AccessKeyPair {
        func variable(_ name: String) -> String? {
            surroundings.environment(name).flatMap { $0.isEmpty ? nil : $0 }
        }
        guard let id = variable("AWS_ACCESS_KEY_ID"), let secret = variable("AWS_SECRET_ACCESS_KEY"),
            TokenShape.isAccessKeyID(id)
        else { throw ExchangeFailure("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set") }
        return AccessKeyPair(
            id: id,
            secret: Secret(secret),
            sessionToken: variable("AWS_SESSION_TOKEN").map { Secret($0) }
        )
    }

    private func instance() async throws(ExchangeFailure) -> TimedCredential {
        switch try InstanceMetadata(surroundings: surroundings).place() {
        case .container(let url, let authorization):
            let request = InstanceMetadata.containerRequest(url, authorization: authorization)
            return try InstanceMetadata.credential(try await transport.send(request))
        case .ec2(let base):
            let session = try InstanceMetadata.session(
                try await transport.send(InstanceMetadata.sessionRequest(base))
            )
            let role = try InstanceMetadata.role(
                try await transport.send(InstanceMetadata.roleRequest(base, session: session))
            )
            let request = InstanceMetadata.credentialRequest(base, role: role, session: session)
            return try InstanceMetadata.credential(try await transport.send(request))
        }
    }

    // MARK: - Google

    private func exchange(_ service: GoogleTokenService) async throws(ExchangeFailure) -> TimedCredential {
        let request = service.exchangeRequest(try token(service.workload.identity))
        let federated = try service.federated(try await transport.send(request), at: surroundings.now())
        guard let account = service.workload.serviceAccount, case .bearer(let token) = federated.credential else {
            return federated
        }
        return try service.impersonated(
            try await transport.send(service.impersonationRequest(of: account, with: token))
        )
    }
}
