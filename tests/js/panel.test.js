import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { drawn, root, Socket, style } from "./dom.js";
import { Coach } from "../../gruviz/ui/static/coach.js";
import { show } from "../../gruviz/ui/static/panel.js";
import { Stages } from "../../gruviz/ui/static/stages.js";

const STEPS = { x: "steps.step", y: "steps.loss" };
const LOSS = { name: "loss", title: "", aid: "", tables: { steps: "grows" }, data: [{ mode: "lines", line: { color: "black" }, meta: STEPS }] };
const GATE = { name: "reset", title: "", aid: "", tables: { signals: "snapshot" }, data: [{ type: "heatmap", meta: { z: "signals.reset" } }] };
const WORDS = { empty: "Nothing yet", lost: "Connection lost", gone: "Gone", crowded: "Crowded", full: "Full" };

let now;
let place;
let told;
let leave;

beforeEach(() => {
  leave?.(); // with the timers that it has
  leave = null;
  now = 1000;
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(performance, "now", () => now);
  mock.method(Math, "random", () => 0.5);
  Object.assign(style, { "--st-background-color": "#ffffff", "--st-text-color": "#111111" });
  Socket.opened.length = 0;
  drawn.length = 0;
  place = root();
  told = [];
});

function card(chart) {
  return { name: chart.name, title: chart.name, aid: "", width: "half", charts: [{ layout: {}, ...chart }] };
}

// The panel as the page sends it, with what is drawn by then.
async function shown(changes = {}) {
  const data = {
    files: "", feed: "/feed", language: "en", token: "one", fresh: false, status: "running", view: "overview",
    figures: [["step", "Step", "0"], ["solved", "Solved < 0.01", "–"]], cards: [card(LOSS), card(GATE)], tables: {},
    marks: [], alternatives: { loss: "Nothing trained yet." }, words: WORDS, dark: { black: "silver" }, ...changes,
  };
  leave = await show({ data, parentElement: place, setTriggerValue: (...what) => told.push(what) });
  await settled();
}

function settled() {
  return new Promise((resolve) => setImmediate(resolve));
}

// A frame as tests/test_panel_js.py shows that Python packs it.
function packed(columns, changes) {
  const header = {
    token: "one", status: "running", starts: { steps: 0 }, snapshot: -1, figures: {}, marks: [], texts: null,
    advice: null, stages: { step: 1, seconds: 0, rows: [] }, alternatives: {},
    columns: columns.map(([table, name, values, shape]) => [table, name, shape ?? [values.length]]), ...changes,
  };
  const about = new TextEncoder().encode(JSON.stringify(header));
  const padded = 4 * Math.ceil(about.length / 4);
  const values = columns.flatMap(([, , each]) => each);
  const buffer = new ArrayBuffer(4 + padded + 4 * values.length);
  new DataView(buffer).setUint32(0, padded, true);
  new Uint8Array(buffer, 4, padded).fill(32).set(about);
  new Float32Array(buffer, 4 + padded).set(values);
  return buffer;
}

async function heard(columns, changes) {
  Socket.opened.at(-1).onmessage({ data: packed(columns, changes) });
  await settled();
}

const TWO_STEPS = [["steps", "step", [1, 2]], ["steps", "loss", [8, 9]]];
const gate = (value) => [["signals", "reset", [value, value], [1, 2]]];
const latest = (chart) => drawn.findLast(([name]) => name === chart).slice(1);
const pictures = () => drawn.filter(([name]) => name === "reset").map(([, [trace]]) => trace.z[0]?.[0]);
const said = () => [".gv-coach", ".gv-text"].map((each) => place.querySelectorAll(each).map(({ textContent }) => textContent));
const names = () => drawn.map(([name]) => name);
const label = (name) => place.querySelectorAll(".gv-plot").find(({ dataset }) => dataset.chart === name).getAttribute("aria-label");
const figures = () => place.querySelectorAll("dt").map((dt, i) => [dt.textContent, place.querySelectorAll("dd")[i].textContent]);
const lost = () => place.querySelector(".gv-lost");

