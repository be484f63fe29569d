/// Lets those who want to end the same slot do so one after the other. Others elsewhere are kept apart by its revision.
actor SlotTurns {
    private var waiting: [String: [CheckedContinuation<Void, Never>]] = [:]

    /// Does something in its turn.
    func take<Result: Sendable>(
        _ id: String,
        _ body: @Sendable () async throws(APIFailure) -> Result
    ) async throws(APIFailure) -> Result {
        await enter(id)
        do throws(APIFailure) {
            let result = try await body()
            leave(id)
            return result
        } catch {
            leave(id)
            throw error
        }
    }

    private func enter(_ id: String) async {
        guard waiting[id] != nil else {
            waiting[id] = []
            return
        }
        await withCheckedContinuation { waiting[id]?.append($0) }
    }

    private func leave(_ id: String) {
        guard var others = waiting[id], !others.isEmpty else {
            waiting[id] = nil
            return
        }
        let next = others.removeFirst()
        waiting[id] = others
        next.resume()
    }
}
