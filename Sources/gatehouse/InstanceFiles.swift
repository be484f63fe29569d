import Logging
import SQLiteState
import Settings

/// What the configuration keeps in files, open: the logs, the state, the stores in folders.
struct InstanceFiles {
    let journal: JournalFiles
    let state: SQLiteState
    let stores: EmbeddedStores

    init(_ configuration: GatehouseConfiguration, opening opened: inout Opened, logger: Logger) throws {
        let journal = try JournalFiles(configuration)
        opened.add { await journal.close() }
        let state = try SQLiteState(configuration.state.place)
        opened.add { await state.close() }
        let stores = try EmbeddedStores(configuration, logger: logger)
        opened.add { stores.removeSockets() }
        (self.journal, self.state, self.stores) = (journal, state, stores)
    }
}
