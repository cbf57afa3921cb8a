// Everything is set up here, once; from then on things are drawn when something changed.

function drawMarker() {
  const marker = byId("marker");
  const t = chosen.time;
  marker.hidden = t === null || t < view.from || t > view.to;
  if (!marker.hidden) marker.style.left = xOf(track("axis"), t) + "px";
}

const DRAWN = { overview: drawOverview, axis: drawAxis, faults: drawFaults, operations: drawOperations, latency: drawLatency, rate: drawRate, roles: drawRoles };

function draw() {
  for (const paint of Object.values(DRAWN)) paint();
  drawMarker();
  drawInspector();
}

function fit() {
  gutter = panel.clientWidth < 560 ? 46 : 64;
  changed();
}

document.documentElement.classList.add("js");
const absent = { latency: !data.timed, rate: !data.timed, roles: !data.roles.length, faults: !data.faults.length && data.phases.length < 2 };
for (const [name, without] of Object.entries(absent)) {
  if (!without) continue;
  delete DRAWN[name];
  document.querySelector(`[data-track="${name}"]`).hidden = true;
}
readColours();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); changed(); });
setUpWheel();
setUpDrag();
setUpKeys();
setUpButtons();
recall();
applyFilter();
onChange(draw);
let remembering = 0;
onChange(() => {
  clearTimeout(remembering);
  remembering = setTimeout(remember, 300);
});
addEventListener("hashchange", () => { recall(); applyFilter(); });
setUpLogs();
new ResizeObserver(fit).observe(panel);
fit();
