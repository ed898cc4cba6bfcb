import assert from "node:assert/strict";
import { test } from "node:test";

import { dressed, filled, keyOf, luminance, recolour, spannedDecades, ticksFor } from "../../gruviz/ui/static/drawing.js";

const THEME = { text: "#111", grid: "#ddd", font: "sans", dark: false, background: "#fff" };
const CURVE = { mode: "lines", meta: { x: "steps.step", y: "steps.loss" } };
const LOSS = { traces: [CURVE], arrivals: { steps: "grows" }, name: "loss" };

function known(changes) {
  const tables = { steps: { step: Float32Array.of(1, 2), loss: Float32Array.of(8, 9) } };
  return { tables, counts: { steps: 2, snapshot: 7 }, marks: [], theme: THEME, dark: null, words: { empty: "Nothing yet" }, ...changes };
}

function layoutOf(chart, about = {}, drawn = {}) {
  const shown = known(about);
  return dressed(chart, filled(chart, shown, null), shown, { before: undefined, height: 400, ...drawn });
}

test("colours are exchanged at any depth, and nothing else is", () => {
  const figure = { line: { color: "black" }, colorscale: [[0, "white"], [1, "teal"]], width: 2, gap: null, on: true };
  const expected = { line: { color: "silver" }, colorscale: [[0, "navy"], [1, "teal"]], width: 2, gap: null, on: true };
  assert.deepEqual(recolour(figure, { black: "silver", white: "navy" }), expected);
  assert.equal(figure.line.color, "black");
});

test("luminance is 0 for black, 1 for white, and most of it is green", () => {
  assert.equal(luminance("#000000"), 0);
  for (const white of ["#ffffff", "rgb(255, 255, 255)"]) assert.ok(Math.abs(luminance(white) - 1) < 1e-12);
  assert.equal(luminance("rgba(0, 255, 0, 0.5)"), 0.7152);
  assert.ok(luminance("") > 0.99); // unknown: a light theme
});

test("decades are spanned by what is positive and finite in any trace", () => {
  const traces = [{ y: [0, -5, NaN, 0.01, 1] }, { y: [Infinity, 10] }, {}];
  assert.equal(spannedDecades(undefined, traces), 3);
  assert.equal(spannedDecades({ autorange: true }, traces), 3);
  assert.equal(spannedDecades(undefined, [{ y: [5] }]), 0);
  assert.equal(spannedDecades(undefined, [{ y: [0, NaN] }]), 0);
});

test("a zoomed axis spans what it shows", () => {
  assert.equal(spannedDecades({ autorange: false, range: [-2, -1.5] }, [{ y: [1, 1e9] }]), 0.5);
});

test("a log axis has a tick a decade if it spans many, 1, 2 and 5 of each if few, Plotly's own if less", () => {
  assert.deepEqual(ticksFor(3, 20), { dtick: 1 });
  assert.deepEqual(ticksFor(30, 10), { dtick: 3 });
  assert.deepEqual(ticksFor(2, 4), { dtick: 1 }); // no room for three a decade
  assert.deepEqual(ticksFor(0.5, 20), {});
  const { tickmode, tickvals, ticktext } = ticksFor(2, 20);
  assert.equal(tickmode, "array");
  const said = (value) => ticktext[tickvals.indexOf(value)];
  assert.deepEqual([0.05, 1, 20000, 2e-5, 5e7].map(said), ["0.05", "1", "20000", "2×10<sup>-5</sup>", "5×10<sup>7</sup>"]);
});

test("what a chart shows changes with its columns, its marks and the theme alone", () => {
  const key = keyOf(LOSS, known());
  assert.equal(keyOf(LOSS, known({ counts: { steps: 2, snapshot: 8, blocks: 5 } })), key);
  assert.notEqual(keyOf(LOSS, known({ counts: { steps: 3, snapshot: 7 } })), key);
  assert.notEqual(keyOf(LOSS, known({ marks: [{}] })), key);
  assert.notEqual(keyOf(LOSS, known({ theme: { ...THEME, dark: true } })), key);
});

