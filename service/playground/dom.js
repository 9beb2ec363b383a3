// Elements in one line each. Text is always set as text, never as markup: what users write cannot become code.

// make("button", {class: "word", onclick: …, "aria-label": …}, child or text, …)
export function make(name, attributes = {}, ...children) {
  const space = ["svg", "path", "g", "line"].includes(name) ? "http://www.w3.org/2000/svg" : "http://www.w3.org/1999/xhtml";
  const element = document.createElementNS(space, name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (typeof value === "boolean") element.toggleAttribute(key, value);
    else if (value !== undefined && value !== null) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function options(select, pairs, chosen) {
  select.replaceChildren(...pairs.map(([value, text]) => new Option(text, value, false, value === chosen)));
}

// A select with a label around it.
export function picker(text, pairs, chosen, then) {
  const select = make("select", { onchange: () => then(select.value) });
  options(select, pairs, chosen);
  return make("label", {}, text, select);
}

// Roving focus: of a group of tabs one is in the tab order, arrows go to the others.
export function tabs(list, then) {
  const all = [...list.querySelectorAll("[role=tab]")];
  const choose = (tab) => {
    for (const one of all) {
      one.setAttribute("aria-selected", String(one === tab));
      one.tabIndex = one === tab ? 0 : -1;
    }
    then(tab);
  };
  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) choose(tab);
  });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const shown = all.filter((one) => !one.hidden);
    const next = shown[(shown.indexOf(event.target) + step + shown.length) % shown.length];
    next.focus();
    choose(next);
  });
  return choose;
}
