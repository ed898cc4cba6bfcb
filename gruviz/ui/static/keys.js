// A chart from the keyboard: plus and minus zoom along x, the arrows move, Escape shows everything.

// What a key makes of the range of an axis, as Plotly's relayout takes it; undefined if nothing.
export function moved(key, [a, b]) {
  const width = b - a;
  const ranges = {
    "+": [a + width / 4, b - width / 4],
    "=": [a + width / 4, b - width / 4],
    "-": [a - width / 2, b + width / 2],
    ArrowLeft: [a - width / 4, b - width / 4],
    ArrowRight: [a + width / 4, b + width / 4],
  };
  if (key === "Escape") return { "xaxis.autorange": true };
  return ranges[key] && { "xaxis.range": ranges[key] };
}

export function keys(event, plot) {
  const axis = plot.layout?.xaxis;
  if (!axis?.range || event.ctrlKey || event.metaKey || event.altKey) return;
  const change = moved(event.key, axis.range.map(Number));
  if (!change) return;
  window.Plotly.relayout(plot, change);
  event.preventDefault();
}
