// The same map as a table of numbers: what a screen reader reads, and what can be copied into a spreadsheet.
// Knows nothing of colours. For a picture each row names the places that were looked at most.

import { make } from "./dom.js";
import { labels } from "./matrix.js";
import { coverage, percent } from "./weights.js";

const PLACES = 3; // of a picture's cells, the strongest

export function table(map) {
  return map.keys.type === "grid" ? places(map) : numbers(map);
}

function numbers(map) {
  const keys = labels(map);
  const head = make("tr", {}, make("td"), ...keys.map((text) => make("th", { scope: "col" }, text)), make("th", { scope: "col" }, "probability"));
  const rows = map.queries.map((one, t) => make("tr", {},
    make("th", { scope: "row" }, one.text || "·"),
    ...map.weights[t].map((weight) => make("td", {}, weight.toFixed(3))),
    make("td", {}, one.logprob == null ? "" : percent(Math.exp(one.logprob)))));
  const sums = make("tr", {}, make("th", { scope: "row" }, "coverage"), ...coverage(map).map((sum) => make("td", {}, sum.toFixed(2))), make("td"));
  return make("table", {}, make("caption", {}, "The share of each word's context that came from each word of the source."),
    make("thead", {}, head), make("tbody", {}, ...rows), make("tfoot", {}, sums));
}

function places(map) {
  const rows = map.queries.map((one, t) => {
    const best = [...map.weights[t].keys()].sort((a, b) => map.weights[t][b] - map.weights[t][a]).slice(0, PLACES);
    const told = best.map((cell) => `row ${Math.floor(cell / map.keys.cols) + 1}, column ${(cell % map.keys.cols) + 1}: ${percent(map.weights[t][cell])}`);
    return make("tr", {}, make("th", { scope: "row" }, one.text || "·"), make("td", {}, told.join("; ")),
      make("td", {}, map.gate ? map.gate[t].toFixed(2) : ""),
      make("td", {}, one.logprob == null ? "" : percent(Math.exp(one.logprob))));
  });
  const head = ["word", `brightest of ${map.keys.rows} × ${map.keys.cols} places`, "gate β", "probability"];
  return make("table", {}, make("caption", {}, "Where on the picture each word's context came from."),
    make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))), make("tbody", {}, ...rows));
}
