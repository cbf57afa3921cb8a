// Hands on the timeline: wheel, drag, touch, keys and buttons.

const panel = byId("panel");

/** The track under an event, and the place in its canvas. */
function placeOf(event) {
  const holder = event.target.closest ? event.target.closest("[data-track]") : null;
  if (!holder) return null;
  const one = track(holder.dataset.track);
  const box = one.canvas.getBoundingClientRect();
  return { one, x: event.clientX - box.left, y: event.clientY - box.top };
}

function setUpWheel() {
  panel.addEventListener("wheel", (event) => {
    const at = placeOf(event);
    const wanted = event.ctrlKey || event.metaKey || panel.contains(document.activeElement);
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    // A page that scrolls under the pointer must not be caught by the timeline: only a focused one zooms.
    if (!at || (!wanted && !sideways)) return;
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    if (sideways) move((event.deltaX * lines) / plotWidth(at.one));
    else zoom(Math.exp(-event.deltaY * lines * 0.0022), at.one.name === "overview" ? undefined : timeAt(at.one, at.x));
  }, { passive: false });
}

// Fingers and mouse: one pointer drags, two pinch.
const pointers = new Map();
let dragged = 0;

function setUpDrag() {
  panel.addEventListener("pointerdown", (event) => {
    const at = placeOf(event);
    if (!at || event.button !== 0) return;
    pointers.set(event.pointerId, { x: event.clientX, at, from: view.from, to: view.to });
    dragged = 0;
  });
  panel.addEventListener("pointermove", (event) => {
    const pointer = pointers.get(event.pointerId);
    if (!pointer) return hover(event);
    const by = event.clientX - pointer.x;
    dragged = Math.max(dragged, Math.abs(by));
    if (dragged < 4) return;
    panel.setPointerCapture(event.pointerId);
    panel.classList.add("dragging");
    hideTip();
    if (pointers.size === 2) pinch(event);
    else if (pointer.at.one.name === "overview") brush(pointer, by);
    else {
      const t = (by / plotWidth(pointer.at.one)) * (pointer.to - pointer.from);
      show(pointer.from - t, pointer.to - t);
    }
  });
  for (const name of ["pointerup", "pointercancel"]) {
    panel.addEventListener(name, (event) => {
      if (name === "pointerup" && dragged < 4 && pointers.has(event.pointerId)) press(event);
      pointers.delete(event.pointerId);
      panel.classList.remove("dragging");
    });
  }
  panel.addEventListener("pointerleave", hideTip);
  panel.addEventListener("dblclick", (event) => {
    const at = placeOf(event);
    if (at && at.one.name !== "overview") zoom(4, timeAt(at.one, at.x));
  });
}

function pinch(event) {
  const [a, b] = [...pointers.values()];
  const before = Math.abs(a.x - b.x);
  pointers.get(event.pointerId).x = event.clientX;
  const after = Math.abs(a.x - b.x);
  if (before > 10 && after > 10) zoom(after / before);
}

const overviewTime = (one, x) => whole.from + ((x - gutter) / plotWidth(one)) * (whole.to - whole.from);

/** In the overview a drag inside the frame moves it; a drag outside, or over the whole run, draws a new one. */
function brush(pointer, by) {
  const one = pointer.at.one;
  const began = overviewTime(one, pointer.at.x);
  const now = overviewTime(one, pointer.at.x + by);
  const framed = pointer.to - pointer.from < (whole.to - whole.from) * 0.98;
  if (framed && began >= pointer.from && began <= pointer.to) show(pointer.from + now - began, pointer.to + now - began);
  else show(Math.min(began, now), Math.max(began, now));
}

function press(event) {
  const at = placeOf(event);
  if (!at) return;
  panel.focus({ preventScroll: true });
  if (at.one.name === "overview") {
    const t = overviewTime(at.one, at.x);
    show(t - span() / 2, t + span() / 2);
    return;
  }
  const i = { operations: operationAt, latency: latencyAt }[at.one.name]?.(at.one, at.x, at.y) ?? -1;
  chosen.op = i;
  chosen.time = i < 0 ? timeAt(at.one, at.x) : null;
  changed();
}

