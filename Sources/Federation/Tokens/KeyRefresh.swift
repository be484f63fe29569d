import WireFormats

/// When an issuer is asked for its keys: the arithmetic of it, without keys, clocks or network.
///
/// Known keys serve on while the issuer is asked or away; an unknown key makes us ask, but not more often than ``floor``;
/// failures are waited out, longer each time.
struct KeyRefresh: Sendable {
    /// The shortest time between two questions that tokens of unknown keys cause: whoever invents key ids does not make
    /// us ask more often.
    static let floor = Duration.seconds(30)
    /// How long keys serve that can't be renewed. An issuer may be away for a day; a key it took back long ago must not
    /// be good for ever.
    static let longestUse = Duration.seconds(86_400)
    private static let longestPause = Duration.seconds(30)

    private(set) var loadedAt: Instant?
    private(set) var failures = 0
    private var freshUntil: Instant?
    private var pausedUntil: Instant?
    private var lastSearch: Instant?

    enum Step: Equatable {
        case use
        /// Use what is there, and ask meanwhile.
        case useAndAsk
        /// Ask, and wait for the answer.
        case ask
        /// There is no such key.
        case refuse
        /// Nobody can say at the moment.
        case unavailable
    }

    /// What to do about a token, where nobody is asking already.
    mutating func step(isKnown: Bool, at now: Instant) -> Step {
        let isPaused = pausedUntil.map { now < $0 } ?? false
        guard let loadedAt, now < loadedAt + Self.longestUse else { return isPaused ? .unavailable : .ask }
        if isKnown { return isDue(at: now) ? .useAndAsk : .use }
        if failures > 0 { return isPaused ? .unavailable : .ask }
        if let lastSearch, now < lastSearch + Self.floor { return .refuse }
        lastSearch = now
        return .ask
    }

    /// Whether it is time to ask, without any token's doing.
    func isDue(at now: Instant) -> Bool {
        if let pausedUntil, now < pausedUntil { return false }
        guard let freshUntil else { return true }
        return now >= freshUntil
    }

    var isUsable: Bool { loadedAt != nil }

    mutating func loaded(freshFor: Duration, at now: Instant) {
        loadedAt = now
        freshUntil = now + freshFor
        failures = 0
        pausedUntil = nil
    }

    mutating func failed(at now: Instant) {
        failures += 1
        let pause = Duration.seconds(1 << min(failures - 1, 5))
        pausedUntil = now + min(pause, Self.longestPause)
    }
}
