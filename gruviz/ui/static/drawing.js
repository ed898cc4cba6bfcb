// What Plotly is given: the page's figures with columns, colours, ticks and marks. No DOM here.

import { columnOf, tableAndColumn, thin } from "./columns.js";

// Whether traces are drawn from columns that grow as the run goes on. arrivals: of a chart, how the
// columns of each of its tables come ("grows", "snapshot", "frame", null with the page).
function overSteps(traces, arrivals) {
  return traces.some(({ meta }) => meta?.x && arrivals[tableAndColumn(meta.x)[0]] === "grows");
}

// What changes when a table does.
function stateOf(table, how, { tables, counts }) {
  if (how === "grows") return counts[table] ?? 0;
  if (how === "snapshot") return counts.snapshot;
  if (how === "frame") return Object.values(tables[table] ?? {}).map((column) => column[0]);
  return table in tables;
}

function axesOf(layout) {
  return Object.keys(layout).filter((name) => /^[xy]axis/.test(name));
}

// What a chart shows depends on the data it names, the marks and the theme, and on nothing else.
export function keyOf({ traces, arrivals }, known) {
  const parts = Object.entries(arrivals).map(([table, how]) => stateOf(table, how, known));
  return JSON.stringify([parts, overSteps(traces, arrivals) ? known.marks : 0, known.theme]);
}

// The traces with the columns that their `meta` names; range: of x in view, null if all.
export function filled({ traces, arrivals }, { tables, dark }, range) {
  return traces.map((trace) => {
    const made = dark ? recolour(trace, dark) : { ...trace };
    const meta = trace.meta ?? {};
    let x = meta.x && columnOf(tables, meta.x);
    let y = meta.y && columnOf(tables, meta.y);
    if (overSteps([trace], arrivals) && y) [x, y] = thin(x, y, range);
    if (meta.x) made.x = x ?? [];
    if (meta.y) made.y = y ?? [];
    if (made.mode === "lines" && x?.length === 1) made.mode = "markers"; // one point has no line
    if (meta.z) made.z = columnOf(tables, meta.z) ?? [];
    if (meta.color) made.marker = { ...made.marker, color: columnOf(tables, meta.color) ?? [] };
    return made;
  });
}

// The layout in the theme; before: Plotly's own of the last time; height: of the plot in pixels.
export function dressed(chart, traces, { theme, dark, words, marks }, { before, height }) {
  const { text, grid, font, background } = theme;
  const layout = dark ? recolour(chart.layout, dark) : structuredClone(chart.layout);
  layout.font = { ...layout.font, color: text, family: font };
  layout.paper_bgcolor = layout.plot_bgcolor = background; // the cursor stands out from it
  layout.hoverlabel = { bgcolor: background, bordercolor: grid, font: { color: text } };
  for (const name of axesOf(layout)) {
    const axis = layout[name];
    Object.assign(axis, { gridcolor: grid, linecolor: grid, tickcolor: grid });
    axis.title = { ...axis.title, font: { size: 12.5 } };
    if (!name.startsWith("y") || axis.type !== "log") continue;
    const levels = name === "yaxis" ? (layout.shapes ?? []).map(({ y0 }) => ({ y: [y0] })) : [];
    const own = traces.filter(({ yaxis }) => (yaxis ?? "y") === name.replace("axis", ""));
    const decades = spannedDecades(before?.[name], [...own, ...levels]) || 2; // about one constant
    Object.assign(axis, ticksFor(decades, rowHeight(height, axis) / 20)); // labels
  }
  const begun = traces.some(({ x, y, z }) => (x ?? y ?? z)?.length);
  const without = layout.meta?.empty; // what to say if there are rows, and nothing in them
  if (!begun || (without && !traces.some(({ y }) => y?.some(Number.isFinite)))) {
    for (const name of axesOf(layout)) layout[name].showticklabels = false;
    const place = { showarrow: false, xref: "paper", yref: "paper", x: 0.5, y: 0.5 };
    layout.annotations = [{ text: begun ? without : words.empty, ...place }];
  }
  if (overSteps(chart.traces, chart.arrivals) && marks?.length) {
    const own = marks.filter(({ name }) => !name || name === chart.name); // some are of one chart alone
    layout.shapes = [...(layout.shapes ?? []), ...(dark ? recolour(own, dark) : own)];
  }
  return layout;
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

// The ticks of a logarithmic axis of so many decades with room for so many labels.
export function ticksFor(decades, room) {
  if (decades > 2.5 || 3 * decades > room) return { dtick: Math.ceil(decades / room) };
  return decades > 0.8 ? TICKS : {};
}

// The height in pixels of the row of a figure that an axis runs along.
function rowHeight(height, { domain = [0, 1] }) {
  return Math.max(20, height * (domain[1] - domain[0]));
}

// How many powers of ten a logarithmic axis shows, to choose ticks that don't crowd.
export function spannedDecades(axis, traces) {
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

export function recolour(value, colours) {
  if (typeof value === "string") return colours[value] ?? value;
  if (Array.isArray(value)) return value.map((each) => recolour(each, colours));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, recolour(v, colours)]));
  }
  return value;
}

// From 0 for black to 1 for white.
export function luminance(colour) {
  const numbers = colour.startsWith("#")
    ? [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16))
    : (colour.match(/[\d.]+/g) ?? [255, 255, 255]).slice(0, 3).map(Number);
  return (0.2126 * numbers[0] + 0.7152 * numbers[1] + 0.0722 * numbers[2]) / 255;
}