test("what a frame brings is drawn, and only in the charts that show it", async () => {
  await shown();
  drawn.length = 0;
  await heard(TWO_STEPS);
  assert.deepEqual(names(), ["loss"]);
  const [[, [trace]]] = drawn;
  assert.deepEqual([Array.from(trace.x), Array.from(trace.y)], [[1, 2], [8, 9]]);
  await heard([], { starts: {} });
  assert.deepEqual(names(), ["loss"]);
});

test("the feed is asked for what the panel lacks", async () => {
  await shown();
  await heard([...TWO_STEPS, ...gate(0.5)], { snapshot: 2 });
  assert.deepEqual(Socket.opened[0].sent, [{ snapshot: 2, steps: 2 }]);
  assert.equal(Socket.opened[0].address, "ws://here/feed?view=overview&language=en");
});

test("a frame of another run is not taken", async () => {
  await shown();
  drawn.length = 0;
  await heard(TWO_STEPS, { token: "two", status: "paused", figures: { step: "9" }, alternatives: { loss: "Another." } });
  assert.deepEqual([names(), told, figures()[0], label("loss")], [[], [], ["Step", "0"], "Nothing trained yet."]);
});

test("the columns of a run go when another comes, and what the page brings stays", async () => {
  await shown();
  await heard(TWO_STEPS);
  await shown({ token: "two" });
  const [[trace], layout] = latest("loss");
  assert.deepEqual([trace.x, layout.annotations[0].text], [[], "Nothing yet"]);
  Socket.opened.at(-1).onopen();
  assert.deepEqual(Socket.opened.at(-1).sent, [{ snapshot: -1 }]);
});

test("a newer picture is drawn, two in a second four tenths apart, and the same one not again", async () => {
  await shown();
  await heard(gate(0.25), { snapshot: 1 });
  assert.deepEqual(pictures(), [undefined]);
  now += 400;
  mock.timers.tick(400);
  await settled();
  assert.deepEqual(pictures(), [undefined, 0.25]);
  now += 400;
  await heard([], { snapshot: 1 });
  assert.deepEqual(pictures(), [undefined, 0.25]);
  await heard(gate(0.75), { snapshot: 2 });
  assert.deepEqual(pictures(), [undefined, 0.25, 0.75]);
});

test("what comes with a frame is shown: marks, advice, and what a model of letters writes", async () => {
  await shown();
  const advice = [{ rule: "plateau", severity: "hint", text: "It is flat.", action: "" }];
  await heard(TWO_STEPS, { marks: [{ x0: 2 }], advice, texts: { reset: "and so on" } });
  assert.deepEqual(latest("loss")[1].shapes, [{ x0: 2 }]);
  assert.deepEqual(said(), [["It is flat."], ["", "and so on"]]);
  await heard([], { starts: {} });
  assert.deepEqual(said(), [["It is flat."], ["", "and so on"]]);
  await shown({ token: "two" });
  assert.deepEqual(said(), [[""], ["", ""]]);
});

test("tables of the page go when it brings them no more", async () => {
  const next = { ...LOSS, tables: { next: null }, data: [{ mode: "lines", meta: { x: "next.step", y: "next.rate" } }] };
  await shown({ cards: [card(next)], tables: { next: { step: [1, 2], rate: [5, 6] } } });
  assert.deepEqual(latest("loss")[0][0].x, [1, 2]);
  await shown({ cards: [card(next)] });
  assert.deepEqual(latest("loss")[0][0].x, []);
});

test("a refresh takes up the run that the tab had, and one that was given up is not taken up again", async () => {
  await shown();
  const refreshed = async (fresh) => {
    leave();
    told = [];
    await shown({ token: null, fresh });
    return told;
  };
  assert.deepEqual(await refreshed(true), [["attach", "one"]]);
  assert.deepEqual(await refreshed(false), []); // Reset
  assert.deepEqual(await refreshed(true), []);
});

