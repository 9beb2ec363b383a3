// The playground: forms in, panels out; what is asked is in the address, so that it can be shared.
// Knows nothing of how a map is drawn.

import { encoded, listen, models, Refused, useKey } from "./api.js";
import { several } from "./document.js";
import { camera } from "./camera.js";
import { make, options, tabs } from "./dom.js";
import { Live } from "./live.js";
import { Panel } from "./panel.js";

const find = (selector) => document.querySelector(selector);
const forms = { translate: find("#translate"), caption: find("#caption") };
const said = find("#said");
const answers = find("#answers");
const look = { scale: "blue", norm: "row", threshold: 0, view: "matrix" };
const ALTERNATIVES = 8; // pieces shown for each step
const LOOKS = Object.keys(look);
const AUTO = "auto";
let cards = [];
let through = []; // pairs that two models translate, one after the other
let running = null; // the AbortController of what is being asked
let picture = null; // {image, url}

const say = (text) => { said.textContent = text; };
const language = new Intl.DisplayNames(["en"], { type: "language" });
const named = (code) => [code, language.of(code) ?? code];
const distinct = (codes) => [...new Set(codes)].map(named);

// Forms.

// Every pair that can be had: by one model, or, without a card, by two of them.
const ways = () => [...cards.flatMap((card) => (card.pairs ?? []).map((pair) => ({ ...pair, card }))), ...through];
const leads = (way, from, to) => (from === AUTO || way.source === from) && way.target === to;

function pairs() {
  const form = forms.translate.elements;
  const from = form.source.value;
  const targets = distinct(ways().filter((way) => from === AUTO || way.source === from).map((way) => way.target));
  const kept = targets.some(([code]) => code === form.target.value) ? form.target.value : targets[0]?.[0];
  options(form.target, targets, kept);
  const fitting = [...new Set(ways().filter((way) => way.card && leads(way, from, kept)).map((way) => way.card))];
  fill(form, fitting, from === AUTO ? "whichever fits" : fitting.length ? null : "two, one after the other");
}

// unnamed: what is said where the service chooses the model.
function fill(form, fitting, unnamed = null) {
  const list = unnamed ? [] : fitting.map((card) => [card.name, card.name]);
  options(form.model, unnamed ? [["", unnamed]] : list, form.model.value);
  options(form.beside, [["", "nothing"], ...list], form.beside.value);
  if (!form.beam.dataset.typed && fitting[0]) form.beam.value = fitting[0].search.beam_size;
}

function swap() {
  const form = forms.translate.elements;
  const [from, to] = [form.source.value, form.target.value];
  const back = from !== AUTO && ways().some((way) => leads(way, to, from));
  if (!back) return say(`No model here translates from ${named(to)[1]} to ${named(from)[1]}.`);
  const text = answers.querySelector(".sentence.target")?.textContent;
  form.source.value = to;
  pairs();
  form.target.value = from;
  pairs();
  if (text) form.text.value = text;
}

// Asking.

function request(task, model) {
  const form = forms[task].elements;
  const beam = Math.max(1, +form.beam.value || 1);
  const card = cards.find((one) => one.name === model);
  const many = (card?.attention ?? []).some((one) => one.layers * one.heads > 1);
  const fields = { model, beam_size: beam, n_best: beam, attention: many ? "full" : "soft", offsets: "utf16", trust: "cheap", alternatives: ALTERNATIVES };
  if (task === "caption") return { task, fields: { ...fields, image: picture.image, translate_to: form.into.value } };
  return { task, fields: { ...fields, unit: form.unit.value, text: form.text.value, source: form.source.value, target: form.target.value } };
}

async function run(task) {
  if (task === "caption" && !picture) return say("Choose a picture first.");
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  const form = forms[task].elements;
  remember();
  const chosen = [form.model.value, ...[form.beside.value].filter(Boolean)];
  const panels = chosen.map(() => panel(signal));
  answers.replaceChildren(...panels.map((one) => one.root));
  answers.classList.toggle("two", panels.length > 1);
  say("…");
  const all = panels.map((one, i) => answer(one, request(task, chosen[i]), signal));
  const failed = (await Promise.allSettled(all)).find((one) => one.status === "rejected");
  if (signal.aborted) return;
  say(failed ? told(failed.reason) : "Done.");
}

// Which layer and head a model shows where one map is asked for.
function shownBy(model) {
  return cards.find((card) => card.name === model)?.attention?.[0];
}

function panel() {
  const one = new Panel({ look, changed: remember, say, again: (fields) => anew(one, fields), together, shownBy });
  return one;
}

// The same question with other fields, in the same panel.
async function anew(one, fields) {
  say("…");
  try {
    await answer(one, { ...one.request, fields: { ...one.request.fields, ...fields } }, running.signal);
    say("Done.");
  } catch (failure) {
    say(told(failure));
  }
}

