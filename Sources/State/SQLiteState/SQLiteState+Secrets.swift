import GRDB
package import Valet
package import WireFormats

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension SQLiteState: SecretStore {
    package func secret(
        _ name: String,
        orKeep candidate: Secret<[UInt8]>
    ) async throws(StateError) -> Secret<[UInt8]> {
        try await write { database in
            try database.cachedStatement(sql: "INSERT INTO secret (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING")
                .execute(arguments: [name, Data(candidate.reveal())])
            let statement = try database.cachedStatement(sql: "SELECT value FROM secret WHERE name = ?")
            guard let kept = try Data.fetchOne(statement, arguments: [name]) else {
                throw StateError.corrupt("a secret is gone")
            }
            return Secret(Array(kept))
        }
    }
}
