/// Whether `condition` comes true. Asks again and again, for a minute at the least: only what never comes true takes that
/// long, on a slow machine too.
package func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    for _ in 0..<6000 {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return false
}