test("a chart is drawn anew when a table of its own has changed, however that comes, and only then", () => {
  const changes = {
    news: { counts: { steps: 2, news: 3, snapshot: 7 } },
    look: { counts: { steps: 2, snapshot: 8 } },
    dot: { tables: { dot: { step: [5], rate: [1] } } },
    plan: { tables: { plan: { step: [], rate: [] } } },
  };
  const how = { news: "grows", look: "snapshot", dot: "frame", plan: null };
  for (const table of Object.keys(how)) {
    const chart = { traces: [{ meta: { x: `${table}.step` } }], arrivals: { [table]: how[table] } };
    const changed = Object.keys(changes).filter((name) => keyOf(chart, known(changes[name])) !== keyOf(chart, known()));
    assert.deepEqual(changed, [table]);
    const marked = keyOf(chart, known({ marks: [{}] })) !== keyOf(chart, known());
    assert.equal(marked, how[table] === "grows");
  }
});

test("traces are filled with the columns that they name", () => {
  const [made] = filled(LOSS, known(), null);
  assert.deepEqual([Array.from(made.x), Array.from(made.y), made.mode], [[1, 2], [8, 9], "lines"]);
  assert.equal(LOSS.traces[0].x, undefined);
  const [none] = filled(LOSS, known({ tables: {} }), null);
  assert.deepEqual([none.x, none.y], [[], []]);
});

test("a line of one point is drawn as a point", () => {
  const steps = { step: Float32Array.of(1), loss: Float32Array.of(8) };
  assert.equal(filled(LOSS, known({ tables: { steps } }), null)[0].mode, "markers");
});

test("a trace without columns stays, in the colours of the theme", () => {
  const chart = { traces: [{ y: [1], line: { color: "black" } }], arrivals: {} };
  assert.deepEqual(filled(chart, known({ dark: { black: "silver" } }), null), [{ y: [1], line: { color: "silver" } }]);
});

test("long curves over steps are thinned, to the range in view", () => {
  const step = Float32Array.from({ length: 9000 }, (_, i) => i);
  const shown = known({ tables: { steps: { step, loss: step } } });
  assert.equal(filled(LOSS, shown, null)[0].x.length, 1500);
  assert.deepEqual(Array.from(filled(LOSS, shown, [5.5, 7.5])[0].x), [5, 6, 7, 8]);
});

test("a layout has the theme's colours and keeps its own", () => {
  const layout = layoutOf({ ...LOSS, layout: { font: { size: 12 }, xaxis: { title: { text: "Step" } } } });
  assert.deepEqual(layout.font, { size: 12, color: "#111", family: "sans" });
  assert.equal(layout.plot_bgcolor, "#fff");
  assert.deepEqual([layout.xaxis.gridcolor, layout.xaxis.title.text], ["#ddd", "Step"]);
});

test("the ticks of a log axis follow what it shows and how high its row is", () => {
  const chart = { ...LOSS, layout: { yaxis: { type: "log" } } };
  const steps = { step: Float32Array.of(1, 2), loss: Float32Array.of(1, 100) };
  assert.equal(layoutOf(chart, { tables: { steps } }).yaxis.tickmode, "array");
  assert.equal(layoutOf(chart, { tables: { steps } }, { height: 80 }).yaxis.dtick, 1);
  const row = { ...LOSS, layout: { yaxis: { type: "log", domain: [0.8, 1] } } };
  assert.equal(layoutOf(row, { tables: { steps } }).yaxis.dtick, 1);
  const zoomed = { before: { yaxis: { autorange: false, range: [0, 6] } } };
  assert.equal(layoutOf(chart, { tables: { steps } }, zoomed).yaxis.dtick, 1);
});

