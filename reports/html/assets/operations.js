// The track of operations: one lane per client, a bar from invocation to completion. Close up each bar is drawn with its text; from
// afar each pixel shows the most telling outcome of the operations behind it.

const LANES_HIGH = [[8, 24], [14, 20], [30, 15], [60, 10], [Infinity, 7]];
const laneHeight = LANES_HIGH.find(([most]) => laneCount <= most)[1];
// Rising importance: a pixel that several operations share shows the highest.
const PLAIN = 1, HOT = 5; // PLAIN: filtered out; type + 1: ok 2, fail 3, info 4; HOT: of the anomaly

const levelOf = (i) => (matches && !matches[i] ? PLAIN : hot[i] ? HOT : type[i] + 1);

function levelColours() {
  return [null, colours.dim, colours.ok, colours.fail, colours.info, colours.hot];
}

function drawOperations() {
  const one = track("operations");
  const context = fresh(one, Math.max(laneCount * laneHeight, 40));
  background(one);
  const fills = levelColours();
  const pixels = new Uint8Array(one.width + 2);
  const step = laneHeight >= 15 ? 1 : Math.ceil(14 / laneHeight);
  for (let n = 0; n < laneCount; n += step) inGutter(one, "client " + n, Math.max((n + 0.5) * laneHeight, 6));
  clipped(one, () => {
    for (let n = 0; n < laneCount; n++) drawLane(one, context, n, pixels, fills);
  });
  clipped(one, () => nameHot(one, context));
  if (!count) inGutter(one, "none", 20);
}

function drawLane(one, context, n, pixels, fills) {
  const list = laneOps[n];
  const y = n * laneHeight + 1, height = laneHeight - 2;
  const scale = plotWidth(one) / span();
  const first = Math.max(firstAtLeast(list.length, (k) => finish[list[k]], view.from), 0);
  pixels.fill(0);
  let low = pixels.length, high = -1; // the pixels that were touched
  for (let k = first; k < list.length; k++) {
    const i = list[k];
    if (start[i] > view.to) break;
    const x = gutter + (start[i] - view.from) * scale;
    const width = (finish[i] - start[i]) * scale;
    if (width >= 3) {
      drawBar(one, context, i, x, y, width, height);
      continue;
    }
    const pixel = clamp(Math.floor(x), 0, pixels.length - 1);
    const level = levelOf(i);
    if (level > pixels[pixel]) pixels[pixel] = level;
    low = Math.min(low, pixel);
    high = Math.max(high, pixel);
  }
  for (let x = low; x <= high; ) {
    const level = pixels[x];
    let to = x + 1;
    while (to <= high && pixels[to] === level) to++;
    if (level) {
      context.fillStyle = fills[level];
      context.fillRect(x, y, to - x, height);
    }
    x = to;
  }
}

function drawBar(one, context, i, x, y, width, height) {
  const level = levelOf(i);
  const name = TYPES[type[i]];
  const left = Math.max(x, gutter - 4);
  const right = Math.min(x + width, one.width + 4);
  context.fillStyle = level === PLAIN ? colours.panel : colours[name + "-bg"];
  context.fillRect(left, y, right - left, height);
  context.strokeStyle = level === PLAIN ? colours.dim : level === HOT ? colours.hot : colours[name];
  context.lineWidth = level === HOT || i === chosen.op ? 2 : 1;
  if (type[i] === INFO) context.setLineDash([4, 3]);
  else if (type[i] === FAIL) context.setLineDash([1.5, 2]);
  context.strokeRect(left + 0.5, y + 0.5, Math.max(right - left - 1, 1), height - 1);
  context.setLineDash([]);
  if (type[i] === INFO && level !== PLAIN) drawTail(one, context, right, y + height / 2);
  if (i === chosen.op) {
    context.strokeStyle = colours.fg;
    context.strokeRect(left - 0.5, y - 0.5, right - left + 1, height + 1);
  }
  const room = right - Math.max(left, gutter) - 8;
  if (room > 22 && height >= 9) {
    context.font = MONO;
    context.fillStyle = level === PLAIN ? colours.muted : colours[name + "-fg"];
    const chars = Math.floor(room / 6.7);
    const words = label(i);
    context.fillText(cut(words, chars), Math.max(left, gutter) + 4, y + height / 2 + 0.5, room);
  }
}

const cut = (words, chars) => (words.length > chars ? words.slice(0, Math.max(chars - 1, 1)) + "…" : words);

const NAMED_MAX = 24; // operations of an anomaly that get their text even where their bar has no room for it

/** What the anomaly is about must be found at a glance: thin bars are widened, and their text stands beside them. */
function nameHot(one, context) {
  const involved = chosen.anomaly < 0 ? [] : operationsOf(data.anomalies[chosen.anomaly]);
  const seen = involved.filter((i) => finish[i] >= view.from && start[i] <= view.to);
  context.font = "600 " + MONO;
  for (const i of seen) {
    const x = xOf(one, start[i]), width = ((finish[i] - start[i]) / span()) * plotWidth(one);
    const y = lane[i] * laneHeight + 1, height = laneHeight - 2;
    if (width < 3) {
      context.fillStyle = colours.hot;
      context.fillRect(x - 1, y, 3, height);
    }
    const words = cut(label(i), 28);
    const needed = context.measureText(words).width + 8;
    if (seen.length > NAMED_MAX || width > needed || height < 9 || span() > (whole.to - whole.from) * 0.5) continue;
    const beside = x + Math.max(width, 2) + 3 + needed < one.width ? x + Math.max(width, 2) + 3 : x - needed - 3;
    context.fillStyle = colours.bg;
    context.globalAlpha = 0.88;
    context.fillRect(beside, y, needed, height);
    context.globalAlpha = 1;
    context.fillStyle = colours.hot;
    context.fillText(words, beside + 4, y + height / 2 + 0.5);
  }
}

/** Behind an operation of unknown outcome: it may take effect at any later time. */
function drawTail(one, context, x, y) {
  if (x > one.width) return;
  const fade = context.createLinearGradient(x, 0, x + 60, 0);
  fade.addColorStop(0, colours.info);
  fade.addColorStop(1, "transparent");
  context.fillStyle = fade;
  context.fillRect(x, y - 1, 60, 2);
}

/** The operation at a point of the track: under it, else the nearest within a few pixels; -1 if there is none. */
function operationAt(one, x, y) {
  const n = Math.floor(y / laneHeight);
  if (n < 0 || n >= laneCount || x < gutter) return -1;
  const list = laneOps[n];
  const t = timeAt(one, x);
  const reach = (4 * span()) / plotWidth(one);
  const k = firstAtLeast(list.length, (place) => finish[list[place]], t - reach);
  let best = -1, distance = reach;
  for (let place = k; place < list.length && start[list[place]] <= t + reach; place++) {
    const i = list[place];
    const away = Math.max(start[i] - t, t - finish[i], 0);
    // What the anomaly is about is what one wants to hit where much lies on one pixel.
    if (away < distance || (away <= distance && hot[i] && best >= 0 && !hot[best])) {
      best = i;
      distance = away;
    }
  }
  return best;
}
