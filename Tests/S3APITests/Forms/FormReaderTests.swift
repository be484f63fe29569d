import HTTP1
import NIOCore
import S3API
import Testing

@Suite("Forms are read strictly, however they arrive")
struct FormReaderTests {
    private static func code(_ body: [UInt8], _ contentType: String = SampleForm.contentType) -> S3Error.Code? {
        do {
            _ = try SampleForm.read(body, contentType: contentType)
            return nil
        } catch {
            return (error as? S3Error)?.code
        }
    }

    @Test("Every split of a form gives the same", arguments: [1, 2, 3, 7, 40, 64, 1000, .max])
    func splits(size: Int) throws {
        let delimiterLike = Array("\r\n--\(SampleForm.boundary.dropLast())x\r\r\n--\r".utf8)
        let form = SampleForm([("key", "a/${filename}"), ("Acl", "private"), ("policy", "")], file: delimiterLike)
        let (read, content) = try SampleForm.read(form.bytes, in: size)
        #expect(content == delimiterLike)
        #expect(read.length == Int64(delimiterLike.count))
        #expect(read.fields.all.map(\.name) == ["key", "acl", "policy"])
        #expect(read.fields["key"] == Array("a/photo.jpg".utf8))
        #expect(read.fields["policy"] == [])
    }

    @Test("A long file streams, a short one is read whole", arguments: [0, 1, 60_000, 65_480, 65_600, 300_000])
    func lengths(count: Int) throws {
        let file = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let body = SampleForm(file: file).bytes
        for size in [999, 65_536, Int.max] {
            let (form, content) = try SampleForm.read(body, in: size)
            #expect(content == file)
            #expect(form.length == Int64(count))
        }
    }

    @Test("Without a last line's end a short form is complete too, a long one is not what it was reckoned to be")
    func endings() throws {
        var form = SampleForm()
        form.ending = "\r\n--\(SampleForm.boundary)--"
        #expect(try SampleForm.read(form.bytes).content == Array("content".utf8))
        form.file = [UInt8](repeating: 1, count: 100_000)
        #expect(throws: SampleForm.OtherLength.self) { try SampleForm.read(form.bytes) }
    }