async function answer(one, asked, signal) {
  const request = asked.task === "translate" && several(asked.fields.text) ? plainly(asked) : asked;
  const live = new Live(request);
  const fields = { ...kept(request.fields), stream: true };
  await listen({ ...request, fields }, (event, data) => {
    if (event === "done") return one.show(request, live.answer(data), asked.task === "caption" ? picture.url : null);
    if (live.hear(event, data)) one.live(live.state());
  }, signal);
}

// Of several sentences: the best of each, and one map a sentence.
function plainly(asked) {
  const { alternatives, n_best, ...fields } = asked.fields;
  return { ...asked, fields: { ...fields, attention: "soft" } };
}

// Without fields that were taken back: null is not a value that a form could carry.
function kept(fields) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== ""));
}

// What is pointed at in one of two panels lights up in the other too: of the source only, which they share.
function together(from, side, index) {
  for (const root of answers.children) {
    const other = root.panel;
    if (other && other !== from && other.result) other.light(side === "s" ? "s" : null, side === "s" ? index : null);
  }
}

function told(failure) {
  if (failure instanceof Refused) return failure.message;
  return failure.name === "AbortError" ? "" : "The service cannot be reached.";
}

// The address.

function remember() {
  const task = forms.caption.hidden ? "translate" : "caption";
  const form = forms[task].elements;
  const kept = task === "translate" ? ["source", "target", "model", "beside", "beam", "unit", "text"] : ["model", "beside", "beam", "into"];
  const told = new URLSearchParams([["task", task], ...kept.map((name) => [name, form[name].value]), ...LOOKS.map((name) => [name, look[name]])]);
  history.replaceState(null, "", `#${told}`);
}

function recall() {
  const told = new URLSearchParams(location.hash.slice(1));
  for (const name of LOOKS) if (told.has(name)) look[name] = name === "threshold" ? +told.get(name) : told.get(name);
  const task = told.get("task") in forms ? told.get("task") : "translate";
  const form = forms[task].elements;
  for (const name of ["source", "target", "model", "beside", "beam", "unit", "text", "into"]) {
    if (told.has(name) && form[name]) form[name].value = told.get(name);
    if (name === "source" || name === "target") pairs();
  }
  if (told.has("beam")) form.beam.dataset.typed = "1";
  return [task, told.has("text")];
}

// Pictures.

async function take(file) {
  if (!file?.type.startsWith("image/")) return say("That is not a picture.");
  say("…");
  if (picture) URL.revokeObjectURL(picture.url);
  picture = { image: await encoded(file), url: URL.createObjectURL(file) };
  run("caption");
}

function listenForPictures() {
  const drop = find("#drop");
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => { event.preventDefault(); drop.classList.remove("over"); take(event.dataTransfer.files[0]); });
  forms.caption.elements.file.addEventListener("change", (event) => event.target.files.length && take(event.target.files[0]));
  document.addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files].find((one) => one.type.startsWith("image/"));
    if (file) { turn(find("#tab-caption")); take(file); }
  });
  find("#camera").addEventListener("click", () => camera(find("#shoot"), take, say));
}

const turn = tabs(find("#tasks"), (tab) => {
  for (const form of Object.values(forms)) form.hidden = form.id !== tab.getAttribute("aria-controls");
});

async function begin() {
  try {
    ({ models: cards, through } = await models());
  } catch (failure) {
    find("#key").hidden = ![401, 403].includes(failure.problem?.status);
    return say(told(failure));
  }
  find("#key").hidden = true;
  const able = (task) => cards.filter((card) => card.task === task);
  const sources = distinct(ways().map((way) => way.source));
  options(forms.translate.elements.source, sources.length > 1 ? [...sources, [AUTO, "find it out"]] : sources);
  pairs();
  fill(forms.caption.elements, able("caption"));
  const spoken = new Set(able("caption").map((card) => card.target));
  options(forms.caption.elements.into, [["", "no other language"], ...distinct(ways().filter((way) => way.card && spoken.has(way.source)).map((way) => way.target))]);
  for (const task of Object.keys(forms)) find(`#tab-${task}`).hidden = !able(task).length;
  const [task, asked] = recall();
  turn(find(`#tab-${able(task).length ? task : cards[0].task}`));
  if (asked && task === "translate") run("translate");
}

for (const [task, form] of Object.entries(forms)) {
  form.addEventListener("submit", (event) => { event.preventDefault(); run(task); });
  form.elements.beam.addEventListener("input", (event) => { event.target.dataset.typed = "1"; });
}
forms.translate.elements.source.addEventListener("change", pairs);
forms.translate.elements.target.addEventListener("change", pairs);
forms.translate.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run("translate"); });
find("#swap").addEventListener("click", swap);
find("#key").addEventListener("submit", (event) => { event.preventDefault(); useKey(event.target.elements.key.value); begin(); });
listenForPictures();
begin();
