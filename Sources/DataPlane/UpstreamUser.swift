import HTTP1
import NIOCore

/// Whoever an exchange with a store is made for: a client's connection, or a transfer between stores. All on the loop of
/// the store's connection.
protocol UpstreamUser: AnyObject {
    /// On whose behalf.
    var caller: Breaker.Caller { get }
    /// Whether a connection is still wanted.
    var waitsForUpstream: Bool { get }
    /// Whether the answer may be read on.
    var takesAnswerBytes: Bool { get }
    /// Only then can the connection serve another exchange after this one.
    var hasSentWholeRequest: Bool { get }

    func upstreamReady(_ upstream: UpstreamConnection)
    func upstreamUnavailable(_ reason: UpstreamPool.Unavailable)
    /// The store takes bytes again.
    func upstreamTakesBytes()
    func upstreamAnswered(_ head: ResponseHead)
    func upstreamSent(_ bytes: ByteBuffer)
    /// What has come so far is all for now: what was made of it can be sent.
    func flushAnswer()
    /// The answer is complete and the connection given back.
    func upstreamEnded()
    func upstreamLost(_ loss: UpstreamConnection.Loss, from upstream: UpstreamConnection)
}
