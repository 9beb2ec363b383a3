// What if? Other pieces at a step, attention pinned or masked, and what that changed.
// Knows nothing of how it is asked: again(fields) asks anew with these fields of the request.

import { make, options } from "./dom.js";
import { labels } from "./matrix.js";
import { told } from "./trust.js";
import { percent } from "./weights.js";

const NOTHING = { constraints: null, prefix: "", compare: false };

export class WhatIf {
  constructor({ again }) {
    this.again = again;
    this.pins = [];
    this.masks = [];
    this.word = make("section", { class: "chosen" });
    this.change = make("section", { class: "difference", "aria-live": "polite" });
    this.chips = make("ul", { class: "chips" });
    this.query = make("select", { "aria-label": "Word of the answer" });
    this.key = make("select", { "aria-label": "Place that is looked at" });
    this.root = make("div", { class: "whatif" },
      make("p", { class: "fine" }, "Choose a word for what else it might have been. Drag a word of the answer to a word of the source (or use the lists) to pin what it looks at; mask a place and no word looks there. Then see what changes."),
      this.word,
      make("div", { class: "line" },
        make("label", {}, "Word", this.query), make("label", {}, "Place", this.key),
        make("button", { type: "button", class: "plain pin", onclick: () => this.pin(+this.query.value, +this.key.value) }, "Pin the word to the place"),
        make("button", { type: "button", class: "plain mask", onclick: () => this.mask(+this.key.value) }, "Mask the place")),
      this.chips,
      make("div", { class: "line" },
        make("button", { type: "button", class: "try", onclick: () => this.ask() }, "Try it"),
        make("button", { type: "button", class: "plain reset", onclick: () => this.reset() }, "As it was")),
      this.change);
  }

  // result: an answer's; plain: the map that pins are counted in, of the answer without constraints.
  show(request, result) {
    this.request = request;
    this.result = result;
    const before = result.unconstrained ?? result;
    this.map = [before.attention ?? []].flat()[0];
    const asked = request.fields.constraints;
    this.pins = asked?.pin ?? [];
    this.masks = asked?.mask ?? [];
    this.root.hidden = !this.map;
    if (!this.map) return;
    this.keys = labels(this.map);
    this.queries = this.map.queries.map((one) => one.text || "·");
    options(this.query, this.queries.map((text, i) => [i, `${i + 1} ${text}`]), 0);
    options(this.key, this.keys.map((text, i) => [i, this.map.keys.type === "grid" ? `row/column ${text}` : `${i + 1} ${text}`]), 0);
    this.word.replaceChildren();
    this.list();
    this.difference();
  }

  masked() {
    return new Set(this.masks);
  }

  // Row → key, for the map that is shown.
  pinned() {
    return new Map(this.pins);
  }

  // A word (side "t"), a place ("s") or a cell ("c", [row, column]) was chosen on another view.
  choose(side, index, map) {
    if (side === "s") this.key.value = index;
    if (side === "c") [this.query.value, this.key.value] = index;
    if (side === "t") {
      this.query.value = index;
      this.tell(index, map);
    }
  }

  pin(query, key) {
    if (!this.pins.some(([t, s]) => t === query && s === key)) this.pins = [...this.pins, [query, key]];
    this.list();
  }

  mask(key) {
    if (!this.masks.includes(key)) this.masks = [...this.masks, key];
    this.list();
  }

  list() {
    const chip = (text, drop) => make("li", {}, text, make("button", { type: "button", class: "plain", "aria-label": `Take back: ${text}`, onclick: () => { drop(); this.list(); } }, "×"));
    this.chips.replaceChildren(
      ...this.pins.map(([t, s], i) => chip(`${this.queries[t]} looks at ${this.keys[s]} alone`, () => { this.pins = this.pins.filter((_, at) => at !== i); })),
      ...this.masks.map((s, i) => chip(`nothing looks at ${this.keys[s]}`, () => { this.masks = this.masks.filter((_, at) => at !== i); })));
  }

  ask() {
    const some = this.pins.length || this.masks.length;
    this.again(some ? { ...NOTHING, constraints: { pin: this.pins, mask: this.masks } } : NOTHING);
  }

  reset() {
    this.again(NOTHING);
  }

  // A word of the answer: how far to believe its row, and what each of its pieces might have been.
  tell(index, map) {
    const query = map.queries[index];
    const pieces = (this.result.alternatives ?? []).filter((one) => one.start < query.end && one.end > query.start);
    this.word.replaceChildren(make("h3", {}, query.text || "·"), make("p", { class: "fine" }, told(map, index)), ...pieces.map((one) => this.choices(one)));
  }

  choices(position) {
    const before = this.result.alternatives.slice(0, position.i).map((one) => one.id);
    const buttons = position.choices.map((choice) => {
      const share = Math.exp(choice.logprob);
      const bar = make("i", { class: "bar" });
      bar.style.width = `${Math.round(100 * share)}%`;
      const said = choice.id === position.id;
      return make("button", {
        type: "button", class: said ? "choice said" : "choice", "aria-pressed": String(said), title: "continue from here with this piece",
        onclick: () => this.again({ ...NOTHING, prefix: [...before, choice.id], compare: true }),
      }, bar, make("b", {}, choice.text.trim() || "␣"), make("small", {}, percent(share)));
    });
    return make("div", { class: "choices", role: "group", "aria-label": `Instead of ${position.text.trim()}` }, ...buttons);
  }

  difference() {
    const { unconstrained: before, difference } = this.result;
    if (!before) return this.change.replaceChildren();
    const edits = difference.changed.map((edit) => make("li", {}, make("del", {}, edit.was || "(nothing)"), " → ", make("ins", {}, edit.became || "(nothing)")));
    this.change.replaceChildren(make("h3", {}, "What it changed"),
      make("p", { class: "before" }, make("small", {}, "before "), before.text),
      make("p", { class: "after" }, make("small", {}, "after "), this.result.text),
      edits.length ? make("ul", {}, ...edits) : make("p", {}, "Every word is as it was."),
      make("p", { class: "fine" }, `Score ${difference.score >= 0 ? "+" : "−"}${Math.abs(difference.score).toFixed(3)}${moved(difference)}`));
  }
}

// How far the rows of words that stayed moved, on average.
function moved({ rows }) {
  const stayed = (rows ?? []).filter((one) => one !== null);
  if (!stayed.length) return "";
  return ` · rows of the words that stayed moved by ${percent(stayed.reduce((sum, one) => sum + one, 0) / stayed.length)} of their weight`;
}
