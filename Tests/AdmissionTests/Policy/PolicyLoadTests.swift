import Identity
import S3API
import Testing

@testable import Admission

@Suite struct PolicyLoadTests {
    private func statement(_ members: String) -> String {
        #"{"Version":"2012-10-17","Statement":[{"# + members + "}]}"
    }

    private static let rest = #""Action":"s3:GetObject","Resource":"*""#

    @Test(arguments: [
        (#"{"Statement":[]}"#, "$.Version"),
        (#"{"Version":"2008-10-17","Statement":[]}"#, "$.Version"),
        (#"{"Version":20121017,"Statement":[]}"#, "$.Version"),
        (#"{"Version":"2012-10-17"}"#, "$.Statement"),
        (#"{"Version":"2012-10-17","Statement":[]}"#, "$.Statement"),
        (#"{"Version":"2012-10-17","Statement":"x"}"#, "$.Statement"),
        (#"{"Version":"2012-10-17","Statement":[{}]}"#, "$.Statement[0]"),
        (#"{"Version":"2012-10-17","Statement":[],"Comment":"x"}"#, "$.Comment"),
        (#"{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}"#, "$.Version"),
        (#"{"Version":"2012-10-17","Versio\u006e":"2012-10-17"}"#, "$.Version"),
        ("[]", "$"), ("", "$"), ("nul", "$"), ("{} {}", "$"), (#"{"Version":"2012-10-17",}"#, "$"),
        (#"{"Version" "2012-10-17"}"#, "$.Version"), (#"{'Version':1}"#, "$"),
        ("{\"Version\":\"a\u{1}\"}", "$.Version"),
        (#"{"Version":01}"#, "$.Version"), (#"{"Version":"\ud800"}"#, "$.Version"), (#"{"Version":"\x"}"#, "$.Version"),
        (#"{"Version":"2012-10-17"} // why"#, "$"),
    ])
    func refusesADocument(_ text: String, _ path: String) {
        #expect { try PolicyDocument(parsing: text.utf8) } throws: { ($0 as? PolicyLoadError)?.path == path }
    }

    @Test(arguments: [
        (#""Effect":"allow",\#(rest)"#, ".Effect"),
        (#""Effect":["Allow"],\#(rest)"#, ".Effect"),
        (rest, ""),
        (#""Effect":"Allow","Principal":"*",\#(rest)"#, ".Principal"),
        (#""Effect":"Allow","NotPrincipal":"*",\#(rest)"#, ".NotPrincipal"),
        (#""Effect":"Allow","effect":"Deny",\#(rest)"#, ".effect"),
        (#""Effect":"Allow","Effect":"Deny",\#(rest)"#, ".Effect"),
        (#""Effect":"Allow","NotAction":"s3:GetObject",\#(rest)"#, ""),
        (#""Effect":"Allow","NotResource":"*",\#(rest)"#, ""),
        (#""Effect":"Allow","Resource":"*""#, ""),
        (#""Effect":"Allow","Action":"s3:GetObject""#, ""),
        (#""Effect":"Allow","Action":[],"Resource":"*""#, ".Action"),
        (#""Effect":"Allow","Action":"s3:GetObjekt","Resource":"*""#, ".Action"),
        (#""Effect":"Allow","Action":["s3:GetObject","GetObject"],"Resource":"*""#, ".Action[1]"),
        (#""Effect":"Allow","Action":"ec2:*","Resource":"*""#, ".Action"),
        (#""Effect":"Allow","Action":"*:GetObject","Resource":"*""#, ".Action"),
        (#""Effect":"Allow","Action":"s3:Frob*","Resource":"*""#, ".Action"),
        (#""Effect":"Allow","Action":"s3:${aws:username}","Resource":"*""#, ".Action"),
        (#""Effect":"Allow","Action":"","Resource":"*""#, ".Action"),
        (#""Effect":"Allow","Action":"s3:GetObject","Resource":"photos/*""#, ".Resource"),
        (#""Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::""#, ".Resource"),
        (#""Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::/x""#, ".Resource"),
        (#""Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:us-east-1:1:accesspoint/x""#, ".Resource"),
        (#""Effect":"Allow","Action":"s3:GetObject","Resource":["*",7]"#, ".Resource[1]"),
        (#""Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:nobody}""#, ".Resource"),
        (#""Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:SourceIp}""#, ".Resource"),
        (#""Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:username""#, ".Resource"),
        (#""Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:username,x}""#, ".Resource"),
        (#""Effect":"Allow","Sid":7,\#(rest)"#, ".Sid"),
    ])
    func refusesAStatement(_ members: String, _ path: String) {
        #expect { try PolicyDocument(parsing: statement(members).utf8) } throws: {
            ($0 as? PolicyLoadError)?.path == "$.Statement[0]" + path
        }
    }

    @Test(arguments: [
        (#"[]"#, ""), (#"{"StringEqual":{"s3:prefix":"a"}}"#, ".StringEqual"),
        (#"{"stringequals":{"s3:prefix":"a"}}"#, ".stringequals"),
        (#"{"ArnLike":{"aws:SourceArn":"a"}}"#, ".ArnLike"), (#"{"BinaryEquals":{"s3:prefix":"a"}}"#, ".BinaryEquals"),
        (#"{"NullIfExists":{"s3:prefix":"true"}}"#, ".NullIfExists"),
        (#"{"ForAllValues:Null":{"s3:prefix":"true"}}"#, #"["ForAllValues:Null"]"#),
        (#"{"ForSomeValues:StringLike":{"s3:prefix":"a"}}"#, #"["ForSomeValues:StringLike"]"#),
        (#"{"StringEqualsIfExistsIfExists":{"s3:prefix":"a"}}"#, ".StringEqualsIfExistsIfExists"),
        (#"{"StringEquals":{}}"#, ".StringEquals"), (#"{"StringEquals":"a"}"#, ".StringEquals"),
        (#"{"StringEquals":{"aws:PrincipalOrgID":"o"}}"#, #".StringEquals["aws:PrincipalOrgID"]"#),
        (#"{"StringEquals":{"s3:prefix":[]}}"#, #".StringEquals["s3:prefix"]"#),
        (#"{"StringEquals":{"s3:prefix":["a",null]}}"#, #".StringEquals["s3:prefix"][1]"#),
        (#"{"StringEquals":{"s3:prefix":"a","S3:Prefix":"b"}}"#, #".StringEquals["S3:Prefix"]"#),
        (#"{"StringEquals":{"s3:prefix":"${aws:sauce}"}}"#, #".StringEquals["s3:prefix"]"#),
        (#"{"StringEquals":{"aws:SourceIp":"10.0.0.1"}}"#, #".StringEquals["aws:SourceIp"]"#),
        (#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/33"}}"#, #".IpAddress["aws:SourceIp"]"#),
        (#"{"IpAddress":{"aws:SourceIp":"${aws:username}"}}"#, #".IpAddress["aws:SourceIp"]"#),
        (#"{"IpAddress":{"s3:prefix":"10.0.0.0/8"}}"#, #".IpAddress["s3:prefix"]"#),
        (#"{"NumericEquals":{"s3:max-keys":"ten"}}"#, #".NumericEquals["s3:max-keys"]"#),
        (#"{"NumericEquals":{"s3:max-keys":"nan"}}"#, #".NumericEquals["s3:max-keys"]"#),
        (#"{"DateLessThan":{"aws:CurrentTime":"tomorrow"}}"#, #".DateLessThan["aws:CurrentTime"]"#),
        (#"{"Bool":{"aws:SecureTransport":"yes"}}"#, #".Bool["aws:SecureTransport"]"#),
        (#"{"Bool":{"aws:SecureTransport":["true","false"]}}"#, #".Bool["aws:SecureTransport"]"#),
        (#"{"Null":{"s3:x-amz-acl":"maybe"}}"#, #".Null["s3:x-amz-acl"]"#),
    ])
    func refusesACondition(_ condition: String, _ path: String) {
        let text = document("Deny", "s3:GetObject", condition: condition)
        #expect { try PolicyDocument(parsing: text.utf8) } throws: {
            ($0 as? PolicyLoadError)?.path == "$.Statement[0].Condition" + path
        }
    }

    @Test func refusesTwoStatementsOfOneSidOversizeNestingAndBytesThatAreNotUTF8() {
        let one = #"{"Sid":"a","Effect":"Allow",\#(Self.rest)}"#
        #expect(throws: PolicyLoadError.self) {
            try PolicyDocument(parsing: #"{"Version":"2012-10-17","Statement":[\#(one),\#(one)]}"#.utf8)
        }
        let padding = String(repeating: " ", count: PolicyDocument.maximumSize)
        #expect(throws: PolicyLoadError.self) { try PolicyDocument(parsing: (document("Allow", "*") + padding).utf8) }
        let deep = String(repeating: "[", count: 10_000)
        #expect(throws: PolicyLoadError.self) { try PolicyDocument(parsing: deep.utf8) }
        #expect(throws: PolicyLoadError.self) { try PolicyDocument(parsing: [0x22, 0xff, 0x22]) }
    }

    @Test func everyPrefixOfADocumentIsRefusedWithoutACrash() {
        let whole = document(
            "Deny",
            "s3:*",
            "photos/${aws:username}/*",
            condition: #"{"Bool":{"aws:SecureTransport":"false"}}"#
        )
        for length in 0..<whole.utf8.count {
            #expect(throws: PolicyLoadError.self) { try PolicyDocument(parsing: whole.utf8.prefix(length)) }
        }
        #expect(throws: Never.self) { try PolicyDocument(parsing: whole.utf8) }
    }

    @Test func acceptsASingleStatementAndLists() throws {
        let single =
            #"{"Version":"2012-10-17","Id":"x","Statement":{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["*"],"Condition":{}}}"#
        #expect(try PolicyDocument(parsing: single.utf8).id == "x")
    }

    @Test(arguments: [
        ("s3:GetObject", [S3Action.getObject, .headObject]), ("S3:getobject", [.getObject, .headObject]),
        ("s3:PutObject", [.putObject, .multipart]), ("s3:ListBucket", [.listBucket, .headBucket]),
        ("s3:GetBucketPolicy", [.getBucketPolicy]),
        ("s3:GetObjectT*", [.getObjectTagging]), ("s3:?etObject", [.getObject, .headObject]),
        ("gatehouse:*", [.share, .shareLink]),
        (
            "s3:DeleteObject*",
            [
                .deleteObjectTagging, .deleteObjectVersionTagging, .deleteObject, .deleteObjectVersion,
            ]
        ),
    ])
    func expandsActions(_ name: String, _ expected: [S3Action]) throws {
        let set = try policies(document("Allow", name))
        let allowed = try S3Action.allCases.filter { $0 != .listAllMyBuckets }.filter {
            decide(try question(.key("k"), .none, ActionSet($0), "photos/x"), policies: set, values: nothingSent)
                .isAllowed
        }
        #expect(Set(allowed) == Set(expected))
    }

    @Test func notActionAndNotResourceAreTheRest() throws {
        let set = try policies(
            #"{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":"s3:Delete*","NotResource":"arn:aws:s3:::photos/private/*"}}"#
        )
        for (action, place, expected) in [
            (S3Action.getObject, "photos/x", true), (.getObject, "photos/private/x", false),
            (.deleteObject, "photos/x", false), (.putObject, "docs/private/x", true),
        ] {
            let asked = try question(.key("k"), .none, ActionSet(action), place)
            #expect(decide(asked, policies: set, values: nothingSent).isAllowed == expected)
        }
    }
}
