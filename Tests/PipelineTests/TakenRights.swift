import HTTP1
import Pipeline
import Testing
import WireFormats

/// What a caller who may do everything may do, as the JSON API is told of it at noon.
func rightsOfRoot(
    calling target: String = "/-/v1/x",
    _ fields: [(String, String)] = [],
    _ configure: (inout Gate) throws -> Void
) async throws -> Rights {
    let desk = Taking()
    var gate = Gate(desk: desk)
    try configure(&gate)
    let call = Call("POST", target, fields, length: 2).with("x-api-key", User.root.rawValue)
    guard case .wait(let make) = try gate.decide(call).plan.given(body: "{}") else { throw OtherPlan() }
    _ = await make()
    return try #require(await desk.rights)
}

/// Keeps the rights that it is asked with.
private actor Taking: APIDesk {
    nonisolated let document: [UInt8] = []
    private(set) var rights: Rights?

    func answer(_ call: APICall) async -> Reply {
        rights = call.caller
        return Reply(status: 200)
    }
}
