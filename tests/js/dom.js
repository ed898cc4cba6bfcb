// As much of a browser as the panel asks for, in which nothing happens by itself.

export class Element {
  constructor(kind) {
    Object.assign(this, { kind, className: "", dataset: {}, attributes: {}, listeners: {}, children: [], text: "" });
    this.classList = { remove: (name) => (this.className = this.classes.filter((each) => each !== name).join(" ")) };
    this.clientHeight = 400;
  }

  get classes() {
    return this.className.split(" ").filter(Boolean);
  }

  get textContent() {
    return this.text + this.children.map((each) => each.textContent).join("");
  }

  set textContent(text) {
    this.replaceChildren();
    this.text = text;
  }

  get isConnected() {
    return this.parent === null || Boolean(this.parent?.isConnected);
  }

  get previousSibling() {
    return this.parent.children[this.parent.children.indexOf(this) - 1];
  }

  append(child) {
    this.insertBefore(child);
  }

  insertBefore(child, before) {
    child.remove();
    child.parent = this;
    this.children.splice(before ? this.children.indexOf(before) : this.children.length, 0, child);
    child.onload?.();
  }

  remove() {
    if (this.parent) this.parent.children = this.parent.children.filter((each) => each !== this);
    this.parent = undefined;
  }

  replaceChildren() {
    for (const child of this.children) child.remove();
    this.text = "";
  }

  setAttribute(name, value) {
    this.attributes[name] = value;
  }

  getAttribute(name) {
    return this.attributes[name] ?? null;
  }

  addEventListener(name, listener) {
    this.listeners[name] = listener;
  }

  // By ".class" or by kind; all below, from the top.
  querySelectorAll(wanted) {
    return this.children.flatMap((each) => {
      const found = wanted.startsWith(".") ? each.classes.includes(wanted.slice(1)) : each.kind === wanted;
      return [...(found ? [each] : []), ...each.querySelectorAll(wanted)];
    });
  }

  querySelector(wanted) {
    return this.querySelectorAll(wanted)[0] ?? null;
  }
}

export class Socket {
  static opened = [];

  constructor(address, protocols) {
    Object.assign(this, { address: String(address), protocols, sent: [] });
    Socket.opened.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {}
}

// What Plotly was given, one [chart, traces, layout] after the other.
export const drawn = [];
export const style = { "--st-background-color": "#ffffff", "--st-text-color": "#111111" };
const kept = new Map();

Object.assign(globalThis, {
  WebSocket: Socket,
  ResizeObserver: class {
    observe() {}
    unobserve() {}
    disconnect() {}
  },
  matchMedia: () => ({ matches: false }),
  getComputedStyle: () => ({ getPropertyValue: (name) => style[name] ?? "" }),
  requestAnimationFrame: (draw) => draw(),
  location: { origin: "http://here" },
  sessionStorage: {
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, value) => kept.set(name, value),
    removeItem: (name) => kept.delete(name),
  },
  document: {
    hidden: false,
    head: new Element("head"),
    createElement: (kind) => new Element(kind),
    listeners: {},
    addEventListener(name, listener) {
      this.listeners[name] = listener;
    },
    removeEventListener() {},
  },
  window: {
    Plotly: {
      async react(plot, traces, layout) {
        plot.heard ??= {};
        Object.assign(plot, { data: traces, layout, on: (name, hear) => (plot.heard[name] = hear) });
        drawn.push([plot.dataset.chart, traces, layout]);
      },
      purge(plot) {
        plot.data = undefined;
      },
    },
  },
});

export function root() {
  const made = new Element("div");
  made.parent = null; // it is the document's
  return made;
}
