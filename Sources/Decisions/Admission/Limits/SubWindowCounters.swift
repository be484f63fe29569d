/// A window counted in 64 parts, in constant memory: what happened within the oldest part counts until all of the
/// part has left the window. So the total is never too small, and too large by at most 1/64 of a window's traffic.
struct SubWindowCounters: Sendable {
    static let parts: Int64 = 64

    private let window: Int64
    private let step: Int64
    /// A ring of the parts that the window may touch: 64 whole ones and the current one.
    private var cells: [Int64]
    /// The number of the current part, counted from time 0.
    private var newest: Int64
    private(set) var total: Int64 = 0

    init(window: Int64, at now: Int64) {
        self.window = window
        step = max(1, (window + Self.parts - 1) / Self.parts)
        cells = [Int64](repeating: 0, count: Int(Self.parts) + 1)
        newest = floorDivide(now, step)
    }

    mutating func add(_ weight: Int64, at now: Int64) {
        advance(to: now)
        cells[place(newest)] += weight
        total += weight
    }

    mutating func advance(to now: Int64) {
        let current = max(newest, floorDivide(now, step))
        if current - newest >= Self.parts + 1 {
            for index in cells.indices { cells[index] = 0 }
            total = 0
        } else {
            for number in stride(from: newest + 1, through: current, by: 1) { clear(number) }
        }
        newest = current
        for number in (newest - Self.parts)..<max(newest - Self.parts, oldest(at: now)) { clear(number) }
    }

    /// When, without further events, the total falls below `amount`; nil where it is below already.
    func turningPoint(below amount: Int64) -> Int64? {
        var rest = total
        guard rest >= amount else { return nil }
        for number in (newest - Self.parts)...newest {
            rest -= cells[place(number)]
            if rest < amount { return (number + 1) * step + window }
        }
        return nil
    }

    /// The same counts for a window of another length; each is taken to be as young as it can be.
    func converted(toWindow other: Int64, at now: Int64) -> SubWindowCounters {
        let first = (newest - Self.parts) * step
        var result = SubWindowCounters(window: other, at: min(first, now))
        for number in (newest - Self.parts)...newest where cells[place(number)] > 0 {
            result.add(cells[place(number)], at: min((number + 1) * step - 1, now))
        }
        result.advance(to: now)
        return result
    }

    /// The number of the first part that has a moment within the window that ends now.
    private func oldest(at now: Int64) -> Int64 { floorDivide(now - window, step) }

    private func place(_ number: Int64) -> Int {
        let rest = Int(number % (Self.parts + 1))
        return rest < 0 ? rest + cells.count : rest
    }

    private mutating func clear(_ number: Int64) {
        total -= cells[place(number)]
        cells[place(number)] = 0
    }
}

/// Division that rounds towards negative infinity: times before 1970 are negative.
private func floorDivide(_ dividend: Int64, _ divisor: Int64) -> Int64 {
    let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
}
