// Drawing surfaces: sharp on any screen, coloured by the style sheet, all with the same gutter and the same time axis.

const RIGHT = 10; // px right of the last moment
let gutter = 56; // px left of the first moment: names of lanes, numbers of axes

const MONO = "11px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
const SMALL = "11px system-ui, sans-serif";

let colours = {};
function readColours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["bg", "fg", "muted", "line", "panel", "strong", "accent", "accent-fg", "ok", "ok-bg", "ok-fg", "fail", "fail-bg", "fail-fg",
    "info", "info-bg", "info-fg", "dim", "hot", "heal", "final", "leader", "leader-fg", "candidate", "follower", "follower-fg",
    "fault-0", "fault-1", "fault-2", "fault-3", "fault-4", "fault-5"];
  colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue("--" + name).trim()]));
}

// Known kinds keep their colour from run to run; others take one by their name.
const KIND_COLOURS = { partition: 0, kill: 1, pause: 2, clock: 3, packet: 4, disk: 5 };
function faultColour(kind) {
  let number = KIND_COLOURS[kind];
  if (number === undefined) number = [...kind].reduce((sum, char) => sum + char.codePointAt(0), 0) % 6;
  return colours["fault-" + number];
}

const tracks = new Map(); // name → {canvas, context, width, height}

function track(name) {
  const found = tracks.get(name);
  if (found) return found;
  const canvas = document.querySelector(`[data-track="${name}"] canvas`);
  const made = { name, canvas, context: canvas.getContext("2d"), width: 0, height: canvas.height };
  tracks.set(name, made);
  return made;
}

/** Make the track's surface fit its place on the screen, empty it, and return its context. */
function fresh(one, height = one.height) {
  const ratio = window.devicePixelRatio || 1;
  const width = one.canvas.parentElement.clientWidth;
  if (one.width !== width || one.height !== height || one.ratio !== ratio) {
    Object.assign(one, { width, height, ratio });
    one.canvas.width = Math.round(width * ratio);
    one.canvas.height = Math.round(height * ratio);
    one.canvas.style.height = height + "px";
  }
  const context = one.context;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.textBaseline = "middle";
  return context;
}

const plotWidth = (one) => Math.max(one.width - gutter - RIGHT, 1);
const xOf = (one, t) => gutter + ((t - view.from) / (view.to - view.from)) * plotWidth(one);
const timeAt = (one, x) => view.from + ((x - gutter) / plotWidth(one)) * (view.to - view.from);

/** Keep what `paint` draws within the plot, right of the gutter. */
function clipped(one, paint) {
  const context = one.context;
  context.save();
  context.beginPath();
  context.rect(gutter, 0, plotWidth(one) + RIGHT, one.height);
  context.clip();
  paint(context);
  context.restore();
}

/** Round distances for an axis: 1, 2 or 5 times a power of ten, at most `most` of them in `range`. */
function niceStep(range, most) {
  const rough = range / Math.max(most, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((n) => n * power).find((step) => step >= rough);
}

function timeStep(one) {
  return Math.max(niceStep(span(), plotWidth(one) / 92), data.timed ? 1 : 1000);
}

/** Thin lines at the ticks of the time axis, and the faults and phases behind everything. */
function background(one) {
  clipped(one, (context) => {
    for (const fault of data.faults) {
      const from = xOf(one, fault.start), to = xOf(one, fault.end ?? end);
      if (to < gutter || from > one.width) continue;
      context.globalAlpha = fault.bit === false ? 0.04 : 0.1;
      context.fillStyle = faultColour(fault.kind);
      context.fillRect(from, 0, Math.max(to - from, 1), one.height);
    }
    context.globalAlpha = 1;
    const step = timeStep(one);
    context.fillStyle = colours.line;
    for (let t = Math.ceil(view.from / step) * step; t <= view.to; t += step) {
      context.fillRect(Math.round(xOf(one, t)), 0, 1, one.height);
    }
    for (const phase of data.phases.slice(1)) {
      context.fillStyle = phase.name === "final" ? colours.final : colours.heal;
      context.fillRect(Math.round(xOf(one, phase.start)), 0, 1, one.height);
    }
  });
}

/** A text in the gutter, right-aligned, cut to fit. */
function inGutter(one, words, y, bold) {
  const context = one.context;
  context.font = (bold ? "600 " : "") + SMALL;
  context.fillStyle = colours.muted;
  context.textAlign = "right";
  context.fillText(words, gutter - 8, y, gutter - 10);
  context.textAlign = "left";
}
