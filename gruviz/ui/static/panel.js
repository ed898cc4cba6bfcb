// The live panel. It owns its Plotly figures and the columns they are drawn from; the page sends the
// figures once, the feed sends what the columns gained. A trace's `meta` says which columns it draws.

const TOKEN = "gruviz.run";
const POINTS = 1500; // more than this in view are thinned to the extremes of each bucket
const PICTURE_MILLISECONDS = 400;
const PROTOCOL = "gruviz"; // of the feed; the run's token comes after it
const SILENCE_MILLISECONDS = 8000; // the feed answers at least every four seconds
const LONGEST_WAIT = 16000; // milliseconds between two attempts to connect
const ASK_AGAIN_MILLISECONDS = 3000;
// What the feed says with its last word: what the panel tells the reader, and whether it tries again.
const PARTINGS = {
  4404: { words: "gone", again: false },
  4409: { words: "crowded", again: false },
  4429: { words: "full", again: true },
};
const CUT_OFF = { words: "lost", again: true };
const TOUCH = matchMedia("(pointer: coarse)").matches; // a finger scrolls the page, not the chart

const panels = new WeakMap();
let plotly = null;

function loadPlotly(files) {
  plotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `${files}/plotly/plotly.min.js`;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      plotly = null; // so that the next look tries again
      reject(new Error("Plotly did not load"));
    };
    document.head.append(script);
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = `${files}/panel/panel.css`;
    document.head.append(style);
  });
  return plotly;
}

export async function show(component) {
  await loadPlotly(component.data.files);
  const root = component.parentElement;
  if (!panels.has(root)) {
    root.replaceChildren();
    panels.set(root, new Panel(root));
  }
  const panel = panels.get(root);
  panel.update(component);
  return () => {
    panel.close();
    panels.delete(root);
  };
}

function element(kind, classes, text, parent) {
  const made = document.createElement(kind);
  made.className = classes;
  if (text !== undefined) made.textContent = text; // never markup: it may come from a file
  parent?.append(made);
  return made;
}

class Panel {
  constructor(root) {
    this.box = element("div", "gv", undefined, root);
    this.figures = element("dl", "gv-figures", undefined, this.box);
    this.lost = element("p", "gv-lost", "", this.box);
    this.lost.setAttribute("role", "status");
    this.coach = element("ul", "gv-coach", undefined, this.box);
    this.coach.setAttribute("role", "status");
    this.stages = element("ol", "gv-stages", undefined, this.box);
    this.grid = element("div", "gv-grid", undefined, this.box);
    this.values = new Map();
    this.cards = new Map();
    this.charts = new Map();
    // Plotly itself watches the window alone; a card grows with the view and the sidebar, too.
    this.sizes = new ResizeObserver((entries) => {
      for (const { target } of entries) {
        if (target.data && target.clientWidth) window.Plotly.Plots.resize(target);
      }
    });
    this.token = null;
    this.wait = 500; // milliseconds, doubled before each attempt to connect
    this.staging = null;
    this.clear();
    this.onVisible = () => document.hidden || this.draw();
    document.addEventListener("visibilitychange", this.onVisible);
  }

  clear() {
    this.tables = {};
    this.counts = { steps: 0, validations: 0, blocks: 0, snapshot: -1 }; // those tables grow
    this.staged = undefined;
    this.stages.replaceChildren();
    this.coach.replaceChildren();
    this.write({});
  }

  // A text below a card, such as what a model of letters goes on to write.
  write(texts) {
    for (const [name, card] of this.cards) card.querySelector(".gv-text").textContent = texts[name] ?? "";
  }

  update({ data, setTriggerValue }) {
    this.data = data;
    this.trigger = setTriggerValue;
    this.asked = {};
    if (data.token !== this.token) this.clear();
    if (data.token !== this.token || data.view !== this.view) {
      this.token = data.token;
      this.view = data.view;
      this.say("");
      this.connect(); // the feed learns at the handshake which view it serves
    }
    this.remember(data);
    for (const name of Object.keys(this.tables)) {
      if (/^(plan|next|probe|here|pin\d+)$/.test(name)) delete this.tables[name];
    }
    Object.assign(this.tables, data.tables);
    this.showFigures(data.figures);
    this.showCards(data.cards);
    this.marks = data.marks;
    this.describe(data.alternatives);
    this.restyle();
    this.draw();
  }

