extension GatehouseConfiguration {
    /// The keys whose change from `old` to `new` takes effect at the next start only: what sockets and stores were
    /// opened with. Everything else a reload puts in force.
    package static func restartRequired(
        from old: GatehouseConfiguration,
        to new: GatehouseConfiguration
    ) -> [String] {
        var keys: [String] = []
        if old.server.listen != new.server.listen { keys.append("server.listen") }
        if old.server.adminListen != new.server.adminListen { keys.append("server.admin_listen") }
        if (old.server.tls == nil) != (new.server.tls == nil) { keys.append("server.tls") }
        if old.state.store != new.state.store { keys.append("state.store") }
        if old.state.maxStaleness != new.state.maxStaleness { keys.append("state.max_staleness") }
        return keys
    }
}
