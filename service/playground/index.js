// The start page: two forms that ask for the answer as a page and show it in a frame of its own.
"use strict";

const said = document.getElementById("said");
const frame = document.getElementById("map");

async function ask(path, body, headers = {}) {
  said.textContent = "…";
  frame.hidden = true;
  try {
    const answer = await fetch(path, { method: "POST", body, headers: { Accept: "text/html", ...headers } });
    if (!answer.ok) {
      said.textContent = (await answer.json()).detail;
      return;
    }
    frame.srcdoc = await answer.text();
    frame.hidden = false;
    said.textContent = "";
  } catch {
    said.textContent = "The service cannot be reached.";
  }
}

document.getElementById("translate").addEventListener("submit", (event) => {
  event.preventDefault();
  const { text, target } = event.target.elements;
  const body = JSON.stringify({ text: text.value, target: target.value || null });
  ask("/v1/translate", body, { "Content-Type": "application/json" });
});

document.getElementById("caption").addEventListener("submit", (event) => {
  event.preventDefault();
  ask("/v1/caption", new FormData(event.target));
});

fetch("/v1/models").then((answer) => answer.json()).then(({ models }) => {
  for (const task of ["translate", "caption"]) {
    document.getElementById(task).hidden = !models.some((model) => model.task === task);
  }
  const targets = new Set(models.filter((model) => model.task === "translate").map((model) => model.target));
  document.querySelector("select[name=target]").append(...[...targets].map((code) => new Option(code, code)));
});
