// An answer while it is being made: server-sent events in, the text and the map so far out.
// Knows nothing of the page. Events are told in docs/maps.md and the README, "Streaming".

import { whole } from "./document.js";

export class Live {
  constructor(request) {
    this.request = request;
    this.before = ""; // the sentences before the one that is being told
    this.tokens = [];
    this.keys = null;
    this.several = false;
  }

  // Whether there is something new to show.
  hear(event, data) {
    if (event === "start") {
      this.several = data.sentence !== undefined;
      this.before = this.text();
      this.tokens = [];
      this.keys = data.keys;
      this.model = data.model;
    }
    if (event === "token") this.tokens.push(data);
    if (event === "hypothesis") this.tokens.splice(data.kept, Infinity, ...data.tokens);
    return this.keys !== null;
  }

  state() {
    const queries = this.tokens.map((one, i) => ({ i, text: one.text.trim(), start: one.start, end: one.end, logprob: one.logprob }));
    const weights = this.tokens.map((one) => row(one.attention, this.width()));
    return {
      model: this.model, source: this.request.fields.text ?? null, text: this.text(),
      map: { kind: "cross", layer: 0, head: 0, queries, keys: this.keys, weights },
    };
  }

  text() {
    return this.before + this.tokens.map((one) => one.text).join("");
  }

  width() {
    return this.keys.type === "grid" ? this.keys.rows * this.keys.cols : this.keys.items.length;
  }

  // The whole answer as /v1/{task} would have sent it, from its `done` event.
  answer({ id, model, timings, input, ...result }) {
    return { id, model, timings, results: [this.several ? whole(result) : result] };
  }
}

// A token's row: itself, its strongest key, or the mean of the last layer's heads.
function row(attention, width) {
  if (Array.isArray(attention)) return Array.isArray(attention[0]) ? mean(attention.at(-1)) : attention;
  return Array.from({ length: width }, (_, i) => (i === attention ? 1 : 0));
}

function mean(heads) {
  return heads[0].map((_, key) => heads.reduce((sum, one) => sum + one[key], 0) / heads.length);
}
