// Hover or focus a word, on either side, and what it is tied to lights up. Weights are read from the table itself.
"use strict";
const LEVELS = 20;

function textMap(article) {
  const rows = [...article.querySelectorAll("tbody tr")];
  const cells = rows.map((row) => [...row.querySelectorAll("td:not(.sure)")]);
  const weights = cells.map((row) => row.map((cell) => parseFloat(cell.textContent)));
  const heads = [...article.querySelectorAll("thead th")];
  const answer = [...article.querySelectorAll("[data-t]")];
  const source = [...article.querySelectorAll("[data-s]")];
  const dye = (word, weight) => word.classList.add("w" + Math.round(Math.min(Math.max(weight, 0), 1) * LEVELS));
  return (t, s) => {
    if (t !== null) {
      rows[t].querySelector("th").classList.add("on");
      answer.filter((word) => +word.dataset.t === t).forEach((word) => word.classList.add("on"));
      source.forEach((word) => dye(word, weights[t][+word.dataset.s]));
    }
    if (s !== null) {
      heads[s].classList.add("on");
      source.filter((word) => +word.dataset.s === s).forEach((word) => word.classList.add("on"));
      if (t === null) answer.forEach((word) => dye(word, weights[+word.dataset.t][s]));
      else cells[t][s].classList.add("on");
    }
  };
}

function pictureMap(article) {
  const stage = article.querySelector(".stage");
  const veil = stage.querySelector("image.over");
  return (t) => {
    const figure = article.querySelector(`figure[data-t="${t}"]`);
    if (!figure) return;
    veil.setAttribute("href", figure.querySelector("image").getAttribute("href"));
    stage.classList.add("lit");
    article.querySelectorAll(`[data-t="${t}"]`).forEach((word) => word.classList.add("on"));
  };
}

function clear(article) {
  article.querySelectorAll(".on").forEach((found) => found.classList.remove("on"));
  article.querySelectorAll(".stage.lit").forEach((found) => found.classList.remove("lit"));
  article.querySelectorAll(".word").forEach((word) => { word.className = "word"; });
}

function pointed(target) {
  const cell = target.closest("td:not(.sure), th");
  if (cell) {
    const row = cell.parentElement;
    const t = row.parentElement.tagName === "TBODY" ? row.sectionRowIndex : null;
    return [t, cell.cellIndex > 0 ? cell.cellIndex - 1 : null];
  }
  const word = target.closest("[data-t], [data-s]");
  if (!word) return [null, null];
  return "t" in word.dataset ? [+word.dataset.t, null] : [null, +word.dataset.s];
}

for (const article of document.querySelectorAll("article")) {
  if (!article.querySelector("table, .stage")) continue;
  const light = article.querySelector("table") ? textMap(article) : pictureMap(article);
  const follow = (event) => {
    clear(article);
    const [t, s] = pointed(event.target);
    if (t !== null || s !== null) light(t, s);
  };
  article.addEventListener("pointerover", follow);
  article.addEventListener("focusin", follow);
  article.addEventListener("pointerleave", () => clear(article));
}
