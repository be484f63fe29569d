import Backends
import HTTP1
import S3API
import Signatures
import WireFormats

extension Suspicion {
    /// Another host than it arrived for.
    static func hosts(_ trial: SignatureTrial, _ diagnosis: SignatureDiagnosis) -> [Suspicion] {
        let asking = diagnosis.asking
        let came = quoted(asking.origin.host)
        return candidates(diagnosis).map { host, path in
            var other = trial
            other.host = host
            other.path = .received(path)
            let message =
                path == asking.head.path
                ? "The signature is right for the host \(quoted(host)), but the request arrived for \(came). Something in "
                    + "between changed Host: let the proxy pass it on as it came (nginx: proxy_set_header Host "
                    + "$http_host), or send X-Forwarded-Host from an address of server.trusted_proxies; or the client "
                    + "signs for another endpoint than it sends to."
                : "The signature is right for the host \(quoted(host)) with the path \(quoted(path)), but the request "
                    + "arrived for \(came) with \(quoted(asking.head.path)): client and gateway differ in whether the "
                    + "bucket stands in the host or in the path (server.domains)."
            return Suspicion(.wrongHost, message, other)
        }
    }

    /// Hosts that are near at hand, each with the path that goes with it.
    private static func candidates(_ diagnosis: SignatureDiagnosis) -> [(host: [UInt8], path: [UInt8])] {
        let asking = diagnosis.asking
        let (head, server) = (asking.head, asking.snapshot.server)
        var names = diagnosis.otherHosts.map { Array($0.utf8) }
        for field in ["x-forwarded-host", "x-original-host", "x-forwarded-server"] as [StaticString] {
            names +=
                head.fields.first(field).map { $0.split(separator: UInt8(ascii: ",")).map { Array(trimmed($0)) } } ?? []
        }
        names += [head.host, asking.origin.host]
        names.append(Array(server.view.publicURL.utf8.drop { $0 != UInt8(ascii: "/") }.dropFirst(2)))
        names += server.domains.map { Array($0.utf8) }
        names += asking.snapshot.upstreams.map { Array($0.endpoint.authority.utf8) }
        names += ["localhost", "127.0.0.1", "[::1]", "s3.amazonaws.com"].map { Array($0.utf8) }
        if let region = diagnosis.report?.region { names.append(Array("s3.\(region).amazonaws.com".utf8)) }

        var hosts: [[UInt8]] = []
        for name in names where !name.isEmpty && name.count <= 255 {
            let bare = withoutPort(name)
            hosts += [name, name.map(lowered), bare] + ports(head.host, name).map { bare + [UInt8(ascii: ":")] + $0 }
        }
        var seen: Set<[UInt8]> = []
        hosts = hosts.filter { seen.insert($0).inserted }
        var result = hosts.map { ($0, head.path) }
        guard let located = diagnosis.located, let bucket = located.address.bucket?.string else { return result }
        let prefix = Array(bucket.utf8)
        switch located.style {
        case .virtualHost: result += hosts.map { ($0, [UInt8(ascii: "/")] + prefix + head.path) }
        case .path:
            let rest = Array(head.path.dropFirst(1 + prefix.count))
            result += hosts.map { (prefix + [UInt8(ascii: ".")] + $0, rest.isEmpty ? [UInt8(ascii: "/")] : rest) }
        }
        return result
    }

    private static func ports(_ names: [UInt8]...) -> [[UInt8]] {
        names.compactMap { port(of: $0) }
            + ["80", "443", "3000", "5000", "8000", "8080", "8333", "8443", "9000"].map { Array($0.utf8) }
    }

    private static func port(of host: [UInt8]) -> [UInt8]? {
        let bare = withoutPort(host)
        return bare.count == host.count ? nil : Array(host[(bare.count + 1)...])
    }

    private static func withoutPort(_ host: [UInt8]) -> [UInt8] {
        guard let colon = host.lastIndex(of: UInt8(ascii: ":")), host.last != UInt8(ascii: "]") else { return host }
        return Array(host[..<colon])
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let start = bytes.drop { $0 == 0x20 || $0 == 0x09 }
        guard let last = start.lastIndex(where: { $0 != 0x20 && $0 != 0x09 }) else { return [] }
        return start[...last]
    }
}
