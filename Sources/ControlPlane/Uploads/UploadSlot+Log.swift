import Journal
import Pipeline
import S3API
import Valet
import WireFormats

extension UploadSlot {
    /// The line about a URL or a form that was signed for it, by the id that its use is known by.
    func entry(of url: String, until end: Instant, onGrants: [URLOnGrant]) -> IssueLog.Entry {
        .issued(
            IssuedArtefact(kind: "url", id: url),
            by: "sign_url",
            bucket: bucket,
            key: key.bytes,
            reason: "upload:\(id)",
            until: end,
            onGrants: onGrants
        )
    }

    func entries(of way: SlotView.Way?) -> [IssueLog.Entry] {
        switch way {
        case .url(let url): [entry(of: url.id, until: url.expiresAt, onGrants: url.onGrants)]
        case .form(let form): [entry(of: form.id, until: form.expiresAt, onGrants: form.onGrants)]
        case .parts, nil: []
        }
    }
}