  // The token survives a refresh in this tab alone; the link that people pass on doesn't have it.
  remember(data) {
    if (data.token) sessionStorage.setItem(TOKEN, data.token);
    else if (!data.fresh) sessionStorage.removeItem(TOKEN);
    else if (sessionStorage.getItem(TOKEN)) this.trigger("attach", sessionStorage.getItem(TOKEN));
  }

  connect() {
    this.disconnect();
    if (!this.token) return;
    const address = new URL(this.data.feed, location.origin.replace(/^http/, "ws"));
    address.search = new URLSearchParams({ view: this.view, language: this.data.language });
    const socket = new WebSocket(address, [PROTOCOL, this.token]);
    socket.binaryType = "arraybuffer";
    const ask = () => socket.send(JSON.stringify(this.counts));
    socket.onopen = ask;
    socket.onmessage = ({ data }) => {
      if (socket !== this.socket) return;
      this.heard(true);
      this.take(unpack(data));
      ask();
    };
    socket.onclose = ({ code }) => {
      if (socket === this.socket) this.part(PARTINGS[code] ?? CUT_OFF);
    };
    this.socket = socket;
    this.heard(false);
  }

  disconnect() {
    const socket = this.socket;
    this.socket = null; // what it still has to say is no longer heard
    socket?.close();
    clearTimeout(this.retry);
    clearTimeout(this.silence);
  }

