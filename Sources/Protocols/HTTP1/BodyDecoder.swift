public import NIOCore

/// Takes one message's body out of a connection's bytes, as slices of the buffers they arrived in.
public struct BodyDecoder: Sendable {
    public enum Event: Sendable {
        /// Everything in the buffer that belongs to the body has been handed out.
        case needMore
        /// The next bytes of the body, never empty: a slice, not a copy.
        case bytes(ByteBuffer)
        /// The body is complete and consumed; what is left in the buffer belongs to the next message. Later calls say
        /// the same and consume nothing.
        case end
        /// The framing is broken and the connection beyond use; later calls say the same.
        case refused(HTTPRefusal)
    }

    /// How a body stands when its connection closes.
    public enum Closure: Sendable {
        case end, truncated
    }

    private enum State: Sendable {
        // → finished
        case length(remaining: Int64)
        // → finished, refused
        case chunked(ChunkedDecoder)
        // → finished, by closed()
        case untilClose
        case finished
        case refused(HTTPRefusal)
    }

    private var state: State

    public init(framing: BodyFraming, limits: ChunkLimits = .request) {
        switch framing {
        case .none: state = .finished
        case .length(let length): state = length > 0 ? .length(remaining: length) : .finished
        case .chunked: state = .chunked(ChunkedDecoder(limits: limits))
        case .untilClose: state = .untilClose
        }
    }

    /// Whether ``Event/end`` has been reached.
    public var isFinished: Bool {
        if case .finished = state { true } else { false }
    }

    /// The next event; call until it is not `bytes`.
    public mutating func next(_ buffer: inout ByteBuffer) -> Event {
        switch state {
        case .finished:
            return .end
        case .refused(let refusal):
            return .refused(refusal)
        case .untilClose:
            guard buffer.readableBytes > 0 else { return .needMore }
            return slice(buffer.readableBytes, of: &buffer)
        case .length(let remaining):
            guard buffer.readableBytes > 0 else { return .needMore }
            let count = Int(min(remaining, Int64(buffer.readableBytes)))
            state = remaining > Int64(count) ? .length(remaining: remaining - Int64(count)) : .finished
            return slice(count, of: &buffer)
        case .chunked(var decoder):
            do throws(HTTPRefusal) {
                let step = try decoder.next(&buffer)
                state = .chunked(decoder)
                switch step {
                case .needMore: return .needMore
                case .bytes(let count): return slice(count, of: &buffer)
                case .end:
                    state = .finished
                    return .end
                }
            } catch {
                state = .refused(error)
                return .refused(error)
            }
        }
    }

    /// The connection closed: whether the body was whole.
    public mutating func closed() -> Closure {
        switch state {
        case .finished:
            return .end
        case .untilClose:
            state = .finished
            return .end
        case .length, .chunked, .refused:
            return .truncated
        }
    }

    private func slice(_ count: Int, of buffer: inout ByteBuffer) -> Event {
        guard let slice = buffer.readSlice(length: count) else {
            preconditionFailure("a slice of \(count) bytes of \(buffer.readableBytes)")
        }
        return .bytes(slice)
    }
}
