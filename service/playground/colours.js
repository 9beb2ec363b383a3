// Colour scales, each growing steadily darker (or lighter, on a dark page), so safe for colour-blind eyes.
// Knows nothing of maps: a share from 0 to 1 goes in, a colour comes out.

const SCALES = {
  blue: {
    name: "blue",
    light: [[244, 246, 249], [188, 216, 230], [97, 166, 200], [35, 103, 160], [16, 38, 88]],
    dark: [[27, 31, 40], [24, 66, 110], [36, 122, 172], [118, 190, 219], [232, 245, 250]],
  },
  amber: {
    name: "amber",
    light: [[250, 246, 239], [249, 214, 155], [231, 152, 60], [168, 86, 16], [76, 32, 4]],
    dark: [[34, 29, 24], [98, 55, 18], [176, 104, 30], [238, 178, 92], [255, 243, 222]],
  },
  cividis: {
    name: "blue to yellow",
    light: [[253, 234, 160], [188, 174, 108], [124, 123, 120], [64, 77, 107], [0, 32, 77]],
    dark: [[0, 32, 77], [64, 77, 107], [124, 123, 120], [188, 174, 108], [255, 234, 70]],
  },
  grey: {
    name: "grey",
    light: [[250, 250, 250], [200, 200, 200], [140, 140, 140], [80, 80, 80], [12, 12, 12]],
    dark: [[26, 26, 28], [84, 84, 88], [140, 140, 144], [198, 198, 200], [250, 250, 250]],
  },
};

export const names = Object.entries(SCALES).map(([key, scale]) => [key, scale.name]);

const night = matchMedia("(prefers-color-scheme: dark)");

export function onNight(then) {
  night.addEventListener("change", then);
}

// [red, green, blue] of a share; it is clipped to 0..1.
export function rgb(share, scale = "blue") {
  const anchors = (SCALES[scale] ?? SCALES.blue)[night.matches ? "dark" : "light"];
  const place = Math.min(1, Math.max(0, share || 0)) * (anchors.length - 1);
  const low = Math.min(Math.floor(place), anchors.length - 2);
  return anchors[low].map((from, i) => Math.round(from + (anchors[low + 1][i] - from) * (place - low)));
}

export function css(share, scale) {
  return `rgb(${rgb(share, scale).join(" ")})`;
}

// The colour of text that is readable on a share's colour (ITU-R BT.601 luma).
export function ink(share, scale) {
  const [red, green, blue] = rgb(share, scale);
  return 0.299 * red + 0.587 * green + 0.114 * blue < 140 ? "#fff" : "#10141c";
}
