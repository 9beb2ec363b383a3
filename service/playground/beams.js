// The hypotheses of a beam as a tree: what they share is said once. A click on a branch shows that hypothesis.
// Knows nothing of maps: texts and scores in, a tree of buttons out.

import { make } from "./dom.js";

// hypotheses: [{text, score}, …], best first; chosen: index; choose(index).
export function beams(hypotheses, chosen, choose) {
  const tree = { children: new Map(), best: 0 };
  hypotheses.forEach((one, i) => grow(tree, one.text.split(/(?<=\s)/), i));
  return make("div", { class: "beams" },
    make("p", { class: "fine" }, "Branches of the beam, the best first. The number is the score: mean log-probability a piece."),
    branches(tree, hypotheses, chosen, choose));
}

function grow(node, words, i) {
  if (!words.length) {
    node.end = node.end ?? i;
    return;
  }
  if (!node.children.has(words[0])) node.children.set(words[0], { children: new Map(), best: i });
  grow(node.children.get(words[0]), words.slice(1), i);
}

function branches(node, hypotheses, chosen, choose) {
  const list = make("ul");
  if (node.end !== undefined) list.append(make("li", {}, leaf(node.end, hypotheses, chosen, choose)));
  for (const [word, child] of node.children) {
    let text = word;
    let last = child;
    while (last.children.size === 1 && last.end === undefined) {
      const [[next, only]] = last.children;
      text += next;
      last = only;
    }
    const alone = last.children.size === 0;
    list.append(make("li", {},
      make("button", {
        type: "button", class: last.best === chosen || holds(last, chosen) ? "branch on" : "branch",
        "aria-pressed": String(holds(last, chosen)), onclick: () => choose(last.best),
      }, text),
      alone ? score(last.end, hypotheses) : branches(last, hypotheses, chosen, choose)));
  }
  return list;
}

function holds(node, i) {
  return node.end === i || [...node.children.values()].some((child) => holds(child, i));
}

function leaf(i, hypotheses, chosen, choose) {
  return make("span", {}, make("button", { type: "button", class: i === chosen ? "branch on" : "branch", "aria-pressed": String(i === chosen), onclick: () => choose(i) }, "(ends here)"), score(i, hypotheses));
}

function score(i, hypotheses) {
  return make("small", {}, ` ${hypotheses[i].score.toFixed(3)}`);
}