  // A network that is gone says nothing: so silence is taken for a connection that is lost.
  heard(word) {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.part(CUT_OFF), SILENCE_MILLISECONDS);
    if (!word) return;
    this.wait = 500;
    this.say("");
  }

  say(text) {
    if (this.lost.textContent !== text) this.lost.textContent = text;
  }

  part({ words, again }) {
    this.disconnect();
    this.say(this.data.words[words]);
    if (words === "gone") this.trigger("gone", this.token);
    if (!again) return;
    this.wait = Math.min(2 * this.wait, LONGEST_WAIT);
    this.retry = setTimeout(() => this.connect(), this.wait * (0.75 + Math.random() / 2)); // not all at once
  }

  take({ header, columns }) {
    if (header.token !== this.token) return;
    for (const [table, name, values, shape] of columns) {
      const store = (this.tables[table] ??= {});
      if (table in header.starts) {
        const column = (store[name] ??= new Growing());
        column.length = header.starts[table];
        column.append(values);
        this.counts[table] = column.length;
      } else {
        store[name] = shape.length === 2 ? rows(values, shape) : values;
      }
    }
    this.counts.snapshot = header.snapshot;
    this.marks = header.marks;
    if (header.texts) this.write(header.texts);
    this.showStages(header.stages, () => {
      for (const [name, text] of Object.entries(header.figures)) {
        const place = this.values.get(name);
        if (place && place.textContent !== text) place.textContent = text;
      }
      this.describe(header.alternatives);
      if (header.advice) this.showAdvice(header.advice);
      this.draw();
    });
    this.follow(header.status);
  }

  // The page's buttons and its line of status follow; they are asked for once a change, and again if
  // nothing comes of it: the page may have been without a connection, too.
  follow(status) {
    const now = performance.now();
    if (status === this.data.status) return;
    if (status === this.asked.status && now - this.asked.at < ASK_AGAIN_MILLISECONDS) return;
    this.asked = { status, at: now };
    this.trigger("status", status);
  }

  // What the coach says, each with a button where it knows the next experiment.
  showAdvice(advice) {
    const said = JSON.stringify(advice);
    if (said === this.said && this.coach.children.length === advice.length) return;
    this.said = said;
    this.coach.replaceChildren();
    for (const { rule, severity, text, action } of advice) {
      const item = element("li", `gv-${severity}`, undefined, this.coach);
      element("span", "", text, item);
      if (!action) continue;
      element("button", "", action, item).onclick = () => this.trigger("advice", rule);
    }
  }

  // In slow motion the stages of a step come one after the other, and what it led to comes last.
  showStages({ step, seconds, rows }, then) {
    this.afterStages = then;
    if (step !== this.staged) {
      this.staged = step;
      clearTimeout(this.staging);
      this.staging = null;
      this.stages.replaceChildren();
      for (const [label, text] of rows) {
        const item = element("li", seconds > 0 ? "gv-later" : "", undefined, this.stages);
        element("strong", "", label, item);
        element("span", "", text, item);
      }
      if (seconds > 0) this.reveal(0, (1000 * seconds) / rows.length);
    }
    if (this.staging === null) this.afterStages();
  }

  reveal(place, milliseconds) {
    this.stages.querySelector(".gv-now")?.classList.remove("gv-now");
    if (place === this.stages.children.length) {
      this.staging = null;
      this.afterStages();
      return;
    }
    this.stages.children[place].className = "gv-now";
    this.staging = setTimeout(() => this.reveal(place + 1, milliseconds), milliseconds);
  }

  showFigures(figures) {
    const names = figures.map(([name]) => name).join();
    if (names !== this.figureNames) {
      this.figureNames = names;
      this.figures.replaceChildren();
      this.values.clear();
      for (const [name] of figures) {
        const tile = element("div", "gv-figure", undefined, this.figures);
        element("dt", "", "", tile);
        this.values.set(name, element("dd", "", "", tile));
        this.values.get(name).dataset.figure = name;
      }
    }
    const live = this.counts.steps > 0; // while the feed runs it is ahead of the page
    for (const [name, label, text] of figures) {
      const value = this.values.get(name);
      value.previousSibling.textContent = label; // "Solved < 0.01" is of one task
      if (!live) value.textContent = text;
    }
  }

  showCards(cards) {
    for (const [name, card] of this.cards) {
      if (cards.some((each) => each.name === name)) continue;
      for (const { dataset } of card.querySelectorAll(".gv-holder")) this.dropChart(dataset.chart);
      card.remove();
      this.cards.delete(name);
    }
    for (const [index, card] of cards.entries()) {
      const made = this.cards.get(card.name) ?? this.makeCard(card);
      made.className = `gv-card gv-${card.width}`;
      if (this.grid.children[index] !== made) this.grid.insertBefore(made, this.grid.children[index]);
      made.querySelector("h2").textContent = card.title;
      made.querySelector(".gv-aid").textContent = card.aid;
      const plots = made.querySelector(".gv-plots");
      for (const old of [...plots.children]) {
        if (!card.charts.some(({ name }) => name === old.dataset.chart)) {
          this.dropChart(old.dataset.chart);
          old.remove();
        }
      }
      for (const chart of card.charts) this.showChart(plots, chart, card.charts.length > 1);
    }
  }

  makeCard(card) {
    const made = element("section", `gv-card gv-${card.width}`, undefined, this.grid);
    const heading = element("h2", "", card.title, made);
    heading.id = `gv-${card.name}`;
    made.setAttribute("aria-labelledby", heading.id);
    element("p", "gv-aid", "", made);
    element("div", "gv-plots", undefined, made);
    element("p", "gv-text", "", made);
    this.cards.set(card.name, made);
    return made;
  }

  dropChart(name) {
    const { plot, later } = this.charts.get(name);
    clearTimeout(later);
    this.sizes.unobserve(plot);
    window.Plotly.purge(plot);
    this.charts.delete(name);
  }

  showChart(plots, chart, captioned) {
    let shown = this.charts.get(chart.name);
    if (!shown) {
      const holder = element("figure", "gv-holder", undefined, plots);
      holder.dataset.chart = chart.name;
      const caption = captioned ? element("figcaption", "", undefined, holder) : null;
      if (caption) {
        element("strong", "", "", caption);
        element("span", "", "", caption);
      }
      const plot = element("div", "gv-plot", undefined, holder);
      plot.tabIndex = 0;
      plot.setAttribute("role", "figure");
      plot.addEventListener("keydown", (event) => keys(event, plot));
      shown = { plot, caption, drawn: 0 };
      this.charts.set(chart.name, shown);
      this.sizes.observe(plot);
      plot.dataset.chart = chart.name;
    }
    if (shown.caption) {
      shown.caption.children[0].textContent = chart.title;
      shown.caption.children[1].textContent = chart.aid;
    }
    shown.traces = chart.data;
    shown.layout = chart.layout;
    shown.picture = chart.data.some(({ type }) => type === "heatmap");
    shown.key = null;
  }

  describe(alternatives) {
    for (const [name, text] of Object.entries(alternatives)) {
      const plot = this.charts.get(name)?.plot;
      if (plot && plot.getAttribute("aria-label") !== text) plot.setAttribute("aria-label", text);
    }
  }

  // The theme's colours, read where Streamlit puts them; a change of theme shows the panel again.
  restyle() {
    const style = getComputedStyle(this.box);
    const read = (name) => style.getPropertyValue(`--st-${name}`).trim();
    const background = read("background-color");
    this.theme = {
      text: read("text-color"),
      grid: read("border-color"),
      font: read("font"),
      dark: luminance(background) < 0.4,
      background,
    };
    this.box.dataset.theme = this.theme.dark ? "dark" : "light";
  }

  draw() {
    this.wanted = true;
    if (this.drawing || document.hidden) return;
    this.drawing = true;
    requestAnimationFrame(async () => {
      while (this.wanted && this.box.isConnected) {
        this.wanted = false;
        for (const chart of this.charts.values()) await this.drawChart(chart);
      }
      this.drawing = false;
    });
  }

  async drawChart(chart) {
    const now = performance.now();
    const key = this.keyOf(chart);
    if (key === chart.key) return;
    if (chart.picture && chart.key !== null && now - chart.drawn < PICTURE_MILLISECONDS) {
      chart.later ??= setTimeout(() => {
        chart.later = null;
        this.draw();
      }, PICTURE_MILLISECONDS);
      return;
    }
    chart.key = key;
    chart.drawn = now;
    // Plotly carries an old axis over to a new kind of trace and draws NaN: begin anew instead.
    const kind = JSON.stringify([[...new Set(chart.traces.map(({ type }) => type))], Object.keys(chart.layout)]);
    if (chart.kind !== undefined && chart.kind !== kind) window.Plotly.purge(chart.plot);
    chart.kind = kind;
    const first = !chart.plot.data;
    const traces = this.filled(chart);
    await window.Plotly.react(chart.plot, traces, this.dressed(chart, traces), {
      displaylogo: false,
      showSendToCloud: false, // what is drawn here may be somebody's data
      plotlyServerURL: "",
      displayModeBar: TOUCH ? false : "hover",
      modeBarButtonsToRemove: ["select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "resetScale2d"],
    });
    if (first) {
      chart.plot.on("plotly_relayout", (change) => {
        if (Object.keys(change).some((name) => /^[xy]axis/.test(name))) {
          chart.key = null;
          this.draw();
        }
      });
    }
    chart.plot.dataset.revision = (Number(chart.plot.dataset.revision) || 0) + 1;
    const points = this.tables.steps?.step?.length;
    if (points) chart.plot.dataset.points = points;
  }

  // What a chart shows depends on the data it names, the marks and the theme, and on nothing else.
  keyOf(chart) {
    const used = new Set(chart.traces.flatMap(({ meta }) => Object.values(meta ?? {})).map((n) => tableAndColumn(n)[0]));
    const parts = [...used].map((table) => {
      if (table in this.counts) return this.counts[table];
      if (["signals", "answer", "rollout", "gradient"].includes(table)) return this.counts.snapshot;
      if (table === "here") return this.tables.here?.step?.[0];
      return table in this.tables;
    });
    return JSON.stringify([parts, overSteps(chart) ? this.marks : 0, this.theme]);
  }

  filled(chart) {
    const range = chart.plot.layout?.xaxis?.autorange === false ? chart.plot.layout.xaxis.range : null;
    return chart.traces.map((trace) => {
      const made = this.theme.dark ? recolour(trace, this.data.dark) : { ...trace };
      const meta = trace.meta ?? {};
      const read = (name) => {
        const [table, column] = tableAndColumn(name);
        const found = this.tables[table]?.[column];
        return found instanceof Growing ? found.view() : found;
      };
      let x = meta.x && read(meta.x);
      let y = meta.y && read(meta.y);
      if (overSteps({ traces: [trace] }) && y && x.length > POINTS) [x, y] = thin(x, y, range);
      if (meta.x) made.x = x ?? [];
      if (meta.y) made.y = y ?? [];
      if (made.mode === "lines" && x?.length === 1) made.mode = "markers"; // one point has no line
      if (meta.z) made.z = read(meta.z) ?? [];

      if (meta.color) made.marker = { ...made.marker, color: read(meta.color) ?? [] };
      return made;
    });
  }

  dressed(chart, traces) {
    const { text, grid, font } = this.theme;
    const layout = this.theme.dark ? recolour(chart.layout, this.data.dark) : structuredClone(chart.layout);
    layout.font = { ...layout.font, color: text, family: font };
    layout.paper_bgcolor = layout.plot_bgcolor = this.theme.background; // the cursor stands out from it
    for (const [name, axis] of Object.entries(layout)) {
      if (/^[xy]axis/.test(name)) {
        Object.assign(axis, { gridcolor: grid, linecolor: grid, tickcolor: grid });
        axis.title = { ...axis.title, font: { size: 12.5 } };
      }
    }
    const axes = Object.keys(layout).filter((name) => /^[xy]axis/.test(name));
    for (const name of axes) {
      if (!name.startsWith("y") || layout[name].type !== "log") continue;
      const levels = name === "yaxis" ? (layout.shapes ?? []).map(({ y0 }) => ({ y: [y0] })) : [];
      const own = traces.filter(({ yaxis }) => (yaxis ?? "y") === name.replace("axis", ""));
      const decades = spannedDecades(chart.plot.layout?.[name], [...own, ...levels]) || 2; // about one constant
      const room = rowHeight(chart.plot, layout[name]) / 20; // labels
      if (decades > 2.5 || 3 * decades > room) layout[name].dtick = Math.ceil(decades / room);
      else if (decades > 0.8) Object.assign(layout[name], TICKS);
    }
    if (TOUCH) layout.dragmode = false;
    layout.hoverlabel = { bgcolor: this.theme.background, bordercolor: grid, font: { color: text } };
    const begun = traces.some(({ x, y, z }) => (x ?? y ?? z)?.length);
    const without = layout.meta?.empty; // what to say if there are rows, and nothing in them
    if (!begun || (without && !traces.some(({ y }) => y?.some(Number.isFinite)))) {
      for (const name of axes) layout[name].showticklabels = false;
      const text = begun ? without : this.data.words.empty;
      layout.annotations = [{ text, showarrow: false, xref: "paper", yref: "paper", x: 0.5, y: 0.5 }];
    }
    if (overSteps(chart) && this.marks?.length) {
      const chartName = chart.plot.dataset.chart;
      const marks = this.marks.filter((mark) => !mark.name || mark.name === chartName); // some are of one chart alone
      layout.shapes = [...(layout.shapes ?? []), ...(this.theme.dark ? recolour(marks, this.data.dark) : marks)];
    }
    return layout;
  }

  close() {
    this.disconnect();
    clearTimeout(this.staging);
    document.removeEventListener("visibilitychange", this.onVisible);
    this.sizes.disconnect();
    for (const { plot } of this.charts.values()) window.Plotly.purge(plot);
    this.box.remove();
  }
}

