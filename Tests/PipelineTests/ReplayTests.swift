import HTTP1
import S3API
import Testing

@testable import Pipeline

@Suite("What goes out again when a connection lost it unanswered")
struct ReplayTests {
    /// The second time these make something else, or report as an error what the first time did.
    private static let once: Set<S3Operation> = [
        .createBucket, .deleteBucket, .createMultipartUpload, .completeMultipartUpload, .abortMultipartUpload,
        .restoreObject,
    ]

    @Test(
        "Each operation as clients send it",
        arguments: CompatibilityTests.Cell.all.filter { $0.kind == .s3 }
    )
    func operation(cell: CompatibilityTests.Cell) throws {
        var gate = Gate()
        gate.hasOpenAccount = true
        gate.policies = try .everything(for: "key:akfull")
        var plan = try gate.decide(cell.call(by: .full)).plan
        if case .collect = plan { plan = try plan.given(body: cell.sample.body ?? "") }
        #expect(try plan.forward().replay == (Self.once.contains(cell.sample.operation) ? .never : .allowed))
    }

    @Test(
        "A write that depends on what is there goes out once, a read as often as it takes",
        arguments: OperationSample.all,
        ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since"]
    )
    func conditions(sample: OperationSample, field: String) {
        var fields = FieldBlock()
        fields.append(field.utf8, "x".utf8)
        let reads = sample.method == "GET" || sample.method == "HEAD" || sample.operation == .selectObjectContent
        #expect(Replay(of: sample.operation, under: fields) == (reads ? .allowed : .never))
    }

    @Test("A list of deletions with a condition on one of its keys goes out once", arguments: ["ETag", "Size"])
    func deletions(condition: String) throws {
        var gate = Gate()
        let plan = try gate.decide(Call("POST", "/photos?delete", length: 500).signed()).plan
        func forward(_ condition: String) throws -> Forward {
            let objects = "<Object><Key>a</Key></Object><Object><Key>b</Key>\(condition)</Object>"
            return try plan.given(body: "<Delete>\(objects)</Delete>").forward()
        }
        #expect(try forward("").replay == .allowed)
        #expect(try forward("<\(condition)>5</\(condition)>").replay == .never)
    }
}
