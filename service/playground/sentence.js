// Two sentences, word over word: point at one and what it attended to lights up, with lines between the two.
// Knows nothing of how the map was made or what else shows it; the panel tells it what is lit.

import { css, ink } from "./colours.js";
import { make } from "./dom.js";

const LINES = 60; // words; beyond, lines are a tangle and are not drawn

export class Sentences {
  // point(side, index | null): a word is pointed at; choose(side, index): it was clicked; drag(t, s): pulled to another.
  constructor({ point, choose, drag }) {
    Object.assign(this, { point, choose, drag });
    this.source = make("p", { class: "sentence source", dir: "auto" });
    this.target = make("p", { class: "sentence target", dir: "auto" });
    this.lines = make("svg", { class: "lines", "aria-hidden": "true" });
    this.root = make("div", { class: "sentences" }, this.source, this.lines, this.target);
    this.words = { s: [], t: [] };
    new ResizeObserver(() => this.link()).observe(this.root);
  }

  // shown: {source, text, map, weights, hatched: Set of rows, masked: Set of keys, pinned: Map row → key}
  show(shown) {
    this.shown = shown;
    const { map, source, text } = shown;
    const keys = map?.keys.type === "text" ? map.keys.items : [];
    this.source.hidden = source === null;
    this.words.s = this.fill(this.source, source ?? "", keys, "s");
    this.words.t = this.fill(this.target, text, map?.queries ?? [], "t");
    for (const key of shown.masked ?? []) this.words.s[key]?.classList.add("masked");
    for (const row of shown.hatched ?? []) this.words.t[row]?.classList.add("hatched");
    for (const row of shown.pinned?.keys() ?? []) this.words.t[row]?.classList.add("pinned");
    this.light(null, null);
  }

  fill(paragraph, text, items, side) {
    const words = [];
    const parts = [];
    let at = 0;
    for (const item of items) {
      const end = item.start === item.end;
      if (item.start < at && !end) continue; // two items of one stretch: it is the first one's
      if (!end) parts.push(text.slice(at, item.start));
      const word = this.word(end ? "⏎" : text.slice(item.start, item.end), side, item.i, end);
      words[item.i] = word;
      parts.push(end ? " " : "", word);
      at = Math.max(at, item.end);
    }
    paragraph.replaceChildren(...parts, text.slice(at));
    return words;
  }

  word(text, side, index, end) {
    return make("button", {
      type: "button", class: end ? "word end" : "word", "data-side": side, "data-i": index,
      ...(end ? { "aria-label": "end of the text", title: "the end of the text" } : {}),
      onpointerenter: () => this.point(side, index),
      onpointerleave: () => this.point(side, null),
      onfocus: () => this.point(side, index),
      onblur: () => this.point(side, null),
      onclick: () => this.choose(side, index),
      onpointerdown: (event) => side === "t" && this.pull(event, index),
    }, text);
  }

  // From a word of the answer to a word of the source: where the pointer is let go.
  pull(event, index) {
    event.target.releasePointerCapture(event.pointerId); // touch holds on to where it began
    const released = (end) => {
      const there = document.elementFromPoint(end.clientX, end.clientY)?.closest(".word[data-side=s]");
      if (there && this.source.contains(there)) this.drag(index, +there.dataset.i);
    };
    document.addEventListener("pointerup", released, { once: true });
  }

  // Light a word and its counterparts; none, and each word is as it is. upto: words of the answer said so far.
  light(side, index, { upto = Infinity, scale = "blue" } = {}) {
    const { weights } = this.shown;
    const shares = { s: [], t: [] };
    if (side === "t" && weights[index]) shares.s = weights[index];
    if (side === "s") shares.t = weights.map((row) => row[index]);
    const most = Math.max(...shares.s, ...shares.t, 1e-9);
    for (const one of ["s", "t"]) {
      this.words[one].forEach((word, i) => {
        const share = shares[one][i];
        const lit = share !== undefined && share > 0;
        word.style.background = lit ? css(share / most, scale) : "";
        word.style.color = lit ? ink(share / most, scale) : "";
        word.classList.toggle("on", side === one && index === i);
        word.classList.toggle("later", one === "t" && i >= upto);
      });
    }
    this.lit = { side, index, upto };
    this.link();
  }

  // The lines between the words, as strong as the weights.
  link() {
    const { weights, map } = this.shown ?? {};
    if (!map || map.keys.type !== "text" || this.words.s.length > LINES || this.words.t.length > LINES) {
      this.lines.replaceChildren();
      return;
    }
    const box = this.lines.getBoundingClientRect();
    const { side = null, index = null, upto = Infinity } = this.lit ?? {};
    const from = this.words.s.map((word) => middle(word, box, "bottom"));
    const to = this.words.t.map((word) => middle(word, box, "top"));
    const paths = [];
    weights.forEach((row, t) => {
      if (t >= upto || !to[t]) return;
      row.forEach((weight, s) => {
        const faint = index !== null && !(side === "s" ? s === index : t === index);
        if (weight < 0.08 || !from[s] || faint) return;
        paths.push(curve(from[s], to[t], weight));
      });
    });
    this.lines.replaceChildren(...paths);
  }
}

function middle(word, box, edge) {
  const place = word.getBoundingClientRect();
  return [(place.left + place.right) / 2 - box.left, place[edge] - box.top];
}

function curve([x0, y0], [x1, y1], weight) {
  const half = (y0 + y1) / 2;
  const d = `M${x0.toFixed(1)} ${y0.toFixed(1)}C${x0.toFixed(1)} ${half.toFixed(1)} ${x1.toFixed(1)} ${half.toFixed(1)} ${x1.toFixed(1)} ${y1.toFixed(1)}`;
  return make("path", { d, "stroke-width": (0.5 + 5 * weight).toFixed(2), "stroke-opacity": (0.15 + 0.75 * weight).toFixed(2) });
}
