import Pipeline
import S3API

extension APIFailure {
    init(_ refusal: URLRefusal) {
        self.init(refusal.error)
        reason = refusal.reason
    }
}

extension APIFailure.Code {
    static let uploadNotFound = Self("UploadNotFound", 409, "Nothing was uploaded for this slot.")
    static let uploadMismatch = Self("UploadMismatch", 422, "What was uploaded is not what was promised.")
    static let uploadEnded = Self("UploadEnded", 409, "This upload has ended.")
    static let keyOccupied = Self("KeyOccupied", 409, "Something else is under this key.")
    static let tooManyOpen = Self("TooManyOpenUploads", 429, "You have as many open uploads as you may.")

    /// What any operation that asks a store may answer, besides `ServiceUnavailable` where it can't be reached.
    static let ofStores: [Self] = [
        Self(.backendAuthFailed), Self(.backendRedirected), Self(.backendTimeout),
        Self(.backendBadAnswer), Self(.backendCredentialUnavailable), Self(.slowDown),
    ]
}