test("a page that nobody sees is not drawn until somebody does", async () => {
  await shown();
  drawn.length = 0;
  globalThis.document.hidden = true;
  await heard(TWO_STEPS);
  assert.deepEqual(names(), []);
  globalThis.document.hidden = false;
  globalThis.document.listeners.visibilitychange();
  await settled();
  assert.deepEqual(names(), ["loss"]);
});

test("a figure that the page sends again is drawn as it is now, and a new kind of trace begins anew", async () => {
  await shown();
  await heard(TWO_STEPS);
  const purged = mock.method(globalThis.window.Plotly, "purge");
  const red = { ...LOSS.data[0], line: { color: "red" } };
  await shown({ cards: [card({ ...LOSS, data: [red] }), card(GATE)] });
  assert.deepEqual([latest("loss")[0][0].line.color, purged.mock.callCount()], ["red", 0]);
  await shown({ cards: [card({ ...LOSS, data: [{ ...red, type: "bar" }] }), card(GATE)] });
  assert.deepEqual([latest("loss")[0][0].type, purged.mock.callCount()], ["bar", 1]);
});

test("a zoomed curve is filled anew with all the points of its range", async () => {
  await shown();
  const steps = Array.from({ length: 9000 }, (_, step) => step);
  await heard([["steps", "step", steps], ["steps", "loss", steps]]);
  assert.equal(latest("loss")[0][0].x.length, 1500);
  const plot = place.querySelector(".gv-plot");
  plot.layout.xaxis = { autorange: false, range: [5.5, 7.5] };
  plot.heard.plotly_relayout({ "xaxis.range[0]": 5.5 });
  await settled();
  assert.deepEqual(Array.from(latest("loss")[0][0].x), [5, 6, 7, 8]);
  drawn.length = 0;
  plot.heard.plotly_relayout({ dragmode: "pan" });
  await settled();
  assert.deepEqual(names(), []);
});

test("what is said already is not said again", async () => {
  await shown();
  const plot = place.querySelector(".gv-plot");
  const [set, written] = [mock.method(plot, "setAttribute"), mock.method(lost(), "replaceChildren")];
  await heard(TWO_STEPS, { alternatives: { loss: "Nothing trained yet." } });
  assert.deepEqual([set.mock.callCount(), written.mock.callCount()], [0, 0]);
});

test("the words for a chart follow the run", async () => {
  await shown();
  assert.equal(label("loss"), "Nothing trained yet.");
  await heard(TWO_STEPS, { alternatives: { loss: "Training loss 9.", lens: "In another view." } });
  assert.equal(label("loss"), "Training loss 9.");
  await heard([], { starts: {} });
  assert.equal(label("loss"), "Training loss 9.");
});

test("how the connection stands is announced, and goes when all is well", async () => {
  await shown();
  assert.deepEqual([lost().getAttribute("role"), lost().textContent], ["status", ""]);
  Socket.opened[0].onclose({ code: 1006 });
  assert.equal(lost().textContent, "Connection lost");
  mock.timers.tick(1000);
  await heard(TWO_STEPS);
  assert.deepEqual([lost().textContent, told], ["", []]);
});

test("a run that is gone is said to the page as well", async () => {
  await shown();
  Socket.opened[0].onclose({ code: 4404 });
  assert.deepEqual([lost().textContent, told], ["Gone", [["gone", "one"]]]);
});

test("the page is asked once for each change of how the run stands, and again after three seconds", async () => {
  await shown();
  await heard([], { starts: {} });
  assert.deepEqual(told, []);
  for (const wait of [0, 2999, 1]) {
    now += wait;
    await heard([], { starts: {}, status: "paused" });
  }
  assert.deepEqual(told, [["status", "paused"], ["status", "paused"]]);
});

