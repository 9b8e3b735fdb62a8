// Sends photos to the server, four at a time, and puts the cards that come back where the photos are waiting.
"use strict";

const AT_ONCE = 4;
const find = (selector, inside = document) => inside.querySelector(selector);
const form = find("#photos");
const cards = find("#cards");
const results = find("#results");
const waiting = [];
const files = new Map(); // A card's id, and its photo.
let running = 0;
let lastNumber = cards.children.length;
let key = find("#key")?.value || sessionStorage.getItem("cairn-key") || "";

document.documentElement.classList.add("scripted");
if (key && find("#key-form")) find("#key-form").hidden = true;

const wait = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

// ----- Photos come in ---------------------------------------------------------------------------------------------------

function take(photos) {
  for (const photo of photos) {
    const id = `photo-${++lastNumber}`;
    files.set(id, photo);
    cards.append(waitingCard(id, photo));
    waiting.push(id);
  }
  results.hidden = !cards.children.length;
  if (results.getBoundingClientRect().top > innerHeight * 0.8) results.scrollIntoView();
  progress();
  while (running < AT_ONCE && waiting.length) work();
}

async function work() {
  running += 1;
  while (waiting.length) await ask(waiting.shift());
  running -= 1;
  progress();
}

function waitingCard(id, photo) {
  const card = document.createElement("article");
  card.className = "card waiting";
  card.id = id;
  card.innerHTML = '<figure><div class="frame"></div><figcaption></figcaption></figure><div class="said"><h2>Looking …</h2></div>';
  find("figcaption", card).textContent = photo.name;
  showPicture(card, photo);
  return card;
}

// The browser's own copy of the photo; `shown` tells whether it can read the format.
function showPicture(card, photo) {
  const picture = new Image();
  picture.className = "photo";
  picture.alt = card.matches(".waiting") ? "" : `Photo of ${card.dataset.name || "no landmark that I know"}`;
  photo.shown = new Promise((done) => {
    picture.addEventListener("load", () => done(true));
    picture.addEventListener("error", () => done(picture.remove()));
  });
  picture.src = photo.address ??= URL.createObjectURL(photo);
  find(".frame", card).append(picture);
}

// ----- The server answers -----------------------------------------------------------------------------------------------

// Asks again while the server is busy. `body` makes the form anew for each try.
async function send(path, body) {
  for (;;) {
    const headers = key ? { Authorization: `Bearer ${key}` } : {};
    const response = await fetch(path, { method: "POST", headers, body: body() });
    if (response.status === 401) await askForKey(key);
    else if (response.status === 429 || response.status === 503) await wait(Number(response.headers.get("Retry-After")) || 2);
    else return response;
  }
}

const formOf = (photo, fields = {}) => () => {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  data.append("photo", photo, photo.name);
  return data;
};

async function ask(id) {
  const photo = files.get(id);
  if (!photo) return; // It was cleared away.
  let card;
  try {
    card = await answer(id, photo, (await photo.shown) ? "" : "&thumbnail=1");
    const jpeg = card.dataset.error === "format" && (await asJpeg(photo));
    if (jpeg) {
      // The browser reads what the server does not.
      card = await answer(id, jpeg, "");
      tell(card, "note", "The browser made a JPEG of this photo. What its camera said was lost.");
    }
  } catch (error) {
    card = failure(id, photo, `The server did not answer: ${error.message}`);
  }
  const place = document.getElementById(id);
  if (!place || !files.has(id)) return;
  if (!card.matches(".unreadable") && !find(".photo", card)) showPicture(card, photo);
  place.replaceWith(card);
  card.querySelectorAll(".toggle, .feedback").forEach((part) => (part.hidden = false));
  mark(card);
  const sure = find(".sure", card)?.textContent ?? "";
  say(`${photo.name}: ${find("h2", card).textContent} ${sure}`);
  progress();
}