test("a chart without rows, or without anything in them, says so", () => {
  const chart = { ...LOSS, layout: { meta: { empty: "Not clipped" }, yaxis: {} } };
  const said = (tables) => layoutOf(chart, { tables }).annotations?.[0].text;
  assert.equal(said({}), "Nothing yet");
  assert.equal(said({ steps: { step: [1], loss: [NaN] } }), "Not clipped");
  assert.equal(said({ steps: { step: [1], loss: [2] } }), undefined);
  assert.equal(layoutOf({ ...LOSS, layout: {} }, { tables: {} }).annotations[0].text, "Nothing yet");
  assert.equal(layoutOf(chart, { tables: {} }).yaxis.showticklabels, false);
});

test("marks stand on charts over steps, and one with a name on that chart alone", () => {
  const marks = [{ x0: 1 }, { x0: 2, name: "loss" }, { x0: 3, name: "norm" }];
  const chart = { ...LOSS, layout: { shapes: [{ y0: 5 }] } };
  assert.deepEqual(layoutOf(chart, { marks }).shapes, [{ y0: 5 }, { x0: 1 }, { x0: 2, name: "loss" }]);
  const plan = { meta: { x: "plan.step", y: "plan.rate" } };
  const still = { traces: [plan], arrivals: { plan: null }, name: "rate", layout: {} };
  assert.equal(layoutOf(still, { marks }).shapes, undefined);
});

test("on a dark page the layout and the marks are in the twins of their colours", () => {
  const chart = { ...LOSS, layout: { shapes: [{ y0: 5, line: { color: "black" } }] } };
  const { shapes } = layoutOf(chart, { dark: { black: "silver" }, marks: [{ x0: 1, line: { color: "black" } }] });
  assert.deepEqual(shapes, [{ y0: 5, line: { color: "silver" } }, { x0: 1, line: { color: "silver" } }]);
  assert.equal(chart.layout.shapes[0].line.color, "black");
});

test("the ticks of each log axis follow its own curves, and those of the first the known lines, too", () => {
  const norm = { meta: { x: "steps.step", y: "steps.norm" }, yaxis: "y2" };
  const layout = { yaxis: { type: "log" }, yaxis2: { type: "log" }, shapes: [{ y0: 0.01 }] };
  const chart = { traces: [CURVE, norm], arrivals: { steps: "grows" }, name: "loss", layout };
  const steps = { step: Float32Array.of(1, 2), loss: Float32Array.of(1, 2), norm: Float32Array.of(1, 1e6) };
  const { yaxis, yaxis2 } = layoutOf(chart, { tables: { steps } });
  assert.deepEqual([yaxis.tickmode, yaxis2.dtick], ["array", 1]);
  const alone = layoutOf({ ...chart, layout: { yaxis: { type: "log" } } }, { tables: { steps } });
  assert.equal(alone.yaxis.tickmode, undefined); // 1 to 2 is less than a decade
});

test("the dot that says where the run is moves with each frame that moves it", () => {
  const dot = { traces: [{ meta: { x: "here.step" } }], arrivals: { here: "frame" } };
  const at = (step) => keyOf(dot, known({ tables: { here: { step: [step] } } }));
  assert.equal(at(5), at(5));
  assert.notEqual(at(5), at(6));
});

test("a picture is filled with its matrix, and bars with the colours of a column", () => {
  const bars = { type: "bar", marker: { cmin: 0 }, meta: { x: "probe.time", y: "probe.input", color: "probe.mark" } };
  const chart = { traces: [{ type: "heatmap", meta: { z: "signals.reset" } }, bars], arrivals: { signals: "snapshot", probe: null } };
  const tables = { signals: { reset: [[1, 2]] }, probe: { time: [0, 1], input: [5, 6], mark: [0, 1] } };
  const [picture, marked] = filled(chart, known({ tables }), null);
  assert.deepEqual([picture.z, marked.x, marked.y, marked.marker], [[[1, 2]], [0, 1], [5, 6], { cmin: 0, color: [0, 1] }]);
  const [none, plain] = filled(chart, known({ tables: {} }), null);
  assert.deepEqual([none.z, plain.marker.color], [[], []]);
});
