import { dressed, filled, keyOf } from "./drawing.js";
import { element } from "./elements.js";
import { keys } from "./keys.js";

const PICTURE_MILLISECONDS = 400;
const TOUCH = matchMedia("(pointer: coarse)").matches; // a finger scrolls the page, not the chart

// One Plotly figure and its caption.
export class Chart {
  // redraw: asks the panel to draw what has changed; sizes: who watches how large charts are.
  constructor(name, parent, { captioned, redraw, sizes }) {
    Object.assign(this, { name, redraw, sizes });
    const holder = element("figure", "gv-holder", undefined, parent);
    holder.dataset.chart = name;
    if (captioned) {
      const caption = element("figcaption", "", undefined, holder);
      this.title = element("strong", "", "", caption);
      this.aid = element("span", "", "", caption);
    }
    this.plot = element("div", "gv-plot", undefined, holder);
    this.plot.tabIndex = 0;
    this.plot.dataset.chart = name;
    this.plot.setAttribute("role", "figure");
    this.plot.addEventListener("keydown", (event) => keys(event, this.plot));
    this.drawn = 0;
    sizes.observe(this.plot);
  }

  show({ title, aid, tables, data, layout }) {
    if (this.title) {
      this.title.textContent = title;
      this.aid.textContent = aid;
    }
    this.traces = data;
    this.arrivals = tables;
    this.layout = layout;
    this.picture = data.some(({ type }) => type === "heatmap");
    this.key = null;
  }

  describe(text) {
    if (this.plot.getAttribute("aria-label") !== text) this.plot.setAttribute("aria-label", text);
  }

  async draw(known) {
    const now = performance.now();
    const key = keyOf(this, known);
    if (key === this.key) return;
    if (this.picture && this.key !== null && now - this.drawn < PICTURE_MILLISECONDS) {
      this.later ??= setTimeout(() => {
        this.later = null;
        this.redraw();
      }, PICTURE_MILLISECONDS);
      return;
    }
    this.key = key;
    this.drawn = now;
    // Plotly carries an old axis over to a new kind of trace and draws NaN: begin anew instead.
    const types = [...new Set(this.traces.map(({ type }) => type))];
    const kind = JSON.stringify([types, Object.keys(this.layout)]);
    if (this.kind !== undefined && this.kind !== kind) window.Plotly.purge(this.plot);
    this.kind = kind;
    const first = !this.plot.data;
    const before = this.plot.layout;
    const traces = filled(this, known, before?.xaxis?.autorange === false ? before.xaxis.range : null);
    const height = this.plot._fullLayout?._size?.h ?? this.plot.clientHeight - 100;
    const layout = dressed(this, traces, known, { before, height });
    if (TOUCH) layout.dragmode = false;
    await window.Plotly.react(this.plot, traces, layout, {
      displaylogo: false,
      showSendToCloud: false, // what is drawn here may be somebody's data
      plotlyServerURL: "",
      displayModeBar: TOUCH ? false : "hover",
      modeBarButtonsToRemove: ["select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "resetScale2d"],
    });
    if (first) {
      this.plot.on("plotly_relayout", (change) => {
        if (Object.keys(change).some((name) => /^[xy]axis/.test(name))) {
          this.key = null;
          this.redraw();
        }
      });
    }
    this.plot.dataset.revision = (Number(this.plot.dataset.revision) || 0) + 1;
    const points = known.tables.steps?.step?.length;
    if (points) this.plot.dataset.points = points;
  }

  drop() {
    clearTimeout(this.later);
    this.sizes.unobserve(this.plot);
    window.Plotly.purge(this.plot);
  }
}