// The card that the server makes of a photo.
async function answer(id, photo, more) {
  const response = await send(`photos?card=${id.split("-")[1]}${more}`, formOf(photo));
  if (!response.ok) return failure(id, photo, (await response.json()).error);
  return document.adoptNode(find(".card", new DOMParser().parseFromString(await response.text(), "text/html")));
}

function failure(id, photo, reason) {
  const card = waitingCard(id, { name: photo.name, address: "data:," });
  card.className = "card unreadable";
  find("h2", card).textContent = "No answer for this photo";
  tell(card, "reason", reason);
  Object.assign(card.dataset, { photo: photo.name, json: JSON.stringify({ photo: photo.name, error: reason }) });
  return card;
}

function tell(card, kind, text) {
  find(".said", card).append(Object.assign(document.createElement("p"), { className: kind, textContent: text }));
}

async function asJpeg(photo) {
  try {
    const bitmap = await createImageBitmap(photo);
    const canvas = Object.assign(document.createElement("canvas"), { width: bitmap.width, height: bitmap.height });
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    const jpeg = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.95));
    return jpeg && new File([jpeg], photo.name, { type: "image/jpeg" });
  } catch {
    return null;
  }
}

// The map of the world gets a mark that leads to the card.
function mark(card) {
  if (!card.dataset.x) return;
  const make = (name, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.entries(attributes).forEach(([attribute, value]) => element.setAttribute(attribute, value));
    return element;
  };
  const link = make("a", { href: `#${card.id}`, "aria-label": `${card.dataset.name}, ${card.dataset.photo}` });
  link.append(make("circle", { cx: card.dataset.x, cy: card.dataset.y, r: 24 }));
  find("#found").append(link);
}

function say(text) {
  const line = document.createElement("span");
  line.textContent = `${text.trim()}. `;
  find("#said").append(line);
}

function progress() {
  const all = cards.children.length;
  const open = find(".waiting", cards) ? cards.querySelectorAll(".waiting").length : 0;
  const found = cards.querySelectorAll(".landmark").length;
  find("#progress").textContent = open ? `${all - open} of ${all} photos done` : all ? `${found} of ${all} ${all === 1 ? "photo shows" : "photos show"} a landmark that I know` : "";
  find(".clear").hidden = !all;
}

// ----- The key ----------------------------------------------------------------------------------------------------------

let keyAsked = null;
function askForKey(refused) {
  if (key !== refused) return Promise.resolve(); // Another photo's question was answered meanwhile.
  const keyForm = find("#key-form");
  if (!keyForm) return Promise.reject(new Error("it wants a key; reload the page"));
  keyForm.hidden = false;
  find("#key-outcome").textContent = refused ? "The server does not know this key." : "Give the key first; the photos wait for it.";
  find("#key").focus();
  keyAsked ??= new Promise((done) => keyForm.addEventListener("submit", done, { once: true })).then(() => (keyAsked = null));
  return keyAsked;
}

find("#key-form")?.addEventListener("submit", (event) => {
  event.preventDefault();
  key = find("#key").value.trim();
  sessionStorage.setItem("cairn-key", key);
  find("#key-outcome").textContent = "";
  event.target.hidden = true;
});

// ----- Choosing, pasting, dropping --------------------------------------------------------------------------------------

for (const input of form.querySelectorAll("input[type=file]")) {
  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = "";
  });
}
form.addEventListener("submit", (event) => event.preventDefault());

document.addEventListener("paste", (event) => {
  const photos = [...event.clipboardData.files];
  if (photos.length) event.preventDefault();
  take(photos);
});

const bringsFiles = (event) => event.dataTransfer?.types.includes("Files");
for (const kind of ["dragenter", "dragover"]) {
  addEventListener(kind, (event) => {
    if (!bringsFiles(event)) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
}
addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("dropping"));
addEventListener("drop", async (event) => {
  document.body.classList.remove("dropping");
  if (!bringsFiles(event)) return;
  event.preventDefault();
  // Entries are there only until the handler waits for something.
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.());
  const dropped = [...event.dataTransfer.files];
  if (!entries.some((entry) => entry?.isDirectory)) return take(dropped);
  for (const entry of entries) if (entry) take(await filesIn(entry));
});

