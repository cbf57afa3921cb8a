// The tracks of figures: time axis, latency, rate, and the overview of the whole run.

function drawAxis() {
  const one = track("axis");
  const context = fresh(one);
  const step = timeStep(one);
  context.font = SMALL;
  context.fillStyle = colours.muted;
  context.textAlign = "center";
  for (let t = Math.ceil(view.from / step) * step; t <= view.to; t += step) {
    const x = xOf(one, t);
    if (x < gutter || x > one.width - 24) continue;
    context.fillText(data.timed ? (t / 1e6).toFixed(clamp(6 - Math.floor(Math.log10(step) + 1e-9), 0, 6)) + " s" : "line " + Math.round(t / 1000), x, 12);
  }
  context.textAlign = "left";
}

// Latency: a logarithmic scale that is the same however far one zooms in.
const latencyRange = (() => {
  let least = Infinity, most = 0;
  for (let i = 0; i < count; i++) {
    if (ops.dur[i] < 0) continue;
    const value = Math.max(ops.dur[i], 1);
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  if (least > most) return { low: 2, high: 4 };
  const low = Math.floor(Math.log10(least)), high = Math.ceil(Math.log10(most * 1.05));
  return { low, high: Math.max(high, low + 1) };
})();
const LATENCY_PAD = 8;
const latencyShare = Float32Array.from(ops.dur, (us) => (Math.log10(Math.max(us, 1)) - latencyRange.low) / (latencyRange.high - latencyRange.low));
const shareY = (one, share) => one.height - LATENCY_PAD - share * (one.height - 2 * LATENCY_PAD);
const latencyY = (one, i) => shareY(one, latencyShare[i]);

function drawLatency() {
  const one = track("latency");
  const context = fresh(one);
  background(one);
  for (let power = latencyRange.low; power <= latencyRange.high; power++) {
    const y = shareY(one, (power - latencyRange.low) / (latencyRange.high - latencyRange.low));
    inGutter(one, length(10 ** power), clamp(y, 6, one.height - 6));
    context.fillStyle = colours.line;
    context.fillRect(gutter, Math.round(y), plotWidth(one), 1);
  }
  const first = firstAtLeast(count, (i) => start[i], view.from), last = firstAtLeast(count, (i) => start[i], view.to);
  clipped(one, () => {
    drawPoints(one, context, first, last);
    drawQuantiles(one, context, first, last);
  });
}

/** Points on a grid of 2 px: where many operations share a cell it is darker, and the most telling one gives the colour. */
function drawPoints(one, context, first, last) {
  const columns = Math.ceil(one.width / 2) + 1, rows = Math.ceil(one.height / 2) + 1;
  const levels = new Uint8Array(columns * rows), counts = new Uint32Array(columns * rows);
  const scale = plotWidth(one) / span();
  for (let i = first; i < last; i++) {
    if (ops.dur[i] < 0) continue;
    const cell = (latencyY(one, i) >> 1) * columns + ((gutter + (start[i] - view.from) * scale) >> 1);
    levels[cell] = Math.max(levels[cell], levelOf(i));
    counts[cell]++;
  }
  const fills = levelColours();
  const size = last - first < 1500 ? 3 : 2;
  for (let level = PLAIN; level <= HOT; level++) {
    context.fillStyle = fills[level];
    const side = level === HOT ? 5 : size;
    for (let cell = 0; cell < levels.length; cell++) {
      if (levels[cell] !== level) continue;
      context.globalAlpha = level === HOT ? 1 : Math.min(0.4 + 0.12 * Math.log2(counts[cell]), 0.95);
      context.fillRect((cell % columns) * 2 - (side >> 2), Math.floor(cell / columns) * 2 - (side >> 2), side, side);
    }
  }
  context.globalAlpha = 1;
}

/** Lines through the median and the 99th percentile of ok operations, as fine as a dozen operations per point allow. */
function drawQuantiles(one, context, first, last) {
  const bucket = Math.max((plotWidth(one) * 12) / Math.max(last - first, 1), 8); // px
  if (bucket > plotWidth(one) / 4) return;
  // A histogram by pixel rows is exact enough for a line, and needs no sorting.
  const rows = one.height + 1, size = Math.ceil(plotWidth(one) / bucket) + 1;
  const histogram = new Uint32Array(size * rows), totals = new Uint32Array(size);
  const scale = plotWidth(one) / span() / bucket;
  for (let i = first; i < last; i++) {
    if (type[i] !== OK || (matches && !matches[i])) continue;
    const n = Math.floor((start[i] - view.from) * scale);
    histogram[n * rows + Math.round(latencyY(one, i))]++;
    totals[n]++;
  }
  context.strokeStyle = colours.fg;
  for (const [quantile, width] of [[0.5, 1.75], [0.99, 1]]) {
    context.lineWidth = width;
    context.beginPath();
    for (let n = 0, drawing = false; n < size; n++) {
      if (!totals[n]) {
        drawing = false; // the line breaks where nothing succeeded
        continue;
      }
      let left = Math.ceil(quantile * totals[n]), y = rows;
      while (left > 0) left -= histogram[n * rows + --y]; // low latencies lie at the bottom
      const x = gutter + (n + 0.5) * bucket;
      if (drawing) context.lineTo(x, y);
      else context.moveTo(x, y);
      drawing = true;
    }
    context.stroke();
  }
}

/** The operation whose point is nearest to a place in the latency chart, within a few pixels. */
function latencyAt(one, x, y) {
  const reach = (6 * span()) / plotWidth(one), t = timeAt(one, x);
  let best = -1, distance = 8;
  for (let i = firstAtLeast(count, (k) => start[k], t - reach); i < count && start[i] <= t + reach; i++) {
    if (ops.dur[i] < 0) continue;
    const away = Math.hypot(xOf(one, start[i]) - x, latencyY(one, i) - y);
    if (away < distance) {
      best = i;
      distance = away;
    }
  }
  return best;
}

/** Completions per bucket of time: [width in µs, first bucket's begin, counts by type]. Matching operations only. */
function completions(from, to, step) {
  const begin = Math.floor(from / step) * step;
  const size = Math.max(Math.ceil((to - begin) / step), 1);
  const bins = [null, new Float64Array(size), new Float64Array(size), new Float64Array(size)];
  for (let i = firstAtLeast(count, (k) => start[k], from - longest); i < count && start[i] <= to; i++) {
    if (ops.dur[i] < 0 || (matches && !matches[i])) continue;
    const bin = Math.floor((finish[i] - begin) / step);
    if (bin >= 0 && bin < size) bins[type[i]][bin]++;
  }
  return { begin, bins };
}

/** The height of a chart of rates: that of its highest bar, unless a burst (final reads) would make all others too small to see. */
function ceiling(sums) {
  const sorted = sums.filter((sum) => sum > 0).sort();
  if (!sorted.length) return 1;
  return Math.max(1, Math.min(sorted[sorted.length - 1], 2 * sorted[Math.floor(0.95 * (sorted.length - 1))]));
}

/** A bar that is higher than the chart ends in a point. */
function point(context, x, width, top) {
  context.fillStyle = colours.bg;
  context.beginPath();
  context.moveTo(x, top + 5);
  context.lineTo(x, top);
  context.lineTo(x + width, top);
  context.lineTo(x + width, top + 5);
  context.lineTo(x + width / 2, top);
  context.fill();
}

function drawRate() {
  const one = track("rate");
  const context = fresh(one);
  background(one);
  const step = niceStep(span(), plotWidth(one) / 7);
  const { begin, bins } = completions(view.from, view.to, step);
  const most = ceiling(bins[OK].map((ok, n) => ok + bins[FAIL][n] + bins[INFO][n]));
  const perSecond = 1e6 / step;
  const tick = niceStep(most * perSecond, 3);
  const scale = (one.height - 14) / (most * perSecond);
  for (let value = 0; value <= most * perSecond; value += tick) {
    const y = one.height - 4 - value * scale;
    inGutter(one, value >= 1000 ? (value / 1000).toPrecision(3).replace(/\.?0+$/, "") + "k" : String(+value.toPrecision(3)), clamp(y, 7, one.height - 7));
    context.fillStyle = colours.line;
    context.fillRect(gutter, Math.round(y), plotWidth(one), 1);
  }
  clipped(one, () => {
    for (let n = 0; n < bins[OK].length; n++) {
      let y = one.height - 4;
      const x = xOf(one, begin + n * step), width = Math.max(xOf(one, begin + (n + 1) * step) - x - 1, 1);
      for (const [kind, colour] of [[OK, colours.ok], [FAIL, colours.fail], [INFO, colours.info]]) {
        const height = bins[kind][n] * perSecond * scale;
        context.fillStyle = colour;
        context.fillRect(x, y - height, width, height);
        y -= height;
      }
      if (y < 0) point(context, x, width, 0);
    }
  });
}

let overall = {}; // the overview's bars: they change with the filter and the width alone

/** The whole run in small: rate, faults, and a frame around what the tracks show. */
function drawOverview() {
  const one = track("overview");
  const context = fresh(one);
  const scale = plotWidth(one) / (whole.to - whole.from);
  const place = (t) => gutter + (t - whole.from) * scale;
  for (const fault of data.faults) {
    context.globalAlpha = fault.bit === false ? 0.08 : 0.22;
    context.fillStyle = faultColour(fault.kind);
    context.fillRect(place(fault.start), 0, Math.max(((fault.end ?? end) - fault.start) * scale, 1), one.height);
  }
  context.globalAlpha = 1;
  const step = (whole.to - whole.from) / Math.max(plotWidth(one) / 3, 1);
  if (overall.matches !== matches || overall.step !== step) overall = { matches, step, ...completions(whole.from, whole.to, step) };
  const sums = overall.bins[OK].map((ok, n) => ok + overall.bins[FAIL][n] + overall.bins[INFO][n]);
  const most = ceiling(sums);
  context.fillStyle = colours.ok;
  sums.forEach((sum, n) => {
    const height = Math.min(sum / most, 1) * (one.height - 12);
    context.fillRect(place(overall.begin + n * step), one.height - 2 - height, 2.2, height);
  });
  context.fillStyle = colours.hot;
  for (const i of chosen.anomaly >= 0 ? operationsOf(data.anomalies[chosen.anomaly]) : []) context.fillRect(place(start[i]) - 1, 0, 2, 7);
  const from = place(view.from), to = place(view.to);
  context.fillStyle = colours.bg;
  context.globalAlpha = 0.62;
  context.fillRect(gutter, 0, from - gutter, one.height);
  context.fillRect(to, 0, one.width - to, one.height);
  context.globalAlpha = 1;
  context.strokeStyle = colours.accent;
  context.lineWidth = 1.5;
  context.strokeRect(from, 0.75, Math.max(to - from, 2), one.height - 1.5);
  inGutter(one, "whole run", one.height / 2);
}
