// The page: what is uploaded, what is there, and a player.

import { Gatehouse } from "./gatehouse.js";
import { Upload } from "./upload.js";

const on = (id) => document.getElementById(id);
const units = ["B", "KB", "MB", "GB", "TB"];
const inBytes = (count) => {
  const step = Math.min(units.length - 1, count ? Math.floor(Math.log10(count) / 3) : 0);
  return `${(count / 1000 ** step).toLocaleString("en", { maximumFractionDigits: step ? 1 : 0 })} ${units[step]}`;
};
const kinds = {
  video: /\.(webm|mp4|m4v|mov|ogv)$/i,
  audio: /\.(mp3|m4a|wav|ogg|opus|flac)$/i,
  image: /\.(png|jpe?g|gif|webp|avif|svg)$/i,
};
const kindOf = (name) => Object.keys(kinds).find((kind) => kinds[kind].test(name));
const endingOf = (name) => (/\.([a-z0-9]{1,4})$/i.exec(name)?.[1] ?? "file");

let gatehouse;

function complain(error) {
  on("trouble").textContent = error instanceof TypeError ? "Gatehouse can't be reached." : error.message;
  on("trouble").hidden = false;
}

function say(text) { on("said").textContent = text; }

// MARK: - What is there

async function showFiles() {
  const files = await gatehouse.files();
  on("empty").hidden = files.length > 0;
  on("files").replaceChildren(...files.map(row));
}

function row({ name, size, modified }) {
  const item = on("file").content.cloneNode(true).firstElementChild;
  const kind = kindOf(name);
  item.querySelector(".kind").textContent = endingOf(name);
  item.querySelector(".name").textContent = item.querySelector(".name").title = name;
  item.querySelector(".meta").textContent = `${inBytes(size)} · ${modified.toLocaleString([], { dateStyle: "medium", timeStyle: "short" })}`;
  const play = item.querySelector(".play");
  play.hidden = !kind;
  play.textContent = kind === "image" ? "View" : "Play";
  play.setAttribute("aria-label", `${play.textContent} ${name}`);
  play.onclick = () => show(name, kind);
  const download = item.querySelector(".download");
  download.setAttribute("aria-label", `Download ${name}`);
  download.onclick = () => gatehouse.download(name).then((url) => location.assign(url), complain);
  return item;
}

function show(name, kind) {
  const shown = document.createElement(kind === "image" ? "img" : kind);
  if (kind === "image") shown.alt = name; else shown.controls = shown.autoplay = true;
  shown.src = gatehouse.addressOf(name);
  on("player-title").textContent = name;
  on("stage").replaceChildren(shown);
  on("player").showModal();
}

on("player").addEventListener("close", () => on("stage").replaceChildren());

// MARK: - What is being uploaded

function add(files) {
  on("trouble").hidden = true;
  for (const file of files) {
    const upload = new Upload(gatehouse, file);
    on("uploads").prepend(card(upload));
    on("sending").hidden = false;
    upload.run();
  }
}

const words = {
  waiting: "Waiting", sending: "Uploading", paused: "Paused", checking: "Checking", done: "Uploaded", cancelled: "Cancelled",
};

function card(upload) {
  const item = on("upload").content.cloneNode(true).firstElementChild;
  const part = (name) => item.querySelector(name);
  const [resume, pause, cancel] = [part(".resume"), part(".pause"), part(".cancel")];
  part(".kind").textContent = endingOf(upload.name);
  part(".name").textContent = part(".name").title = upload.name;
  part("progress").setAttribute("aria-label", upload.name);
  for (const button of [resume, pause, cancel]) button.setAttribute("aria-label", `${button.textContent} ${upload.name}`);
  resume.onclick = () => { pause.hidden = false; pause.focus(); upload.run(); };
  pause.onclick = () => { resume.hidden = false; resume.focus(); upload.pause(); };
  cancel.onclick = () => upload.cancel();
  let [state, began, before] = ["", 0, 0];
  upload.addEventListener("change", () => {
    const { sent, file: { size } } = upload;
    part("progress").value = size ? sent / size : upload.state === "done" ? 1 : 0;
    if (upload.state !== state) {
      state = upload.state;
      [began, before] = [performance.now(), sent];
      item.className = `item ${state}`;
      part(".state").textContent = state === "failed" ? `Stopped. ${upload.trouble}` : words[state];
      say(`${upload.name}: ${part(".state").textContent}`);
      resume.hidden = state !== "failed" && state !== "paused";
      pause.hidden = state !== "sending";
      cancel.hidden = upload.isOver;
      if (state === "done") showFiles().catch(complain);
    }
    const seconds = (performance.now() - began) / 1000;
    const rate = state === "sending" && seconds > 1 ? ` · ${inBytes((sent - before) / seconds)}/s` : "";
    part(".numbers").textContent =
      state === "done" ? inBytes(size) : `${inBytes(sent)} of ${inBytes(size)}${rate}`;
  });
  return item;
}

on("choose").addEventListener("change", () => {
  add(on("choose").files);
  on("choose").value = "";
});
for (const type of ["dragover", "dragenter"]) {
  on("drop").addEventListener(type, (event) => {
    event.preventDefault();
    on("drop").classList.add("over");
  });
}
for (const type of ["dragleave", "drop"]) on("drop").addEventListener(type, () => on("drop").classList.remove("over"));
on("drop").addEventListener("drop", (event) => {
  event.preventDefault();
  add(event.dataTransfer.files);
});

// MARK: - Beginning

try {
  const settings = await (await fetch("settings.json")).json();
  gatehouse = new Gatehouse(settings);
  // An application sets this cookie itself, HttpOnly, when its user logs in.
  document.cookie = `session=${settings.token}; path=/; SameSite=Strict`;
  on("user").textContent = settings.user;
  on("user").hidden = false;
  await showFiles();
} catch (error) {
  complain(gatehouse ? error : new Error("There is no settings.json: start the page with ./run."));
}