// The photos in a folder and the folders in it.
async function filesIn(entry) {
  if (entry.isFile) return [await new Promise((done, fail) => entry.file(done, fail))];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((done, fail) => reader.readEntries(done, fail));
    if (!some.length) break;
    for (const inner of some) if (!inner.name.startsWith(".")) found.push(...(await filesIn(inner)));
  }
  return found;
}

// ----- On a card: heat map, right or wrong ------------------------------------------------------------------------------

cards.addEventListener("change", async (event) => {
  const card = event.target.closest(".card");
  if (!event.target.matches(".heat:checked") || card.ariaBusy || find(".heat-map", card)) return;
  card.ariaBusy = "true";
  const response = await send("v1/explain", formOf(files.get(card.id)));
  card.ariaBusy = null;
  if (!response.ok) {
    event.target.checked = false;
    return say((await response.json()).error);
  }
  const picture = new Image();
  picture.className = "heat-map";
  picture.alt = "The same under its heat map: what spoke for the answer is red";
  picture.src = URL.createObjectURL(await response.blob());
  find(".frame", card).append(picture);
});

cards.addEventListener("click", (event) => {
  const feedback = event.target.closest(".feedback");
  if (event.target.matches(".right")) keep(feedback, feedback.dataset.answer ? { class: feedback.dataset.answer } : { none: "1" });
  if (event.target.matches(".none")) keep(feedback, { none: "1" });
  if (event.target.matches(".wrong")) {
    find(".correction", feedback).hidden = false;
    event.target.setAttribute("aria-expanded", "true");
    find(".correction input", feedback).focus();
  }
});

cards.addEventListener("submit", (event) => {
  event.preventDefault();
  const name = find(".correction input", event.target).value.trim();
  if (name) keep(event.target, { class: name });
});

async function keep(feedback, fields) {
  const buttons = feedback.querySelectorAll("button, input");
  buttons.forEach((button) => (button.disabled = true));
  const response = await send("v1/feedback", formOf(files.get(feedback.closest(".card").id), fields));
  find(".outcome", feedback).textContent = response.ok ? "Kept, to learn from. Thank you." : (await response.json()).error;
  if (response.ok) feedback.querySelectorAll(".question, .choices, .correction").forEach((part) => (part.hidden = true));
  else buttons.forEach((button) => (button.disabled = false));
}

// ----- Saving and clearing ----------------------------------------------------------------------------------------------

find(".saves").addEventListener("click", (event) => {
  const ending = event.target.dataset.save;
  if (!ending) return;
  const all = [...cards.children].map((card) => card.dataset[ending]).filter(Boolean);
  const content = {
    csv: () => find(".saves").dataset.csv + all.join(""),
    json: () => `[\n${all.join(",\n")}\n]\n`,
    geojson: () => `{"type":"FeatureCollection","features":[\n${all.join(",\n")}\n]}\n`,
  }[ending]();
  const type = { csv: "text/csv", json: "application/json", geojson: "application/geo+json" }[ending];
  const link = Object.assign(document.createElement("a"), { download: `landmarks.${ending}`, href: URL.createObjectURL(new Blob([content], { type })) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
});

find(".clear").addEventListener("click", () => {
  waiting.length = 0;
  for (const photo of files.values()) URL.revokeObjectURL(photo.address);
  files.clear();
  cards.replaceChildren();
  find("#found").replaceChildren();
  find("#said").replaceChildren();
  results.hidden = true;
  progress();
  find("#choose").focus();
});

addEventListener("beforeunload", (event) => {
  if (find(".waiting", cards)) event.preventDefault();
});