// A column of float32 that grows at its end.
class Growing {
  constructor() {
    this.buffer = new Float32Array(1024);
    this.length = 0;
  }

  append(values) {
    const needed = this.length + values.length;
    if (needed > this.buffer.length) {
      const larger = new Float32Array(Math.max(needed, 2 * this.buffer.length));
      larger.set(this.buffer);
      this.buffer = larger;
    }
    this.buffer.set(values, this.length);
    this.length = needed;
  }

  view() {
    return this.buffer.subarray(0, this.length);
  }
}

function unpack(buffer) {
  const size = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  let place = 4 + size;
  const columns = header.columns.map(([table, name, shape]) => {
    const count = shape.reduce((a, b) => a * b, 1);
    const values = new Float32Array(buffer, place, count);
    place += 4 * count;
    return [table, name, values, shape];
  });
  return { header, columns };
}

// "blocks.gradient.W_ir": the table ends at the first dot.
function tableAndColumn(name) {
  const dot = name.indexOf(".");
  return [name.slice(0, dot), name.slice(dot + 1)];
}

// Whether a chart is drawn from columns that grow as the run goes on.
function overSteps({ traces }) {
  return traces.some(({ meta }) => /^(steps|blocks)\./.test(meta?.x ?? ""));
}

function rows(values, [count, width]) {
  return Array.from({ length: count }, (_, row) => values.subarray(row * width, (row + 1) * width));
}

