// A slider that replays the decoding, word by word. Knows nothing of what is shown: it calls then(step).

import { make } from "./dom.js";

const PAUSE = 450; // milliseconds a word

export class Replay {
  constructor(then) {
    this.then = then;
    this.slider = make("input", { class: "step", type: "range", min: 0, max: 1, value: 1, oninput: () => this.go(+this.slider.value) });
    this.button = make("button", { type: "button", class: "plain play", onclick: () => (this.timer ? this.stop() : this.play()) }, "▶ Replay");
    this.root = make("span", { class: "replay" }, this.button, make("label", {}, "Step ", this.slider));
  }

  reset(steps) {
    this.stop();
    this.steps = steps;
    this.slider.max = steps;
    this.slider.value = steps;
  }

  go(step) {
    this.slider.value = step;
    this.slider.setAttribute("aria-valuetext", `${step} of ${this.steps} words`);
    this.then(step);
  }

  play() {
    let step = 0;
    this.button.textContent = "❚❚ Pause";
    this.go(step);
    this.timer = setInterval(() => {
      step += 1;
      this.go(step);
      if (step >= this.steps) this.stop();
    }, PAUSE);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.button.textContent = "▶ Replay";
  }
}
