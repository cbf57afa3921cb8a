// The tracks of states that hold for a while: faults and phases, and the roles of the nodes.

/** Faults that hold at the same time get rows of their own. */
const faultRows = (() => {
  const free = [];
  return data.faults.map((fault) => {
    let row = free.findIndex((until) => until <= fault.start);
    if (row < 0) row = free.push(0) - 1;
    free[row] = fault.end ?? Infinity;
    return row;
  });
})();
const FAULT_ROW = 19, PHASE_ROW = 18;

function drawFaults() {
  const one = track("faults");
  const rows = faultRows.reduce((most, row) => Math.max(most, row + 1), 0);
  const context = fresh(one, PHASE_ROW + rows * FAULT_ROW + 6);
  background(one);
  clipped(one, () => {
    context.font = SMALL;
    for (const phase of data.phases) {
      if (data.phases.length < 2) break;
      const from = Math.max(xOf(one, phase.start), gutter), to = xOf(one, phase.end);
      const words = { faults: "faults", healed: to - from > 140 ? "healed: progress is due" : "healed", final: "final reads" }[phase.name];
      context.fillStyle = { faults: colours.muted, healed: colours.heal, final: colours.final }[phase.name];
      context.save();
      context.beginPath();
      context.rect(from, 0, Math.max(to - from, 0), PHASE_ROW);
      context.clip();
      context.fillText(words, from + 5, PHASE_ROW / 2);
      context.restore();
    }
    data.faults.forEach((fault, n) => drawFault(one, context, fault, PHASE_ROW + faultRows[n] * FAULT_ROW));
  });
}

function drawFault(one, context, fault, y) {
  const from = Math.max(xOf(one, fault.start), gutter), to = Math.min(xOf(one, fault.end ?? end), one.width);
  if (to < gutter || from > one.width) return;
  const colour = faultColour(fault.kind);
  context.fillStyle = colour;
  context.globalAlpha = fault.bit === false ? 0.15 : 0.3;
  context.fillRect(from, y + 1, Math.max(to - from, 2), FAULT_ROW - 3);
  context.globalAlpha = 1;
  context.strokeStyle = colour;
  context.lineWidth = 1;
  if (fault.bit === false) context.setLineDash([3, 3]);
  context.strokeRect(from + 0.5, y + 1.5, Math.max(to - from - 1, 1), FAULT_ROW - 4);
  context.setLineDash([]);
  const room = to - from - 8;
  if (room > 26) {
    context.fillStyle = colours.fg;
    const words = faultWords(fault);
    const chars = Math.floor(room / 5.9);
    context.fillText(cut(words, chars), from + 5, y + FAULT_ROW / 2, room);
  }
}

const faultWords = (fault) => [fault.kind, fault.targets.join(", "), fault.bit === false ? "(no effect)" : ""].filter(Boolean).join(" ");

function faultAt(one, x, y) {
  const t = timeAt(one, x);
  return data.faults.findIndex((fault, n) => {
    const top = PHASE_ROW + faultRows[n] * FAULT_ROW;
    return y >= top && y < top + FAULT_ROW && t >= fault.start && t <= (fault.end ?? end);
  });
}

const ROLE_ROW = 22;
const LEADING = new Set(data.roles.flatMap((row) => row.leads));

function drawRoles() {
  const one = track("roles");
  const context = fresh(one, Math.max(data.roles.length * ROLE_ROW, 1));
  background(one);
  data.roles.forEach((row, n) => {
    inGutter(one, row.node, (n + 0.5) * ROLE_ROW, true);
    clipped(one, () => {
      row.changes.forEach((change, k) => {
        const to = k + 1 < row.changes.length ? row.changes[k + 1][0] : end;
        if (change[1]) drawRole(one, context, change, to, n * ROLE_ROW + 2);
      });
      drawAbsence(one, context, row.node, n * ROLE_ROW + 2);
    });
  });
}

function drawRole(one, context, [at, role, term], to, y) {
  const from = Math.max(xOf(one, at), gutter), until = Math.min(xOf(one, to), one.width);
  if (until < gutter || from > one.width) return;
  const leads = LEADING.has(role), tries = role.includes("candidate");
  context.fillStyle = leads ? colours.leader : tries ? colours.candidate : colours.follower;
  context.fillRect(from, y, Math.max(until - from, leads || tries ? 1.5 : 0.5), ROLE_ROW - 4);
  const room = until - from - 8;
  if (room > 30) {
    context.font = SMALL;
    context.fillStyle = leads ? colours["leader-fg"] : colours["follower-fg"];
    const words = term ? `${role} · term ${term}` : role;
    if (room > words.length * 5.4) context.fillText(words, from + 5, y + ROLE_ROW / 2 - 1.5);
    else if (term && room > 14) context.fillText(term, from + 5, y + ROLE_ROW / 2 - 1.5, room);
  }
}

/** Kinds of faults during which a node is not there. */
const AWAY = new Set(["kill", "term", "pause"]);

/** Hatched: the node was killed or stood still, whatever it last said of itself. */
function drawAbsence(one, context, node, y) {
  for (const fault of data.faults) {
    if (!AWAY.has(fault.kind) || !fault.targets.includes(node)) continue;
    const from = Math.max(xOf(one, fault.start), gutter), to = Math.min(xOf(one, fault.end ?? end), one.width);
    if (to <= from) continue;
    context.save();
    context.beginPath();
    context.rect(from, y, to - from, ROLE_ROW - 4);
    context.clip();
    context.fillStyle = colours.panel;
    context.globalAlpha = 0.7;
    context.fillRect(from, y, to - from, ROLE_ROW - 4);
    context.globalAlpha = 1;
    context.strokeStyle = faultColour(fault.kind);
    context.lineWidth = 1.25;
    context.beginPath();
    for (let x = from - ROLE_ROW; x < to; x += 7) {
      context.moveTo(x, y + ROLE_ROW);
      context.lineTo(x + ROLE_ROW, y);
    }
    context.stroke();
    context.restore();
  }
}

function roleAt(one, x, y) {
  const row = data.roles[Math.floor(y / ROLE_ROW)];
  if (!row) return "";
  const t = timeAt(one, x);
  const change = row.changes.filter(([at]) => at <= t).pop();
  if (!change || !change[1]) return row.node + ": no role known";
  return `${row.node}: ${change[1]}${change[2] ? ", term " + change[2] : ""} since ${moment(change[0], span())}`;
}
