import Logging
import NIOCore
import NIOPosix
import S3API

extension ObjectStore {
    /// Receives a body into a durable file that no row refers to yet. Anything that goes wrong, and a sender that
    /// breaks off, leaves nothing.
    func receive<Body: AsyncSequence>(_ body: Body, _ claims: BodyClaims) async throws -> ReceivedContent
    where Body.Element == ByteBuffer {
        let id = newContentID()
        do {
            return try await receive(body, claims, as: id)
        } catch {
            await discard([id])
            throw error
        }
    }

    private func receive<Body: AsyncSequence>(
        _ body: Body,
        _ claims: BodyClaims,
        as id: ContentID
    ) async throws -> ReceivedContent where Body.Element == ByteBuffer {
        var incoming: IncomingContent?
        var waiting: [ByteBuffer] = []
        var waitingBytes = 0
        for try await buffer in body {
            waiting.append(buffer)
            waitingBytes += buffer.readableBytes
            guard waitingBytes >= Self.chunk else { continue }
            incoming = try await threads.runIfActive { [files, incoming, waiting] in
                var incoming = try incoming ?? IncomingContent(id: id, file: files.create(id), claims: claims)
                try incoming.append(waiting)
                return incoming
            }
            waiting = []
            waitingBytes = 0
        }
        return try await threads.runIfActive { [files, incoming, waiting] in
            var incoming = try incoming ?? IncomingContent(id: id, file: files.create(id), claims: claims)
            try incoming.append(waiting)
            let received = try incoming.finish()
            try files.makeDurable(incoming.file)
            return received
        }
    }

    /// Runs the transaction that refers to received contents. Once it is committed their files move into place; if it
    /// is refused they go.
    func commit<Value: Sendable>(
        _ received: [ReceivedContent],
        _ transaction: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let value: Value
        do {
            value = try await transaction()
        } catch {
            // After any other failure than a refusal, a commit may yet turn out to be on the medium: the next start
            // knows, and decides over the files in incoming/.
            if error is S3Error { await discard(received.map(\.id)) }
            throw error
        }
        await settle(received.map(\.id))
        return value
    }

    private func settle(_ ids: [ContentID]) async {
        do {
            try await threads.runIfActive { [files] in
                for id in ids { try files.settle(id) }
            }
        } catch {
            // Not lost: it is read where it is, and the next start moves it.
            logger.warning("a file stays in incoming/", metadata: ["error": "\(error)"])
        }
    }

    func discard(_ ids: [ContentID]) async {
        do {
            try await threads.runIfActive { [files] in
                for id in ids { try files.discard(id) }
            }
        } catch {
            logger.warning("a file could not be removed", metadata: ["error": "\(error)"])
        }
    }
}
