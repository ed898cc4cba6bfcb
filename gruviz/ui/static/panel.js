// The live panel. It owns its Plotly figures and the columns they are drawn from; the page sends the
// figures once, the feed sends what the columns gained. A trace's `meta` says which columns it draws.

import { Chart } from "./chart.js";
import { Coach } from "./coach.js";
import { takeIn, unpack } from "./columns.js";
import { Connection } from "./connection.js";
import { luminance } from "./drawing.js";
import { element, write } from "./elements.js";
import { Stages } from "./stages.js";

const TOKEN = "gruviz.run";
const ASK_AGAIN_MILLISECONDS = 3000;

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

class Panel {
  constructor(root) {
    this.box = element("div", "gv", undefined, root);
    this.figures = element("dl", "gv-figures", undefined, this.box);
    this.lost = element("p", "gv-lost", "", this.box);
    this.lost.setAttribute("role", "status");
    this.coach = new Coach(this.box, (rule) => this.trigger("advice", rule));
    this.stages = new Stages(this.box);
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
    this.connection = new Connection({
      address: () => this.address(),
      ask: () => this.counts,
      take: (buffer) => this.take(unpack(buffer)),
      tell: (word) => this.tell(word),
    });
    this.token = null;
    this.clear();
    this.onVisible = () => document.hidden || this.draw();
    document.addEventListener("visibilitychange", this.onVisible);
  }

  clear() {
    this.tables = {};
    this.brought = []; // by the page: all other tables come with the feed
    this.counts = { snapshot: -1 }; // and the rows of each table that grows
    this.stages.clear();
    this.coach.clear();
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
      this.tell(null);
      this.connection.open(this.token); // the feed learns at the handshake which view it serves
    }
    this.remember(data);
    for (const name of this.brought) delete this.tables[name];
    Object.assign(this.tables, data.tables);
    this.brought = Object.keys(data.tables);
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

  address() {
    const address = new URL(this.data.feed, location.origin.replace(/^http/, "ws"));
    address.search = new URLSearchParams({ view: this.view, language: this.data.language });
    return address;
  }

  // How the connection stands; null if all is well.
  tell(word) {
    write(this.lost, word ? this.data.words[word] : "");
    if (word === "gone") this.trigger("gone", this.token);
  }

  take({ header, columns }) {
    if (header.token !== this.token) return;
    takeIn(this.tables, this.counts, { header, columns });
    this.marks = header.marks;
    if (header.texts) this.write(header.texts);
    this.stages.show(header.stages, () => {
      for (const [name, text] of Object.entries(header.figures)) write(this.values.get(name), text);
      this.describe(header.alternatives);
      if (header.advice) this.coach.show(header.advice);
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
    const live = (this.counts.steps ?? 0) > 0; // while the feed runs it is ahead of the page
    for (const [name, label, text] of figures) {
      const value = this.values.get(name);
      value.previousSibling.textContent = label; // "Solved < 0.01" is of one task
      if (!live) value.textContent = text;
    }
  }

  showCards(cards) {
    for (const [name, card] of this.cards) {
      if (cards.some((each) => each.name === name)) continue;
      for (const holder of card.querySelectorAll(".gv-holder")) this.dropChart(holder);
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
      for (const old of plots.querySelectorAll(".gv-holder")) {
        if (!card.charts.some(({ name }) => name === old.dataset.chart)) this.dropChart(old);
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

  dropChart(holder) {
    const { chart } = holder.dataset;
    this.charts.get(chart).drop();
    this.charts.delete(chart);
    holder.remove();
  }

  showChart(plots, chart, captioned) {
    if (!this.charts.has(chart.name)) {
      const made = new Chart(chart.name, plots, { captioned, redraw: () => this.draw(), sizes: this.sizes });
      this.charts.set(chart.name, made);
    }
    this.charts.get(chart.name).show(chart);
  }

  describe(alternatives) {
    for (const [name, text] of Object.entries(alternatives)) this.charts.get(name)?.describe(text);
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
        for (const chart of this.charts.values()) await chart.draw(this.known());
      }
      this.drawing = false;
    });
  }

  // What charts are drawn from, beside their own figures.
  known() {
    const { tables, counts, marks, theme, data } = this;
    return { tables, counts, marks, theme, dark: theme.dark ? data.dark : null, words: data.words };
  }

  close() {
    this.connection.close();
    this.stages.stop();
    document.removeEventListener("visibilitychange", this.onVisible);
    for (const chart of this.charts.values()) chart.drop();
    this.sizes.disconnect();
    this.box.remove();
  }
}
