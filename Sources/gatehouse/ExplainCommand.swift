import ArgumentParser
import ControlPlane
import Foundation
import HTTP1
import Settings
import WireFormats

struct ExplainCommand: ParsableCommand, AnswersInJSON {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Ask a running instance what it makes of a request, and why.",
        discussion: """
            The request is a URL (taken as a GET), an HTTP request as text (curl -v, a proxy's capture), or a curl \
            command line; given as an argument, in a file, or on standard input. Nothing is carried out. Shown are what \
            was understood, who the caller is, the canonical request and string to sign that Gatehouse computed, what \
            differs from what the client signed, and which rule decided; never a secret, nor a signature that would be \
            right.

            It is judged at this moment: give --at for a request that was captured earlier.

            Exit codes: 0 the request would be allowed; 1 it would not, or it could not be asked; 64 the command line was \
            not understood.
            """
    )

    @Argument(help: "A URL or a curl command line.") var request: String?
    @Option(help: "A file with the request.") var file: String?
    @OptionGroup var instance: InstanceOptions
    @Option(help: "Where the request comes from: an IP address.") var source: String?
    @Option(help: "When it was sent, e.g. 2027-01-01T12:00:00Z (default: now).") var at: String?
    @Option(help: "A further host that the client may have signed for.") var host: [String] = []
    @Flag(inversion: .prefixedNo, help: "The client used https (default: what the URL or public_url says).")
    var secure: Bool?
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard request == nil || file == nil else { throw ValidationError("give a request or --file, not both") }
    }

    func run() throws {
        let input = try input()
        guard input.contains(where: { $0 > 0x20 }) else {
            throw ValidationError("there is nothing to explain: give a URL, --file or standard input")
        }
        let question = StrictJSON.object(of: [
            ("request", .string(String(decoding: input, as: UTF8.self))),
            ("source_ip", source.map { .string($0) }),
            ("at", at.map { .string($0) }),
            ("secure", secure.map { .bool($0) }),
            ("hosts", .array(host.map { .string($0) })),
        ])
        let answer = try instance.answer { client throws(AdminClientFailure) in
            try client.post(
                "/api/explain",
                question.text,
                type: "application/json",
                accept: json ? "application/json" : "text/plain"
            )
        }
        let text = String(decoding: answer.body, as: UTF8.self)
        print(text, terminator: text.hasSuffix("\n") ? "" : "\n")
        guard answer.head.fields.string("x-gatehouse-outcome") == "allowed" else { throw ExitCode(1) }
    }

    private func input() throws(CommandFailure) -> [UInt8] {
        if let request, request != "-" { return Array(request.utf8) }
        guard let file else { return Array(FileHandle.standardInput.readDataToEndOfFile()) }
        do {
            return try FileSystemSource().read(file)
        } catch {
            throw CommandFailure("InvalidArgument", "\(file): \(error.reason)")
        }
    }
}
