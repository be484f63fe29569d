import NIOCore
import NIOPosix

/// The bytes of one object, or of a range of it, as they were when it was looked up: replacing or deleting the object
/// meanwhile changes nothing. Its files stay until the last reference is gone.
final class ObjectReader: Sendable {
    private let store: ObjectStore
    private let content: ContentID
    private let segments: [Segment]
    /// The bytes of the object that are to be read.
    let range: Range<Int64>

    /// Takes over a lease on `content`.
    init(store: ObjectStore, content: ContentID, segments: [Segment], range: Range<Int64>) {
        self.store = store
        self.content = content
        self.segments = segments
        self.range = range
    }

    deinit { store.endLease(content) }

    /// The bytes in order, at most ``ObjectStore/chunk`` at a time; each is read when it is asked for.
    func chunks() -> Chunks { Chunks(reader: self) }

    struct Chunks: AsyncSequence, Sendable {
        typealias Element = ByteBuffer
        fileprivate let reader: ObjectReader

        func makeAsyncIterator() -> Iterator {
            Iterator(reader: reader, rest: reader.segments[...], position: reader.range.lowerBound)
        }

        struct Iterator: AsyncIteratorProtocol {
            fileprivate let reader: ObjectReader
            fileprivate var rest: ArraySlice<Segment>
            fileprivate var position: Int64
            private var file: SystemFile?

            fileprivate init(reader: ObjectReader, rest: ArraySlice<Segment>, position: Int64) {
                self.reader = reader
                self.rest = rest
                self.position = position
            }

            mutating func next() async throws -> ByteBuffer? {
                while let segment = rest.first, position >= segment.start + segment.length {
                    rest = rest.dropFirst()
                    file = nil
                }
                guard let segment = rest.first, position < reader.range.upperBound else { return nil }
                let end = Swift.min(reader.range.upperBound, segment.start + segment.length)
                let count = Int(Swift.min(Int64(ObjectStore.chunk), end - position))
                let offset = position - segment.start
                let (opened, chunk) = try await reader.store.threads.runIfActive { [reader, file] in
                    let file = try file ?? reader.store.files.open(segment.file)
                    return (file, try file.read(at: offset, upTo: count))
                }
                guard chunk.readableBytes == count else { throw IndexFailure.damaged }
                file = opened
                position += Int64(count)
                return chunk
            }
        }
    }
}
