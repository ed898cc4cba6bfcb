import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { columnOf, Growing, rows, tableAndColumn, takeIn, thin, unpack } from "../../gruviz/ui/static/columns.js";

const plain = (values) => Array.from(values);
const numbers = (count, value = (i) => i) => Float32Array.from({ length: count }, (_, i) => value(i));

function frame() {
  const bytes = readFileSync(new URL("frame.bin", import.meta.url)); // tests/test_panel_js.py packs it
  return unpack(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

test("a frame is unpacked to the header and columns that Python packed", () => {
  const { header, columns } = frame();
  assert.equal(header.token, "größer");
  assert.deepEqual(header.starts, { steps: 2 });
  assert.deepEqual(
    columns.map(([table, name, values, shape]) => [table, name, plain(values), shape]),
    [
      ["steps", "step", [3, 4], [2]],
      ["steps", "loss", [0.5, NaN], [2]],
      ["signals", "update", [1, 2, 3, 4, 5, 6], [2, 3]],
      ["here", "step", [4], [1]],
    ],
  );
});

test("tables that grow are counted, others are replaced, and a matrix becomes its rows", () => {
  const tables = { here: { step: numbers(9) } };
  const counts = { steps: 2, snapshot: -1 };
  tables.steps = { step: new Growing(), loss: new Growing() };
  tables.steps.step.append([1, 2, 99]); // the feed says that it begins after the second
  tables.steps.loss.append([9, 8, 99]);
  takeIn(tables, counts, frame());
  assert.deepEqual(counts, { steps: 4, snapshot: 7 });
  assert.deepEqual(plain(columnOf(tables, "steps.step")), [1, 2, 3, 4]);
  assert.deepEqual(plain(columnOf(tables, "steps.loss")), [9, 8, 0.5, NaN]);
  assert.deepEqual(plain(columnOf(tables, "here.step")), [4]);
  assert.deepEqual(columnOf(tables, "signals.update").map(plain), [[1, 2, 3], [4, 5, 6]]);
  assert.equal(columnOf(tables, "signals.reset"), undefined);
  assert.equal(columnOf(tables, "nothing.reset"), undefined);
});

test("rows come in the order of the data, the last index fastest", () => {
  assert.deepEqual(rows(numbers(6), [3, 2]).map(plain), [[0, 1], [2, 3], [4, 5]]);
  assert.deepEqual(rows(numbers(6), [2, 3]).map(plain), [[0, 1, 2], [3, 4, 5]]);
});

test("a table's name ends at the first dot", () => {
  assert.deepEqual(tableAndColumn("blocks.gradient.W_ir"), ["blocks", "gradient.W_ir"]);
});

test("a column grows at its end, also beyond the room that it has", () => {
  const column = new Growing();
  column.append([1, 2]);
  column.append([3]);
  assert.deepEqual(plain(column.view()), [1, 2, 3]);
  column.append(numbers(5000));
  assert.equal(column.length, 5003);
  assert.deepEqual(plain(column.view().subarray(0, 5)), [1, 2, 3, 0, 1]);
  assert.equal(column.view().at(-1), 4999);
});

test("rows from an earlier start on replace what stood there and all that came after", () => {
  const column = new Growing();
  column.append([1, 2, 3, 4]);
  column.append([9], 1);
  assert.deepEqual(plain(column.view()), [1, 9]);
});

test("few points are drawn as they are", () => {
  const x = numbers(1500);
  assert.deepEqual(thin(x, x, null), [x, x]);
  assert.deepEqual(thin(x, x, [5, 7]), [x, x]);
});

test("the least and the greatest value of each bucket stay, in their order", () => {
  const x = numbers(3000); // 750 buckets of four
  const [xs, ys] = thin(x, numbers(3000, (i) => [5, -1, 9, 5][i % 4]), null);
  assert.equal(xs.length, 1500);
  assert.deepEqual(xs.slice(0, 4), [1, 2, 5, 6]);
  assert.deepEqual(ys.slice(0, 4), [-1, 9, -1, 9]);
  const [, falling] = thin(x, numbers(3000, (i) => [5, 9, -1, 5][i % 4]), null);
  assert.deepEqual(falling.slice(0, 4), [9, -1, 9, -1]);
});

test("a spike of one step stays, upwards and downwards", () => {
  for (const spike of [1000, -1000]) {
    const [xs, ys] = thin(numbers(100_000), numbers(100_000, (i) => (i === 54_321 ? spike : i % 7)), null);
    assert.equal(xs[ys.indexOf(spike)], 54_321);
    assert.ok(xs.length <= 1500);
  }
});

test("a bucket of one value gives one point, and one of NaN a gap", () => {
  const y = numbers(3000, (i) => (i < 4 ? 2 : i < 8 ? NaN : i));
  const [xs, ys] = thin(numbers(3000), y, null);
  assert.deepEqual(xs.slice(0, 4), [0, 4, 8, 11]);
  assert.deepEqual(ys.slice(0, 4), [2, NaN, 8, 11]);
});

test("NaN hides neither extreme of its bucket", () => {
  const y = numbers(3000, (i) => [NaN, 3, NaN, 1][i % 4]);
  const [xs, ys] = thin(numbers(3000), y, null);
  assert.deepEqual([xs.slice(0, 2), ys.slice(0, 2)], [[1, 3], [3, 1]]);
});

test("in a zoomed view all points are drawn that fit, with a neighbour on either side", () => {
  const x = numbers(100_000);
  const [xs, ys] = thin(x, numbers(100_000, (i) => -i), [500.5, 503.5]);
  assert.deepEqual(plain(xs), [500, 501, 502, 503, 504]);
  assert.deepEqual(plain(ys), [-500, -501, -502, -503, -504]);
});

test("a gap of one step stays in a zoomed view where all points fit", () => {
  const y = numbers(100_000, (i) => (i === 700 ? NaN : i));
  const [xs, ys] = thin(numbers(100_000), y, [0, 1400]);
  assert.deepEqual([xs.length, xs[700], ys[700]], [1402, 700, NaN]);
});

test("a zoomed view of many points is thinned by its own buckets", () => {
  const x = numbers(100_000);
  const [xs] = thin(x, x, [40_000, 60_000]);
  assert.ok(xs[0] <= 40_000 && xs[0] > 39_900);
  assert.ok(xs.at(-1) >= 60_000 && xs.at(-1) < 60_100);
  assert.ok(xs.length > 1000 && xs.length <= 1500);
});

test("the first and the last step are drawn, whatever lies between", () => {
  const [xs, ys] = thin(numbers(100_001), numbers(100_001, (i) => (i === 0 ? 9 : i === 100_000 ? -9 : 0)), null);
  assert.deepEqual([xs[0], ys[0], xs.at(-1), ys.at(-1)], [0, 9, 100_000, -9]);
});
