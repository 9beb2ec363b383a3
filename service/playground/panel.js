// One answer and every view of its map: words, matrix, picture, beams, table. What is pointed at in one lights up in all.
// Knows nothing of forms or of how the answer was got.

import { names as scales, onNight } from "./colours.js";
import { make, picker, tabs } from "./dom.js";
import { beams } from "./beams.js";
import { downloads } from "./download.js";
import { Matrix } from "./matrix.js";
import { Picture } from "./picture.js";
import { Replay } from "./replay.js";
import { Sentences } from "./sentence.js";
import { table } from "./table.js";
import { hatched, summary } from "./trust.js";
import { WhatIf } from "./whatif.js";
import { choices, drawn, NORMS, usual } from "./weights.js";

const VIEWS = [["matrix", "Matrix"], ["beams", "Beams"], ["table", "Table"], ["whatif", "What if"]];

export class Panel {
  // look: {scale, norm, threshold, view}, kept by the page; changed(): it was changed here; say(text); again(fields): ask anew.
  constructor({ look, changed, say, again, together, shownBy }) {
    Object.assign(this, { look, changed, say, together, shownBy });
    const hear = {
      point: (...where) => this.point(...where),
      choose: (...where) => this.choose(...where),
      drag: (query, key) => this.drag(query, key),
    };
    this.sentences = new Sentences(hear);
    this.matrix = new Matrix(hear);
    this.picture = new Picture(hear);
    this.whatif = new WhatIf({ again });
    this.replay = new Replay((step) => this.step(step));
    this.title = make("h2");
    this.facts = make("p", { class: "fine facts" });
    this.belief = make("p", { class: "fine belief" });
    this.test = make("button", { type: "button", class: "plain test", onclick: () => again({ trust: "measured" }) }, "Test this map");
    this.layers = make("span");
    this.saves = make("span");
    this.views = make("div", { class: "views" });
    this.root = make("article", { class: "panel" },
      make("header", {}, this.title, this.facts), this.sentences.root, this.picture.root,
      make("div", { class: "tools" }, this.replay.root, this.layers, ...this.tools()),
      make("div", { class: "line" }, this.belief, this.test), this.translation(), this.tabs(), this.views, this.saves);
    this.root.hidden = true; // until there is something to show
    this.root.panel = this; // by which the page finds the panels beside this one
    this.stays = null;
    onNight(() => this.result && this.redraw());
  }

  tools() {
    const set = (name) => (value) => { this.look[name] = value; this.redraw(); this.changed(); };
    const threshold = make("input", { class: "threshold", type: "range", min: 0, max: 0.5, step: 0.01, value: this.look.threshold, oninput: () => set("threshold")(+threshold.value) });
    return [
      make("label", {}, "Hide below ", threshold),
      picker("Colours ", scales, this.look.scale, set("scale")),
      picker("Weights ", NORMS, this.look.norm, set("norm")),
    ];
  }

  tabs() {
    const list = make("div", { class: "tabs", role: "tablist", "aria-label": "Views of the map" },
      ...VIEWS.map(([key, text]) => make("button", { type: "button", role: "tab", "data-view": key, "aria-selected": String(key === this.look.view), tabindex: key === this.look.view ? "0" : "-1" }, text)));
    this.turn = tabs(list, (tab) => { this.look.view = tab.dataset.view; this.view(); this.changed(); });
    this.tabList = list;
    return list;
  }

  // answer: of /v1/{task}; place: which of its results; url: of the picture, or null.
  show(request, answer, url = null, place = 0) {
    this.root.hidden = false;
    this.request = request;
    this.answer = answer;
    this.result = answer.results[place];
    this.url = url;
    this.hypotheses = this.result.hypotheses ?? [this.result];
    this.saves.replaceChildren(downloads(request, answer, this.say));
    this.whatif.show(request, this.result);
    this.branch(0);
  }

  // While the answer is made: source, text and map so far.
  live({ model, source, text, map }) {
    this.root.hidden = false;
    this.title.textContent = model;
    this.facts.textContent = "…";
    this.result = null;
    this.other.hidden = this.test.hidden = true;
    this.belief.textContent = "";
    this.sentences.root.hidden = source === null;
    this.picture.root.hidden = true;
    this.source = source;
    this.map = map;
    this.weights = drawn(map, this.look);
    this.sentences.show({ source, text, map, weights: this.weights });
    if (map.weights.length && source !== null) this.views.replaceChildren(this.matrix.root);
    if (map.weights.length && source !== null) this.matrix.show({ map, weights: this.weights, scale: this.look.scale });
  }

  branch(i) {
    this.chosen = i;
    [this.maps, this.layer] = usual([this.hypotheses[i].attention ?? []].flat(), this.shownBy(this.request.fields.model));
    const pick = this.maps.length > 1 ? picker("Layer and head ", choices(this.maps).map(([text, at]) => [String(at), text]), String(this.layer), (at) => { this.layer = +at; this.redraw(); }) : null;
    if (pick) pick.querySelector("select").className = "heads";
    this.layers.replaceChildren(...(pick ? [pick] : []));
    this.replay.reset(this.maps[0]?.queries.length ?? 0);
    this.redraw();
  }

