// What the service says of how far to believe a map. Knows nothing of drawing: rows and sentences come out.

import { percent } from "./weights.js";

// Rows whose map did not decide their word, once that was measured: neither trial changed it.
export function hatched(map) {
  const trust = map?.trust;
  if (!trust?.flip_mask) return new Set();
  return new Set(trust.flip_mask.flatMap((flip, i) => (flip || trust.flip_uniform[i] ? [] : [i])));
}

// One line about an answer, or why there is none.
export function summary(result, map) {
  if (!map?.trust) return "";
  const told = result.trust ?? {};
  const parts = [];
  if (told.agreement != null) parts.push(`heads agree on ${percent(told.agreement)} of the strongest places`);
  if (told.flip_mask != null) {
    const idle = hatched(map).size;
    parts.push(`hiding its strongest place changes ${percent(told.flip_mask)} of the words`, `even attention ${percent(told.flip_uniform)}`);
    parts.push(idle ? `hatched: ${idle} of ${map.queries.length} words whose map did not decide them` : "every word hung on its map");
  } else {
    parts.push("not tested: a map shows where a word's context came from, not why it was chosen");
  }
  return parts.join(" · ");
}

// One line about one word.
export function told(map, row) {
  const trust = map?.trust;
  if (!trust) return "";
  const parts = [`strongest ${percent(trust.peak[row])}`, `entropy ${trust.entropy[row].toFixed(2)}`];
  if (trust.special) parts.push(`on the end mark ${percent(trust.special[row])}`);
  if (trust.flip_mask) {
    parts.push(trust.flip_mask[row] ? "changes if that place is hidden" : "stays if that place is hidden");
    parts.push(trust.flip_uniform[row] ? "changes under even attention" : "stays under even attention");
  }
  return parts.join(" · ");
}
