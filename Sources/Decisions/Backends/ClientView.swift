/// How the client sees what the store answers about: its own names.
public struct ClientView: Sendable {
    /// The region that clients sign for.
    public let region: String
    /// The address that clients know us by, without a trailing slash.
    public let publicURL: String

    public init(region: String, publicURL: String) {
        self.region = region
        self.publicURL = publicURL
    }
}
