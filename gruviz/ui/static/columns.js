// The columns that charts are drawn from, and what a frame of the feed adds to them.

const POINTS = 1500; // more than this in view are thinned to the extremes of each bucket

// A column of float32 that grows at its end.
export class Growing {
  constructor() {
    this.buffer = new Float32Array(1024);
    this.length = 0;
  }

  // The values stand from row `start` on; what was there and after it is forgotten.
  append(values, start = this.length) {
    const needed = start + values.length;
    if (needed > this.buffer.length) {
      const larger = new Float32Array(Math.max(needed, 2 * this.buffer.length));
      larger.set(this.buffer);
      this.buffer = larger;
    }
    this.buffer.set(values, start);
    this.length = needed;
  }

  view() {
    return this.buffer.subarray(0, this.length);
  }
}

// A frame as gruviz/ui/feed.py packs it.
export function unpack(buffer) {
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

// Tables that grow gain rows where the feed says that they start, and are counted; others are replaced.
export function takeIn(tables, counts, { header, columns }) {
  for (const [table, name, values, shape] of columns) {
    const store = (tables[table] ??= {});
    if (table in header.starts) {
      const column = (store[name] ??= new Growing());
      column.append(values, header.starts[table]);
      counts[table] = column.length;
    } else {
      store[name] = shape.length === 2 ? rows(values, shape) : values;
    }
  }
  counts.snapshot = header.snapshot;
}

// "blocks.gradient.W_ir": the table ends at the first dot.
export function tableAndColumn(name) {
  const dot = name.indexOf(".");
  return [name.slice(0, dot), name.slice(dot + 1)];
}

export function columnOf(tables, name) {
  const [table, column] = tableAndColumn(name);
  const found = tables[table]?.[column];
  return found instanceof Growing ? found.view() : found;
}

export function rows(values, [count, width]) {
  return Array.from({ length: count }, (_, row) => values.subarray(row * width, (row + 1) * width));
}

// The least and the greatest value of each bucket: a spike of one step stays visible.
export function thin(x, y, range) {
  if (x.length <= POINTS) return [x, y];
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
