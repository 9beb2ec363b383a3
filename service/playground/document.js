// A text of several sentences: whether it is one, and the maps of its sentences as one map. Knows nothing of the page.

const MOST = 400; // words of a map that a page draws; a longer text is shown without

export function several(text) {
  return /[.!?…]["'»”)]*\s+\S|\S[^\S\n]*\n\s*\S/.test(text);
}

// A result whose maps are one a sentence, as one with one map: its words look at nothing outside of their sentence.
export function whole(result) {
  const maps = [result.attention ?? []].flat();
  if (maps.length < 2) return result;
  const all = (side) => maps.flatMap(side).map((item, i) => ({ ...item, i }));
  const queries = all((map) => map.queries), keys = all((map) => map.keys.items);
  if (queries.length > MOST) return { ...result, attention: undefined };
  let before = 0;
  const weights = maps.flatMap((map) => {
    const [left, right] = [before, keys.length - before - map.keys.items.length];
    before += map.keys.items.length;
    return map.weights.map((row) => [...Array(left).fill(0), ...row, ...Array(right).fill(0)]);
  });
  return { ...result, attention: { ...maps[0], queries, keys: { type: "text", items: keys }, weights, trust: undefined, window: undefined } };
}
