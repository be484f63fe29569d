import Testing

/// A configuration with one mistake, and what must be said about it.
struct Mistake: Sendable, CustomTestStringConvertible {
    let text: String
    let line: Int?
    let key: String
    /// Parts of the message and suggestion.
    let fragments: [String]

    init(_ text: String, _ line: Int?, _ key: String, _ fragments: String...) {
        self.text = text
        self.line = line
        self.key = key
        self.fragments = fragments
    }

    var testDescription: String { key + ": " + fragments.joined(separator: ", ") }
}

let readPolicy =
    #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#

let account = """
    [[accounts]]
    name = "minio"
    buckets = ["photos"]
    [accounts.backend_options]
    endpoint = "http://127.0.0.1:8333"

    """  // 6 lines

func bucket(_ lines: String, options: String = "endpoint = \"http://store\"") -> String {
    "[[buckets]]\nname = \"data\"\n" + lines + "\n[buckets.backend_options]\n" + options
}

func user(_ lines: String) -> String {
    account + "[[users]]\nname = \"alice\"\napi_key = \"0123456789abcdef\"\n" + lines
}

func credential(_ lines: String) -> String {
    account
        + "[[credentials]]\naccess_key_id = \"AKEXAMPLE\"\nsecret_access_key = \"0123456789abcdef\"\n"
        + "principal_name = \"app\"\n" + lines
}

func policy(_ lines: String) -> String {
    user("[[policies]]\nname = \"p\"\n") + lines
}