// The least and the greatest value of each bucket: a spike of one step stays visible.
function thin(x, y, range) {
  let from = 0;
  let to = x.length;
  if (range) {
    while (from < to - 1 && x[from + 1] < range[0]) from += 1;
    while (to > from + 1 && x[to - 2] > range[1]) to -= 1;
  }
  const size = Math.ceil((to - from) / (POINTS / 2));
  if (size <= 2) return [x.subarray(from, to), y.subarray(from, to)];
  const xs = [];
  const ys = [];
  for (let start = from; start < to; start += size) {
    const end = Math.min(start + size, to);
    let low = -1;
    let high = -1;
    for (let i = start; i < end; i += 1) {
      if (Number.isNaN(y[i])) continue;
      if (low < 0 || y[i] < y[low]) low = i;
      if (high < 0 || y[i] > y[high]) high = i;
    }
    if (low < 0) {
      xs.push(x[start]);
      ys.push(NaN);
      continue;
    }
    for (const i of low === high ? [low] : low < high ? [low, high] : [high, low]) {
      xs.push(x[i]);
      ys.push(y[i]);
    }
  }
  return [xs, ys];
}

// One, two and five of each power of ten, written out: Plotly's own would say "5" for 0.05.
const TICKS = (() => {
  const tickvals = [];
  const ticktext = [];
  for (let power = -15; power <= 15; power += 1) {
    for (const digit of [1, 2, 5]) {
      tickvals.push(Number(`${digit}e${power}`));
      const small = power >= -4 && power <= 4;
      ticktext.push(small ? String(Number(`${digit}e${power}`)) : `${digit}×10<sup>${power}</sup>`);
    }
  }
  return { tickmode: "array", tickvals, ticktext };
})();

