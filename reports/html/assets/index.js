// The index's filter: words that all must occur in a row, and verdicts that are switched on. Without this script every row is shown.
document.documentElement.classList.add("js");
const rows = [...document.querySelectorAll("tbody tr")].map((row) => ({ row, verdict: row.dataset.verdict, text: row.textContent.toLowerCase() }));
const search = document.getElementById("search");
const boxes = [...document.querySelectorAll('input[name="verdict"]')];
const shown = document.getElementById("shown");

function apply() {
  const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
  let count = 0;
  for (const { row, verdict, text } of rows) {
    const hit = wanted.has(verdict) && words.every((word) => text.includes(word));
    row.hidden = !hit;
    if (hit) count++;
  }
  shown.textContent = `${count.toLocaleString("en")} of ${rows.length.toLocaleString("en")}`;
}

search.addEventListener("input", apply);
for (const box of boxes) box.addEventListener("change", apply);
apply();
