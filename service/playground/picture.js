// A picture and what each word looked at: the picture is dimmed, and lit where the weight lies. A film strip of all words.
// Knows nothing of requests. The grid lies over the envelope's crop box, given in pixels of the picture as it is shown.

import { make } from "./dom.js";
import { percent } from "./weights.js";

const NIGHT = [8, 12, 22];

export class Picture {
  constructor({ point, choose }) {
    this.point = point;
    this.choose = choose;
    this.smooth = true;
    this.opacity = 0.85;
    this.photo = make("img", { alt: "the picture that was sent" });
    this.veil = make("canvas", { class: "veil", role: "img" });
    this.spot = make("i", { class: "spot", hidden: true, title: "the place that was sampled" });
    this.stage = make("div", { class: "stage", onclick: (event) => this.cell(event) }, this.photo, this.veil, this.spot);
    this.words = make("p", { class: "sentence caption", dir: "auto" });
    this.film = make("div", { class: "film", role: "group", "aria-label": "one picture a word" });
    this.fine = make("p", { class: "fine", "aria-live": "polite" });
    const tools = make("div", { class: "tools" },
      make("label", {}, "Overlay ", make("select", { class: "look", onchange: (event) => this.look(event.target.value) },
        new Option("smooth", "smooth"), new Option("grid", "grid"))),
      make("label", {}, "Opacity ", make("input", { class: "opacity", type: "range", min: 0, max: 1, step: 0.05, value: this.opacity, oninput: (event) => this.dim(+event.target.value) })));
    this.root = make("div", { class: "picture" }, this.words, make("div", { class: "sides" }, this.stage, make("div", {}, tools, this.fine)), this.film);
    this.at = null;
  }

  look(name) {
    this.smooth = name === "smooth";
    this.redraw();
  }

  dim(opacity) {
    this.opacity = opacity;
    this.redraw();
  }

  redraw() {
    this.light("t", this.at);
    this.strip();
  }

  show({ map, weights, url, text, hatched }) {
    Object.assign(this, { map, weights, hatched });
    if (this.photo.src !== url) this.photo.src = url;
    place(this.veil, map.keys);
    const box = map.keys.image;
    this.stage.style.aspectRatio = `${box.width} / ${box.height}`;
    this.stage.style.maxWidth = `min(100%, ${Math.round((26 * box.width) / box.height)}rem)`;
    this.words.replaceChildren(...spoken(text, map.queries).map(([part, query]) => (query === null ? part : this.word(part, query))));
    this.strip();
    this.light(null, null);
  }

  word(text, query) {
    return make("button", {
      type: "button", class: `word${this.hatched?.has(query.i) ? " hatched" : ""}`, "data-side": "t", "data-i": query.i,
      onpointerenter: () => this.point("t", query.i), onfocus: () => this.point("t", query.i),
      onpointerleave: () => this.point(null, null), onclick: () => { this.point("t", query.i, true); this.choose("t", query.i); },
    }, text);
  }

  strip() {
    const frames = this.map.queries.map((query) => {
      const veil = make("canvas", { class: "veil" });
      place(veil, this.map.keys);
      this.draw(veil, this.weights[query.i]);
      const shot = make("span", { class: "stage" }, make("img", { src: this.photo.src, alt: "" }), veil);
      shot.style.aspectRatio = `${this.map.keys.image.width} / ${this.map.keys.image.height}`;
      return make("button", {
        type: "button", class: "frame", "data-i": query.i, "aria-label": told(this.map, query.i),
        onpointerenter: () => this.point("t", query.i), onfocus: () => this.point("t", query.i), onclick: () => this.point("t", query.i, true),
      }, shot, make("span", {}, query.text || "·"), this.map.gate ? make("small", {}, `β ${this.map.gate[query.i].toFixed(2)}`) : null);
    });
    this.film.replaceChildren(...frames);
  }

