/// A route's bucket or key: a ``Template`` whose names are known to be parameters of its path or claims of the caller.
public struct RouteTemplate: Hashable, Sendable {
    private enum Value: Hashable, Sendable {
        case parameter(String)
        case claim(String)
    }

    private let template: Template
    /// Of every name in the template.
    private let values: [String: Value]

    /// Claims that a token may have without anybody saying so (RFC 7519, section 4.1; OpenID Connect Core, section 5.1).
    public static let usualClaims: Set<String> = ["sub", "iss", "jti", "azp", "email", "preferred_username"]

    /// - Parameters:
    ///   - parameters: the names of the route's path.
    ///   - claims: claims that a bare name may mean. `{claims.x}` may mean any.
    public init(
        _ source: String,
        parameters: [String],
        claims: Set<String> = usualClaims
    ) throws(RouteTemplateError) {
        do {
            template = try Template(source)
        } catch {
            throw .malformed(error)
        }
        var values: [String: Value] = [:]
        for name in template.names {
            values[name] = try Self.value(of: name, parameters: parameters, claims: claims)
        }
        self.values = values
    }

    private static func value(
        of name: String,
        parameters: [String],
        claims: Set<String>
    ) throws(RouteTemplateError) -> Value {
        if name.hasPrefix("claims.") {
            let claim = String(name.dropFirst("claims.".count))
            guard !claim.isEmpty else { throw .unknown(name) }
            return .claim(claim)
        }
        if name.hasPrefix("path.") {
            let parameter = String(name.dropFirst("path.".count))
            guard parameters.contains(parameter) else { throw .unknown(name) }
            return .parameter(parameter)
        }
        switch (parameters.contains(name), claims.contains(name)) {
        case (true, false): return .parameter(name)
        case (false, true): return .claim(name)
        case (true, true): throw .ambiguous(name)
        case (false, false): throw .unknown(name)
        }
    }

    /// As it was written.
    public var source: String { template.source }
    /// Whether it is the same for every request.
    public var isConstant: Bool { template.isConstant }
    /// Whether only a caller with claims can fill it.
    public var needsClaims: Bool {
        values.values.contains { if case .claim = $0 { true } else { false } }
    }

    /// The text with the values in place.
    ///
    /// - Parameters:
    ///   - parameters: of the path, decoded.
    ///   - claims: of the caller; each that is used is checked as ``Template/checked(claim:named:)`` does.
    public func resolved(
        parameters: [String: [UInt8]],
        claims: [String: String]
    ) throws(TemplateValueRefusal) -> [UInt8] {
        // Once by itself, so that the refusal is the one about the value.
        for case .claim(let claim) in values.values { _ = try Template.checked(claim: claims[claim], named: claim) }
        return try template.substituting { name in
            switch values[name] {
            case .parameter(let parameter): parameters[parameter]
            case .claim(let claim): claims[claim].map { Array($0.utf8) }
            case nil: nil
            }
        }
    }
}

/// What is wrong with a route's template in the configuration.
public enum RouteTemplateError: Error, Hashable, Sendable {
    case malformed(TemplateError)
    /// Both a parameter of the path and a claim.
    case ambiguous(String)
    case unknown(String)
}
