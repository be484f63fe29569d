package import GRDB

extension DatabaseWriter {
    /// Closes the file so that nothing is left in its write-ahead log: SQLite empties that when the last connection
    /// closes, which a reader's can't do.
    ///
    /// - Throws: what SQLite says where a reader is still under way. Its log then stays beside the file, and loses nothing.
    package func closeWhole() throws {
        (self as? DatabasePool)?.invalidateReadOnlyConnections()
        try close()
    }
}
