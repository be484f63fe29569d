// What the page asks of Gatehouse. Nothing here knows of the page.

/** An answer that was no success: its status, its code, and a text for people. */
export class Refused extends Error {
  constructor(status, { code = "", message = "" } = {}) {
    super(message || `Gatehouse answered ${status}.`);
    this.status = status;
    this.code = code;
  }
}

export class Gatehouse {
  /** `token` is the user's, as the application gave it to the page; `folder` is what the user's keys begin with. */
  constructor({ gatehouse, bucket, token, user }) {
    this.address = gatehouse;
    this.bucket = bucket;
    this.folder = `${user}/`;
    this.token = token;
  }

  async call(method, path, { body, signal, headers = {} } = {}) {
    const json = body === undefined ? {} : { "content-type": "application/json" };
    const answer = await fetch(new URL(path, this.address), {
      method, signal,
      headers: { authorization: `Bearer ${this.token}`, ...json, ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (answer.ok) return answer;
    const said = await answer.json().catch(() => ({}));
    throw new Refused(answer.status, said.error);
  }

  /** Permission to put one object there. `creation` makes a repeated call the same slot. */
  async slot(name, file, mode, creation) {
    const answer = await this.call("POST", "/-/v1/uploads", {
      headers: { "idempotency-key": creation },
      body: {
        bucket: this.bucket, key: this.folder + name, size: file.size, mode,
        content_type: file.type || "application/octet-stream",
      },
    });
    return answer.json();
  }

  async state(id) {
    return (await this.call("GET", `/-/v1/uploads/${id}`)).json();
  }

  /** A fresh URL for one part: earlier ones may have expired. */
  async part(id, number, signal) {
    const answer = await this.call("GET", `/-/v1/uploads/${id}/parts?numbers=${number}`, { signal });
    return (await answer.json()).parts[0];
  }

  /** The bytes are there: Gatehouse asks the store. */
  async complete(id) {
    return (await this.call("POST", `/-/v1/uploads/${id}/complete`, { body: {} })).json();
  }

  async takeBack(id) {
    await this.call("DELETE", `/-/v1/uploads/${id}`);
  }

  /** A URL that saves the file under its own name. */
  async download(name) {
    const body = { bucket: this.bucket, key: this.folder + name, filename: name, ttl: "5m" };
    return (await (await this.call("POST", "/-/v1/downloads", { body })).json()).url;
  }

  /** Where <video> and <img> find it: the token is in a cookie. */
  addressOf(name) {
    return new URL(`/files/${encodeURIComponent(name)}`, this.address).href;
  }

  /** The user's files: [{name, size, modified}], the newest first. */
  async files() {
    const found = [];
    let token = "";
    do {
      const query = new URLSearchParams({ "list-type": "2", prefix: this.folder });
      if (token) query.set("continuation-token", token);
      const text = await (await this.call("GET", `/${this.bucket}?${query}`)).text();
      const page = new DOMParser().parseFromString(text, "application/xml");
      const of = (node, name) => node.getElementsByTagName(name)[0]?.textContent ?? "";
      for (const entry of page.getElementsByTagName("Contents")) {
        found.push({
          name: of(entry, "Key").slice(this.folder.length),
          size: Number(of(entry, "Size")),
          modified: new Date(of(entry, "LastModified")),
        });
      }
      token = of(page, "NextContinuationToken");
    } while (token);
    return found.sort((one, other) => other.modified - one.modified);
  }
}
