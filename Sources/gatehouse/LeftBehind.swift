import Foundation
import Settings

/// What lies in the working directory, where earlier builds looked for relative paths, and not where it is looked for now:
/// whoever starts without it starts with an empty state, in which nothing is revoked or blocked.
struct LeftBehind {
    let there: String
    let here: String

    static func found(by configuration: GatehouseConfiguration, at path: String) -> [LeftBehind] {
        var kept: [String] = []
        if case .sqlite(let path) = configuration.state.store { kept.append(path) }
        if case .file(let path) = configuration.audit.destination { kept.append(path) }
        guard let slash = path.lastIndex(of: "/") else { return [] }
        let folder = path[...slash]
        return kept.compactMap { here in
            guard here.hasPrefix(folder) else { return nil }
            let there = String(here.dropFirst(folder.count))
            let files = FileManager.default
            return !files.fileExists(atPath: here) && files.fileExists(atPath: there)
                ? LeftBehind(there: there, here: here) : nil
        }
    }
}
