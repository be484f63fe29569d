import Admission
import Backends
import HTTP1
import S3API
import WireFormats

/// What policies' conditions look at of a request to a store: of one that is here, or of one that is issued.
struct ConditionValues: Sendable {
    private let fields: FieldBlock
    /// Nil where there is none, or none that can be read.
    private let query: @Sendable () -> Query?
    private let snapshot: Snapshot

    init(of head: RequestHead, under snapshot: Snapshot) {
        fields = head.fields
        query = { head.query.flatMap { try? Query(parsing: $0) } }
        self.snapshot = snapshot
    }

    /// - Parameter fields: which the request has to carry.
    init(_ fields: FieldBlock, _ query: Query, under snapshot: Snapshot) {
        self.fields = fields
        self.query = { query }
        self.snapshot = snapshot
    }

    func values(_ value: RequestValue) -> [[UInt8]] {
        switch value {
        case .client(let name): return sent(name)
        case .header(let name):
            // What a signing SDK moved into the query is carried as the field that it is.
            let values =
                sent(name)
                + asked { item in
                    name.withUTF8Buffer { wanted in
                        wanted.starts(with: "x-amz-".utf8) && item.count == wanted.count
                            && zip(item, wanted).allSatisfy { lowered($0) == $1 }
                    }
                }
            return name.description == "x-amz-copy-source" ? values.flatMap(objects) : values
        case .query(let name):
            return asked { item in name.withUTF8Buffer { item.elementsEqual($0) } }
        }
    }

    private func sent(_ name: StaticString) -> [[UInt8]] {
        fields.entries.filter { fields.isNamed($0, name) }.map { Array(fields.value($0)) }
    }

    private func asked(_ isMeant: (_ name: [UInt8]) -> Bool) -> [[UInt8]] {
        query()?.items.filter { isMeant($0.name) }.map(\.value) ?? []
    }

    /// One name for one object, however it is spelt.
    private func objects(_ value: [UInt8]) -> [[UInt8]] {
        guard let source = try? CopySource(parsing: value) else { return [value] }
        let bucket = Array("\(source.bucket)/".utf8)
        let isKept = snapshot.bucket(source.bucket)?.backend.keepsKeys ?? false
        guard !isKept, !FoldedName.isFolded(source.key.bytes) else { return [bucket + source.key.bytes] }
        // Nor is it another object for the store because its slashes are written otherwise.
        return [bucket + source.key.bytes, bucket + FoldedName(source.key.bytes).bytes]
    }
}

extension Asking {
    /// What a policy's condition may look at.
    func values(_ value: RequestValue) -> [[UInt8]] { ConditionValues(of: head, under: snapshot).values(value) }

    /// The same of the source of a copy: what has to hold of it, a copy says in fields of its own.
    func valuesOfSource(_ value: RequestValue) -> [[UInt8]] {
        if value == .header("if-match") { return values(.header("x-amz-copy-source-if-match")) }
        if value == .header("if-none-match") { return values(.header("x-amz-copy-source-if-none-match")) }
        return values(value)
    }
}
