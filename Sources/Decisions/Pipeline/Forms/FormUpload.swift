import Backends
import HTTP1
import S3API
import Signatures
import WireFormats

/// A browser's form that uploads an object (S3 API reference, "POST Object"). Its fields are read first; then it is what
/// a PutObject of its file would be, under the rights of whoever signed the form.
struct FormUpload: Sendable {
    /// The request as it would have come without a form.
    let asking: Asking
    let request: S3Request
    let form: PostForm
    let answer: FormAnswer

    /// What reads the form; nil where the request is none.
    ///
    /// - Throws: `MissingContentLength`, `MalformedPOSTRequest`.
    static func reader(_ asking: Asking, _ located: Located) throws(Refusal) -> FormReader? {
        guard asking.head.method == .post, case .bucket = located.address, !located.query.contains("delete") else {
            return nil
        }
        do {
            guard let type = try asking.head.fields.single("content-type"),
                let boundary = try FormBoundary(contentType: type)
            else { return nil }
            guard case .length(let length) = asking.head.framing else { throw S3Error(.missingContentLength) }
            return FormReader(boundary, length: length)
        } catch let error as S3Error {
            throw .request(error)
        } catch {
            throw .request(S3Error(.invalidRequest, "Content-Type was given more than once."))
        }
    }

    /// - Parameter policy: what the form's signer permits; nil where nobody signed it.
    /// - Throws: what the policy forbids as a denial; everything else that is wrong with the form.
    init(_ form: PostForm, policy: PostPolicy?, _ located: Located, _ asking: Asking) throws(Refusal) {
        guard let name = located.address.bucket else { throw .request(S3Error(.methodNotAllowed)) }
        let server = asking.snapshot.server
        let key: ObjectKey
        do {
            try Self.checkHead(asking.head, located)
            // Before the policy, which could only say that nothing is not what it wants.
            key = try form.key(rules: server.keyRules)
        } catch {
            throw .request(error)
        }
        if let policy {
            do {
                try policy.check(form.fields, bucket: name, length: form.length, at: asking.now)
            } catch {
                throw Refusal(error: error, outcome: .denied, reason: error.message, failure: nil)
            }
        }
        do throws(S3Error) {
            if let bucket = form.fields["bucket"], !bucket.elementsEqual(name.string.utf8) {
                throw S3Error(.invalidArgument, "The form's bucket is another than the request's.")
            }
            let address = S3Address.object(name, key)
            let head = try Self.head(of: asking.head, address, form, located.style)
            self.form = form
            request = try S3Classifier.classify(head, address, Query())
            // A form uploads its file: fields that would make it something else are not for forms.
            guard request.operation == .putObject else {
                throw S3Error(.notImplemented, "A form can do nothing but upload its file.")
            }
            answer = try FormAnswer(form.fields, name, key, server.view)
            self.asking = asking.with(head: head)
        } catch {
            throw .request(error)
        }
    }

    /// What the head may hold beside a form: nothing that is about the object, since it would not be in the signed form.
    private static func checkHead(_ head: RequestHead, _ located: Located) throws(S3Error) {
        guard try S3Classifier.classify(head, located.address, located.query).operation == .postObject else {
            throw S3Error(.methodNotAllowed)
        }
        guard head.fields.count(of: "content-md5") == 0 else {
            throw S3Error(.invalidRequest, "Content-MD5 of a form is not checked; give it as a field of the form.")
        }
        for entry in head.fields.entries where head.fields.hasPrefix(entry, "x-amz-") {
            guard AmzField(name: head.fields.name(entry))?.carriage == .dropped else {
                throw S3Error(.invalidRequest, "What is about the object belongs into the form's fields.")
            }
        }
    }

    /// The head of a PutObject. Of the request's own head stays what tells about the client; the object's fields are the
    /// form's.
    private static func head(
        of head: RequestHead,
        _ address: S3Address,
        _ form: PostForm,
        _ style: AddressingStyle
    ) throws(S3Error) -> RequestHead {
        var fields = FieldBlock(reservingBytes: head.fields.bytes.count + 512, fields: 24)
        for entry in head.fields.entries where !isAboutTheBody(entry, head.fields) {
            fields.append(entry, of: head.fields, lowercasing: .nothing)
        }
        try form.headerFields(into: &fields)
        var path: [UInt8] = []
        if style == .path, let bucket = address.bucket { path += Array("/\(bucket)".utf8) }
        path.append(UInt8(ascii: "/"))
        PercentEncoding.append(address.key?.bytes ?? [], to: &path, keepSlash: .keep)
        return RequestHead(
            method: .put,
            version: head.version,
            path: path,
            fields: fields,
            framing: .length(form.length),
            host: head.host
        )
    }

    private static func isAboutTheBody(_ entry: FieldBlock.Entry, _ fields: FieldBlock) -> Bool {
        fields.hasPrefix(entry, "x-amz-") || fields.hasPrefix(entry, "content-")
            || ["cache-control", "expires", "range", "transfer-encoding", "expect"].contains {
                fields.isNamed(entry, $0)
            }
    }
}

extension Planner {
    /// The form's file as the object's bytes.
    func plan(_ upload: FormUpload) throws(Refusal) -> Plan {
        guard let bucket = admitted.bucket else { throw .request(S3Error(.noSuchBucket)) }
        try guardCarried(bucket)
        guard upload.form.length <= asking.snapshot.server.maxObjectSize else {
            throw .request(S3Error(.entityTooLarge))
        }
        // What the form's fields say of the file holds as it does for a PutObject's head.
        let checks = try promises().checks(hashing: .here)
        let body: ForwardedBody
        switch upload.form.file {
        case .whole(let content):
            do {
                try BodyCheck.check(content, checks)
            } catch {
                throw .request(error)
            }
            body = .bytes(content)
        case .streamed(let length, let file, let beginning):
            body = .stream(BodyVerifier(.form(file, beginning: beginning), of: .object, length: length, checks: checks))
        }
        return .forward(
            try forward(
                to: bucket,
                outgoing: .stream(length: upload.form.length, hash: .unsigned),
                body: body
            ).seen(through: upload.answer)
        )
    }
}
