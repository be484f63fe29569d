import WireFormats

/// What a reload leaves for the next start: the keys that listeners, stores, logs and the queue's reader were opened with.
/// Everything else it puts in force.
package struct RestartRequired: Sendable {
    /// What waits, as the file names it.
    package private(set) var keys: [String] = []
    /// The configuration as it was read, with what the process was started with in place of what waits.
    package private(set) var inForce: GatehouseConfiguration

    package init(since started: GatehouseConfiguration, reading read: GatehouseConfiguration) {
        inForce = read
        keep("server.listen", \.server.listen, of: started)
        keep("server.admin_listen", \.server.adminListen, of: started)
        // A listener that speaks TLS goes on with new certificates; what it speaks stays.
        keep("server.tls", \.server.tls, of: started) { ($0 == nil) == ($1 == nil) }
        keep("admin.allowed_hosts", \.admin.allowedHosts, of: started)
        keep("state.store", \.state.store, of: started)
        keep("state.max_staleness", \.state.maxStaleness, of: started)
        keep("access_log.path", \.accessLog.destination, of: started)
        keep("access_log.format", \.accessLog.format, of: started)
        keep("audit.path", \.audit.destination, of: started)
        keep("audit.rotate_size", \.audit.rotateSize, of: started)
        keep("audit.keep", \.audit.keep, of: started)
        keep("audit.hmac_key", \.audit.hmacKey, of: started) { $0?.reveal() == $1?.reveal() }
        keepQueue(of: started)
    }

    private mutating func keep<Value: Equatable>(
        _ key: String,
        _ path: WritableKeyPath<GatehouseConfiguration, Value>,
        of started: GatehouseConfiguration
    ) {
        keep(key, path, of: started, where: ==)
    }

    private mutating func keep<Value>(
        _ key: String,
        _ path: WritableKeyPath<GatehouseConfiguration, Value>,
        of started: GatehouseConfiguration,
        where isSame: (Value, Value) -> Bool
    ) {
        guard !isSame(started[keyPath: path], inForce[keyPath: path]) else { return }
        keys.append(key)
        inForce[keyPath: path] = started[keyPath: path]
    }

    /// The reader of the queue is one whole: it goes on as it is, whichever key has changed.
    private mutating func keepQueue(of started: GatehouseConfiguration) {
        let (old, new) = (started.uploads.queue, inForce.uploads.queue)
        let same = [
            ("sqs_queue_url", old?.url == new?.url),
            ("sqs_region", old?.region == new?.region),
            ("sqs_endpoint", old?.endpoint == new?.endpoint),
            ("sqs_access_key_id", old?.accessKeyID == new?.accessKeyID),
            ("sqs_secret_access_key", old?.secretAccessKey?.reveal() == new?.secretAccessKey?.reveal()),
        ]
        let changed = same.filter { !$0.1 }
        guard !changed.isEmpty else { return }
        keys += changed.map { "uploads." + $0.0 }
        inForce.uploads.queue = old
    }
}
