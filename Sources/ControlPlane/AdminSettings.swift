/// Where the admin listener listens and which names it answers to.
package struct AdminSettings: Sendable {
    /// In bytes: what the kernel has room for (unix(7): 108 with the final zero), with a margin.
    package static let longestSocketPath = 103

    package var host: String
    /// 0: any free port, reported through `onServing`.
    package var port: Int
    /// `[admin] allowed_hosts`: further values of `Host`, with or without a port.
    package var allowedHosts: [String]
    /// The command line's Unix socket (mode 0600), whose peers are trusted as admins; nil: none.
    package var socketPath: String?

    package init(host: String, port: Int, allowedHosts: [String] = [], socketPath: String? = nil) {
        self.host = host
        self.port = port
        self.allowedHosts = allowedHosts
        self.socketPath = socketPath
    }
}

/// Why the control plane could not do something; the text is for the operator.
package struct ControlPlaneError: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
