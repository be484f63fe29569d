// The life of one upload: a slot, its bytes in one piece or in parts, and the word that they are there.

import { Refused } from "./gatehouse.js";

/** Above this a file comes in parts, so that it can go on where it stopped. */
const LARGEST_PIECE = 16 * 2 ** 20;
const PARTS_AT_ONCE = 3;
const ATTEMPTS = 3;
const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** The connection broke, or the store said no. */
class Broken extends Error {
  constructor(status) {
    super(status ? `The store answered ${status}.` : "The connection broke.");
    this.status = status;
  }
}

/**
 * States: waiting → sending → checking → done; sending → paused | failed → sending; anything but done → cancelled.
 * Tells of changes with "change" events.
 */
export class Upload extends EventTarget {
  #gatehouse;
  #slot;
  #done = new Set();
  #sent = new Map();
  #halt;
  #creation = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  constructor(gatehouse, file) {
    super();
    this.#gatehouse = gatehouse;
    this.file = file;
    this.state = "waiting";
    this.trouble = "";
  }

  get name() { return this.file.name; }

  /** Bytes that have left, of parts that failed none. */
  get sent() {
    let sum = 0;
    for (const number of this.#done) sum += this.#piece(number).size;
    for (const bytes of this.#sent.values()) sum += bytes;
    return Math.min(sum, this.file.size);
  }

  get isOver() { return this.state === "done" || this.state === "cancelled"; }

  /** Begins, or goes on with what is missing. */
  async run() {
    if (this.isOver || this.state === "sending") return;
    this.#halt = new AbortController();
    this.#become("sending");
    try {
      this.#slot ??= (await this.#remembered()) ?? (await this.#issued());
      if (this.#slot.parts) await this.#sendParts(); else await this.#sendWhole();
      this.#become("checking");
      await this.#attempt(() => this.#gatehouse.complete(this.#slot.id));
      this.#forget();
      this.#become("done");
    } catch (error) {
      if (this.state === "paused" || this.state === "cancelled") return;
      if (error instanceof Refused && error.code === "UploadEnded") {
        // The slot is over: another try begins with another.
        this.#forget();
        this.#slot = undefined;
        this.#done.clear();
      }
      this.trouble = error instanceof TypeError ? "Gatehouse can't be reached." : error.message;
      this.#become("failed");
    }
  }

  pause() {
    if (this.state !== "sending") return;
    this.#become("paused");
    this.#halt.abort();
  }

  async cancel() {
    if (this.isOver) return;
    this.#become("cancelled");
    this.#halt?.abort();
    this.#forget();
    if (this.#slot) await this.#gatehouse.takeBack(this.#slot.id).catch(() => {});
  }

  #become(state) {
    this.state = state;
    if (state === "sending") this.trouble = "";
    this.dispatchEvent(new Event("change"));
  }

  async #issued() {
    const mode = this.file.size > LARGEST_PIECE ? "multipart" : "put";
    const slot = await this.#gatehouse.slot(this.file.name, this.file, mode, this.#creation);
    if (slot.parts) this.#remember(slot);
    return slot;
  }

  // MARK: - The bytes

  async #sendWhole() {
    const { url, headers } = this.#slot.upload;
    try {
      await this.#attempt(() => this.#put(1, url, headers));
    } catch (error) {
      // What this slot put a moment ago, and nobody heard of it: completing tells.
      if (!(error instanceof Broken) || error.status !== 412) throw error;
    }
  }

  async #sendParts() {
    const missing = [];
    for (let number = 1; number <= this.#slot.parts.count; number++) if (!this.#done.has(number)) missing.push(number);
    const sender = async () => {
      while (missing.length > 0) {
        const number = missing.shift();
        await this.#attempt(async () => {
          const { url, headers } = await this.#gatehouse.part(this.#slot.id, number, this.#halt.signal);
          await this.#put(number, url, headers);
        });
        this.#done.add(number);
        this.#remember(this.#slot);
      }
    };
    const outcomes = await Promise.allSettled(Array.from({ length: PARTS_AT_ONCE }, sender));
    const failure = outcomes.find((outcome) => outcome.status === "rejected");
    if (failure) throw failure.reason;
  }

  /** Where a part begins and ends; a whole file is its only part. */
  #piece(number) {
    const size = this.#slot?.parts?.size ?? this.file.size;
    return this.file.slice((number - 1) * size, number * size);
  }

  #put(number, url, headers) {
    return new Promise((done, fail) => {
      const request = new XMLHttpRequest();
      const halt = () => request.abort();
      const end = (outcome) => {
        this.#halt.signal.removeEventListener("abort", halt);
        this.#sent.delete(number);
        outcome();
        this.dispatchEvent(new Event("change"));
      };
      request.open("PUT", url);
      for (const [name, value] of Object.entries(headers)) {
        // Browsers set it themselves.
        if (name !== "content-length") request.setRequestHeader(name, value);
      }
      request.upload.onprogress = (event) => {
        this.#sent.set(number, event.loaded);
        this.dispatchEvent(new Event("change"));
      };
      request.onload = () => end(() => {
        if (request.status !== 200) return fail(new Broken(request.status));
        this.#done.add(number);
        done();
      });
      request.onerror = request.onabort = () => end(() => fail(new Broken(0)));
      this.#halt.signal.addEventListener("abort", halt);
      if (this.#halt.signal.aborted) return end(() => fail(new Broken(0)));
      request.send(this.#piece(number));
    });
  }

  /** Tries again what may go well the next time. */
  async #attempt(action) {
    for (let attempt = 1; ; attempt++) {
      try {
        return await action();
      } catch (error) {
        const isFinal = error.status >= 400 && error.status < 500 && error.status !== 403 && error.status !== 429;
        if (isFinal || attempt === ATTEMPTS || this.#halt.signal.aborted) throw error;
        await wait(300 * 2 ** attempt);
        if (this.#halt.signal.aborted) throw error;
      }
    }
  }

  // MARK: - After a reload

  get #place() { return `upload:${this.file.name}:${this.file.size}:${this.file.lastModified}`; }

  #remember(slot) {
    const { id, parts } = slot;
    localStorage.setItem(this.#place, JSON.stringify({ id, parts, done: [...this.#done] }));
  }

  #forget() { localStorage.removeItem(this.#place); }

  /** The slot that this file was being uploaded with, if it is still good. */
  async #remembered() {
    const kept = JSON.parse(localStorage.getItem(this.#place) ?? "null");
    if (!kept) return null;
    const slot = await this.#gatehouse.state(kept.id).catch(() => null);
    if (!slot || !["issued", "started"].includes(slot.state)) {
      this.#forget();
      return null;
    }
    this.#done = new Set(kept.done);
    return { ...slot, parts: kept.parts };
  }
}
