import { element } from "./elements.js";

// What the coach says, each with a button where it knows the next experiment.
export class Coach {
  constructor(parent, take) {
    this.list = element("ul", "gv-coach", undefined, parent);
    this.list.setAttribute("role", "status");
    this.take = take; // what a button does with the name of its rule
  }

  clear() {
    this.list.replaceChildren();
  }

  show(advice) {
    const said = JSON.stringify(advice);
    if (said === this.said && this.list.children.length === advice.length) return;
    this.said = said;
    this.clear();
    for (const { rule, severity, text, action } of advice) {
      const item = element("li", `gv-${severity}`, undefined, this.list);
      element("span", "", text, item);
      if (action) element("button", "", action, item).onclick = () => this.take(rule);
    }
  }
}
