/// Whether a statement applies. What is not known must neither permit nor save from a denial, so it is carried along
/// instead of being rounded to one of the others.
enum Ternary: Hashable, Sendable {
    case yes
    case no
    case unknown

    init(_ value: Bool) { self = value ? .yes : .no }

    static func && (left: Ternary, right: @autoclosure () -> Ternary) -> Ternary {
        if left == .no { return .no }
        let right = right()
        return right == .no ? .no : left == .yes ? right : .unknown
    }

    static func || (left: Ternary, right: @autoclosure () -> Ternary) -> Ternary {
        if left == .yes { return .yes }
        let right = right()
        return right == .yes ? .yes : left == .no ? right : .unknown
    }

    static prefix func ! (value: Ternary) -> Ternary {
        switch value {
        case .yes: .no
        case .no: .yes
        case .unknown: .unknown
        }
    }
}
