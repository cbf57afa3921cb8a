// The nodes' logs: only the lines on the screen exist as elements, so that twenty thousand scroll like twenty.

const logs = data.logs;
const LOG_ROW = 22; // px, as in the style sheet
let logShown = []; // the lines that pass the filter
let logChosen = -1; // a place in logShown
let logView = "";

function setUpLogs() {
  const box = byId("log");
  if (!box) return;
  const nodes = byId("log-node");
  logs.nodes.forEach((node, n) => nodes.append(element("option", { value: String(n) }, node)));
  for (const control of [byId("log-filter"), nodes, byId("log-visible")]) control.addEventListener("input", filterLogs);
  box.addEventListener("scroll", drawLogs);
  box.addEventListener("click", (event) => {
    const row = event.target.closest(".log-line");
    if (row) chooseLine(Number(row.dataset.place));
  });
  box.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 14, PageUp: -14 }[event.key];
    if (by && logShown.length) {
      logChosen = clamp(logChosen + by, 0, logShown.length - 1);
      box.scrollTop = clamp(box.scrollTop, (logChosen + 1) * LOG_ROW - box.clientHeight, logChosen * LOG_ROW);
      drawLogs();
    } else if (event.key === "Enter" && logChosen >= 0) chooseLine(logChosen);
    else return;
    event.preventDefault();
  });
  onChange(() => {
    if (byId("log-visible").checked && logView !== view.from + "~" + view.to) filterLogs();
  });
  filterLogs();
}

function filterLogs() {
  const words = byId("log-filter").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const node = byId("log-node").value;
  const visible = byId("log-visible").checked;
  logView = view.from + "~" + view.to;
  logShown = [];
  for (let i = 0; i < logs.time.length; i++) {
    if (node !== "" && logs.node[i] !== Number(node)) continue;
    if (visible && (logs.time[i] < view.from || logs.time[i] > view.to)) continue;
    const haystack = words.length ? (logs.event[i] + " " + logs.text[i]).toLowerCase() : "";
    if (words.every((word) => haystack.includes(word))) logShown.push(i);
  }
  const kept = logs.time.length < logs.total ? `, the ${logs.time.length.toLocaleString("en")} nearest to the anomaly are here` : "";
  byId("log-count").textContent = `${logShown.length.toLocaleString("en")} of ${logs.total.toLocaleString("en")} lines${kept}`;
  logChosen = -1;
  byId("log").style.height = clamp(logs.time.length * LOG_ROW + 4, 4 * LOG_ROW, 360) + "px";
  byId("log-space").style.height = Math.max(logShown.length * LOG_ROW, 1) + "px";
  drawLogs();
}

function drawLogs() {
  const box = byId("log"), space = byId("log-space");
  const first = Math.max(Math.floor(box.scrollTop / LOG_ROW) - 5, 0);
  const last = Math.min(first + Math.ceil(box.clientHeight / LOG_ROW) + 10, logShown.length);
  const rows = [];
  for (let place = first; place < last; place++) {
    const i = logShown[place];
    const row = element("div", { class: "log-line" + (place === logChosen ? " chosen" : ""), role: "option", id: "log-line-" + place, "data-place": place, "aria-selected": String(place === logChosen) },
      element("span", { class: "at" }, logs.timed[i] ? (logs.time[i] / 1e6).toFixed(4) : "–"),
      element("span", { class: "node" }, logs.nodes[logs.node[i]]),
      element("span", { class: "event" }, logs.event[i]),
      element("span", { class: "text" }, logs.text[i]));
    row.title = logs.text[i];
    row.style.top = place * LOG_ROW + "px";
    rows.push(row);
  }
  space.replaceChildren(...rows);
  if (logChosen >= 0) box.setAttribute("aria-activedescendant", "log-line-" + logChosen);
  else box.removeAttribute("aria-activedescendant");
}

/** The timeline moves to a line's time; what was selected before is let go. */
function chooseLine(place) {
  logChosen = place;
  const t = logs.time[logShown[place]];
  chosen.op = -1;
  chosen.time = t;
  // A marked line must stay in the list that shows it, so "only what the timeline shows" keeps its span.
  goTo(t, byId("log-visible").checked ? 0 : Math.max(end / 20, 20000));
  drawLogs();
}
