// Save an answer: the service draws it again in that format; JSON is what is at hand.
// Knows nothing of the page but the request and the answer it is given.

import { drawing } from "./api.js";
import { make } from "./dom.js";

const FORMATS = [["PNG", "image/png", "png"], ["SVG", "image/svg+xml", "svg"], ["HTML", "text/html", "html"], ["WebP", "image/webp", "webp"], ["NPZ", "application/x-npz", "npz"]];

export function downloads(request, answer, say) {
  const save = async (media, ending) => {
    try {
      const blob = media ? await drawing(request, media) : new Blob([JSON.stringify(answer, null, 1)], { type: "application/json" });
      const link = make("a", { href: URL.createObjectURL(blob), download: `heed-${answer.model}.${ending}` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    } catch (refused) {
      say(refused.message);
    }
  };
  return make("span", { class: "downloads", role: "group", "aria-label": "Save as" },
    "Save ", ...[...FORMATS, ["JSON", null, "json"]].map(([name, media, ending]) => make("button", { type: "button", class: "plain", "data-save": ending, onclick: () => save(media, ending) }, name)));
}
