import Identity
import Testing
import WireFormats

private let now = Instant(secondsSince1970: 1_800_000_000)

private func key(_ byte: UInt8) throws -> SessionKey {
    try #require(SessionKey(Array(repeating: byte, count: 32)))
}

private let nonce = [UInt8](repeating: 9, count: 12)

private func session(
    _ byte: UInt8 = 1,
    subject: Session.Subject = .role("deployer"),
    policy: String? = nil,
    parent: CredentialHolder? = nil
) -> Session {
    Session(
        random: Array(repeating: byte, count: 16),
        name: "ci",
        subject: subject,
        claims: ["repository_owner": "m\u{fc}org"],
        policy: policy,
        issuedAt: now,
        expiresAt: now + .seconds(3600),
        parent: parent
    )
}

@Suite("Session tokens are sealed, and known again")
struct SessionKeyringTests {
    @Test("A token opens as what was sealed, whatever it rests on")
    func roundTrip() throws {
        let keyring = SessionKeyring(keys: [try key(1)])
        let identity = TokenIdentity(
            provider: "auth",
            subject: "alice",
            claims: ["sub": "alice"],
            document: Array(#"{"sub":"alice"}"#.utf8),
            expiresAt: now + .seconds(600)
        )
        let chain = [
            session(), session(policy: #"{"Version":"2012-10-17"}"#), session(parent: .user("bob")),
            session(subject: .parent, parent: .accessKey("AK")), session(subject: .parent, parent: .token(identity)),
            session(2, parent: .session(session(1, subject: .parent, parent: .user("bob")))),
        ]
        for session in chain {
            let parts = try #require(keyring.seal(session, nonce: nonce))
            #expect(parts.token.reveal().utf8.count <= SessionKeyring.longestToken)
            let open = try #require(keyring.open(Array(parts.token.reveal().utf8), accessKeyID: parts.accessKeyID))
            #expect(open.session == session)
            #expect(open.secret.reveal() == parts.secret.reveal())
        }
    }

    @Test("No byte of a token can be changed, those that are not encrypted neither")
    func tampering() throws {
        let keyring = SessionKeyring(keys: [try key(1), try key(2)])
        let parts = try #require(keyring.seal(session(), nonce: nonce))
        let bytes = try #require(Base64URL.decode(parts.token.reveal().utf8))
        for index in bytes.indices {
            for flip: UInt8 in [1, 0x80] {
                var changed = bytes
                changed[index] ^= flip
                let token = Array(Base64URL.encode(changed).utf8)
                #expect(keyring.open(token, accessKeyID: parts.accessKeyID) == nil, "byte \(index)")
            }
        }
        for token in [Array(bytes.dropLast()), bytes + [0], Array(bytes.dropFirst()), []] {
            #expect(keyring.open(Array(Base64URL.encode(token).utf8), accessKeyID: parts.accessKeyID) == nil)
        }
        #expect(keyring.open(Array((parts.token.reveal() + "=").utf8), accessKeyID: parts.accessKeyID) == nil)
    }

    @Test("The header of another session, or of another key, does not fit")
    func swappedHeaders() throws {
        let keyring = SessionKeyring(keys: [try key(1), try key(2)])
        let other = SessionKeyring(keys: [try key(2)])
        let first = try #require(keyring.seal(session(1), nonce: nonce))
        let second = try #require(keyring.seal(session(2), nonce: nonce))
        let foreign = try #require(other.seal(session(1), nonce: nonce))
        func bytes(_ parts: SessionKeyring.Parts) throws -> [UInt8] {
            try #require(Base64URL.decode(parts.token.reveal().utf8))
        }
        for (head, tail) in [(first, second), (foreign, first), (first, foreign)] {
            let mixed = Array(try bytes(head)[..<37]) + (try bytes(tail)[37...])
            #expect(keyring.open(Array(Base64URL.encode(mixed).utf8), accessKeyID: head.accessKeyID) == nil)
        }
        // Its own access key id and no other.
        #expect(keyring.open(Array(first.token.reveal().utf8), accessKeyID: second.accessKeyID) == nil)
        #expect(keyring.open(Array(first.token.reveal().utf8), accessKeyID: "AKOTHER") == nil)
        #expect(first.secret.reveal() != second.secret.reveal() && first.secret.reveal() != foreign.secret.reveal())
    }

    @Test("Keys overlap: a new one seals, the old one still opens, and without it its tokens are nobody's")
    func rotation() throws {
        let before = SessionKeyring(keys: [try key(1)])
        let during = SessionKeyring(keys: [try key(2), try key(1)])
        let after = SessionKeyring(keys: [try key(2)])
        let old = try #require(before.seal(session(1), nonce: nonce))
        let new = try #require(during.seal(session(2), nonce: nonce))
        func opens(_ keyring: SessionKeyring, _ parts: SessionKeyring.Parts) -> Bool {
            keyring.open(Array(parts.token.reveal().utf8), accessKeyID: parts.accessKeyID)?.secret.reveal()
                == parts.secret.reveal()
        }
        #expect(opens(during, old) && opens(during, new) && opens(after, new))
        #expect(!opens(after, old) && !opens(before, new))
    }

    @Test("What does not fit is not made, and what is too long not read")
    func bounds() throws {
        let keyring = SessionKeyring(keys: [try key(1)])
        #expect(keyring.seal(session(policy: String(repeating: "a", count: 2048)), nonce: nonce) != nil)
        #expect(keyring.seal(session(policy: String(repeating: "a", count: 6200)), nonce: nonce) == nil)
        #expect(keyring.open(Array(repeating: UInt8(ascii: "A"), count: 9000), accessKeyID: "GHSTS") == nil)
        #expect(SessionKey(Array(repeating: 1, count: 31)) == nil)
    }

    @Test("A session is named in several ways")
    func names() throws {
        let parts = try #require(SessionKeyring(keys: [try key(1)]).seal(session(), nonce: nonce))
        let id = session().id
        for text in [id, id.uppercased(), parts.accessKeyID, id + ":ci"] {
            #expect(SessionKeyring.sessionID(in: text) == id)
        }
        for text in ["", "GHSTS", "GHSTS12", id + "00", String(repeating: "z", count: 32)] {
            #expect(SessionKeyring.sessionID(in: text) == nil)
        }
    }

    @Test("Policies add up along what a session rests on")
    func policies() {
        let first = session(1, subject: .parent, policy: "a", parent: .user("bob"))
        let second = session(2, subject: .parent, parent: .session(first))
        let third = session(3, policy: "c", parent: .session(second))
        #expect(third.policies == ["a", "c"] && third.depth == 3 && first.depth == 1)
    }

    @Test("No description shows a key, a secret or a token")
    func hidden() throws {
        let key = try key(0xAB)
        let parts = try #require(SessionKeyring(keys: [key]).seal(session(), nonce: nonce))
        var shown = ""
        dump(key, to: &shown)
        dump(parts, to: &shown)
        #expect(!shown.contains("171, 171") && !shown.contains("- 171") && !shown.contains(parts.secret.reveal()))
        #expect(!shown.contains(parts.token.reveal()))
    }
}
