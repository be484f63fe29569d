import Federation
import Identity
import WireFormats

/// Whether those who fetch our documents find what we sign with.
struct IssuerExamination: Sendable {
    private static let longestDocument = 64 * 1024

    private let provider: OIDCProvider
    private let documents: any DocumentSource

    init(_ provider: OIDCProvider, _ documents: any DocumentSource) {
        self.provider = provider
        self.documents = documents
    }

    var examination: Examination {
        get async {
            var findings: [Finding] = []
            let address = await discovered(&findings)
            if let address { findings.append(await keys(at: address)) }
            return Examination(subject: "issuer \(provider.issuer)", findings: findings)
        }
    }

    /// Where the keys are; nil where nobody would find them.
    private func discovered(_ findings: inout [Finding]) async -> ServiceURL? {
        let check = "discovery"
        let base = provider.issuer.hasSuffix("/") ? String(provider.issuer.dropLast()) : provider.issuer
        guard let url = ServiceURL(base + OIDCProvider.discoveryPath) else {
            findings.append(Finding(check, .failed, "the issuer is no URL to ask"))
            return nil
        }
        do throws(DocumentFailure) {
            let document = try await documents.document(at: url, limit: Self.longestDocument)
            guard case .object(let members)? = try? StrictJSON(parsing: document.bytes) else {
                findings.append(Finding(check, .failed, "\(url) is not a JSON object"))
                return nil
            }
            guard case .string(let issuer)? = members.first(where: { $0.name == "issuer" })?.value,
                issuer.utf8.elementsEqual(provider.issuer.utf8)
            else {
                findings.append(Finding(check, .failed, "\(url) is about another issuer"))
                return nil
            }
            guard case .string(let text)? = members.first(where: { $0.name == "jwks_uri" })?.value,
                let keys = ServiceURL(text)
            else {
                findings.append(Finding(check, .failed, "\(url) has no usable jwks_uri"))
                return nil
            }
            let isPublic = url.transport == .tls && !url.isLoopback
            findings.append(
                isPublic
                    ? Finding(check, .ok, "\(url)")
                    : Finding(
                        check,
                        .note,
                        "\(url) can be reached from this machine or network alone: no cloud finds it"
                    )
            )
            return keys
        } catch {
            findings.append(Finding(check, .failed, "\(error)"))
            return nil
        }
    }

    private func keys(at url: ServiceURL) async -> Finding {
        let check = "keys"
        do throws(DocumentFailure) {
            let document = try await documents.document(at: url, limit: JSONWebKeySet.longestDocument)
            guard let set = try? JSONWebKeySet(parsing: document.bytes) else {
                return Finding(check, .failed, "\(url) is no key set")
            }
            let published = Set(set.keys.map(\.material.thumbprint))
            let missing = provider.keys.filter { !published.contains($0.material.thumbprint) }
            guard missing.isEmpty else {
                return Finding(
                    check,
                    .failed,
                    "\(url) lacks \(missing.map(\.id).joined(separator: ", ")): another configuration runs there"
                )
            }
            return Finding(check, .ok, "\(provider.keys.count) published, \(provider.keys[0].id) signs")
        } catch {
            return Finding(check, .failed, "\(error)")
        }
    }
}
