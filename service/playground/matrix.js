// The map as a matrix: the answer's words down, the source's across. Cells are one canvas, so that large maps stay quick;
// arrow keys walk over them. Knows nothing of other views; the panel tells it what is lit.

import { css } from "./colours.js";
import { make } from "./dom.js";
import { percent } from "./weights.js";

const ROOMY = 34;
const TIGHT = 11; // pixels of a cell, at most and at least

export class Matrix {
  constructor({ point, choose }) {
    this.point = point;
    this.choose = choose;
    this.canvas = make("canvas", {
      tabindex: "0", role: "application", "aria-roledescription": "heat map",
      onpointermove: (event) => this.over(event),
      onpointerleave: () => point(null, null),
      onclick: (event) => this.click(event),
      onkeydown: (event) => this.walk(event),
    });
    this.across = make("div", { class: "across", "aria-hidden": "true" });
    this.down = make("div", { class: "down", "aria-hidden": "true" });
    this.row = make("div", { class: "strip row" });
    this.column = make("div", { class: "strip column" });
    this.said = make("p", { class: "cell", "aria-live": "polite" });
    const cells = make("div", { class: "cells" }, this.canvas, this.row, this.column);
    this.grid = make("div", { class: "grid" }, make("span"), this.across, this.down, cells);
    this.root = make("div", { class: "matrix" }, make("div", { class: "scroll", tabindex: "-1" }, this.grid), this.said);
    this.at = [0, 0];
  }

  show({ map, weights, scale, hatched, masked }) {
    Object.assign(this, { map, weights, scale });
    const keys = labels(map);
    this.size = Math.max(TIGHT, Math.min(ROOMY, Math.floor(780 / Math.max(keys.length, 1))));
    this.grid.style.setProperty("--cell", `${this.size}px`);
    this.across.replaceChildren(...keys.map((text, i) => make("span", { class: masked?.has(i) ? "masked" : "" }, make("b", {}, text))));
    this.down.replaceChildren(...map.queries.map((one, i) => make("span", { class: hatched?.has(i) ? "hatched" : "" }, one.text || "·")));
    this.canvas.setAttribute("aria-label", `Attention of ${map.queries.length} words over ${keys.length}. Arrow keys walk over the cells.`);
    this.paint(hatched);
    this.light(null, null);
  }

  paint(hatched) {
    const [rows, columns, size] = [this.weights.length, this.weights[0]?.length ?? 0, this.size];
    const sharp = window.devicePixelRatio || 1;
    this.canvas.width = columns * size * sharp;
    this.canvas.height = rows * size * sharp;
    this.canvas.style.width = `${columns * size}px`;
    this.canvas.style.height = `${rows * size}px`;
    const pen = this.canvas.getContext("2d");
    pen.scale(sharp, sharp);
    this.weights.forEach((row, t) => {
      row.forEach((weight, s) => {
        pen.fillStyle = css(weight, this.scale);
        pen.fillRect(s * size, t * size, size - 1, size - 1);
      });
      if (hatched?.has(t)) hatch(pen, t * size, columns * size, size);
    });
    for (const [t, [from, to]] of (this.map.window ?? []).entries()) frame(pen, t, from, to, size, columns);
  }

  // side "t": a row, "s": a column, "c": the cell [row, column].
  light(side, index) {
    const [row, column] = side === "c" ? index : [side === "t" ? index : null, side === "s" ? index : null];
    this.strip(this.row, row, "top");
    this.strip(this.column, column, "left");
    [...this.down.children].forEach((one, i) => one.classList.toggle("on", i === row));
    [...this.across.children].forEach((one, i) => one.classList.toggle("on", i === column));
    if (side !== "c") return;
    const keys = labels(this.map);
    this.said.textContent = `${this.map.queries[row].text || "·"} ← ${keys[column]}: ${percent(this.map.weights[row][column])}`;
  }

  upto(step) {
    if (!this.weights) return; // it was never shown
    this.canvas.style.clipPath = step < this.weights.length ? `inset(0 0 ${(this.weights.length - step) * this.size}px 0)` : "";
  }

  strip(element, index, edge) {
    element.hidden = index === null;
    if (index !== null) element.style[edge] = `${index * this.size}px`;
  }

  cell(event) {
    const box = this.canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left) / this.size);
    const row = Math.floor((event.clientY - box.top) / this.size);
    return row >= 0 && column >= 0 && row < this.weights.length && column < this.weights[0].length ? [row, column] : null;
  }

  over(event) {
    const cell = this.cell(event);
    if (cell && (cell[0] !== this.at[0] || cell[1] !== this.at[1] || this.row.hidden)) {
      this.at = cell;
      this.point("c", cell);
    }
  }

  click(event) {
    const cell = this.cell(event);
    if (cell) this.choose("c", cell);
  }

  walk(event) {
    const step = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key];
    if (event.key === "Enter") this.choose("c", this.at);
    if (!step) return;
    event.preventDefault();
    const last = [this.weights.length - 1, this.weights[0].length - 1];
    this.at = this.at.map((place, axis) => Math.min(last[axis], Math.max(0, place + step[axis])));
    this.point("c", this.at);
  }
}

export function labels(map) {
  if (map.keys.type === "text" || map.keys.type === "slots") return map.keys.items.map((one) => one.text || "·");
  return Array.from({ length: map.keys.rows * map.keys.cols }, (_, i) => `${Math.floor(i / map.keys.cols) + 1}/${(i % map.keys.cols) + 1}`);
}

// Strokes over a row whose map did not decide its word.
function hatch(pen, top, width, size) {
  pen.save();
  pen.beginPath();
  pen.rect(0, top, width, size - 1);
  pen.clip();
  pen.strokeStyle = "rgb(200 60 40 / .65)";
  pen.lineWidth = 1;
  pen.beginPath();
  for (let x = -size; x < width; x += 7) {
    pen.moveTo(x, top + size);
    pen.lineTo(x + size, top);
  }
  pen.stroke();
  pen.restore();
}

// The part of the source that local attention could see (Luong et al. 2015, §3.2).
function frame(pen, row, from, to, size, columns) {
  const [left, right] = [Math.max(0, Math.ceil(from)), Math.min(columns - 1, Math.floor(to))];
  pen.strokeStyle = "rgb(200 90 20)";
  pen.lineWidth = 1.5;
  pen.strokeRect(left * size + 0.5, row * size + 0.5, (right - left + 1) * size - 2, size - 2);
}
