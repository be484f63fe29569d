/// `[[routes]]`.
extension Mistake {
    static let routes: [Mistake] = [
        Mistake(account + "[[routes]]\nbucket = \"photos\"\nkey = \"x\"", 6, "routes[0].path", "is required"),
        Mistake(route("", key: ""), 9, "routes[0].key", "must not be empty"),
        Mistake(route("", path: "f/{id}"), 7, "routes[0].path", "does not begin with a slash"),
        Mistake(route("", path: "/f/{id}.jpg"), 7, "routes[0].path", "{name} or {name*} of a whole segment"),
        Mistake(route("", path: "/-/f/{id}"), 7, "routes[0].path", "Gatehouse's own"),
        Mistake(route("metods = [\"GET\"]"), 10, "routes[0].metods", "did you mean \"methods\"?"),
        Mistake(route("methods = [\"DELETE\"]"), 10, "routes[0].methods[0]", "\"GET\", \"HEAD\", \"PUT\""),
        Mistake(route("methods = []"), 10, "routes[0].methods", "allows nothing"),
        Mistake(route("delivery = \"prox\""), 10, "routes[0].delivery", "did you mean \"proxy\"?"),
        Mistake(route("ttl = \"8d\""), 10, "routes[0].ttl", "from 1s to 7d"),
        Mistake(route("ttl = \"1500ms\""), 10, "routes[0].ttl", "whole seconds"),
        Mistake(route("redirect_above = \"big\""), 10, "routes[0].redirect_above", "is not a size"),
        Mistake(route("content_type = \"png\""), 10, "routes[0].content_type", "is not a media type"),
        Mistake(route("content_type = \"image/png, text/html\""), 10, "routes[0].content_type", "has a comma"),
        Mistake(route("content_disposition = \"a\\nb\""), 10, "routes[0].content_disposition", "cannot carry"),
        Mistake(route("", bucket: "photoz"), 8, "routes[0].bucket", "there is no bucket", "did you mean \"photos\"?"),
        Mistake(route("", bucket: "Photos!"), 8, "routes[0].bucket", "is not a bucket name"),
        Mistake(route("", key: "a/../b"), 9, "routes[0].key", "is no key"),
        Mistake(route("", key: "{di}"), 9, "routes[0].key", "neither a part of the path", "did you mean {id}?"),
        Mistake(route("", key: "{path.idd}"), 9, "routes[0].key", "did you mean {path.id}?"),
        Mistake(route("", key: "{tenant}"), 9, "routes[0].key", "{claims.tenant}"),
        Mistake(route("", path: "/f/{sub}", key: "{sub}"), 9, "routes[0].key", "write {path.sub} or {claims.sub}"),
        Mistake(route("", key: "{id"), 9, "routes[0].key", "{ without a }"),
        Mistake(route("anonymous = true", key: "{sub}"), 9, "routes[0].key", "callers of an anonymous route"),
        Mistake(
            route("[[routes]]\npath = \"/f/{other}\"\nbucket = \"photos\"\nkey = \"x\""),
            11,
            "routes[1].path",
            "matches the same paths as \"/f/{id}\", at gatehouse.toml:7"
        ),
    ]

    /// Path in line 7, bucket in 8, key in 9, `lines` from 10 on.
    private static func route(
        _ lines: String,
        path: String = "/f/{id}",
        bucket: String = "photos",
        key: String = "{id}"
    ) -> String {
        account + "[[routes]]\npath = \"\(path)\"\nbucket = \"\(bucket)\"\nkey = \"\(key)\"\n" + lines
    }
}
