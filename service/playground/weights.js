// What is drawn of a map's weights: chosen layer and head, normalised, cut below a threshold.
// Knows nothing of the page: arrays (queries × keys) in, arrays out.

export const NORMS = [["row", "as they are"], ["peak", "each row to its peak"], ["column", "by source word"]];

// Weights to draw (queries × keys), 0 to 1.
export function drawn(map, { norm = "row", threshold = 0 } = {}) {
  const cut = (row) => row.map((weight) => (weight < threshold ? 0 : weight));
  if (norm === "peak") return map.weights.map((row) => scaled(cut(row), Math.max(...row)));
  if (norm === "column") {
    const sums = coverage(map);
    return map.weights.map((row) => cut(row).map((weight, key) => (sums[key] ? weight / sums[key] : 0)));
  }
  return map.weights.map(cut);
}

function scaled(row, most) {
  return most ? row.map((weight) => weight / most) : row;
}

// How much attention each key got over all queries (Tu et al. 2016: 0 is untranslated, 2 twice).
export function coverage(map) {
  const sums = new Array(map.weights[0]?.length ?? 0).fill(0);
  for (const row of map.weights) row.forEach((weight, key) => { sums[key] += weight; });
  return sums;
}

export function column(weights, key) {
  return weights.map((row) => row[key]);
}

export function peak(row) {
  return row.reduce((best, weight, i) => (weight > row[best] ? i : best), 0);
}

export function percent(share) {
  return `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
}

// An answer's maps and the place of the one that its model shows by default: `shown` is the first `attention` of its card.
// A mean of heads is no map of an answer in full, so it is made here and comes first.
export function usual(maps, shown) {
  const { default_layer: layer, default_head: head } = shown ?? {};
  const heads = maps.filter((map) => !map.stack && map.layer === layer);
  if (head !== "mean" || heads.length < 2) return [maps, Math.max(0, maps.findIndex((map) => !map.stack && map.layer === layer && map.head === head))];
  const weights = heads[0].weights.map((row, i) => row.map((_, j) => heads.reduce((sum, map) => sum + map.weights[i][j], 0) / heads.length));
  return [[{ ...heads[0], head: "mean", weights, trust: null }, ...maps], 0];
}

// Which layers and heads an answer's maps have: [[label, index], …].
export function choices(maps) {
  return maps.map((map, i) => [`${map.stack ? `${map.stack} over itself, ` : ""}layer ${map.layer + 1}, ${map.head === "mean" ? "mean of heads" : `head ${map.head + 1}`}`, i]);
}
