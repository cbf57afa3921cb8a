// Which part of the run is shown, what is selected, and who must be told when that changes.

const SPAN_MIN = 20; // µs
const whole = { from: -end * 0.004, to: end * 1.012 };

const view = { from: whole.from, to: whole.to };
const chosen = { op: -1, anomaly: data.anomalies.length ? 0 : -1, time: null }; // time: a marked moment, or null

const listeners = [];
let scheduled = false;

/** Call `listener` once per frame in which something changed. */
function onChange(listener) {
  listeners.push(listener);
}

function changed() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    for (const listener of listeners) listener();
  });
}

function show(from, to) {
  const widest = whole.to - whole.from;
  const wanted = clamp(to - from, SPAN_MIN, widest);
  // Exactly the whole run, not nearly: the address says nothing of the view then.
  const all = wanted > widest * 0.999;
  view.from = all ? whole.from : clamp((from + to - wanted) / 2, whole.from, whole.to - wanted);
  view.to = all ? whole.to : view.from + wanted;
  changed();
}

const span = () => view.to - view.from;

function move(share) {
  const by = span() * share;
  show(view.from + by, view.to + by);
}

/** Zoom by `factor` (above 1: closer) such that the moment `t` stays where it is. */
function zoom(factor, t = (view.from + view.to) / 2) {
  const wanted = clamp(span() / factor, SPAN_MIN, whole.to - whole.from);
  const share = (t - view.from) / span();
  show(t - wanted * share, t - wanted * share + wanted);
}

/** Bring a moment into view; closer if the view is so wide that nothing could be told apart. */
function goTo(t, spanMax) {
  const wanted = Math.min(span(), spanMax || span());
  if (t < view.from || t > view.to || wanted < span()) show(t - wanted / 2, t + wanted / 2);
  else changed();
}

const operationsOf = (anomaly) => (anomaly.witness.length ? anomaly.witness : anomaly.ops);

// The operations that the chosen anomaly is about.
let hot = new Uint8Array(count);

function choose(anomaly) {
  chosen.anomaly = anomaly;
  hot = new Uint8Array(count);
  if (anomaly >= 0) for (const i of operationsOf(data.anomalies[anomaly])) hot[i] = 1;
  changed();
}

function showAnomaly(number) {
  choose(number);
  const involved = operationsOf(data.anomalies[number]);
  if (!involved.length) return;
  let from = Infinity, to = -Infinity;
  for (const i of involved) {
    from = Math.min(from, start[i]);
    // Where a client gave up says little about an unknown outcome, and may lie far away.
    to = Math.max(to, type[i] === INFO ? start[i] : finish[i]);
  }
  const margin = Math.max((to - from) * 0.25, 200);
  show(from - margin, to + margin);
}

// The view lives in the address, so that a copied address shows the same thing.
function remember() {
  const parts = [];
  if (view.from !== whole.from || view.to !== whole.to) parts.push("t=" + Math.round(view.from) + "~" + Math.round(view.to));
  if (chosen.op >= 0) parts.push("op=" + chosen.op);
  if (chosen.anomaly > 0) parts.push("anomaly=" + chosen.anomaly);
  const wanted = byId("filter").value.trim();
  if (wanted) parts.push("filter=" + encodeURIComponent(wanted));
  try {
    history.replaceState(null, "", parts.length ? "#" + parts.join("&") : location.pathname + location.search);
  } catch {
    // Some browsers refuse this for files; the view is then not kept, and nothing else is lost.
  }
}

function recall() {
  const told = new Map(location.hash.slice(1).split("&").map((part) => [part.split("=", 1)[0], part.slice(part.indexOf("=") + 1)]));
  const number = (name, limit) => {
    const value = Number.parseInt(told.get(name), 10);
    return Number.isInteger(value) && value >= 0 && value < limit ? value : null;
  };
  try {
    byId("filter").value = decodeURIComponent(told.get("filter") || "");
  } catch {
    // A broken escape in a hand-written address: there is no filter then.
  }
  choose(number("anomaly", data.anomalies.length) ?? chosen.anomaly);
  const [from, to] = (told.get("t") || "").split("~").map(Number);
  if (Number.isFinite(from) && Number.isFinite(to) && from < to) show(from, to);
  chosen.op = number("op", count) ?? -1;
  changed();
}
