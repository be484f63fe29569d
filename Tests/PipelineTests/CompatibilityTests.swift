import Admission
import Foundation
import HTTP1
import Identity
import Pipeline
import S3API
import Testing

@Suite("Each operation at each kind of store: carried as it came, or 501")
struct CompatibilityTests {
    /// A cell of docs/s3-compatibility.md.
    struct Cell: Sendable, CustomTestStringConvertible {
        let sample: OperationSample
        let kind: BackendKind

        var testDescription: String { "\(sample.operation) at \(kind)" }

        var bucket: String {
            switch sample.operation {
            case .createBucket, .deleteBucket: "brand-new"
            default:
                switch kind {
                case .s3: "photos"
                case .azure: "azured"
                case .gcs: "googled"
                case .file: "local"
                }
            }
        }

        /// Forms carry their credential in the body, and ListBuckets is about no bucket: they have tests of their own.
        static let all = OperationSample.all.filter { $0.operation != .postObject && $0.scope != .service }
            // Buckets at Google have theirs with real clients, in Tests/clients/test_google.py.
            .flatMap { sample in BackendKind.allCases.filter { $0 != .gcs }.map { Cell(sample: sample, kind: $0) } }

        func call(by key: Key) -> Call {
            var call = Call(sample.method, sample.target(in: bucket), sample.fields)
            if let body = sample.body { call = call.with(framing: .length(Int64(body.utf8.count))) }
            return call.signed(by: key)
        }
    }

    private func gate(at kind: BackendKind) -> Gate {
        var gate = Gate()
        gate.hasOpenAccount = true
        gate.openAccountKind = kind
        gate.hasOtherKinds = true
        return gate
    }

