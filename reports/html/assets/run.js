// The run's data as typed columns, and how its parts are called in words. Everything below reads it; nothing changes it.

const data = JSON.parse(document.getElementById("run-data").textContent);
const ops = data.ops;
const count = ops.lane.length;
const end = data.end; // µs, as all times on this page

const OK = 1, FAIL = 2, INFO = 3;
const TYPES = ["invoke", "ok", "fail", "info"];

// Times arrive as differences, because small numbers make a small page.
const start = new Float64Array(count);
const finish = new Float64Array(count);
const line = new Int32Array(count);
const type = Uint8Array.from(ops.type);
const lane = Uint32Array.from(ops.lane);
let longest = 0; // of all operations, µs: bounds how far left of the view an operation may begin that reaches into it
for (let i = 0, t = 0, l = 0; i < count; i++) {
  t += ops.start[i];
  l += ops.line[i];
  start[i] = t;
  line[i] = l;
  finish[i] = ops.dur[i] < 0 ? end : t + ops.dur[i];
  longest = Math.max(longest, finish[i] - t);
}

// The operations of each lane in order; they do not overlap, so both their starts and their ends are sorted.
const laneCount = lane.reduce((most, n) => Math.max(most, n + 1), 0);
const lanes = Array.from({ length: laneCount }, () => []);
for (let i = 0; i < count; i++) lanes[lane[i]].push(i);
const laneOps = lanes.map((list) => Int32Array.from(list));

/** The first place in 0..length whose `at` is not below `wanted`; `at` must not decrease. */
function firstAtLeast(length, at, wanted) {
  let low = 0, high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(middle) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

const text = (table, code) => (code < 0 ? "" : table[code]);
const keyOf = (i) => text(ops.keys, ops.key[i]);
const argumentOf = (i) => text(ops.values, ops.arg[i]);
const resultOf = (i) => text(ops.values, ops.res[i]);
const clientOf = (i) => "c" + ops.process[i];

/** An operation in one line, as everywhere in the report: "read 3 → 7". */
function label(i) {
  const words = [ops.fs[ops.f[i]], keyOf(i), argumentOf(i)].filter((word) => word !== "").join(" ");
  const result = resultOf(i);
  return result === "" ? words : words + " → " + result;
}

/** A moment of the run, with as many digits as the span of the view can show. */
function moment(t, span) {
  if (!data.timed) return "line " + Math.round(t / 1000);
  const digits = span > 1e8 ? 0 : span > 5e6 ? 1 : span > 5e5 ? 2 : span > 5e3 ? 4 : 6;
  return (t / 1e6).toFixed(digits) + " s";
}

function length(us) {
  if (us < 1000) return us.toFixed(0) + " µs";
  if (us < 1e6) return (us / 1e3).toPrecision(3).replace(/\.0+$/, "") + " ms";
  if (us < 1.2e8) return (us / 1e6).toPrecision(3).replace(/\.0+$/, "") + " s";
  return (us / 6e7).toFixed(1) + " min";
}

/** An element with text and children; never HTML, so that no value of a history can become markup. */
function element(name, properties, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties || {})) {
    if (key === "class") made.className = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

const byId = (id) => document.getElementById(id);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
