package import Admission
import S3API
import WireFormats

/// One entry of `[[routes]]`: a path of the application's own, and the object that it stands for.
package struct RouteConfiguration: Sendable {
    package enum Method: String, CaseIterable, Sendable {
        case get = "GET"
        case head = "HEAD"
        case put = "PUT"
    }

    package enum Delivery: String, CaseIterable, Sendable {
        /// Gatehouse carries the bytes.
        case proxy
        /// The client is sent to a signed URL.
        case redirect
        /// Small objects are carried, larger ones redirected.
        case auto
    }

    package let path: RoutePattern
    package let methods: [Method]
    package let bucket: RouteTemplate
    package let key: RouteTemplate
    package let delivery: Delivery
    /// Of signed URLs.
    package let ttl: Duration
    /// In bytes, for ``Delivery/auto``.
    package let redirectAbove: Int64
    /// Whether somebody without a credential may ask.
    package let anonymous: Bool
    /// Overrides of the answer's fields; empty: none.
    package let contentDisposition: String
    package let contentType: String
    package let origin: Origin
    /// Where ``bucket`` is written.
    let bucketOrigin: Origin
    /// Where ``path`` is written.
    let pathOrigin: Origin

    private static let longestTTL = Duration.seconds(604_800)

    /// - Parameter claims: names that mean a claim without saying so.
    init?(reading section: Section, claims: Set<String>) {
        let reader = section.reader
        let path = section.required("path").flatMap { text -> Located<RoutePattern>? in
            do {
                return Located(value: try RoutePattern(text.value), origin: text.origin)
            } catch {
                reader.report("\(quoted(text.value)) \(error)", at: text.origin)
                return nil
            }
        }
        methods = Self.methods(section)
        func template(_ text: Located<String>?) -> Located<RouteTemplate>? {
            guard let text, let path else { return nil }
            return Self.template(text, of: path.value, claims, reader)
        }
        let bucket = template(section.required("bucket"))
        let key = template(section.required("key"))
        delivery = section.choice("delivery", or: .proxy)
        ttl = Self.ttl(section)
        redirectAbove = section.size("redirect_above", or: 1 << 20, in: 0...(5 << 40))
        anonymous = section.boolean("anonymous", or: false)
        contentDisposition = Self.fieldValue("content_disposition", section)
        contentType = Self.mediaType(section)
        origin = section.origin
        section.finish()
        guard let path, let bucket, let key else { return nil }
        if bucket.value.isConstant,
            BucketConfiguration.validName(
                Located(value: bucket.value.source, origin: bucket.origin),
                reader
            ) == nil
        {
            return nil
        }
        if key.value.isConstant {
            do {
                _ = try ObjectKey(validating: Array(key.value.source.utf8))
            } catch {
                reader.report("\(quoted(key.value.source)) is no key: \(error.message)", at: key.origin)
                return nil
            }
        }
        if anonymous, let template = [bucket, key].first(where: \.value.needsClaims) {
            reader.report("needs claims, which callers of an anonymous route do not have", at: template.origin)
        }
        self.path = path.value
        self.bucket = bucket.value
        self.key = key.value
        bucketOrigin = bucket.origin
        pathOrigin = path.origin
    }

    /// Two routes must not match the same paths equally well, and one that takes a bucket's paths hardly should.
    static func check(_ routes: [RouteConfiguration], _ reader: ConfigurationReader) {
        for (index, route) in routes.enumerated() {
            if let first = routes[..<index].first(where: { $0.path.shape == route.path.shape }) {
                let place = first.pathOrigin.line.map { "\(first.pathOrigin.file):\($0)" } ?? first.pathOrigin.file
                reader.report(
                    "matches the same paths as \(quoted(first.path.source)), at \(place)",
                    at: route.pathOrigin
                )
            }
            switch route.path.segments.first {
            case .literal(let name):
                let bucket = String(decoding: name, as: UTF8.self)
                guard reader.names.contains(bucket, as: .bucket) else { continue }
                reader.report(
                    "takes paths of the bucket \(quoted(bucket))",
                    at: route.pathOrigin,
                    suggestion: "S3 clients reach those keys no longer",
                    severity: .warning
                )
            case .one, .rest:
                reader.report(
                    "takes paths of every bucket",
                    at: route.pathOrigin,
                    suggestion: "begin it with a segment that is no bucket's name",
                    severity: .warning
                )
            case nil: continue
            }
        }
    }

    private static func methods(_ section: Section) -> [Method] {
        guard let texts = section.texts("methods") else { return [.get, .head] }
        if texts.isEmpty {
            section.reader.report("allows nothing: name GET, HEAD or PUT", at: section.place(of: "methods"))
        }
        return texts.compactMap { section.choice($0) }
    }

    private static func template(
        _ text: Located<String>,
        of path: RoutePattern,
        _ claims: Set<String>,
        _ reader: ConfigurationReader
    ) -> Located<RouteTemplate>? {
        do {
            let template = try RouteTemplate(text.value, parameters: path.names, claims: claims)
            return Located(value: template, origin: text.origin)
        } catch {
            switch error {
            case .malformed(let error):
                reader.report("\(error)", at: text.origin)
            case .ambiguous(let name):
                reader.report(
                    "{\(name)} could be a part of the path or a claim",
                    at: text.origin,
                    suggestion: "write {path.\(name)} or {claims.\(name)}"
                )
            case .unknown(let name):
                let known = path.names + path.names.map { "path." + $0 } + claims.sorted()
                reader.report(
                    "{\(name)} is neither a part of the path nor a claim that is known",
                    at: text.origin,
                    suggestion: NearestName.find(for: name, among: known).map { "did you mean {\($0)}?" }
                        ?? (name.contains(".") ? nil : "a claim of that name is {claims.\(name)}")
                )
            }
            return nil
        }
    }

    /// Signatures count whole seconds.
    private static func ttl(_ section: Section) -> Duration {
        let standard = Duration.seconds(30)
        let ttl = section.duration("ttl", or: standard)
        guard ttl >= .seconds(1), ttl <= longestTTL, ttl.components.attoseconds == 0 else {
            section.reader.report(
                "must be whole seconds, from 1s to 7d, which is as long as a signed URL can last",
                at: section.place(of: "ttl")
            )
            return standard
        }
        return ttl
    }

    /// Text that a field can carry as it is.
    private static func fieldValue(_ name: String, _ section: Section) -> String {
        guard let text = section.text(name) else { return "" }
        guard text.value.utf8.count <= 1024, text.value.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
            section.reader.report("contains characters that a header field cannot carry", at: text.origin)
            return ""
        }
        return text.value
    }

    private static func mediaType(_ section: Section) -> String {
        guard let text = section.text("content_type"), !text.value.isEmpty else { return "" }
        do {
            _ = try MediaType(text.value)
            return text.value
        } catch {
            section.reader.report(
                "\(quoted(text.value)) is not a media type: it \(error)",
                at: text.origin,
                suggestion: "write it like \"image/png\""
            )
            return ""
        }
    }
}
