public import WireFormats

extension UploadSlot {
    /// Bytes a second of the slowest upload that is waited for.
    public static let slowestRate: Int64 = 256 << 10
    /// Seconds that every upload is waited for, and those that the longest is.
    public static let arrivalSeconds: ClosedRange<Int64> = 5...(6 * 3600)

    /// Until when an upload may still be under way that began while the slot was good. It is time to begin that ends
    /// with a URL: what began in time and takes longer is no less welcome.
    public var lastArrival: Instant {
        let range = Self.arrivalSeconds
        return expiresAt + .seconds(min(range.lowerBound + size / Self.slowestRate, range.upperBound))
    }
}