  redraw() {
    if (!this.result) return;
    const one = this.hypotheses[this.chosen];
    this.map = this.maps[this.layer];
    this.weights = this.map ? drawn(this.map, this.look) : [];
    this.stays = null;
    const grid = this.map?.keys.type === "grid";
    this.title.textContent = this.answer.model;
    this.facts.textContent = facts(this.answer, one);
    this.belief.textContent = this.chosen === 0 ? summary(this.result, this.map) : "";
    this.test.hidden = !this.map || this.request.fields.trust === "measured";
    this.sentences.root.hidden = grid || this.itself(); // its lines run from the source to the answer
    this.picture.root.hidden = !grid;
    const rows = this.result.unconstrained ? new Map() : this.whatif.pinned();
    const shown = {
      map: this.map, weights: this.weights, text: one.text, source: this.request.fields.text ?? null, url: this.url,
      scale: this.look.scale, hatched: hatched(this.map), masked: this.whatif.masked(), pinned: rows,
    };
    this.shown = shown;
    this.translated();
    if (grid) this.picture.show(shown);
    else if (!this.itself()) this.sentences.show(shown);
    this.view();
  }

  // Whether what is shown is a text over itself: then its words are not those of source and answer.
  itself() {
    return Boolean(this.map?.stack);
  }

  view() {
    if (!this.result) return;
    const grid = this.map?.keys.type === "grid";
    for (const tab of this.tabList.children) {
      tab.hidden = (tab.dataset.view === "matrix" && grid) || (tab.dataset.view === "beams" && this.hypotheses.length < 2);
    }
    const chosen = [...this.tabList.children].find((tab) => tab.dataset.view === this.look.view && !tab.hidden);
    const view = (chosen ?? [...this.tabList.children].find((tab) => !tab.hidden)).dataset.view;
    for (const tab of this.tabList.children) {
      tab.setAttribute("aria-selected", String(tab.dataset.view === view));
      tab.tabIndex = tab.dataset.view === view ? 0 : -1;
    }
    this.views.replaceChildren(this.drawn(view));
  }

  drawn(view) {
    if (view === "beams") return beams(this.hypotheses, this.chosen, (i) => this.branch(i));
    if (view === "whatif") return this.whatif.root;
    if (!this.map) return make("p", { class: "fine" }, "This model returns no map.");
    if (view === "table") return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "The map as a table" }, table(this.map));
    this.matrix.show(this.shown);
    return this.matrix.root;
  }

  step(step) {
    const last = step - 1;
    this.upto = step;
    this.matrix.upto(step);
    this.light("t", last >= 0 ? last : null);
  }

  // stay: it was clicked, and stays lit when the pointer leaves.
  point(side, index, stay = false) {
    if (stay) this.stays = index;
    const here = side === null || index === null;
    this.light(here && this.stays !== null ? "t" : side, here ? this.stays : index);
    this.together?.(this, side, index);
  }

  light(side, index) {
    const way = { upto: this.upto ?? Infinity, scale: this.look.scale };
    if (this.map?.keys.type === "grid") this.picture.light(side, index, way);
    else if (this.sentences.shown && !this.itself()) this.sentences.light(...(side === "c" ? ["t", index?.[0] ?? null] : [side, index]), way);
    if (this.matrix.root.isConnected && this.matrix.map) this.matrix.light(side === null || index === null ? null : side, index);
  }

  choose(side, index) {
    if (!this.result || !this.map || this.itself()) return;
    this.turn(this.tabList.querySelector("[data-view=whatif]"));
    this.whatif.choose(side, index, this.map);
  }

  drag(query, key) {
    if (this.itself()) return;
    this.choose("c", [query, key]);
    this.whatif.pin(query, key);
  }

  // What a caption is in another language, with its own map over the picture.
  translation() {
    this.other = make("p", { class: "translation" });
    return this.other;
  }

  translated() {
    const said = this.result.translation;
    this.other.hidden = !said;
    if (!said) return;
    const words = said.attention?.queries ?? [];
    this.other.replaceChildren(make("small", {}, `${said.language} `), ...(words.length ? words.map((word) => make("button", {
      type: "button", class: "word", "data-side": "o", onpointerenter: () => this.picture.over(said.attention, word.i),
      onfocus: () => this.picture.over(said.attention, word.i), onpointerleave: () => this.light(null, null),
    }, said.text.slice(word.start, word.end), " ")) : [said.text]));
  }
}

function facts(answer, one) {
  const total = answer.timings ? 1000 * Object.values(answer.timings).reduce((sum, seconds) => sum + seconds, 0) : null;
  const parts = [`score ${one.score.toFixed(3)}`];
  if (one.finish_reason === "length") parts.push("cut at the length limit");
  if (total !== null) parts.push(`${total.toFixed(0)} ms`);
  return parts.join(" · ");
}