    @Test("A correct request is carried under its own method, path and query, or refused", arguments: Cell.all)
    func cell(_ cell: Cell) throws {
        var gate = gate(at: cell.kind)
        gate.policies = try .everything(for: "key:akfull")
        let decision = try gate.decide(cell.call(by: .full))
        #expect(decision.operationName == cell.sample.operation.metricName.description)
        guard cell.kind.carries(cell.sample.operation) else {
            try expect(501, .notImplemented, decision)
            return
        }
        // Others are asked in their own words, which tests of their own look at.
        if cell.kind == .azure {
            var plan = decision.plan
            if case .collect(_, let then) = plan { plan = then(Array((cell.sample.body ?? "").utf8)) }
            if case .reply(let reply) = plan { #expect(reply.status != 501) }
            return
        }
        let forward: Forward =
            if case .collect = cell.sample.operation.bodyHandling {
                try decision.plan.given(body: cell.sample.body ?? "").forward()
            } else {
                try decision.forward()
            }
        let query = cell.sample.query.split(separator: "&").sorted().map { $0.contains("=") ? $0 : $0 + "=" }
        let path = "/\(cell.bucket)" + (cell.sample.scope == .object ? "/key" : "")
        #expect(forward.target == path + (query.isEmpty ? "" : "?" + query.joined(separator: "&")))
        #expect(forward.request.method.name == cell.sample.method)
        for (name, value) in cell.sample.fields {
            let carried = forward.request.fields.entries.contains { entry in
                text(forward.request.fields.name(entry)) == name && text(forward.request.fields.value(entry)) == value
            }
            #expect(carried, "\(name)")
        }
        switch cell.sample.operation.bodyHandling {
        case .none, .stream: break
        case .collect: #expect(forward.document != nil)
        }
    }

    @Test("Nobody may without a right, and each action of the operation is needed", arguments: Cell.all)
    func rights(_ cell: Cell) throws {
        var gate = gate(at: cell.kind)
        let anonymous = try gate.decide(
            Call(cell.sample.method, cell.sample.target(in: cell.bucket), cell.sample.fields)
                .with(framing: cell.sample.body.map { .length(Int64($0.utf8.count)) } ?? .none)
        )
        #expect(try anonymous.reply().status == 403)
        // Decided key by key, with the document.
        guard cell.sample.operation != .deleteObjects else { return }
        for action in cell.sample.operation.actions.actions {
            gate.policies = try Self.everything(for: "key:akfull", but: action.iamName)
            // The answer to a HEAD has no document.
            try expect(
                403,
                cell.sample.method == "HEAD" ? nil : .accessDenied,
                gate.decide(cell.call(by: .full))
            )
        }
    }

    @Test("Mutated documents are refused or passed on as they are, never a failure of ours", arguments: Cell.all)
    func mutations(_ cell: Cell) throws {
        guard cell.kind == .s3, let body = cell.sample.body, !body.isEmpty,
            case .collect = cell.sample.operation.bodyHandling
        else { return }
        var gate = gate(at: .s3)
        gate.policies = try .everything(for: "key:akfull")
        let plan = try gate.decide(cell.call(by: .full)).plan
        var random = Random(state: UInt64(body.utf8.count))
        for _ in 0..<60 {
            let mutated = random.mutated(Array(body.utf8))
            guard case .collect(_, let then) = plan else { throw OtherPlan() }
            switch then(mutated) {
            case .reply(let reply): #expect((400..<500).contains(reply.status) || reply.status == 501)
            case .forward(let forward):
                // Read, therefore well-formed: what is written anew is checked where it is written.
                guard case .bytes(let sent) = forward.body else { throw OtherPlan() }
                if cell.sample.operation != .deleteObjects { #expect(sent == mutated) }
            default: Issue.record("neither refused nor passed on")
            }
        }
    }

    /// The same sequence in every run (xorshift).
    private struct Random {
        var state: UInt64

        private static let pieces = [
            "<", ">", "&", "<!DOCTYPE x>", "<!ENTITY a 'b'>", "&#0;", "]]>", "\u{0}", "\"", "{", "[[[[", "</", "<a>",
            "<?xml version='1.0' encoding='utf-16'?>", "é", "\u{FFFF}", "<OutputLocation/>", "xmlns:x='u'", "../",
        ].map { Array($0.utf8) }

        mutating func next(below bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(bound))
        }

        /// One to four changes: bytes flipped, left out, put in, repeated, or the end cut off.
        mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
            var bytes = bytes
            for _ in 0...next(below: 4) where !bytes.isEmpty {
                let place = next(below: bytes.count)
                switch next(below: 5) {
                case 0: bytes[place] ^= UInt8(1 << next(below: 8))
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(contentsOf: Self.pieces[next(below: Self.pieces.count)], at: place)
                case 3: bytes.insert(contentsOf: bytes[place...].prefix(40), at: place)
                default: bytes.removeLast(next(below: bytes.count))
                }
            }
            return bytes
        }
    }

    private static func everything(for pattern: String, but action: String) throws -> PolicySet {
        let document = """
            {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
            {"Effect":"Deny","Action":"\(action)","Resource":"*"}]}
            """
        return PolicySet([
            PolicySet.Entry(
                name: "but one",
                appliesTo: [try PrincipalPattern(parsing: pattern)],
                document: try PolicyDocument(parsing: document.utf8)
            )
        ])
    }

    /// `GATEHOUSE_WRITE_DOCS=1 swift test --filter CompatibilityTests` writes it.
    @Test("docs/s3-compatibility.md says what the code does")
    func document() throws {
        let file = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "../../docs/s3-compatibility.md").standardizedFileURL
        let wanted = CompatibilityDocument().text
        if ProcessInfo.processInfo.environment["GATEHOUSE_WRITE_DOCS"] != nil {
            try wanted.write(to: file, atomically: true, encoding: .utf8)
        }
        let written = try String(contentsOf: file, encoding: .utf8)
        #expect(written == wanted, "run: GATEHOUSE_WRITE_DOCS=1 swift test --filter CompatibilityTests")
    }
}
