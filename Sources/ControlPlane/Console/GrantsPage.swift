import S3API
import Valet
import WireFormats

/// The console's page of grants and links, as values for its template.
struct GrantsPage {
    let page: GrantPage

    var values: [String: Any] {
        var values: [String: Any] = [
            "grants": page.grants.map(row),
            "bucket": page.bucket,
            "subject": page.subject,
            "isEmpty": page.grants.isEmpty,
        ]
        if let next = page.next { values["next"] = next }
        return values
    }

    private func row(_ listed: ListedGrant) -> [String: Any] {
        let (record, state) = (listed.record, listed.state)
        let grant = record.grant
        let subject = if case .principal(let name) = grant.subject { name } else { "anybody with the link" }
        let place =
            switch grant.reach {
            case .key(let key): key.string
            case .prefix(let prefix): String(decoding: prefix, as: UTF8.self) + "…"
            }
        var row: [String: Any] = [
            "id": grant.id,
            "subject": subject,
            "place": "\(grant.bucket)/\(place)",
            "actions": grant.actions.actions.map(\.rawValue).joined(separator: ", "),
            "grantor": grant.grantor,
            "ends": Timestamp.iso8601(grant.expiresAt),
            "uses": grant.maxUses.map { "\(record.uses) of \($0)" } ?? "unlimited",
            "state": state.words,
            "class": state == .inForce ? "good" : "soft",
            "canBeTakenBack": state.canBeTakenBack,
        ]
        if !grant.note.isEmpty { row["note"] = grant.note }
        if let source = grant.source { row["source"] = source.description }
        return row
    }

    static let template = """
        {{{top}}}
        <main id="main">
        <h2>Grants and links</h2>
        <form class="filter" method="get" action="/grants" role="search">
        <label for="bucket">Bucket <input id="bucket" name="bucket" value="{{bucket}}"></label>
        <label for="subject">For <input id="subject" name="subject" value="{{subject}}" placeholder="user:bob, link"></label>
        <button>Show</button></form>
        {{#isEmpty}}<p class="soft">There are none.</p>{{/isEmpty}}
        {{^isEmpty}}<div class="wide"><table><thead><tr><th scope="col">For</th><th scope="col">What</th>
        <th scope="col">Given by</th><th scope="col">Ends</th><th scope="col" class="n">Uses</th><th scope="col">State</th>
        <th scope="col"><span class="unseen">Take back</span></th></tr></thead><tbody>{{#grants}}<tr id="{{id}}"><td>{{subject}}
        {{#source}}<br><span class="soft">from {{source}}</span>{{/source}}</td>
        <td>{{place}}<br><span class="soft">{{actions}}{{#note}} - {{note}}{{/note}}</span></td><td>{{grantor}}</td>
        <td><time datetime="{{ends}}">{{ends}}</time></td><td class="n">{{uses}}</td><td class="{{class}}">{{state}}</td>
        <td>{{#canBeTakenBack}}{{#csrf}}<details><summary>Take back</summary><form method="post" action="/grants/{{id}}/revoke"><input
        type="hidden" name="csrf" value="{{csrf}}"><button class="bad" aria-label="Take back {{place}} from {{subject}}">Yes, at
        once</button></form></details>{{/csrf}}{{/canBeTakenBack}}</td></tr>{{/grants}}</tbody></table></div>{{/isEmpty}}
        {{#next}}<form method="get" action="/grants"><input type="hidden" name="after" value="{{next}}"><input type="hidden"
        name="bucket" value="{{bucket}}"><input type="hidden" name="subject" value="{{subject}}"><button>More</button></form>{{/next}}
        </main></body></html>

        """
}
