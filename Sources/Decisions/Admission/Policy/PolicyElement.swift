import WireFormats

/// A value of a policy document with its path, read with what the policy language expects of it.
struct PolicyElement {
    let json: StrictJSON
    let path: String

    init(_ json: StrictJSON, at path: String) {
        self.json = json
        self.path = path
    }

    /// The members by name; every name must be known.
    func members(known: [String]) throws(PolicyLoadError) -> [String: PolicyElement] {
        var result: [String: PolicyElement] = [:]
        for (name, member) in try members() {
            guard known.contains(name) else {
                let hint =
                    name == "Principal" || name == "NotPrincipal"
                    ? "whom a policy concerns is said by applies_to, outside of the document"
                    : "unknown element; there are " + known.joined(separator: ", ")
                throw PolicyLoadError(member.path, hint)
            }
            result[name] = member
        }
        return result
    }

    func members() throws(PolicyLoadError) -> [(name: String, element: PolicyElement)] {
        guard case .object(let members) = json else { throw expected("an object") }
        var result: [(name: String, element: PolicyElement)] = []
        for (name, value) in members {
            result.append((name, PolicyElement(value, at: StrictJSON.path(path, name))))
        }
        return result
    }

    /// The elements of an array that isn't empty, or the value itself.
    func oneOrMore() throws(PolicyLoadError) -> [PolicyElement] {
        guard case .array(let elements) = json else { return [self] }
        guard !elements.isEmpty else { throw PolicyLoadError(path, "the list is empty") }
        var result: [PolicyElement] = []
        for (index, element) in elements.enumerated() {
            result.append(PolicyElement(element, at: path + "[\(index)]"))
        }
        return result
    }

    func string() throws(PolicyLoadError) -> String {
        guard case .string(let text) = json else { throw expected("a string") }
        return text
    }

    /// A value of a condition as text: IAM takes `true` for `"true"` and `10` for `"10"`.
    func scalar() throws(PolicyLoadError) -> String {
        switch json {
        case .string(let text), .number(let text): return text
        case .bool(let flag): return flag ? "true" : "false"
        case .object, .array, .null: throw expected("a string, a number, true or false")
        }
    }

    private func expected(_ what: String) -> PolicyLoadError {
        PolicyLoadError(path, "\(what) is expected, not \(json.kind)")
    }
}
