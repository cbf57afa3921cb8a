// One operation, looked at closely.

function select(i, spanMax) {
  chosen.op = i;
  chosen.time = null;
  if (i >= 0) {
    const middle = type[i] === INFO ? start[i] : (start[i] + finish[i]) / 2;
    // A client may wait long for an unknown outcome; what else happened then is what one looks for.
    goTo(middle, spanMax || Math.max((finish[i] - start[i]) * (type[i] === INFO ? 4 : 40), 2000));
  }
  changed();
}

let inspected = -1;

function drawInspector() {
  if (inspected === chosen.op) return;
  inspected = chosen.op;
  const box = byId("inspector");
  const i = chosen.op;
  box.hidden = i < 0;
  if (i < 0) return;
  box.replaceChildren(
    element("div", { class: "head" },
      element("span", { class: "type " + TYPES[type[i]] }, TYPES[type[i]]),
      element("code", {}, label(i)),
      element("span", { class: "buttons" },
        element("button", { type: "button", onclick: () => selectNear(i, -1) }, "‹ same client"),
        element("button", { type: "button", onclick: () => selectNear(i, 1) }, "same client ›"),
        element("button", { type: "button", onclick: () => select(-1), "aria-label": "Close" }, "×"))),
    element("dl", {}, ...facts(i).map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value)))));
}

function facts(i) {
  const open = ops.dur[i] < 0;
  const rows = [
    ["invoked", moment(start[i], 0)],
    ["completed", open ? "never" : moment(finish[i], 0)],
    [type[i] === INFO ? "client waited" : "took", open || !data.timed ? "–" : length(ops.dur[i])],
    ["process", `${clientOf(i)} (client ${lane[i]})`],
    ["node", text(ops.nodes, ops.node[i])],
    ["f", ops.fs[ops.f[i]]],
    ["key", keyOf(i)],
    ["argument", argumentOf(i)],
    ["result", resultOf(i)],
    ["error", text(ops.errors, ops.error[i])],
    ["history index", String(line[i])],
    ["meanwhile", data.faults.filter((fault) => fault.start < finish[i] && (fault.end ?? end) > start[i]).map(faultWords).join("; ")],
    ["part of", hot[i] ? data.anomalies[chosen.anomaly].name : ""],
  ];
  return rows.filter(([, value]) => value !== "");
}

function selectNear(i, direction) {
  const list = laneOps[lane[i]];
  const next = list[list.indexOf(i) + direction];
  if (next !== undefined) select(next);
}
