// Filters the tasks of this page and steps through them by keyboard. The page reads well without it.
"use strict";
(() => {
  const form = document.getElementById("filters");
  const tasks = [...document.querySelectorAll("article.task")];
  const shown = document.getElementById("shown");

  function matches(task) {
    const text = form.elements.text.value.trim().toLowerCase();
    const kind = form.elements.kind.value;
    return (!kind || task.dataset.kind === kind)
      && (!form.elements.flagged.checked || "flagged" in task.dataset)
      && (!text || task.querySelector(".task-head").textContent.toLowerCase().includes(text));
  }

  function filter() {
    for (const task of tasks) task.hidden = !matches(task);
    const n = tasks.filter((task) => !task.hidden).length;
    shown.textContent = n === tasks.length ? `${n} on this page` : `${n} of ${tasks.length} on this page`;
  }

  function step(direction) {
    const visible = tasks.filter((task) => !task.hidden);
    const top = form.offsetHeight + 16;
    const edges = visible.map((task) => task.getBoundingClientRect().top - top);
    const target = direction > 0
      ? visible.find((_, i) => edges[i] > 4)
      : visible.findLast((_, i) => edges[i] < -4);
    if (!target) return;
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: "start" });
  }

  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    if (event.key === "j") step(1);
    if (event.key === "k") step(-1);
  });
  filter();
})();
