// Which operations are meant: a few words such as "key:3 process:2 type:info timeout", all of which must hold.

let matches = null; // null: all; else one byte per operation
let matchCount = count;

const hidden = new Set(); // outcomes that are switched off

/** A test for one word. Tables are searched once per word, not once per operation. */
function testOf(word) {
  const [, name, wanted] = /^(?:(key|process|client|f|node|type|value|error):)?(.*)$/s.exec(word);
  if (!wanted) return () => true; // "key:" while its value is being typed
  const exact = (table, column) => {
    const hit = table.map((entry) => entry.toLowerCase() === wanted || entry.toLowerCase() === JSON.stringify(wanted));
    return (i) => column[i] >= 0 && hit[column[i]];
  };
  const within = (table) => {
    const hit = table.map((entry) => entry.toLowerCase().includes(wanted));
    return (code) => code >= 0 && hit[code];
  };
  switch (name) {
    case "key": return exact(ops.keys, ops.key);
    case "f": return exact(ops.fs, ops.f);
    case "node": return exact(ops.nodes, ops.node);
    case "process": return (i) => String(ops.process[i]) === wanted || "c" + ops.process[i] === wanted;
    case "client": return (i) => String(lane[i]) === wanted;
    case "type": return (i) => TYPES[type[i]] === wanted;
    case "error": { const hit = within(ops.errors); return (i) => hit(ops.error[i]); }
    case "value": { const hit = within(ops.values); return (i) => hit(ops.arg[i]) || hit(ops.res[i]); }
  }
  const f = within(ops.fs), key = within(ops.keys), value = within(ops.values), error = within(ops.errors), node = within(ops.nodes);
  return (i) => f(ops.f[i]) || key(ops.key[i]) || value(ops.arg[i]) || value(ops.res[i]) || error(ops.error[i]) || node(ops.node[i]);
}

function applyFilter() {
  const tests = byId("filter").value.trim().toLowerCase().split(/\s+/).filter(Boolean).map(testOf);
  if (!tests.length && !hidden.size) {
    matches = null;
    matchCount = count;
  } else {
    matches = new Uint8Array(count);
    matchCount = 0;
    for (let i = 0; i < count; i++) {
      if (hidden.has(type[i]) || !tests.every((test) => test(i))) continue;
      matches[i] = 1;
      matchCount++;
    }
  }
  byId("match-count").textContent = matches ? `${matchCount.toLocaleString("en")} of ${count.toLocaleString("en")}` : `${count.toLocaleString("en")} ops`;
  byId("match-previous").disabled = byId("match-next").disabled = !matchCount;
  changed();
}

/** The next (1) or previous (-1) matching operation after the chosen one, or after the middle of the view. */
function step(direction) {
  if (!matchCount) return;
  let i = chosen.op;
  if (i < 0) i = firstAtLeast(count, (k) => start[k], (view.from + view.to) / 2) - (direction > 0 ? 1 : 0);
  for (let tried = 0; tried < count; tried++) {
    i = (i + direction + count) % count;
    if (!matches || matches[i]) break;
  }
  select(i);
}
