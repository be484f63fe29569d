import GRDB
import S3API
import Valet
import WireFormats

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Whether one more grant may be in force. Each count is of an index alone, and goes no further than its limit.
enum GrantRoom {
    static func isThere(_ database: Database, for grant: Grant, within limits: GrantLimits) throws -> Bool {
        func isBelow(_ limit: Int, _ condition: String, _ arguments: StatementArguments) throws -> Bool {
            let statement = try database.cachedStatement(sql: sql(condition))
            let all = arguments + [grant.issuedAt.nanosecondsSince1970, limit]
            return try Int.fetchOne(statement, arguments: all) ?? 0 < limit
        }
        if case .principal(let subject) = grant.subject {
            let holding: StatementArguments = [subject, grant.bucket.string, grant.grantor]
            let fits =
                switch grant.reach {
                case .key(let key): try isBelow(limits.forOneKey, ofKey, holding + [Data(key.bytes)])
                case .prefix: try isBelow(limits.prefixes, ofPrefixes, holding)
                }
            guard fits else { return false }
        }
        return try isBelow(limits.ofOneGiver, ofGiver, [grant.grantor]) && isBelow(limits.together, ofAll, [])
    }

    /// The conditions, each with the index that answers it.
    private static let ofAll = "INDEXED BY permission_in_force WHERE"
    private static let ofGiver = "INDEXED BY permission_of_giver WHERE grantor = ? AND"
    private static let ofKey = besides + " prefix = 0 AND reach = ? AND"
    private static let ofPrefixes = besides + " prefix = 1 AND"
    private static let besides =
        "INDEXED BY permission_beside WHERE link IS NULL AND subject = ? AND bucket = ? AND grantor = ? AND"

    private static func sql(_ condition: String) -> String {
        "SELECT count(*) FROM (SELECT 1 FROM permission \(condition) revoked IS NULL AND expires > ? LIMIT ?)"
    }
}