test("figures are the feed's while it runs ahead of the page, and their labels are the page's", async () => {
  await shown();
  await heard(TWO_STEPS, { figures: { step: "2" } });
  assert.deepEqual(figures(), [["Step", "2"], ["Solved < 0.01", "–"]]);
  await shown({ figures: [["step", "Step", "1"], ["solved", "Solved < 0.5", "–"]] });
  assert.deepEqual(figures(), [["Step", "2"], ["Solved < 0.5", "–"]]);
  await shown({ token: null, figures: [["step", "Step", "0"], ["solved", "Solved < 0.5", "–"]] });
  assert.deepEqual(figures()[0], ["Step", "0"]);
});

test("another theme draws each chart anew in its colours", async () => {
  await shown();
  await heard(TWO_STEPS);
  assert.equal(latest("loss")[0][0].line.color, "black");
  Object.assign(style, { "--st-background-color": "#101010", "--st-text-color": "#eeeeee" });
  drawn.length = 0;
  now += 400;
  await shown();
  assert.deepEqual(names(), ["loss", "reset"]);
  const [[trace], layout] = latest("loss");
  assert.deepEqual([trace.line.color, layout.font.color, layout.plot_bgcolor], ["silver", "#eeeeee", "#101010"]);
});

test("a key moves the chart that has the focus", async () => {
  await shown();
  await heard(TWO_STEPS);
  const plot = place.querySelector(".gv-plot");
  assert.equal(plot.tabIndex, 0);
  const moves = [];
  globalThis.window.Plotly.relayout = (...move) => moves.push(move);
  plot.layout.xaxis = { range: [0, 4] };
  plot.listeners.keydown({ key: "ArrowRight", preventDefault() {} });
  assert.deepEqual(moves, [[plot, { "xaxis.range": [1, 5] }]]);
});

test("a card that another view lacks goes, and its chart with it", async () => {
  await shown();
  await shown({ view: "clip", cards: [card({ ...LOSS, name: "lens" })] });
  assert.deepEqual(place.querySelectorAll(".gv-plot").map(({ dataset }) => dataset.chart), ["lens"]);
  assert.equal(Socket.opened.at(-1).address, "ws://here/feed?view=clip&language=en");
});

test("the coach announces what it says, once, with a button that names its rule", () => {
  const taken = [];
  const coach = new Coach(place, (rule) => taken.push(rule));
  const advice = [
    { rule: "explosion", severity: "serious", text: "It exploded.", action: "Clip norm → 1" },
    { rule: "clip holds", severity: "hint", text: "<b>At work.", action: "" },
  ];
  coach.show(advice);
  assert.equal(coach.list.getAttribute("role"), "status");
  assert.deepEqual(coach.list.children.map((each) => [each.className, each.textContent]), [
    ["gv-serious", "It exploded.Clip norm → 1"],
    ["gv-hint", "<b>At work."],
  ]);
  assert.equal(coach.list.querySelectorAll("button").length, 1);
  coach.list.querySelector("button").onclick();
  assert.deepEqual(taken, ["explosion"]);
  const [first] = coach.list.children;
  coach.show(structuredClone(advice));
  assert.equal(coach.list.children[0], first); // a reader of the screen would say it again
  coach.show([]);
  assert.equal(coach.list.children.length, 0);
});

test("in slow motion the stages come one after the other, and what they led to comes last", () => {
  const stages = new Stages(place);
  let after = 0;
  const frame = (step, seconds) => stages.show({ step, seconds, rows: [["batch", "1"], ["loss", "2"]] }, () => (after += 1));
  const looks = () => stages.list.children.map(({ className }) => className);
  frame(1, 3);
  assert.deepEqual([looks(), after], [["gv-now", "gv-later"], 0]);
  mock.timers.tick(1500);
  frame(1, 3); // a frame without another step
  assert.deepEqual([looks(), after], [["", "gv-now"], 0]);
  mock.timers.tick(1500);
  assert.deepEqual([looks(), after], [["", ""], 1]);
  frame(2, 0);
  assert.deepEqual([looks(), after], [["", ""], 2]);
});
