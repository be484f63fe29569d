import Identity
import Mustache
import Valet
import WireFormats

/// The console's pages, rendered on the server. Everything that is not ours is escaped by the templates.
struct ConsolePages: Sendable {
    private let overviewTemplate: MustacheTemplate
    private let loginTemplate: MustacheTemplate
    private let grantsTemplate: MustacheTemplate
    private let topTemplate: MustacheTemplate

    init() throws {
        overviewTemplate = try MustacheTemplate(string: Self.overviewText)
        loginTemplate = try MustacheTemplate(string: Self.loginText)
        grantsTemplate = try MustacheTemplate(string: GrantsPage.template)
        topTemplate = try MustacheTemplate(string: Self.topText)
    }

    func login(csrfToken: String, message: String?) -> String {
        var values: [String: Any] = ["csrf": csrfToken]
        if let message { values["message"] = message }
        return loginTemplate.render(values)
    }

    func grants(_ page: GrantPage, caller: AdminCaller?) -> String {
        var values = GrantsPage(page: page).values
        values["top"] = top("Grants", caller)
        if let token = caller?.csrfToken, !token.isEmpty { values["csrf"] = token }
        return grantsTemplate.render(values)
    }

    /// What every page begins with.
    private func top(_ title: String, _ caller: AdminCaller?) -> String {
        var values: [String: Any] = ["title": title, "caller": caller?.principal?.description ?? ""]
        if let token = caller?.csrfToken, !token.isEmpty { values["csrf"] = token }
        return topTemplate.render(values)
    }

    /// - Parameter funnel: nil where no slots are issued, or the state can't be asked.
    func overview(_ status: AdminStatus, _ funnel: SlotFunnel?, caller: AdminCaller?) -> String {
        let checks: [[String: Any]] = status.readiness.checks.map {
            ["name": $0.name, "class": $0.ok ? "good" : "bad", "state": $0.ok ? "ok" : "failing", "detail": $0.detail]
        }
        let buckets: [[String: Any]] = status.buckets.map {
            [
                "name": $0.name, "type": $0.backendType, "endpoint": $0.endpoint, "state": $0.health.rawValue,
                "class": $0.health == .up ? "good" : $0.health == .down ? "bad" : "soft", "detail": $0.detail,
            ]
        }
        let operations: [[String: Any]] = status.operations.map {
            ["name": $0.name, "total": String($0.total), "errors": String($0.errors)]
        }
        var values: [String: Any] = [
            "version": status.version,
            "uptime": Self.uptime(status.uptimeSeconds),
            "started": status.startedAt,
            "ready": status.readiness.ready ? "ready" : "not ready",
            "readyClass": status.readiness.ready ? "good" : "bad",
            "checks": checks,
            "pending": status.readiness.pendingRestart,
            "buckets": buckets,
            "operations": operations,
            "total": String(status.requests.total),
            "clientErrors": String(status.requests.clientErrors),
            "serverErrors": String(status.requests.serverErrors),
            "limited": String(status.requests.limited),
            "inflight": String(status.requests.inflight),
            "connections": String(status.connections),
            "bytesIn": Self.bytes(status.requests.bytesIn),
            "bytesOut": Self.bytes(status.requests.bytesOut),
            "top": top("Overview", caller),
        ]
        if let funnel { values["uploads"] = UploadFunnel(funnel).values }
        return overviewTemplate.render(values)
    }

    private static func uptime(_ seconds: Int64) -> String {
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60)
        if days > 0 { return "\(days) d \(hours) h" }
        if hours > 0 { return "\(hours) h \(minutes) min" }
        return minutes > 0 ? "\(minutes) min \(seconds % 60) s" : "\(seconds) s"
    }

    private static func bytes(_ count: UInt64) -> String {
        var value = Double(count)
        for unit in ["B", "KiB", "MiB", "GiB", "TiB"] {
            if value < 1024 { return unit == "B" ? "\(count) B" : "\((value * 10).rounded() / 10) \(unit)" }
            value /= 1024
        }
        return "\((value * 10).rounded() / 10) PiB"
    }

    private static let loginText = """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Log in - Gatehouse</title><link rel="stylesheet" href="/console.css"></head>
        <body><main class="login"><h1>Gatehouse</h1>
        {{#message}}<p class="bad" role="alert">{{message}}</p>{{/message}}
        <form method="post" action="/login"><input type="hidden" name="csrf" value="{{csrf}}">
        <label for="api_key">API key of an admin</label>
        <input id="api_key" name="api_key" type="password" autocomplete="current-password" required autofocus>
        <button type="submit">Log in</button></form></main></body></html>

        """

    private static let topText = """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <title>{{title}} - Gatehouse</title><link rel="stylesheet" href="/console.css"></head>
        <body><a class="skip" href="#main">Skip to content</a>
        <header><h1>Gatehouse</h1>
        <nav aria-label="Console"><a href="/">Overview</a><a href="/grants">Grants</a><a href="/api/config">Configuration</a>
        <a href="/metrics">Metrics</a>
        {{#csrf}}<form method="post" action="/api/reload"><input type="hidden" name="csrf" value="{{csrf}}"><button>Reload
        configuration</button></form><form method="post" action="/logout"><input type="hidden" name="csrf"
        value="{{csrf}}"><button>Log out {{caller}}</button></form>{{/csrf}}</nav></header>
        """

    private static let overviewText = """
        {{{top}}}
        <main id="main">
        <p>Version {{version}}, up {{uptime}}, since <time datetime="{{started}}">{{started}}</time>;
        <strong class="{{readyClass}}">{{ready}}</strong>.</p>
        <dl><div><dt>Requests</dt><dd>{{total}}</dd></div><div><dt>In flight</dt><dd>{{inflight}}</dd></div>
        <div><dt>Connections</dt><dd>{{connections}}</dd></div><div><dt>4xx</dt><dd>{{clientErrors}}</dd></div>
        <div><dt>5xx</dt><dd>{{serverErrors}}</dd></div><div><dt>Limited</dt><dd>{{limited}}</dd></div>
        <div><dt>Received</dt><dd>{{bytesIn}}</dd></div><div><dt>Sent</dt><dd>{{bytesOut}}</dd></div></dl>
        <h2>Readiness</h2><table><thead><tr><th scope="col">Check</th><th scope="col">State</th><th scope="col">Detail</th></tr>
        </thead><tbody>{{#checks}}<tr><td>{{name}}</td><td class="{{class}}">{{state}}</td><td>{{detail}}</td></tr>{{/checks}}
        {{#pending}}<tr><td>restart</td><td class="bad">pending</td><td>{{.}}</td></tr>{{/pending}}</tbody></table>
        <h2>Buckets</h2><table><thead><tr><th scope="col">Bucket</th><th scope="col">Backend</th><th scope="col">Endpoint</th>
        <th scope="col">Health</th><th scope="col">Detail</th></tr></thead><tbody>{{#buckets}}<tr><td>{{name}}</td>
        <td>{{type}}</td><td>{{endpoint}}</td><td class="{{class}}">{{state}}</td><td>{{detail}}</td></tr>{{/buckets}}
        </tbody></table>
        <h2>Operations</h2><table><thead><tr><th scope="col">Operation</th><th scope="col" class="n">Requests</th>
        <th scope="col" class="n">Errors</th></tr></thead><tbody>{{#operations}}<tr><td>{{name}}</td>
        <td class="n">{{total}}</td><td class="n">{{errors}}</td></tr>{{/operations}}</tbody></table>
        \(UploadFunnel.section)
        </main></body></html>

        """
}
