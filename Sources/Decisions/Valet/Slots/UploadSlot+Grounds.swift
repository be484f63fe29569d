public import WireFormats

extension UploadSlot {
    /// Something that a slot was issued on, besides its issuer: where that is taken back, nothing becomes of the slot.
    public struct Ground: Hashable, Sendable {
        public enum Kind: String, CaseIterable, Sendable {
            /// As ``Revocation/Kind`` has them.
            case session, user, role
            /// By its id.
            case grant
        }

        public let kind: Kind
        public let subject: String
        /// When the issuer was given it: what ends things issued up to an instant ends it by this.
        public let issuedAt: Instant

        public init(_ kind: Kind, _ subject: String, issuedAt: Instant) {
            self.kind = kind
            self.subject = subject
            self.issuedAt = issuedAt
        }
    }
}
