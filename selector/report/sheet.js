// Searches and sorts the tasks of all pages by the index in tasks.js, sorts tables, copies ids, steps through tasks by
// keyboard. The page reads well without it.
"use strict";
(() => {
  const AT_ONCE = 250; // rows that are shown before one asks for more
  const SHORT_ID = 8;
  const [ID, PAGE, TYPE, PROMPT, ESTIMATE, UNCERTAINTY, MARGIN, FLAGS, GENERATORS, DECIDED, CANDIDATES] = Array(11).keys();
  const DECISIONS = { excluded: 1, pinned: 2, noted: 4 };
  // What a menu sorts by, and whether the largest come first; what has no value comes last.
  const SORTS = {
    estimate: [(task) => task[ESTIMATE], false],
    uncertainty: [(task) => task[UNCERTAINTY], true],
    margin: [(task) => task[MARGIN], false],
    flags: [(task) => task[FLAGS].length, true],
    type: [(task) => task[TYPE], false],
  };
  const form = document.getElementById("filters");
  const shown = document.getElementById("shown");
  const results = document.getElementById("results");
  const onPage = [...document.querySelectorAll("article.task")];
  const rest = [document.getElementById("tasks"), ...document.querySelectorAll("nav.pager")];
  const names = ["q", "type", "generator", "flag", "decision", "sort"];
  const words = INDEX.words;
  const number = new Intl.NumberFormat("en");

  function say(key, values = {}) {
    return words[key].replace(/\{(\w+)\}/g, (_, name) => {
      const value = values[name];
      return typeof value === "number" ? number.format(value) : value;
    });
  }

  function make(tag, facts = {}, ...children) {
    const node = Object.assign(document.createElement(tag), facts);
    node.append(...children);
    return node;
  }

  // Search: without case, and wide letters as narrow ones.
  const folded = (text) => text.normalize("NFKC").toLowerCase();

  const haystacks = [];
  function haystack(place) {
    if (haystacks[place] === undefined) {
      const task = INDEX.tasks[place];
      const told = [task[ID], task[PROMPT], ...task[FLAGS].map((i) => INDEX.flags[i]), ...task[GENERATORS].map((i) => INDEX.generators[i])];
      haystacks[place] = folded(told.join("\n"));
    }
    return haystacks[place];
  }

  function hasCandidate(task, word) {
    if (!/^[0-9a-f]{4,64}$/.test(word)) return false;
    const ids = task[CANDIDATES];
    const wanted = word.slice(0, SHORT_ID);
    for (let at = 0; at < ids.length; at += SHORT_ID) if (ids.startsWith(wanted, at)) return true;
    return false;
  }

  function wish() {
    return Object.fromEntries([...names.map((name) => [name, form.elements[name].value.trim()]), ["turn", isTurned() ? "1" : ""]]);
  }

  const isTurned = () => form.elements.turn.getAttribute("aria-pressed") === "true";

  function isWanted(place, wanted, asked) {
    const task = INDEX.tasks[place];
    return (!wanted.type || INDEX.types[task[TYPE]][0] === wanted.type)
      && (!wanted.generator || task[GENERATORS].includes(Number(wanted.generator)))
      && (!wanted.flag || (wanted.flag === "any" ? task[FLAGS].length > 0 : task[FLAGS].includes(Number(wanted.flag))))
      && (!wanted.decision || (wanted.decision === "none" ? task[DECIDED] === 0 : (task[DECIDED] & DECISIONS[wanted.decision]) > 0))
      && asked.every((word) => haystack(place).includes(word) || hasCandidate(task, word));
  }

  function found(wanted) {
    const asked = folded(wanted.q).split(/\s+/).filter(Boolean);
    const kept = [...INDEX.tasks.keys()].filter((place) => isWanted(place, wanted, asked));
    if (!wanted.sort) return wanted.turn ? kept.reverse() : kept;
    const [by, isLargestFirst] = SORTS[wanted.sort];
    const sign = isLargestFirst === Boolean(wanted.turn) ? 1 : -1;
    const valueOf = (place) => by(INDEX.tasks[place]);
    return kept.sort((a, b) => {
      const [x, y] = [valueOf(a), valueOf(b)];
      if (x === null || y === null) return (x === null) - (y === null) || a - b;
      return sign * (x - y) || a - b; // equals in the table's order
    });
  }

  // Results
  function address(task) {
    const page = task[PAGE] === 1 ? "index.html" : `page-${task[PAGE]}.html`;
    const quoted = encodeURIComponent(task[ID]).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
    return `${page}#${encodeURIComponent(`task-${quoted}`)}`;
  }

  const points = (value) => (value === null || !INDEX.calibrated ? "–" : value.toFixed(2));

  function row(place) {
    const task = INDEX.tasks[place];
    const decided = Object.values(DECISIONS).map((bit, i) => (task[DECIDED] & bit ? INDEX.decisions[i] : "")).filter(Boolean);
    const [kind, type] = INDEX.types[task[TYPE]];
    return make("tr", {},
      make("th", { scope: "row" }, make("a", { href: address(task) }, task[ID])),
      make("td", {}, make("span", { className: `kind ${kind}` }, type)),
      make("td", { className: "words", dir: "auto" }, task[PROMPT].slice(0, 160)),
      make("td", {}, points(task[ESTIMATE])),
      make("td", {}, points(task[UNCERTAINTY])),
      make("td", {}, points(task[MARGIN])),
      make("td", { className: "words flags" }, task[FLAGS].map((i) => INDEX.flags[i]).join(", ")),
      make("td", { className: "words" }, decided.join(", ")));
  }

  const COLUMNS = { task: "", type: "type", prompt: null, estimate: "estimate", uncertainty: "uncertainty", margin: "margin", flags: "flags", decided: null };

  function header(wanted) {
    const cells = Object.entries(COLUMNS).map(([name, sort]) => {
      const cell = make("th", { scope: "col" });
      if (sort === null) cell.append(say(name));
      else cell.append(make("button", { type: "button", onclick: () => sortBy(sort) }, say(name)));
      if (sort === wanted.sort) {
        const isDown = sort ? SORTS[sort][1] !== Boolean(wanted.turn) : Boolean(wanted.turn);
        cell.setAttribute("aria-sort", isDown ? "descending" : "ascending");
      }
      return cell;
    });
    return make("thead", {}, make("tr", {}, ...cells));
  }

  function sortBy(sort) {
    const isSame = form.elements.sort.value === sort;
    turn(isSame && !isTurned());
    form.elements.sort.value = sort;
    ask();
    const again = Object.values(COLUMNS).filter((one) => one !== null).indexOf(sort);
    results.querySelectorAll("thead button")[again]?.focus();
  }

  function show(places, wanted) {
    const body = make("tbody");
    const more = make("button", { type: "button", className: "more" });
    let next = 0;
    const go = () => {
      body.append(...places.slice(next, next + AT_ONCE).map(row));
      next += AT_ONCE;
      more.hidden = next >= places.length;
      more.textContent = say("more", { n: Math.min(AT_ONCE, places.length - next) });
    };
    more.addEventListener("click", go);
    go();
    const frame = make("div", { className: "scroll", tabIndex: 0 }, make("table", { className: "plain" }, header(wanted), body));
    frame.setAttribute("role", "group");
    frame.setAttribute("aria-label", results.getAttribute("aria-label"));
    results.replaceChildren(frame, more, ...(INDEX.cut && wanted.q ? [make("p", { className: "note" }, say("cut"))] : []));
  }

  function renew() {
    const wanted = wish();
    const state = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value)).toString();
    form.classList.toggle("asks", Boolean(state));
    results.hidden = !state;
    for (const part of rest) part.hidden = Boolean(state);
    if (state) {
      const places = found(wanted);
      show(places, wanted);
      shown.textContent = say("found", { n: places.length, all: INDEX.tasks.length });
    } else {
      results.replaceChildren();
      shown.textContent = say("on_page", { n: onPage.length, all: INDEX.tasks.length });
    }
    return state;
  }

  // The address holds what is asked for, so that "back" finds it again.
  function ask() {
    const state = renew();
    if (state) form.scrollIntoView(); // the overview above may fill the window
    history.replaceState(null, "", state ? `#?${state}` : "#");
  }

  function turn(isOn) {
    form.elements.turn.setAttribute("aria-pressed", String(isOn));
  }

  function restore() {
    const state = new URLSearchParams(location.hash.startsWith("#?") ? location.hash.slice(2) : "");
    for (const name of names) {
      const field = form.elements[name];
      field.value = state.get(name) ?? "";
      if (field.selectedIndex === -1) field.value = ""; // of an older report
    }
    turn(state.get("turn") === "1");
    if (renew()) form.scrollIntoView();
    if (location.hash.startsWith("#task-")) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  }

  // Tables
  function sortable(table) {
    const body = table.tBodies[0];
    const cells = [...table.tHead.rows[0].cells];
    cells.forEach((cell, column) => {
      const button = make("button", { type: "button" }, ...cell.childNodes);
      button.addEventListener("click", () => {
        const isDown = cell.getAttribute("aria-sort") === "ascending" || (!cell.hasAttribute("aria-sort") && isNumeric(body, column));
        for (const other of cells) other.removeAttribute("aria-sort");
        cell.setAttribute("aria-sort", isDown ? "descending" : "ascending");
        const sign = isDown ? -1 : 1;
        body.append(...[...body.rows].sort((a, b) => sign * compare(text(a, column), text(b, column))));
      });
      cell.append(button);
    });
  }

  const text = (line, column) => line.cells[column].textContent.trim();
  const valueOf = (said) => Number(said.replace(/,/g, ""));
  const isNumeric = (body, column) => [...body.rows].some((line) => !Number.isNaN(valueOf(text(line, column))));

  function compare(a, b) {
    const [x, y] = [valueOf(a), valueOf(b)];
    if (Number.isNaN(x) && Number.isNaN(y)) return a.localeCompare(b);
    return (Number.isNaN(x) ? -Infinity : x) - (Number.isNaN(y) ? -Infinity : y) || 0;
  }

  // Ids
  function copyable(code) {
    const id = code.textContent;
    const button = make("button", { type: "button", className: "copy", title: say("copy", { what: id }) }, "⧉");
    button.setAttribute("aria-label", button.title);
    button.addEventListener("click", () => copy(id, code));
    code.after(button);
  }

  async function copy(id, code) {
    try {
      await navigator.clipboard.writeText(id);
    } catch { // not allowed: then it is selected, to be copied by hand
      getSelection().selectAllChildren(code);
      document.execCommand("copy");
    }
    document.getElementById("told").textContent = say("copied", { what: id });
  }

  function step(direction) {
    const line = form.offsetHeight + 24; // a task that starts above this line is the current one or an earlier one
    const started = onPage.filter((task) => task.getBoundingClientRect().top <= line).length;
    const target = onPage[started - 1 + direction];
    if (!target) return;
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: "start" });
  }

  form.hidden = false;
  document.documentElement.style.setProperty("--bar-height", `${form.offsetHeight}px`); // it wraps on a narrow screen
  form.addEventListener("input", ask);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => { turn(false); setTimeout(ask); });
  form.elements.turn.addEventListener("click", () => { turn(!isTurned()); ask(); });
  addEventListener("hashchange", restore);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    if (!results.hidden) return;
    if (event.key === "j") step(1);
    if (event.key === "k") step(-1);
  });
  document.querySelectorAll("table.sortable").forEach(sortable);
  document.querySelectorAll("code.id").forEach(copyable);
  restore();
})();
