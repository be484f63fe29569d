import HTTP1
import Testing
import WireFormats

@testable import ControlPlane

@Suite("The desk answers a closed list of operations")
struct DeskTests {
    private static let desk = Desk(
        [
            APIOperation(
                "paint",
                .post,
                "walls",
                summary: "Paints a wall.",
                body: .object([
                    JSONMember("colour", .text(1...8)),
                    JSONMember("coats", .integer(1...3), .optional),
                    JSONMember("for", .duration, .optional),
                ]),
                outcomes: [APIOutcome(201, "Painted.", .object([JSONMember("id", .text(1...8))]))]
            ) { request in APIAnswer(201, .object(of: [("id", request.body.text("colour").map { .string($0) })])) },
            APIOperation(
                "dry",
                .post,
                "walls/dry",
                summary: "Lets it dry.",
                body: .object([JSONMember("fan", .boolean, .optional)]),
                outcomes: [APIOutcome(204, "It dries.")]
            ) { _ in APIAnswer(204) },
            APIOperation(
                "look",
                .get,
                "walls/{id}",
                summary: "Shows a wall.",
                parameters: [
                    APIParameter("id", in: .path, JSONText(4...4, .hexadecimal(digits: 4))),
                    APIParameter("light", in: .query, JSONText(1...8, .oneOf(["sun", "lamp"])), .optional),
                ],
                outcomes: [
                    APIOutcome(
                        200,
                        "The wall.",
                        .object([JSONMember("id", .text(1...8)), JSONMember("light", .text(1...8), .optional)])
                    )
                ]
            ) { request in
                APIAnswer(
                    200,
                    .object(of: [
                        ("id", request.parameters["id"].map { .string($0) }),
                        ("light", request.parameters["light"].map { .string($0) }),
                    ])
                )
            },
        ],
        version: "9"
    )

    private let caller = APICaller(desk: DeskTests.desk)

    @Test("An operation is found by its path and method, and its answer is for nobody's cache")
    func found() async throws {
        let painted = try await caller.ask(.post, "/-/v1/walls", #"{"colour":"red","coats":2.0,"for":"15m"}"#)
        #expect(painted.status == 201)
        #expect(painted.body.text("id") == "red")
        #expect(painted.fields.string("cache-control") == "no-store")
        let seen = try await caller.ask(.get, "/-/v1/walls/00ff?light=sun", type: nil)
        #expect(seen.status == 200)
        #expect(seen.body.text("id") == "00ff")
        #expect(seen.body.text("light") == "sun")
        #expect(try await caller.ask(.head, "/-/v1/walls/00ff", type: nil).status == 200)
    }

    @Test("What is not in the list is 404, another method 405 with those that there are")
    func unknown() async throws {
        let lost = try await caller.ask(.get, "/-/v1/doors", type: nil)
        #expect(lost.status == 404)
        #expect(lost.error == "NotFound")
        #expect(lost.body.object("error")?.text("resource") == "/-/v1/doors")
        #expect(lost.body.object("error")?.has("request_id") == true)
        #expect(try await caller.ask(.get, "/-/v1/walls/xyz", type: nil).status == 404)
        let deleted = try await caller.ask(.delete, "/-/v1/walls/00ff", type: nil)
        #expect(deleted.status == 405)
        #expect(deleted.fields.string("allow") == "GET, HEAD")
        #expect(try await caller.ask(.other("TRACE"), "/-/v1/walls", type: nil).status == 405)
    }

    @Test(
        "A body of another shape is refused by the name of what is wrong",
        arguments: [
            (#"{"colour":"red","color":"blue"}"#, "'color' is not known here"),
            (#"{"coats":1}"#, "'colour' is required"),
            (#"{"colour":7}"#, "'colour' must be a string, not a number"),
            (#"{"colour":""}"#, "'colour' must be 1 to 8 characters long"),
            (#"{"colour":"red","coats":4}"#, "'coats' must be from 1 to 3"),
            (#"{"colour":"red","coats":1.5}"#, "'coats' must be a whole number"),
            (#"{"colour":"red","for":"soon"}"#, "'for' must be a duration"),
            (#"{"colour":"red","for":[]}"#, "'for' must be a number or a string, not an array"),
            (#"{"colour":"red","colour":"blue"}"#, "given twice"),
            (#"[]"#, "The document must be an object, not an array"),
            (#"{"#, "not a JSON document"),
            (#"{"colour":"red"} "#, ""),
        ]
    )
    func malformed(body: String, message: String) async throws {
        let answer = try await caller.ask(.post, "/-/v1/walls", body)
        guard !message.isEmpty else {
            #expect(answer.status == 201)
            return
        }
        #expect(answer.status == 400)
        #expect(answer.message?.contains(message) == true, "\(answer.message ?? "")")
    }

    @Test("A body needs its type, an operation without one takes none, and unknown query parameters are named")
    func forms() async throws {
        let body = #"{"colour":"red"}"#
        #expect(try await caller.ask(.post, "/-/v1/walls", body, type: "text/plain").status == 415)
        #expect(try await caller.ask(.post, "/-/v1/walls", body, type: nil).status == 415)
        #expect(try await caller.ask(.post, "/-/v1/walls", body, type: "application/json; charset=utf-8").status == 201)
        #expect(try await caller.ask(.get, "/-/v1/walls/00ff", body).error == "InvalidRequest")
        let asked = try await caller.ask(.get, "/-/v1/walls/00ff?dark=1", type: nil)
        #expect(asked.status == 400)
        #expect(asked.message?.contains("'dark'") == true)
        #expect(try await caller.ask(.get, "/-/v1/walls/00ff?light=sun&light=sun", type: nil).status == 400)
        #expect(try await caller.ask(.get, "/-/v1/walls/00ff?light=moon", type: nil).status == 400)
    }

    @Test("A body whose members may all be left out may be left out itself")
    func absentBody() async throws {
        #expect(try await caller.ask(.post, "/-/v1/walls/dry", type: nil).status == 204)
        #expect(try await caller.ask(.post, "/-/v1/walls/dry").status == 204)
        #expect(try await caller.ask(.post, "/-/v1/walls/dry", "{}").status == 204)
        #expect(try await caller.ask(.post, "/-/v1/walls/dry", "{").error == "MalformedJSON")
        #expect(try await caller.ask(.post, "/-/v1/walls/dry", "{}", type: nil).status == 415)
        #expect(try await caller.ask(.post, "/-/v1/walls").error == "MalformedJSON")
    }

    @Test("The document has every operation with what it takes and answers")
    func document() throws {
        let document = try #require(JSONObject(try StrictJSON(parsing: Self.desk.document)))
        #expect(document.text("openapi") == "3.1.0")
        let paths = try #require(document.object("paths"))
        let paint = try #require(paths.object("/walls")?.object("post"))
        #expect(paint.text("operationId") == "paint")
        #expect(paint.object("requestBody")?.boolean("required") == true)
        #expect(paths.object("/walls/dry")?.object("post")?.object("requestBody")?.boolean("required") == false)
        let schema = paint.object("requestBody")?.object("content")?.object("application/json")?.object("schema")
        #expect(schema?.texts("required") == ["colour"])
        #expect(schema?.boolean("additionalProperties") == false)
        for status in ["201", "400", "401", "403", "404", "405", "415", "429", "500", "503"] {
            #expect(paint.object("responses")?.has(status) == true, "\(status)")
        }
        #expect(paths.object("/walls/{id}")?.object("get")?.objects("parameters")?.count == 2)
    }
}
