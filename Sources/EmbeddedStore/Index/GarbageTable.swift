import GRDB

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The table `garbage`: files that no row refers to any more and that have not been unlinked yet.
enum GarbageTable {
    static func insert(_ database: Database, _ files: [ContentID]) throws {
        let statement = try database.cachedStatement(sql: "INSERT OR IGNORE INTO garbage (file) VALUES (?)")
        for file in files { try statement.execute(arguments: [Data(file.bytes)]) }
    }

    static func remove(_ database: Database, _ files: [ContentID]) throws {
        let statement = try database.cachedStatement(sql: "DELETE FROM garbage WHERE file = ?")
        for file in files { try statement.execute(arguments: [Data(file.bytes)]) }
    }

    static func all(_ database: Database) throws -> [ContentID] {
        try Data.fetchAll(database, sql: "SELECT file FROM garbage").map { try ObjectTable.content($0) }
    }

    /// Whether an object of any version, a segment or a part is held in the file.
    static func isReferred(_ database: Database, _ file: ContentID) throws -> Bool {
        let statement = try database.cachedStatement(
            sql: """
                SELECT EXISTS (SELECT 1 FROM object WHERE content = ?1 AND segmented = 0)
                    OR EXISTS (SELECT 1 FROM segment WHERE file = ?1) OR EXISTS (SELECT 1 FROM part WHERE content = ?1)
                    OR EXISTS (SELECT 1 FROM version WHERE content = ?1 AND segmented = 0 AND marker = 0)
                """
        )
        return try Bool.fetchOne(statement, arguments: [Data(file.bytes)]) ?? false
    }
}
