/// How many grants may be in force, each of them with the one that is made.
public struct GrantLimits: Hashable, Sendable {
    /// Together: all of them are in memory.
    public let together: Int
    /// By one giver, who leaves room for others.
    public let ofOneGiver: Int
    /// By one giver to one subject for the same key, and for prefixes in the same bucket: so many have to be looked at for one
    /// request, so that nobody loads anybody else. Links are held by nobody else, and are not counted.
    public let forOneKey: Int
    public let prefixes: Int

    public init(together: Int, ofOneGiver: Int, forOneKey: Int, prefixes: Int) {
        self.together = together
        self.ofOneGiver = ofOneGiver
        self.forOneKey = forOneKey
        self.prefixes = prefixes
    }
}
