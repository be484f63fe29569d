import Testing

@testable import Identity

@Suite("Principals are who their bytes say")
struct PrincipalTests {
    /// Composed and decomposed: the same to a reader, and to Swift's strings.
    private static let twins = ("\u{e9}ve", "e\u{301}ve")

    @Test("Two subjects that look the same are two principals, each with what is its own")
    func lookalikes() {
        let (one, other) = Self.twins
        #expect(one == other)
        let pairs: [(Principal, Principal)] = [
            (.user(one), .user(other)), (.key(one), .key(other)), (.link(one), .link(other)),
            (.identityProvider(name: "auth", subject: one), .identityProvider(name: "auth", subject: other)),
            (.identityProvider(name: one, subject: "x"), .identityProvider(name: other, subject: "x")),
            (.role(id: one, session: "x"), .role(id: other, session: "x")),
            (.role(id: "x", session: one), .role(id: "x", session: other)),
        ]
        for (first, second) in pairs {
            #expect(first != second)
            #expect(Set([first, second]).count == 2)
            #expect([first: 1][second] == nil)
            #expect(first.isNamed(first.description) && !first.isNamed(second.description))
            #expect(Principal(first.description) == first && Principal(second.description) == second)
        }
    }

    @Test("The same name of another kind, or divided otherwise, is somebody else")
    func kinds() {
        let all: Set<Principal> = [
            .user("a"), .key("a"), .link("a"), .identityProvider(name: "a", subject: ""),
            .identityProvider(name: "", subject: "a"), .role(id: "a", session: ""), .role(id: "", session: "a"),
            .anonymous, .user(""),
        ]
        #expect(all.count == 9)
        #expect(all.contains(.user("a")) && !all.contains(.user("b")))
    }

    @Test("A colon divides, whatever accent stands on it")
    func accentOnColon() {
        #expect(Principal("idp:auth:\u{301}x") == .identityProvider(name: "auth", subject: "\u{301}x"))
        #expect(Principal("user:\u{301}") == .user("\u{301}"))
        for text in ["idp:auth:", "user:", "idp::x"] { #expect(Principal(text) == nil) }
    }
}
