import assert from "node:assert/strict";
import { test } from "node:test";

import { keys, moved } from "../../gruviz/ui/static/keys.js";

const RANGES = {
  "+": [125, 175],
  "=": [125, 175],
  "-": [50, 250],
  ArrowLeft: [75, 175],
  ArrowRight: [125, 225],
};

for (const [key, range] of Object.entries(RANGES)) {
  test(`${key} makes ${range} of 100 to 200`, () => {
    assert.deepEqual(moved(key, [100, 200]), { "xaxis.range": range });
  });
}

test("plus and then minus is where it began", () => {
  assert.deepEqual(moved("-", moved("+", [100, 200])["xaxis.range"]), { "xaxis.range": [100, 200] });
});

test("Escape shows everything, and another key is left alone", () => {
  assert.deepEqual(moved("Escape", [100, 200]), { "xaxis.autorange": true });
  assert.equal(moved("a", [100, 200]), undefined);
});

// What a key does to a chart: [what Plotly was told, whether the browser's own answer was prevented].
function pressed(event, plot = { layout: { xaxis: { range: ["100", "200"] } } }) {
  const told = [];
  let prevented = false;
  globalThis.window = { Plotly: { relayout: (...of) => told.push(of) } };
  keys({ preventDefault: () => (prevented = true), ...event }, plot);
  return [told.map(([, change]) => change), prevented];
}

test("a key moves the chart and not the page", () => {
  assert.deepEqual(pressed({ key: "ArrowRight" }), [[{ "xaxis.range": [125, 225] }], true]);
});

test("what belongs to the browser stays with the browser", () => {
  for (const modifier of ["ctrlKey", "metaKey", "altKey"]) {
    assert.deepEqual(pressed({ key: "+", [modifier]: true }), [[], false]);
  }
  assert.deepEqual(pressed({ key: "Tab" }), [[], false]);
  assert.deepEqual(pressed({ key: "+" }, {}), [[], false]);
});
