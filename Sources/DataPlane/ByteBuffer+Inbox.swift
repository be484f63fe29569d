import NIOCore

extension ByteBuffer {
    /// Takes in what was received behind what still waits to be parsed. What was read is let go first: a buffer only ever
    /// grows at its end, so that one which is never quite empty would keep all it ever held.
    mutating func take(_ received: inout ByteBuffer) {
        if readableBytes == 0 {
            self = received
        } else {
            discardReadBytes()
            writeBuffer(&received)
        }
    }
}
