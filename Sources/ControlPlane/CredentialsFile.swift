import Foundation
package import WireFormats

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The keys of the embedded default: made once, kept over restarts, readable by their owner alone
/// (product page, section 12).
package struct CredentialsFile: Sendable {
    /// What the file holds.
    package struct Credentials: Sendable {
        package var endpoint: String
        package var bucket: String
        package var accessKeyID: String
        package var secretAccessKey: Secret<String>
        package var apiKey: Secret<String>
    }

    private struct Form: Codable {
        var endpoint: String
        var bucket: String
        var accessKeyID: String
        var secretAccessKey: String
        var apiKey: String

        enum CodingKeys: String, CodingKey {
            case endpoint, bucket
            case accessKeyID = "access_key_id"
            case secretAccessKey = "secret_access_key"
            case apiKey = "api_key"
        }
    }

    private let path: String

    /// Usually `DATA/.gatehouse/credentials.json`; its directory is made where it is missing.
    package init(path: String) {
        self.path = path
    }

    /// The keys in the file, or new ones. A file that can't be understood is an error: keys that somebody may be
    /// using are never replaced. `endpoint` and `bucket` are brought up to date. `random` gives so many
    /// unpredictable bytes.
    package func loadOrCreate(
        endpoint: String,
        bucket: String,
        random: (Int) -> [UInt8]
    ) throws(ControlPlaneError) -> Credentials {
        var form: Form
        if let existing = try read() {
            form = existing
            _ = chmod(path, 0o600)
            if form.endpoint != endpoint || form.bucket != bucket {
                form.endpoint = endpoint
                form.bucket = bucket
                try write(form, random)
            }
        } else {
            form = Form(
                endpoint: endpoint,
                bucket: bucket,
                accessKeyID: "GH" + Self.letters(random(18)),
                secretAccessKey: Base64URL.encode(random(30)),
                apiKey: "gh_" + Base64URL.encode(random(32))
            )
            try write(form, random)
        }
        return Credentials(
            endpoint: form.endpoint,
            bucket: form.bucket,
            accessKeyID: form.accessKeyID,
            secretAccessKey: Secret(form.secretAccessKey),
            apiKey: Secret(form.apiKey)
        )
    }

    /// Upper-case letters and digits, 32 of them, as access key ids are written.
    private static func letters(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
        return String(decoding: bytes.map { alphabet[Int($0 & 31)] }, as: UTF8.self)
    }

    private func read() throws(ControlPlaneError) -> Form? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("can't be read")
        }
        defer { _ = close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 16 * 1024)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                #if canImport(Glibc)
                    Glibc.read(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
                #else
                    Darwin.read(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
                #endif
            }
            guard got >= 0 else { throw failure("can't be read") }
            if got == 0 { break }
            count += got
        }
        guard let form = try? JSONDecoder().decode(Form.self, from: Data(bytes[..<count])),
            !form.accessKeyID.isEmpty, !form.secretAccessKey.isEmpty, !form.apiKey.isEmpty
        else {
            throw ControlPlaneError("\(path) is not a credentials file; move it away to have new keys made")
        }
        return form
    }

    /// A temporary file, synced, then renamed: the file is whole or absent at any instant.
    private func write(_ form: Form, _ random: (Int) -> [UInt8]) throws(ControlPlaneError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard var data = try? encoder.encode(form) else { throw ControlPlaneError("\(path) can't be written") }
        data.append(0x0A)
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        try makeDirectory(parent)
        let temporary = path + "." + Hex.encode(random(6))
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("can't be written") }
        let written = data.withUnsafeBytes { buffer in
            #if canImport(Glibc)
                Glibc.write(descriptor, buffer.baseAddress, buffer.count)
            #else
                Darwin.write(descriptor, buffer.baseAddress, buffer.count)
            #endif
        }
        let synced = fsync(descriptor)
        _ = close(descriptor)
        guard written == data.count, synced == 0, rename(temporary, path) == 0 else {
            let error = failure("can't be written")
            _ = unlink(temporary)
            throw error
        }
        let directory = open(parent, O_RDONLY | O_CLOEXEC)
        if directory >= 0 {
            _ = fsync(directory)
            _ = close(directory)
        }
    }

    private func makeDirectory(_ directory: String) throws(ControlPlaneError) {
        do {
            try FileManager.default.createDirectory(
                atPath: directory,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw ControlPlaneError("can't make \(directory): \(error.localizedDescription)")
        }
    }

    private func failure(_ what: String) -> ControlPlaneError {
        ControlPlaneError("\(path) \(what): \(String(cString: strerror(errno)))")
    }
}