  light(side, index, { upto = Infinity } = {}) {
    const on = side === "t" && index !== null && this.weights[index] ? index : null;
    this.at = on;
    this.veil.hidden = on === null;
    this.spot.hidden = on === null || !this.map.sampled;
    for (const one of [...this.film.children, ...this.words.querySelectorAll(".word")]) {
      one.classList.toggle("on", +one.dataset.i === on);
      one.classList.toggle("later", +one.dataset.i >= upto);
    }
    if (on === null) {
      this.fine.textContent = "Point at a word to see where it looked.";
      return;
    }
    this.draw(this.veil, this.weights[on]);
    this.veil.setAttribute("aria-label", told(this.map, on));
    this.fine.textContent = told(this.map, on);
    if (this.map.sampled) this.mark(this.map.sampled[on]);
  }

  // A row of another map over the same picture.
  over(map, row) {
    this.veil.hidden = false;
    this.draw(this.veil, map.weights[row]);
    this.fine.textContent = told(map, row);
  }

  // The cell under a click is chosen.
  cell(event) {
    const { rows, cols, image, crop: [x0, y0, x1, y1] } = this.map.keys;
    const box = this.stage.getBoundingClientRect();
    const x = (((event.clientX - box.left) / box.width) * image.width - x0) / (x1 - x0);
    const y = (((event.clientY - box.top) / box.height) * image.height - y0) / (y1 - y0);
    if (x >= 0 && y >= 0 && x < 1 && y < 1) this.choose("s", Math.floor(y * rows) * cols + Math.floor(x * cols));
  }

  mark(cell) {
    const { rows, cols, image, crop: [x0, y0, x1, y1] } = this.map.keys;
    this.spot.style.left = `${(100 * (x0 + ((cell % cols) + 0.5) * (x1 - x0) / cols)) / image.width}%`;
    this.spot.style.top = `${(100 * (y0 + (Math.floor(cell / cols) + 0.5) * (y1 - y0) / rows)) / image.height}%`;
  }

  // One pixel a cell, stretched over the crop by the browser: smooth or in squares.
  draw(canvas, row) {
    const { rows, cols } = this.map.keys;
    canvas.width = cols;
    canvas.height = rows;
    canvas.classList.toggle("squares", !this.smooth);
    const pen = canvas.getContext("2d");
    const image = pen.createImageData(cols, rows);
    const most = Math.max(...row, 1e-9);
    row.forEach((weight, cell) => image.data.set([...NIGHT, Math.round(255 * this.opacity * (1 - weight / most))], 4 * cell));
    pen.putImageData(image, 0, 0);
  }
}

// Put a canvas over the part of the picture that the grid covers, in shares of the picture's size.
function place(canvas, { image, crop: [x0, y0, x1, y1] }) {
  canvas.style.left = `${(100 * x0) / image.width}%`;
  canvas.style.top = `${(100 * y0) / image.height}%`;
  canvas.style.width = `${(100 * (x1 - x0)) / image.width}%`;
  canvas.style.height = `${(100 * (y1 - y0)) / image.height}%`;
}

function told(map, index) {
  const row = map.weights[index];
  const cell = row.reduce((best, weight, i) => (weight > row[best] ? i : best), 0);
  const gate = map.gate ? `, gate β ${map.gate[index].toFixed(2)}` : "";
  return `${map.queries[index].text}: brightest at row ${Math.floor(cell / map.keys.cols) + 1}, column ${(cell % map.keys.cols) + 1} of ${map.keys.rows} × ${map.keys.cols}, ${percent(row[cell])}${gate}`;
}

// The text in parts: [text, query or null].
function spoken(text, queries) {
  const parts = [];
  let at = 0;
  for (const query of queries) {
    if (query.start < at || query.end <= query.start) continue;
    parts.push([text.slice(at, query.start), null], [text.slice(query.start, query.end), query]);
    at = query.end;
  }
  return [...parts, [text.slice(at), null]];
}
