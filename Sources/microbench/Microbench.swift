/// Measures what the decisions about one request cost, without sockets: CPU time of this thread by the kernel's account,
/// in nanoseconds per operation, as the median of several batches. `--json` prints one object instead of a table.
///
/// Figures of one machine and one build compare with each other and with nothing else. Build with `-c release`.
@main
struct Microbench {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.allSatisfy({ $0 == "--json" }) else {
            print("usage: microbench [--json]")
            throw UnexpectedOutcome(name: "arguments")
        }
        var work = try Workload()
        let results = try work.measureAll()
        print(arguments.isEmpty ? table(results) : json(results))
    }

    private static func table(_ results: [Measurement]) -> String {
        let width = results.map(\.name.count).max() ?? 0
        return results.map { result in
            let name = result.name + String(repeating: " ", count: width - result.name.count)
            let figure = String(result.nanoseconds)
            return "\(name)  \(String(repeating: " ", count: max(0, 8 - figure.count)))\(figure) ns/op"
                + (result.throughput.map { "  \($0)" } ?? "")
                + "  (fastest batch \(result.fastest), \(result.batches) batches of \(result.operations))"
        }.joined(separator: "\n")
    }

    private static func json(_ results: [Measurement]) -> String {
        let entries = results.map { result in
            "{\"name\":\"\(result.name)\",\"ns_per_op\":\(result.nanoseconds),\"fastest\":\(result.fastest),"
                + "\"bytes\":\(result.bytes),\"batches\":\(result.batches),\"operations\":\(result.operations)}"
        }
        return "{\"results\":[\(entries.joined(separator: ","))]}"
    }
}
