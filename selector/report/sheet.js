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
    const line = form.offsetHeight + 24; // a task that starts above this line is the current one or an earlier one
    const started = visible.filter((task) => task.getBoundingClientRect().top <= line).length;
    const target = visible[started - 1 + direction];
    if (!target) return;
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: "start" });
  }

  form.hidden = false;
  document.documentElement.style.setProperty("--bar-height", `${form.offsetHeight}px`); // it wraps on a narrow screen
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    if (event.key === "j") step(1);
    if (event.key === "k") step(-1);
  });
  filter();
})();
