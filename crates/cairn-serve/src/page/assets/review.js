// Decides by keys, and without loading the page again: forms are sent in turn, and the page that comes back takes the place
// of the one that is there. Without this script the same forms work by themselves.
"use strict";

const find = (selector, inside = document) => inside.querySelector(selector);
let sending = Promise.resolve();

document.documentElement.classList.add("scripted");

// ----- Forms -----------------------------------------------------------------------------------------------------------

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-review]")) return;
  event.preventDefault();
  if (event.submitter?.value === "nothing") return;
  const body = new URLSearchParams(new FormData(form, event.submitter));
  sending = sending.then(() => send(form.action, body)).catch((error) => failed(error));
});

async function send(address, body) {
  const answer = await fetch(address, { method: "POST", body });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  const page = new DOMParser().parseFromString(text, "text/html");
  const opened = [...document.querySelectorAll("main details[open]")].map((details) => details.id).filter(Boolean);
  find("main").replaceWith(find("main", page));
  document.title = page.title;
  const url = new URL(answer.url); // Without the fragment of the redirection.
  const photo = url.searchParams.get("at");
  url.searchParams.delete("at");
  if (photo !== null) url.hash = `photo-${photo}`;
  history.replaceState(null, "", url);
  for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
  focusPhoto(document.getElementById(url.hash.slice(1)) || find("main article.card"));
}

function failed(error) {
  const status = find("[role=status]") || find("main");
  status.textContent = error.message.startsWith("This was not stored")
    ? error.message
    : "This was not stored: the review has ended, or cannot be reached. Start it again and open its new address.";
  status.classList.add("refused");
}

// ----- The keyboard ----------------------------------------------------------------------------------------------------

const photos = () => [...document.querySelectorAll("main article.card[id^=photo-]")];
const focused = () => document.activeElement?.closest("article.card[id^=photo-]");

function focusPhoto(photo) {
  if (!photo) return;
  photo.focus({ preventScroll: true });
  photo.scrollIntoView({ block: "nearest" });
}

// The photo in this direction: along the line, or in the same column of the line above or below.
function neighbour(photo, key) {
  const all = photos();
  const at = all.indexOf(photo);
  if (key === "ArrowRight") return all[at + 1];
  if (key === "ArrowLeft") return all[at - 1];
  const here = photo.getBoundingClientRect();
  const below = key === "ArrowDown";
  const beyond = all.filter((other) => {
    const there = other.getBoundingClientRect();
    return below ? there.top > here.top + 1 : there.top < here.top - 1;
  });
  const line = below ? beyond : beyond.reverse();
  const top = line[0]?.getBoundingClientRect().top;
  return line.filter((other) => Math.abs(other.getBoundingClientRect().top - top) < 2)
    .find((other) => Math.abs(other.getBoundingClientRect().left - here.left) < 2) || line[0];
}

const press = (selector, inside) => find(selector, inside)?.click();

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const photo = focused();
  if (!photo) {
    // The first arrow goes to the photos.
    if (event.key === "ArrowDown" && document.activeElement === document.body && photos().length) {
      event.preventDefault();
      focusPhoto(photos()[0]);
    }
    return;
  }
  const keys = {
    y: () => press("button.yes", photo),
    n: () => press("button.no", photo),
    x: () => press("button.never", photo),
    Y: () => press(".bulk button[value=confirm]"),
    N: () => press(".bulk button[value=reject]"),
    u: () => press(".undo button"),
    o: () => press("a.frame", photo),
    g: () => press("nav.way a[rel=next]"),
    G: () => press("nav.way a[rel=prev]"),
    "?": () => find("#keys")?.toggleAttribute("open"),
    " ": () => press("input[type=checkbox]", photo),
  };
  if (event.key === " " && event.target !== photo) return; // Presses what has the focus.
  if (event.key.startsWith("Arrow")) {
    event.preventDefault();
    focusPhoto(neighbour(photo, event.key));
  } else if (keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
});

// Coming here for a photo, or the page of one.
focusPhoto(document.getElementById(location.hash.slice(1)) || find("article.alone"));
