import NIOCore
import NIOSSL
import Settings
import WireFormats

/// TLS as clients meet it: TLS 1.2 or newer, HTTP/1.1.
enum ListenerTLS {
    /// How long a client has to say goodbye after we did, with everything written: idle ones never do, and the end of the
    /// server would wait for them.
    private static let farewell = TimeAmount.milliseconds(500)

    /// Nil where the listener speaks plain HTTP.
    static func context(_ settings: Settings.TLSConfiguration?) throws -> NIOSSLContext? {
        guard let settings else { return nil }
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(settings.certificateChain.utf8))
        let key = try NIOSSLPrivateKey(bytes: Array(settings.privateKey.reveal().utf8), format: .pem)
        var configuration = NIOSSL.TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(key)
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.shutdownTimeout = farewell
        configuration.applicationProtocols = ["http/1.1"]
        return try NIOSSLContext(configuration: configuration)
    }
}
