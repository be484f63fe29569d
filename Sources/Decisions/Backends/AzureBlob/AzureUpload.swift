import Crypto
import S3API
import WireFormats

/// An unfinished upload in parts. Azure has none: a blob's blocks wait until a list of them is committed. That it exists,
/// and what was said of the object when it began, is kept as an empty blob in a folder of its own
/// (docs/decisions/0017-uploads-at-azure.md).
struct AzureUpload: Sendable {
    /// Under the bucket's prefix. Clients neither reach nor see it.
    static let folder = Array(".gatehouse/uploads/".utf8)

    /// 16 bytes.
    let id: [UInt8]

    /// One that begins now. An id is no secret: whoever uses it needs the key's own permission. Two of one key that begin
    /// in one nanosecond would have the same; the second is refused.
    init(of key: ObjectKey, at now: Instant) {
        id = Array(Self.digest("upload", key.bytes, now).prefix(16))
    }

    /// One that a client names.
    /// - Throws: `NoSuchUpload` for what is no id of ours.
    init(named text: [UInt8]?) throws(S3Error) {
        guard let id = text.flatMap({ Hex.decode($0) }), id.count == 16 else { throw S3Error(.noSuchUpload) }
        self.id = id
    }

    var name: String { Hex.encode(id) }

    /// The blob that says it exists: named for upload and key, so that one key's upload is not found under another's.
    func state(of key: ObjectKey) -> [UInt8] {
        var hash = SHA256()
        hash.update(data: id)
        hash.update(data: key.bytes)
        return Self.folder + Array((name + "-" + Hex.encode(Array(hash.finalize()).prefix(8))).utf8)
    }

    /// The id in a state's name.
    init?(inState name: some Collection<UInt8>) {
        guard name.starts(with: Self.folder) else { return nil }
        let text = name.dropFirst(Self.folder.count).prefix { $0 != UInt8(ascii: "-") }
        guard let id = Hex.decode(Array(text)), id.count == 16 else { return nil }
        self.id = id
    }

    /// A part under way: as block 34 bytes, as every block of a blob must be as long as the others. A part that is sent again
    /// is another block, and the later one counts.
    struct Part: Hashable, Sendable {
        let number: Int
        /// When it was begun, and what tells it from another of that instant.
        let mark: [UInt8]

        init(_ number: Int, of upload: AzureUpload, at now: Instant) {
            self.number = number
            let time = withUnsafeBytes(of: UInt64(bitPattern: now.nanosecondsSince1970).bigEndian) { Array($0) }
            mark = time + AzureUpload.digest(upload.name, [UInt8(number >> 8), UInt8(number & 0xFF)], now).prefix(8)
        }

        /// One that a client names.
        init?(_ number: Int, etag: String) {
            let bare = etag.utf8.filter { $0 != UInt8(ascii: "\"") }
            guard let mark = Hex.decode(bare.prefix { $0 != UInt8(ascii: "-") }), mark.count == 16 else { return nil }
            self.number = number
            self.mark = mark
        }

        /// One that the store names; nil for a block of another upload, or of somebody else.
        init?(block: String, of upload: AzureUpload) {
            guard let bytes = Base64.decode(Array(block.utf8)), bytes.count == 34, bytes.starts(with: upload.id) else {
                return nil
            }
            number = Int(bytes[16]) << 8 | Int(bytes[17])
            mark = Array(bytes[18...])
        }

        /// The number behind it keeps clients from taking it for an MD5.
        var etag: String { "\"\(Hex.encode(mark))-\(number)\"" }

        var begun: Instant {
            Instant(nanosecondsSince1970: mark.prefix(8).reduce(0) { $0 << 8 | Int64($1) })
        }

        func block(of upload: AzureUpload) -> String {
            Base64.encode(upload.id + [UInt8(number >> 8), UInt8(number & 0xFF)] + mark)
        }
    }

    fileprivate static func digest(_ what: String, _ bytes: [UInt8], _ now: Instant) -> [UInt8] {
        var hash = SHA256()
        hash.update(data: Array("\(what) \(now.nanosecondsSince1970) ".utf8))
        hash.update(data: bytes)
        return Array(hash.finalize())
    }
}

/// A blob's blocks as the store lists them (Microsoft, "Get Block List").
struct AzureBlockList {
    struct Block {
        /// In base64.
        let name: String
        /// Bytes.
        let size: Int64
    }

    let committed: [Block]
    let uncommitted: [Block]

    /// Nil for what is no such list.
    init?(parsing body: [UInt8]) {
        guard let root = try? XMLReader.parse(body, forbidden: .replaced, maxElements: 200_000),
            root.name == "BlockList", let committed = Self.blocks(root.child("CommittedBlocks")),
            let uncommitted = Self.blocks(root.child("UncommittedBlocks"))
        else { return nil }
        self.committed = committed
        self.uncommitted = uncommitted
    }

    private static func blocks(_ node: XMLNode?) -> [Block]? {
        var blocks: [Block] = []
        for child in node?.children(named: "Block") ?? [] {
            guard let name = child.value("Name"), let size = child.value("Size").flatMap({ Int64($0) }), size >= 0
            else {
                return nil
            }
            blocks.append(Block(name: name, size: size))
        }
        return blocks
    }
}
