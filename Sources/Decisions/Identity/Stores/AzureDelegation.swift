public import WireFormats

/// The key that one account at Azure issues to an application for signing URLs: it lasts on its own, beside the token that
/// it was issued for.
public struct AzureDelegation: Hashable, Sendable {
    public let application: AzureApplication
    /// The account's blob service, without a path.
    public let storage: ServiceURL

    public init(_ application: AzureApplication, storage: ServiceURL) {
        self.application = application
        self.storage = storage
    }
}
