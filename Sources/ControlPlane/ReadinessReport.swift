/// Whether the gateway can do its work, and what stands in the way: the body of the admin listener's `/-/ready`.
package struct ReadinessReport: Sendable, Codable, Equatable {
    package struct Check: Sendable, Codable, Equatable {
        package var name: String
        package var ok: Bool
        package var detail: String

        package init(name: String, ok: Bool, detail: String = "") {
            self.name = name
            self.ok = ok
            self.detail = detail
        }
    }

    package var ready: Bool
    package var checks: [Check]
    /// Settings that were changed in the file and wait for a restart.
    package var pendingRestart: [String]

    package init(ready: Bool, checks: [Check] = [], pendingRestart: [String] = []) {
        self.ready = ready
        self.checks = checks
        self.pendingRestart = pendingRestart
    }

    private enum CodingKeys: String, CodingKey {
        case ready, checks
        case pendingRestart = "pending_restart"
    }
}

/// A virtual bucket and how its backend does.
package struct BucketStatus: Sendable, Codable, Equatable {
    package enum Health: String, Sendable, Codable {
        case up, down
        /// Nobody has asked it yet.
        case unknown
    }

    package var name: String
    /// `s3`, `file` ...
    package var backendType: String
    /// The backend's host, without credentials.
    package var endpoint: String
    package var health: Health
    package var detail: String

    package init(name: String, backendType: String, endpoint: String, health: Health, detail: String = "") {
        self.name = name
        self.backendType = backendType
        self.endpoint = endpoint
        self.health = health
        self.detail = detail
    }

    private enum CodingKeys: String, CodingKey {
        case name
        case backendType = "backend_type"
        case endpoint, health, detail
    }
}

/// How a reload went.
package struct ReloadReport: Sendable, Codable, Equatable {
    package var succeeded: Bool
    /// What is wrong with the file, or what a valid one still waits for.
    package var messages: [String]

    package init(succeeded: Bool, messages: [String] = []) {
        self.succeeded = succeeded
        self.messages = messages
    }
}
