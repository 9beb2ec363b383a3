// What the service says of how far to believe a map. Knows nothing of drawing.

import { make } from "./dom.js";

// Rows whose map did not decide their word: drawn hatched.
export function hatched(one, map) {
  const trust = map?.trust ?? one.trust;
  const rows = new Set();
  trust?.tokens?.forEach((told, i) => { if (told.decided === false) rows.add(i); });
  return rows;
}

export function trusts(one) {
  return one.trust ? [make("span", { class: "trust" }, "")] : [];
}
