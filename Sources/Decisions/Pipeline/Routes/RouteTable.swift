import Admission
import HTTP1
import S3API
import WireFormats

/// The routes of a configuration, as a tree of segments. From left to right a literal beats `{x}`, and `{x}` beats
/// `{x*}`; where the better one leads nowhere, the next is tried. No node is visited twice, so that a look-up costs no
/// more than the table is large, and usually one failed look-up of the first segment.
public struct RouteTable: Sendable {
    private struct Node: Sendable {
        var literals: [ArraySlice<UInt8>: Int] = [:]
        var one: Int?
        var rest: Route?
        /// Where the path ends here.
        var route: Route?
    }

    private var nodes = [Node()]

    /// Of patterns of the same shape, the first counts: the configuration has none.
    public init(_ routes: [Route]) {
        for route in routes { add(route) }
    }

    public var isEmpty: Bool { nodes.count == 1 && nodes[0].rest == nil }

    private mutating func add(_ route: Route) {
        var place = 0
        for segment in route.pattern.segments {
            switch segment {
            case .literal(let text): place = child(of: place, named: text[...])
            case .one: place = parameter(of: place)
            case .rest:
                if nodes[place].rest == nil { nodes[place].rest = route }
                return
            }
        }
        if nodes[place].route == nil { nodes[place].route = route }
    }

    private mutating func child(of place: Int, named text: ArraySlice<UInt8>) -> Int {
        if let known = nodes[place].literals[text] { return known }
        nodes.append(Node())
        nodes[place].literals[text] = nodes.count - 1
        return nodes.count - 1
    }

    private mutating func parameter(of place: Int) -> Int {
        if let known = nodes[place].one { return known }
        nodes.append(Node())
        nodes[place].one = nodes.count - 1
        return nodes.count - 1
    }

    /// The route of a path as sent; nil where there is none.
    public func route(of path: [UInt8]) -> Route? {
        guard path.first == UInt8(ascii: "/") else { return nil }
        return route(at: 0, from: 1, of: path)
    }

    /// - Parameter start: where the next segment begins; nil: the path has ended.
    private func route(at place: Int, from start: Int?, of path: [UInt8]) -> Route? {
        let node = nodes[place]
        guard let start else { return node.route }
        let end = path[start...].firstIndex(of: UInt8(ascii: "/")) ?? path.endIndex
        let next = end == path.endIndex ? nil : end + 1
        if let child = node.literals[path[start..<end]], let found = route(at: child, from: next, of: path) {
            return found
        }
        if start < end, let child = node.one, let found = route(at: child, from: next, of: path) { return found }
        return start < path.endIndex ? node.rest : nil
    }
}

extension RoutePattern {
    /// What its names stand for in a path that it matches, decoded once.
    ///
    /// - Throws: `InvalidURI` for what is not properly encoded, and for an encoded slash in one segment: whoever reads
    ///   the path before or after us may take it for two.
    func parameters(of path: [UInt8]) throws(S3Error) -> [String: [UInt8]] {
        var parameters: [String: [UInt8]] = [:]
        var rest = path.dropFirst()
        for segment in segments {
            let text = rest.prefix { $0 != UInt8(ascii: "/") }
            switch segment {
            case .literal: break
            case .one(let name):
                let value = try Self.decoded(text)
                guard !value.contains(UInt8(ascii: "/")) else {
                    throw S3Error(.invalidURI, "A segment of the path contains an encoded slash.")
                }
                parameters[name] = value
            case .rest(let name): parameters[name] = try Self.decoded(rest)
            }
            rest = rest.dropFirst(text.count + 1)
        }
        return parameters
    }

    private static func decoded(_ text: ArraySlice<UInt8>) throws(S3Error) -> [UInt8] {
        do {
            return try PercentEncoding.decode(text)
        } catch {
            throw S3Error(.invalidURI, "The path is not properly encoded.")
        }
    }
}
