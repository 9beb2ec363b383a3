// placeholder until the API is merged
import { make } from "./dom.js";
export class WhatIf {
  constructor({ again, say }) { this.again = again; this.say = say; this.root = make("div"); }
  show(request, result) { this.request = request; this.result = result; }
  masked() { return new Set(); }
  pinned() { return new Map(); }
  choose() {}
}
