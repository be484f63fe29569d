/// What became of the grants that a request needs a use of.
struct GrantFindings: Sendable {
    /// The uses that were taken.
    var ticket: UseTicket?
    /// Grants that had none left.
    var spent: Set<String> = []
    /// Why nobody can count; nil: somebody can.
    var unavailable: String?
}
