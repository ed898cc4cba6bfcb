import { element } from "./elements.js";

// In slow motion the stages of a step come one after the other, and what it led to comes last.
export class Stages {
  constructor(parent) {
    this.list = element("ol", "gv-stages", undefined, parent);
    this.timer = null;
    this.clear();
  }

  clear() {
    this.stop();
    this.step = undefined;
    this.list.replaceChildren();
  }

  show({ step, seconds, rows }, after) {
    this.after = after;
    if (step !== this.step) {
      this.step = step;
      this.stop();
      this.list.replaceChildren();
      for (const [label, text] of rows) {
        const item = element("li", seconds > 0 ? "gv-later" : "", undefined, this.list);
        element("strong", "", label, item);
        element("span", "", text, item);
      }
      if (seconds > 0) this.reveal(0, (1000 * seconds) / rows.length);
    }
    if (this.timer === null) this.after();
  }

  reveal(place, milliseconds) {
    this.list.querySelector(".gv-now")?.classList.remove("gv-now");
    if (place === this.list.children.length) {
      this.timer = null;
      this.after();
      return;
    }
    this.list.children[place].className = "gv-now";
    this.timer = setTimeout(() => this.reveal(place + 1, milliseconds), milliseconds);
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = null;
  }
}