// The height in pixels of the row of a figure that an axis runs along.
function rowHeight(plot, { domain = [0, 1] }) {
  const height = plot._fullLayout?._size?.h ?? plot.clientHeight - 100;
  return Math.max(20, height * (domain[1] - domain[0]));
}

// How many powers of ten a logarithmic axis shows, to choose ticks that don't crowd.
function spannedDecades(axis, traces) {
  if (axis?.autorange === false) return axis.range[1] - axis.range[0];
  let low = Infinity;
  let high = 0;
  for (const { y } of traces) {
    for (const value of y ?? []) {
      if (value > 0 && value < low) low = value;
      if (value > high && value < Infinity) high = value;
    }
  }
  return high > 0 ? Math.log10(high / low) : 0;
}

function recolour(value, colours) {
  if (typeof value === "string") return colours[value] ?? value;
  if (Array.isArray(value)) return value.map((each) => recolour(each, colours));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, recolour(v, colours)]));
  }
  return value;
}

function luminance(colour) {
  const numbers = colour.startsWith("#")
    ? [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16))
    : (colour.match(/[\d.]+/g) ?? [255, 255, 255]).slice(0, 3).map(Number);
  return (0.2126 * numbers[0] + 0.7152 * numbers[1] + 0.0722 * numbers[2]) / 255;
}

// Plus and minus zoom along x, the arrows move, Escape shows everything.
function keys(event, plot) {
  const axis = plot.layout?.xaxis;
  if (!axis?.range || event.ctrlKey || event.metaKey || event.altKey) return;
  const [a, b] = axis.range.map(Number);
  const width = b - a;
  const moves = {
    "+": [a + width / 4, b - width / 4],
    "=": [a + width / 4, b - width / 4],
    "-": [a - width / 2, b + width / 2],
    ArrowLeft: [a - width / 4, b - width / 4],
    ArrowRight: [a + width / 4, b + width / 4],
  };
  if (event.key === "Escape") window.Plotly.relayout(plot, { "xaxis.autorange": true });
  else if (moves[event.key]) window.Plotly.relayout(plot, { "xaxis.range": moves[event.key] });
  else return;
  event.preventDefault();
}
