/// What an instance has open, and the one way to close it: the latest first, whether a start failed or the end has come.
struct Opened {
    private var closings: [() async -> Void] = []

    /// What is open from now on is closed like this.
    mutating func add(_ close: @escaping () async -> Void) { closings.append(close) }

    mutating func close() async {
        while let close = closings.popLast() { await close() }
    }
}
