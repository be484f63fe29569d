import NIOCore

/// How much is read at a time and how much may wait to be written: together the memory a connection costs.
///
/// A reader that is slower than its store costs one buffer of at most 256 KiB and one watermark; an idle connection
/// costs the smallest buffer. Measured: larger buffers bring no further gain for large objects.
enum ReadSizes {
    static let client = AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 4096, maximum: 256 * 1024)
    static let upstream = AdaptiveRecvByteBufferAllocator(minimum: 4096, initial: 16 * 1024, maximum: 256 * 1024)
    static let waterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 32 * 1024, high: 64 * 1024)
}