    @Test(
        "A file's name is the last segment of what was sent, and stands where the form says",
        arguments: [
            (#"form-data; name="file"; filename="C:\Users\me\a b.jpg""#, "a b.jpg"),
            (#"form-data; name="file"; filename="/home/me/ü.jpg""#, "ü.jpg"),
            (#"form-data; name="file"; filename="a\"b.jpg""#, "a\"b.jpg"),
            (#"FORM-DATA; filename=plain.txt; name=File"#, "plain.txt"), (#"form-data; name="file""#, ""),
            (#"form-data; name="file"; filename="${filename}""#, "${filename}"),
        ]
    )
    func filenames(disposition: String, name: String) throws {
        var form = SampleForm([("key", "<${filename}|${filename}|$x|${filenam}>"), ("policy", "${filename}")])
        form.disposition = disposition
        let fields = try SampleForm.read(form.bytes).form.fields
        #expect(fields["key"] == Array("<\(name)|\(name)|$x|${filenam}>".utf8))
        #expect(fields.expanded.last?.value == Array("${filename}".utf8))
    }

    static let boundary = SampleForm.boundary
    static let file = "Content-Disposition: form-data; name=\"file\"\r\n\r\nx"
    static let key = "Content-Disposition: form-data; name=\"key\"\r\n\r\nk"
    static let end = "\r\n--\(boundary)--\r\n"

    @Test(
        "What is not a form with one file at its end is refused",
        arguments: [
            ("", S3Error.Code.malformedPOSTRequest), ("--\(boundary)", .malformedPOSTRequest),
            ("preamble\r\n--\(boundary)\r\n\(file)\(end)", .malformedPOSTRequest),
            ("--\(boundary)--\r\n", .malformedPOSTRequest), ("--other\r\n\(file)\(end)", .malformedPOSTRequest),
            ("--\(boundary)\n\(file)\(end)", .malformedPOSTRequest),
            ("--\(boundary) \r\n\(file)\(end)", .malformedPOSTRequest),
            ("--\(boundary)\r\n\(key)\(end)", .incorrectNumberOfFiles),
            ("--\(boundary)\r\n\(file)\r\n--\(boundary)\r\n\(key)\(end)", .malformedPOSTRequest),
            ("--\(boundary)\r\n\(file)\r\n--\(boundary)\r\n\(file)\(end)", .malformedPOSTRequest),
            ("--\(boundary)\r\n\(file)\(end)epilogue", .malformedPOSTRequest),
            ("--\(boundary)\r\n\(file)\(end)\r\n", .malformedPOSTRequest),
            ("--\(boundary)\r\n\(file)\r\n--\(boundary)", .malformedPOSTRequest),
            ("--\(boundary)\r\n\(file)\r\n--\(boundary)-", .malformedPOSTRequest),
            ("--\(boundary)\r\n\(file)\r\n--\(boundary)--\r", .malformedPOSTRequest),
            ("--\(boundary)\r\n\(file)", .malformedPOSTRequest),
            ("--\(boundary)\r\n\(key)\r\n--\(boundary)\r\n\(key)\r\n--\(boundary)\r\n\(file)\(end)", .invalidArgument),
            ("--\(boundary)\r\n\(key)\r\n--\(boundary)x\r\n\(file)\(end)", .malformedPOSTRequest),
            ("--\(boundary)\r\nContent-Type: a\r\n\r\nx\(end)", .malformedPOSTRequest),
            ("--\(boundary)\r\nContent-Disposition: attachment; name=\"file\"\r\n\r\nx\(end)", .malformedPOSTRequest),
            ("--\(boundary)\r\nContent-Disposition: form-data\r\n\r\nx\(end)", .malformedPOSTRequest),
            ("--\(boundary)\r\nContent-Disposition: form-data; name=\"\"\r\n\r\nx\(end)", .malformedPOSTRequest),
            ("--\(boundary)\r\nContent-Disposition: form-data; name=\"a\r\n\r\nx\(end)", .malformedPOSTRequest),
            ("--\(boundary)\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\nx\(end)", .malformedPOSTRequest),
            ("--\(boundary)\r\nContent-Disposition: form-data; name=\"a b\"\r\n\r\nx\(end)", .malformedPOSTRequest),
            ("--\(boundary)\r\n Content-Disposition: form-data; name=a\r\n\r\nx\(end)", .malformedPOSTRequest),
            (
                "--\(boundary)\r\n\(file.replacing("\r\n\r\n", with: "\r\n folded\r\n\r\n"))\(end)",
                .malformedPOSTRequest
            ),
            ("--\(boundary)\r\n\(file.replacing("\r\n\r\n", with: "\nX: y\r\n\r\n"))\(end)", .malformedPOSTRequest),
            (
                "--\(boundary)\r\nContent-Transfer-Encoding: base64\r\n\(file)\(end)", .malformedPOSTRequest
            ),
        ]
    )
    func malformed(body: String, code: S3Error.Code) {
        #expect(Self.code(Array(body.utf8)) == code)
    }

    @Test(
        "A boundary is there once and well-formed",
        arguments: [
            "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"a",
            "multipart/form-data; boundary=a; boundary=a", "multipart/form-data; boundary=\"a \"",
            "multipart/form-data; boundary=a\u{1}",
            "multipart/form-data; boundary=" + String(repeating: "a", count: 71),
        ]
    )
    func boundaries(contentType: String) {
        #expect(throws: S3Error.self) { try FormBoundary(contentType: Array(contentType.utf8)[...]) }
    }

    @Test(
        "Other media types are no forms",
        arguments: ["", "text/plain", "multipart/mixed; boundary=a", "multipart/form-datax"]
    )
    func otherTypes(contentType: String) throws {
        #expect(try FormBoundary(contentType: Array(contentType.utf8)[...]) == nil)
    }

    @Test("A boundary may be quoted, its type in any case, with other parameters beside it")
    func quoted() throws {
        let found = try FormBoundary(
            contentType: Array("Multipart/FORM-data ; charset=utf-8; Boundary=\"a b'\"".utf8)[...]
        )
        #expect(found?.bytes == Array("a b'".utf8))
    }

    @Test("Fields are bounded in number and size, the file is not")
    func bounds() throws {
        let many = (0..<101).map { ("x-ignore-\($0)", "") } + [("key", "k")]
        #expect(Self.code(SampleForm(many).bytes) == .malformedPOSTRequest)
        let large = [("key", "k"), ("x-ignore-a", String(repeating: "a", count: 20 << 10))]
        #expect(Self.code(SampleForm(large).bytes) == .maxPostPreDataLengthExceeded)
        var long = SampleForm()
        long.disposition = "form-data; name=file; filename=" + String(repeating: "a", count: 5000)
        #expect(Self.code(long.bytes) == .malformedPOSTRequest)
    }

    @Test("Nothing that arrives makes the reader keep more than its bounds")
    func endlessField() throws {
        let boundary = try #require(try FormBoundary(contentType: Array(SampleForm.contentType.utf8)[...]))
        var reader = FormReader(boundary, length: 1 << 40)
        let start = Array("--\(SampleForm.boundary)\r\nContent-Disposition: form-data; name=a\r\n\r\n".utf8)
        #expect(try reader.take(ByteBuffer(bytes: start)) == nil)
        #expect(throws: S3Error.self) {
            for _ in 0..<30 { _ = try reader.take(ByteBuffer(repeating: 0x61, count: 1024)) }
        }
    }

    @Test("Hundreds of spoiled forms: refused or read, never a crash, and what is read is what was sent")
    func mutations() throws {
        let original = SampleForm(
            [("key", "a.txt"), ("policy", "e30="), ("x-amz-meta-a", "b")],
            file: Array("some content\r\nof a file".utf8)
        ).bytes
        var state: UInt64 = 42
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var refused = 0
        for _ in 0..<1000 {
            var body = original
            for _ in 0...random(3) {
                let place = random(body.count)
                switch random(5) {
                case 0: body[place] = UInt8(random(256))
                case 1: body.remove(at: place)
                case 2: body.insert(contentsOf: [13, 10], at: place)
                case 3: body.removeSubrange(place..<min(body.count, place + random(40)))
                default: body.insert(contentsOf: body[place..<min(body.count, place + random(60))], at: place)
                }
                if body.isEmpty { body = original }
            }
            do {
                let (form, content) = try SampleForm.read(body, in: 1 + random(80))
                #expect(form.length == Int64(content.count))
            } catch is S3Error {
                refused += 1
            }
        }
        #expect(refused > 300)
    }
}