// What the pointer is over.
function hover(event) {
  const at = placeOf(event);
  if (!at || at.one.name === "overview" || at.x < gutter) return hideTip();
  const box = panel.getBoundingClientRect();
  const crosshair = byId("crosshair");
  crosshair.hidden = false;
  crosshair.style.left = event.clientX - box.left - 1 + "px";
  const parts = tipParts(at);
  const tip = byId("tip");
  tip.replaceChildren(...parts);
  tip.hidden = false;
  const x = event.clientX - box.left, y = event.clientY - box.top;
  tip.style.left = clamp(x + 14, 0, Math.max(box.width - tip.offsetWidth - 6, 0)) + "px";
  tip.style.top = (y + 22 + tip.offsetHeight > box.height ? y - tip.offsetHeight - 12 : y + 20) + "px";
}

function tipParts({ one, x, y }) {
  const now = moment(timeAt(one, x), span());
  const i = { operations: operationAt, latency: latencyAt }[one.name]?.(one, x, y) ?? -1;
  if (i >= 0) {
    const words = label(i);
    const error = text(ops.errors, ops.error[i]);
    return [element("b", {}, words.length > 140 ? words.slice(0, 139) + "…" : words), element("br"),
      `${TYPES[type[i]]} · ${clientOf(i)}${ops.node[i] >= 0 ? " at " + ops.nodes[ops.node[i]] : ""} · ` +
      (ops.dur[i] < 0 ? "never completed" : data.timed ? length(ops.dur[i]) : "") + (error ? " · " + error.slice(0, 120) : ""),
      element("br"), moment(start[i], Math.min(span(), 4e5))];
  }
  const n = one.name === "faults" ? faultAt(one, x, y) : -1;
  if (n >= 0) {
    const fault = data.faults[n];
    const what = [fault.what, fault.bit === true ? "took effect" : fault.bit === false ? "no effect" : "", fault.healed === true ? "healed" : fault.healed === false ? "not healed" : ""];
    return [element("b", {}, faultWords(fault)), element("br"), what.filter(Boolean).join(" · ") || now];
  }
  if (one.name === "roles") return [roleAt(one, x, y) || now];
  return [now];
}

function hideTip() {
  byId("tip").hidden = true;
  byId("crosshair").hidden = true;
}

const KEYS = {
  ArrowLeft: () => move(-0.15),
  ArrowRight: () => move(0.15),
  "+": () => zoom(1.6),
  "=": () => zoom(1.6),
  "-": () => zoom(1 / 1.6),
  0: () => show(whole.from, whole.to),
  Home: () => show(whole.from, whole.from + span()),
  End: () => show(whole.to - span(), whole.to),
  n: () => step(1),
  p: () => step(-1),
  a: () => chosen.anomaly >= 0 && showAnomaly(chosen.anomaly),
  Escape: () => { select(-1); panel.blur(); },
};

function setUpKeys() {
  panel.addEventListener("keydown", (event) => {
    const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
}

function setUpButtons() {
  const actions = {
    "zoom-in": () => zoom(2),
    "zoom-out": () => zoom(0.5),
    "zoom-all": () => show(whole.from, whole.to),
    "match-next": () => step(1),
    "match-previous": () => step(-1),
  };
  for (const [id, act] of Object.entries(actions)) byId(id).addEventListener("click", act);
  byId("filter").addEventListener("input", applyFilter);
  byId("filter").addEventListener("keydown", (event) => event.key === "Enter" && step(event.shiftKey ? -1 : 1));
  for (const box of document.querySelectorAll("[data-type]")) {
    box.addEventListener("change", () => {
      const code = Number(box.dataset.type);
      if (box.checked) hidden.delete(code);
      else hidden.add(code);
      applyFilter();
    });
  }
  for (const button of document.querySelectorAll("button[data-anomaly]")) {
    button.addEventListener("click", () => {
      showAnomaly(Number(button.dataset.anomaly));
      if (button.dataset.op !== undefined) select(Number(button.dataset.op), span());
      byId("timeline").scrollIntoView();
      panel.focus({ preventScroll: true });
    });
  }
  setUpCopy();
}

function setUpCopy() {
  const button = byId("copy"), command = byId("repeat");
  if (!button) return;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(command.textContent);
      button.textContent = "Copied";
    } catch {
      // Without permission to the clipboard the command is at least selected.
      getSelection().selectAllChildren(command);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1600);
  });
}
