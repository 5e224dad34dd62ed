"use strict";
// The page of `bestshot review`. The address holds what is shown, the server holds what is true; in between lies a
// cache that is thrown away. Whatever comes from the server enters the page as text. From top to bottom: words and
// elements, address, server, decisions, pictures, the queue, a task, the large view, two at a time, the day, keys, start.

// ---------- Words and elements

const WORDS = JSON.parse(document.getElementById("words").textContent);
const LANG = document.documentElement.dataset.lang;
const $ = (id) => document.getElementById(id);
const NARROW = matchMedia("(max-width: 720px)");
const CALM = matchMedia("(prefers-reduced-motion: reduce)");

/** The text of a key with its places filled; `n: 1` takes the key's singular where there is one. */
function t(key, values = {}) {
  const singular = values.n === 1 && WORDS[`${key}_one`];
  return (singular || WORDS[key] || key).replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
}

/** The word for something that the server names by a key (a flag, a type); what the page does not know stays as it is. */
const named = (family, key) => WORDS[`${family}_${key}`] ?? String(key);

/** `el("div.card.picked", {onclick, "aria-label": …}, children…)`; null and false are no child. */
function el(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const node = document.createElement(name);
  if (classes.length) node.className = classes.join(" ");
  for (const [key, value] of Object.entries(props)) setProperty(node, key, value);
  node.append(...children.flat(4).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function setProperty(node, key, value) {
  if (value === null || value === undefined || value === false) return;
  if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
  else if (key === "style") for (const [name, one] of Object.entries(value)) node.style.setProperty(name, one);
  else if (["value", "checked", "selected", "open"].includes(key)) node[key] = value;
  else node.setAttribute(key, value === true ? "" : value);
}

const button = (text, onclick, props = {}) => el("button", { type: "button", onclick, ...props }, text);
const key = (text) => el("kbd", {}, text);
const clip = (text, length) => (text.length > length ? `${text.slice(0, length).trimEnd()}…` : text);
const number = (value, digits = 1) =>
  value === null || value === undefined ? "–" : value.toFixed(digits).replace("-", "−");
const fields = (values) =>
  Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== ""),
  );

function when(text) {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return String(text ?? "");
  return date.toLocaleString(LANG === "zh" ? "zh-CN" : "en-GB", {
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  });
}

/** What only this browser remembers; a browser that keeps nothing is no error. */
const memory = {
  get(name) {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  },
  set(name, value) {
    try {
      localStorage.setItem(name, value);
    } catch {
      /* private window */
    }
  },
};

/** A short message that goes by itself; inside an open dialog, because what lies behind one is neither seen nor read
 *  out. */
function toast(text, { error = false, action = null } = {}) {
  const open = [...document.querySelectorAll("dialog[open]")].pop();
  (open ?? document.body).append($("toasts"));
  const node = el(error ? "p.toast.error" : "p.toast", {}, el("span", {}, text), action);
  $("toasts").append(node);
  while ($("toasts").children.length > 3) $("toasts").firstChild.remove();
  setTimeout(() => node.remove(), error ? 12000 : 5000);
}

const complain = (error) => toast(error.message, { error: true });

/** Messages do not go with a dialog that closes. */
const keepToasts = (dialog) => dialog.contains($("toasts")) && document.body.append($("toasts"));

/** Draw anew; what had the focus has it again, if it is still there. */
function keepingFocus(draw, options = {}) {
  const focus = document.activeElement?.dataset?.focus;
  draw();
  if (focus) document.querySelector(`[data-focus="${CSS.escape(focus)}"]`)?.focus(options);
}

/** What was opened or shut by hand stays so when it is drawn anew, and from task to task. */
const folds = new Map();
function fold(id, summary, body, { open = false, ...props } = {}) {
  const ontoggle = (event) => folds.set(id, event.target.open);
  return el("details", { ...props, open: folds.get(id) ?? open, "data-id": id, ontoggle }, el("summary", {}, summary), body);
}

/** A list of at most four with one more, or without it where it is there already. */
const toggled = (list, one) => (list.includes(one) ? list.filter((other) => other !== one) : [...list, one].slice(-4));

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t("copied", { text: clip(text, 60) }));
  } catch {
    toast(t("copy_failed", { text: clip(text, 200) }), { error: true });
  }
}

/** A question in a dialog. Resolves to the form's values, or to null where it was left. */
function ask({ title, text = [], body = [], confirm, danger = false, disabled = false }) {
  const dialog = $("ask");
  return new Promise((resolve) => {
    const form = el(
      "form",
      { method: "dialog" },
      el("h2", { id: "ask-title" }, title),
      text.map((line) => el("p", {}, line)),
      body,
      el(
        "div.buttons",
        {},
        button(t(confirm ? "cancel" : "close"), () => dialog.close("")),
        confirm && el(danger ? "button.primary.danger" : "button.primary", { value: "yes", disabled }, confirm),
      ),
    );
    dialog.replaceChildren(form);
    dialog.returnValue = "";
    dialog.addEventListener(
      "close",
      () => {
        keepToasts(dialog);
        resolve(dialog.returnValue === "yes" ? Object.fromEntries(new FormData(form)) : null);
      },
      { once: true },
    );
    dialog.showModal();
    (
      form.querySelector("[data-first]") ??
      form.querySelector("button.primary") ??
      form.querySelector("button")
    ).focus();
  });
}

// ---------- The address

const FILTERS = ["sort", "order", "type", "generator", "flag", "decision", "q"];
const readAddress = () => Object.fromEntries(new URLSearchParams(location.search));
let here = readAddress();

function address(changes) {
  return `?${new URLSearchParams(fields({ ...here, ...changes }))}`;
}

/** Show something else, or the same in another way; the address says it, so that it can be sent and reloaded. */
function go(changes, { replace = false } = {}) {
  const next = address(changes);
  if (next !== location.search) history[replace ? "replaceState" : "pushState"](null, "", next);
  here = readAddress();
  return show();
}

/** What a view's address does not take along: whatever was looked at in a task. */
const viewOf = (name) => ({ task: "", see: "", mode: "", c: "", compare: "", view: name === "queue" ? "" : name });
const link = (name, text, props = {}) => el("a", { href: address(viewOf(name)), "data-go": true, ...props }, text);

/** The part of the address that says which tasks, in which order. */
const filters = () => Object.fromEntries(FILTERS.filter((name) => here[name]).map((name) => [name, here[name]]));

// ---------- The server

class Refused extends Error {}

async function request(path, options = {}) {
  const url = new URL(path, document.baseURI);
  url.searchParams.set("lang", LANG);
  let reply;
  try {
    reply = await fetch(url, options);
  } catch {
    throw new Refused(t("no_server"));
  }
  const told = await reply.json().catch(() => ({}));
  if (!reply.ok)
    throw Object.assign(new Refused(told.error ?? t("server_error", { status: reply.status })), {
      status: reply.status,
      told,
    });
  return told;
}

/** Resolved while nothing is pressed, by mouse or space bar: what news draw anew meanwhile would hear no click. */
let released = Promise.resolve();
let release = null;
function holdDrawing(event) {
  const pressed = event.type === "keydown" ? event.key === " " : event.button === 0;
  if (pressed && !release && event.target.closest?.("a, button, summary, label"))
    released = new Promise((resolve) => (release = resolve));
}
const drawAgain = () => setTimeout(() => (release = release?.())); // after the click that is about to be heard

const get = (path, query = {}) => request(`${path}?${new URLSearchParams(fields(query))}`);
const post = (path, body = {}) =>
  request(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", "X-Bestshot": "1" },
  });

let state = null; // /api/state as it was last told
const tasks = new Map(); // key of a task and the order it was asked in -> what /api/task told
const readOnly = () => Boolean(state?.read_only);
const mayExclude = () => !readOnly() && state?.rule !== "none";
const mayPin = () => !readOnly() && state?.rule === "exclusions_and_pins";

const taskKey = (id) => `${id}?${new URLSearchParams(filters())}`;

async function loadTask(id, { fresh = false } = {}) {
  const name = taskKey(id);
  if (!fresh && tasks.has(name)) return tasks.get(name);
  const told = await get(`api/task/${encodeURIComponent(id)}`, filters());
  told.neighbours = tasks.get(name)?.neighbours ?? told.neighbours; // a look changes the order: not while one walks along it
  if (tasks.size > 40) tasks.delete(tasks.keys().next().value);
  tasks.set(name, told);
  return told;
}

async function loadState() {
  state = await get("api/state");
  await released;
  drawTop();
  if (view() === "day") drawDay();
  if (view() === "queue" && $("next")) drawNext();
}

/** What changed elsewhere is fetched again; several changes in a row are one. */
let pending = 0;
function refresh({ decisions = true } = {}) {
  clearTimeout(pending);
  pending = setTimeout(async () => {
    try {
      if (decisions) {
        const current = tasks.get(taskKey(here.task));
        tasks.clear();
        if (current) tasks.set(taskKey(here.task), { ...current, stale: true });
        queue.stale = true;
      }
      await loadState();
      if (view() === "queue") await reloadQueue();
      if (view() === "task" && here.task) await freshTask(here.task);
    } catch (error) {
      complain(error);
    }
  }, 80);
}

async function freshTask(id) {
  const told = await loadTask(id, { fresh: true });
  await released;
  if (view() !== "task" || here.task !== id || sending > 0) return;
  drawTask(told);
  loadOutline(told);
}

/** Decisions and progress of every window and program; the browser connects again by itself.
 *
 *  Only a window that is seen listens: a browser has six connections to a server, and six tabs that listen would leave
 *  none for anything else. The first thing that is heard says what was missed meanwhile. */
let events = null;
function listen() {
  if (document.hidden || events) {
    if (document.hidden) events?.close();
    events = document.hidden ? null : events;
    return;
  }
  events = new EventSource(new URL(`api/events?lang=${LANG}`, document.baseURI));
  events.onopen = () => document.documentElement.removeAttribute("data-lost");
  events.onerror = () => {
    document.documentElement.setAttribute("data-lost", "");
    drawTop();
  };
  events.onmessage = async (event) => {
    await released;
    heard(JSON.parse(event.data));
  };
}

/** `news` holds the numbers of the newest rows by table: what differs from what was heard before is new. */
function heard({ jobs = [], building = false, next = null, ...news }) {
  if (!state) return;
  const before = heard.before ?? { ...news, ...state.version };
  heard.before = news;
  const changed = Object.keys(news).filter((name) => (news[name] || null) !== (before[name] || null));
  const old = new Map((state.jobs ?? []).map((job) => [job.id, job]));
  const ended = jobs.filter((job) => !isAlive(job) && old.has(job.id) && isAlive(old.get(job.id)));
  state.next = next ?? state.next; // null: not known yet
  if ($("next")) drawNext();
  const turned = Boolean(state.snapshot?.building) !== building;
  state.jobs = jobs;
  if (turned) state.snapshot = { ...state.snapshot, building };
  if (turned || document.documentElement.hasAttribute("data-lost")) {
    document.documentElement.removeAttribute("data-lost");
    drawTop();
  }
  if (view() === "day") drawJobs();
  for (const job of ended) tellEnd(job);
  if (changed.length || ended.length)
    refresh({ decisions: ended.length > 0 || changed.some((name) => name !== "look") });
  if (ended.length) loadDay();
}

// ---------- Decisions: shown at once, then stored, taken back on the page where that fails

let sending = 0;
let last = Promise.resolve(); // they are stored in the order in which they were made

function decide(decision) {
  const told = tasks.get(taskKey(here.task));
  if (told) showTask(decided(told, decision));
  sending += 1;
  last = last
    .then(() => post("api/decide", decision))
    .then(
      () => {
        sending -= 1;
        refresh();
        return true;
      },
      (error) => {
        sending -= 1;
        if (told) showTask(told);
        toast(t("not_stored", { error: error.message }), { error: true });
        refresh();
        return false;
      },
    );
  return last;
}

function showTask(told) {
  tasks.set(taskKey(told.id), told);
  if (view() === "task" && here.task === told.id) drawTask(told);
}

/** A task as it will be once the server has stored the decision. */
function decided(told, { kind, candidate = null, generator = null, task = null, reason = "" }) {
  const mark = { reason, by: state.person, at: new Date().toISOString() };
  const of = candidate ? "candidate" : task ? "task generator" : "generator";
  const hit = (one) =>
    candidate ? one.id === candidate : (one.makers ?? [one.generator]).every((name) => name === generator);
  const change = {
    exclude: (one) => (hit(one) ? { ...one, excluded: { ...mark, of } } : one),
    include: (one) => (hit(one) && one.excluded?.of === of ? { ...one, excluded: null } : one),
    pin: (one) => ({ ...one, pinned: one.id === candidate ? mark : null }),
    release: (one) => (one.id === candidate ? { ...one, pinned: null } : one),
    note: (one) =>
      one.id === candidate ? { ...one, notes: [...one.notes, { text: reason, by: mark.by, at: mark.at }] } : one,
  }[kind];
  const entry = { id: `new-${Date.now()}`, kind, task, candidate, generator, ...mark };
  const notes =
    kind === "note" && !candidate ? [...(told.notes ?? []), { text: reason, by: mark.by, at: mark.at }] : told.notes;
  return { ...told, notes, candidates: told.candidates.map(change), decisions: [...told.decisions, entry] };
}

const REASONS = ["broken", "face", "text", "prompt", "kept", "ugly"];

/** The short field for a reason or a note. Of exclusions there are ready-made reasons, and what was written last stands
 *  in it; `draft` is what stands in that of a note, and `onwrite` hears what is written. */
async function askReason({ title, confirm, scopes = [], label = t("reason"), draft = "", onwrite = null }) {
  const excludes = scopes.length > 0;
  const field = el("input", {
    name: "reason",
    id: "reason",
    maxlength: 500,
    autocomplete: "off",
    required: true,
    "data-first": true,
    value: (excludes && memory.get("reason")) || draft,
    onfocus: (event) => !draft && event.target.select(),
    oninput: onwrite && (() => onwrite(field.value)),
    onkeydown: (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      field.form.requestSubmit(field.form.querySelector("button.primary"));
    },
  });
  const answer = await ask({
    title,
    confirm,
    body: [
      el("label", { for: "reason" }, label),
      field,
      excludes &&
        el(
          "div.chips",
          { role: "group", "aria-label": t("ready_made") },
          REASONS.map((name) =>
            button(t(`reason_${name}`), () => {
              field.value = t(`reason_${name}`);
              field.focus();
            }),
          ),
        ),
      excludes &&
        el(
          "fieldset",
          {},
          el("legend", {}, t("what")),
          scopes.map(([value, text], i) =>
            el("label.check", {}, el("input", { type: "radio", name: "scope", value, checked: i === 0 }), text),
          ),
        ),
    ],
  });
  if (!answer?.reason.trim()) return null;
  if (excludes) memory.set("reason", answer.reason.trim());
  return { reason: answer.reason.trim(), scope: answer.scope };
}

async function exclude(told, one) {
  if (!mayExclude()) return toast(readOnly() ? t("is_read_only") : t("rule_none"));
  if (one.excluded) return include(told, one);
  const name = one.generator;
  const answer = await askReason({
    title: t("exclude_title", { short: one.short }),
    confirm: t("exclude"),
    scopes: [
      ["candidate", t("scope_candidate")],
      ["task generator", t("scope_task_generator", { name })],
      ["generator", t("scope_generator", { name })],
    ],
  });
  if (!answer) return null;
  return decide({ kind: "exclude", reason: answer.reason, ...target(told, one, answer.scope ?? "candidate") });
}

const include = (told, one) => decide({ kind: "include", reason: "", ...target(told, one, one.excluded.of) });

function target(told, one, scope) {
  if (scope === "candidate") return { task: told.id, candidate: one.id };
  const generator = one.excluded?.generator ?? one.generator;
  return scope === "task generator" ? { task: told.id, generator } : { generator };
}

async function pin(told, one) {
  if (!mayPin()) return toast(readOnly() ? t("is_read_only") : t("rule_no_pins"));
  if (one.pinned) return decide({ kind: "release", task: told.id, candidate: one.id, reason: "" });
  const answer = await askReason({ title: t("pin_title", { short: one.short }), confirm: t("pin") });
  return answer && decide({ kind: "pin", task: told.id, candidate: one.id, reason: answer.reason });
}

const drafts = new Map(); // task to the note that was begun and not stored

async function note(told, one) {
  if (readOnly()) return toast(t("is_read_only"));
  const answer = await askReason({
    title: t("note_title", { short: one?.short ?? told.id }),
    confirm: t("note"),
    label: t("note"),
    draft: drafts.get(told.id) ?? "",
    onwrite: (text) => drafts.set(told.id, text),
  });
  if (!answer) return null;
  drafts.delete(told.id);
  const about = one ? { candidate: one.id } : {};
  const stored = await decide({ kind: "note", task: told.id, ...about, reason: answer.reason });
  if (!stored && !drafts.get(told.id)) drafts.set(told.id, answer.reason);
  return stored;
}

async function undo() {
  if (readOnly()) return toast(t("is_read_only"));
  try {
    await last;
    const { decision } = await post("api/undo");
    toast(decision ? undoneWords(decision) : t("nothing_to_undo"));
    refresh();
  } catch (error) {
    complain(error);
  }
  return null;
}

const aboutOf = (decision) =>
  decision.candidate ? decision.candidate.slice(0, 8) : (decision.generator ?? decision.task ?? "");

const decisionWords = (decision) => `${named("kind", decision.kind)} ${aboutOf(decision)}`;

/** What was taken back, by the decision that took it back. */
function undoneWords(decision) {
  const what = aboutOf(decision);
  if (decision.kind === "include") return t("undone_exclusion", { what });
  if (decision.kind === "release") return t("undone_pin", { what });
  return t("undone", { what });
}

// ---------- Pictures: asked for when they are near the window

const near = new IntersectionObserver(
  (entries) => {
    for (const entry of entries.filter((one) => one.isIntersecting)) {
      near.unobserve(entry.target);
      entry.target.src = entry.target.dataset.src;
    }
  },
  { rootMargin: "300px" },
);

const sized = (url, size) => `${url}${url.includes("?") ? "&" : "?"}size=${size}`;
const imageOf = (id) => `image/${encodeURIComponent(id)}`;

function picture(url, size, alt) {
  const image = el("img", { alt, decoding: "async", draggable: "false" });
  image.dataset.src = sized(url, size);
  image.addEventListener("error", () => {
    if (image.getAttribute("src")) image.replaceWith(el("span.broken", {}, t("no_picture")));
  });
  near.observe(image);
  return image;
}

const boxes = (regions, kind = "changed") =>
  (regions ?? []).map((box) =>
    el(`i.region.${kind}`, {
      style: {
        left: `${box.left * 100}%`,
        top: `${box.top * 100}%`,
        width: `${(box.right - box.left) * 100}%`,
        height: `${(box.bottom - box.top) * 100}%`,
      },
    }),
  );

const outlined = () => here.outline === "on";
const toggleOutline = () => go({ outline: outlined() ? "" : "on" }, { replace: true });

/** What was edited is found by comparing with the source, which takes seconds the first time: only where it is wanted. */
async function loadOutline(facts) {
  if (!outlined() || !facts.source || facts.outlines) return;
  facts.outlines = true;
  try {
    const { region, candidates } = await get(`api/region/${encodeURIComponent(facts.id)}`);
    const known = tasks.get(taskKey(facts.id)) ?? facts;
    showTask({
      ...known,
      outlines: true,
      region,
      candidates: known.candidates.map((one) => ({ ...one, region: candidates[one.id] ?? one.region })),
    });
  } catch (error) {
    facts.outlines = false;
    complain(error);
  }
}

// ---------- The top

const view = () => (["queue", "task", "pair", "day"].includes(here.view) ? here.view : "queue");
const tab = (name) => {
  const isHere = view() === name || (name === "queue" && view() === "task");
  return link(name, t(`tab_${name}`), { "aria-current": isHere ? "page" : null });
};

function drawTop() {
  if (!state) return;
  const share = state.looked + state.to_look ? state.looked / (state.looked + state.to_look) : 1;
  $("top").replaceChildren(
    el("div.name", {}, el("strong", {}, state.campaign), el("span", {}, state.contest_title ?? "")),
    el(
      "nav",
      { "aria-label": t("views") },
      tab("queue"),
      state.ratings && tab("pair"),
      tab("day"),
    ),
    el(
      "div.looked",
      { title: t("looked_of", { looked: state.looked, all: state.looked + state.to_look }) },
      el("progress", { value: String(share), max: 1, "aria-label": t("progress") }),
      el("span", {}, t("looked_of", { looked: state.looked, all: state.looked + state.to_look })),
    ),
    state.quota && link("day", t("slots_left", { n: state.quota.left }), { class: "slots" }),
    el(
      "div.tools",
      {},
      state.read_only && el("span.tag", {}, t("read_only")),
      document.documentElement.hasAttribute("data-lost") && el("span.tag.warn", { role: "alert" }, t("lost")),
      state.snapshot?.building && el("span.tag", {}, t(state.snapshot.ready ? "building" : "first_building")),
      button(LANG === "zh" ? "English" : "中文", switchLanguage, {
        lang: LANG === "zh" ? "en" : "zh-CN",
        "aria-label": t("other_language"),
      }),
      button("◐", switchTheme, { "aria-label": t("theme"), title: t("theme") }),
      button("?", help, { "aria-label": t("help"), title: t("help") }),
    ),
  );
}

const switchLanguage = () => {
  location.search = address({ lang: LANG === "zh" ? "en" : "zh" });
};

function switchTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const now = document.documentElement.dataset.theme ?? (dark ? "dark" : "light");
  useTheme(now === "dark" ? "light" : "dark");
}

function useTheme(theme) {
  if (!["dark", "light"].includes(theme)) return;
  document.documentElement.dataset.theme = theme;
  memory.set("theme", theme);
}

// ---------- The queue: all tasks, of which only the rows near the window exist

const PAGE = 50;
const queue = {
  key: null,
  total: null,
  pages: new Map(),
  waiting: new Set(),
  rows: new Map(),
  list: null,
  stale: false,
};
const rowHeight = () => (NARROW.matches ? 132 : 76);
const SORTS = ["worth", "loss", "margin", "disagreement", "low", "changed", "id", "type"];
const DECISIONS = ["excluded", "pinned", "noted", "none", "looked", "not_looked", "changed"];

async function showQueue() {
  const anew = !queue.list?.isConnected;
  if (anew) buildQueue();
  drawFilters();
  drawNext();
  const name = JSON.stringify(filters());
  if (queue.key !== name || queue.stale) {
    queue.key = name;
    await reloadQueue();
  }
  fillRows();
  drawCount();
  if (anew && here.at) reach(Number(here.at), { focus: false });
}

function buildQueue() {
  queue.list = el("ol.rows", { "aria-label": t("tab_queue") });
  queue.rows.clear();
  $("main").replaceChildren(
    el(
      "section.queue",
      {},
      el("h1.hidden", {}, t("tab_queue")),
      el("div.next", { id: "next" }),
      el("div.filters", { id: "filters", role: "search" }),
      el("p.count", { id: "count", role: "status" }),
      queue.list,
      el("div", { id: "end" }),
    ),
  );
  if (queue.total !== null) sizeList();
}

/** The pages that were seen are asked for again, and replaced when they have come: nothing flickers. */
async function reloadQueue() {
  const name = JSON.stringify(filters());
  const first = Math.floor(firstRow() / PAGE);
  const told = await pageOf(first);
  await released;
  if (name !== JSON.stringify(filters())) return;
  Object.assign(queue, { key: name, total: told.total, pages: new Map([[first, told.tasks]]), stale: false });
  queue.waiting.clear();
  if (view() !== "queue") return;
  sizeList();
  fillRows();
  drawCount();
}

const pageOf = (page) => get("api/queue", { ...filters(), offset: page * PAGE, limit: PAGE });
const taskAt = (i) => queue.pages.get(Math.floor(i / PAGE))?.[i % PAGE];

function sizeList() {
  queue.list.style.height = `${queue.total * rowHeight()}px`;
}

const firstRow = () =>
  queue.list?.isConnected
    ? Math.max(0, Math.floor((scrollY - queue.list.offsetTop) / rowHeight()))
    : Number(here.at ?? 0);

function fillRows() {
  if (view() !== "queue" || queue.total === null || !queue.list?.isConnected) return;
  const first = Math.max(0, firstRow() - 5);
  const end = Math.min(queue.total, first + Math.ceil(innerHeight / rowHeight()) + 12);
  for (const [i, row] of queue.rows)
    if (i < first || i >= end) {
      row.remove();
      queue.rows.delete(i);
    }
  for (let i = first; i < end; i += 1) placeRow(i);
}

function placeRow(i) {
  const one = taskAt(i);
  if (!one) loadPage(Math.floor(i / PAGE));
  const old = queue.rows.get(i);
  const print = JSON.stringify([one, rowHeight(), here.at === String(i)]);
  if (old?.print === print) return;
  const focused = old?.contains(document.activeElement);
  const row = drawRow(one, i);
  row.print = print;
  const after = old ?? [...queue.list.children].find((node) => Number(node.dataset.i) > i) ?? null;
  if (old) old.replaceWith(row);
  else queue.list.insertBefore(row, after);
  queue.rows.set(i, row);
  if (focused) row.querySelector("a")?.focus({ preventScroll: true });
}

async function loadPage(page) {
  if (queue.waiting.has(page)) return;
  queue.waiting.add(page);
  const name = queue.key;
  try {
    const toldPage = await pageOf(page);
    if (queue.key === name) {
      queue.pages.set(page, toldPage.tasks);
      fillRows();
    }
  } catch (error) {
    complain(error);
  } finally {
    queue.waiting.delete(page);
  }
}

const typeName = (kind) => named("type", kind);
const flagNames = (flags) => (flags ?? []).map((flag) => el("span.flag", {}, named("flag", flag)));

function drawRow(one, i) {
  const place = {
    style: { top: `${i * rowHeight()}px`, height: `${rowHeight()}px` },
    "data-i": i,
    "aria-posinset": i + 1,
    "aria-setsize": queue.total,
  };
  if (!one) return el("li.row.empty-row", place, el("span.hidden", {}, t("loading")));
  const current = here.at === String(i);
  return el(
    "li.row",
    { ...place, class: `row${current ? " current" : ""}${one.looked ? " seen" : ""}` },
    el(
      "a",
      {
        href: address({ view: "task", task: one.id, at: i, c: "" }),
        "data-go": true,
        "aria-current": current ? "true" : null,
      },
      el("span.thumb", {}, one.pick ? picture(imageOf(one.pick.id), 160, "") : null),
      el(
        "span.what",
        {},
        el(
          "span.head",
          {},
          el("b", {}, one.id),
          el("span.type", {}, typeName(one.type)),
          one.changed && el("span.flag.new", {}, t("flag_changed")),
          flagNames(one.flags),
        ),
        el("span.words", {}, one.prompt || t("no_prompt")),
      ),
      el("span.counts", {}, counts(one)),
      el("span.estimate", {}, rowEstimate(one)),
      el("span.worth", {}, worthBar(one)),
    ),
  );
}

function counts(one) {
  return [
    t("n_candidates", { n: one.candidates }),
    one.excluded && t("n_excluded", { n: one.excluded }),
    one.pinned && t("is_pinned"),
    one.notes && t("n_notes", { n: one.notes }),
    one.looked && t("is_looked"),
  ]
    .filter(Boolean)
    .map((text) => el("span", {}, text));
}

/** Before any total was told, an estimate is no number that anybody should read: no decimals then. */
function rowEstimate(one) {
  if (!one.pick) return el("span.soft", {}, t("no_pick"));
  const maker = el("span.maker", {}, one.pick.generator);
  if (!state.calibrated || one.overall === null) return maker;
  return [el("span", {}, el("b", {}, number(one.overall)), el("span.soft", {}, ` ± ${number(one.sd)}`)), maker];
}

function worthBar(one) {
  if (one.worth === null || one.worth === undefined) return null;
  const most = Math.max(...[...queue.pages.values()].flat().map((row) => row.worth ?? 0), 1e-9);
  return [
    el("span.meter", { style: { "--share": `${Math.min(100, (one.worth / most) * 100)}%` } }),
    el("span.soft", {}, t("worth_points", { points: points(one.worth) })),
  ];
}

/** Points of the contest's total, with as many decimals as they need. */
const points = (value) =>
  value === null || value === undefined
    ? "–"
    : value.toFixed(value >= 0.1 ? 2 : value >= 0.001 ? 4 : 5).replace("-", "−");

function drawCount() {
  const count = $("count");
  if (!count || queue.total === null) return;
  count.textContent =
    queue.total === state.tasks
      ? t("n_tasks", { n: queue.total })
      : t("n_of_tasks", { n: queue.total, all: state.tasks });
  $("end").replaceChildren(
    queue.total === 0 ? el("p.empty", {}, t("nothing_found")) : state.to_look === 0 ? endOf() : "",
  );
}

/** The honest end: what is left is worth less than a look costs, and how much that is. */
function endOf() {
  return el(
    "div.end",
    {},
    el("h2", {}, t("end_title")),
    el("p", {}, state.look_floor ? t("end_text", { points: points(state.look_floor) }) : t("end_all")),
    el("p", {}, link("day", t("end_next"))),
  );
}

function drawNext() {
  const next = state.next;
  if (!next) return $("next").replaceChildren();
  return $("next").replaceChildren(
    el("span.kicker", {}, t("next_step")),
    el("span", {}, next.words),
    next.command && button(next.command, () => copy(next.command), { class: "code", title: t("copy") }),
  );
}

function select(name, label, options, chosen) {
  return el(
    "label.select",
    {},
    el("span", {}, label),
    el(
      "select",
      { name, onchange: (event) => filter({ [name]: event.target.value }) },
      options.map(([value, text]) => el("option", { value, selected: value === (chosen ?? "") }, text)),
    ),
  );
}

const filter = (changes) => {
  scrollTo(0, 0);
  return go({ ...changes, at: "" }, { replace: true });
};
const any = (options) => [["", t("any")], ...options];

function drawFilters() {
  const place = $("filters");
  const print = JSON.stringify([filters(), state.generators, state.types, state.flags]);
  if (
    place.dataset.print === print ||
    (place.contains(document.activeElement) && document.activeElement.type === "search")
  )
    return;
  const focus = document.activeElement?.name;
  place.dataset.print = print;
  const active = FILTERS.some((name) => here[name]);
  place.replaceChildren(
    el("input", {
      type: "search",
      id: "search",
      placeholder: t("search_hint"),
      "aria-label": t("search"),
      value: here.q ?? "",
      oninput: searched,
    }),
    el(
      "details.more",
      { open: !NARROW.matches || Boolean(place.querySelector("details")?.open) },
      el("summary", {}, t("filters")),
      el(
        "div.selects",
        {},
        select(
          "sort",
          t("sort"),
          SORTS.map((name) => [name === "worth" ? "" : name, named("sort", name)]),
          here.sort,
        ),
        button(
          here.order === "asc" ? "↑" : here.order === "desc" ? "↓" : "↕",
          () => filter({ order: here.order === "asc" ? "desc" : "asc" }),
          { "aria-label": t("turn_order"), title: t("turn_order") },
        ),
        select(
          "type",
          t("type"),
          any(state.types.map(({ type, tasks: n }) => [type, `${typeName(type)} (${n})`])),
          here.type,
        ),
        select(
          "generator",
          t("generator"),
          any(state.generators.map(({ name, excluded }) => [name, excluded ? `${name} (${t("excluded")})` : name])),
          here.generator,
        ),
        select("flag", t("flag"), any(state.flags.map((name) => [name, named("flag", name)])), here.flag),
        select("decision", t("decision"), any(DECISIONS.map((name) => [name, named("decision", name)])), here.decision),
        active && button(t("clear"), () => filter(Object.fromEntries(FILTERS.map((name) => [name, ""])))),
      ),
    ),
  );
  if (focus) place.querySelector(`[name="${focus}"]`)?.focus();
}

let typing = 0;
function searched(event) {
  clearTimeout(typing);
  typing = setTimeout(() => filter({ q: event.target.value }), 120);
}

/** Make row `i` the current one and bring it into the window. */
function reach(i, { focus = true } = {}) {
  if (!queue.total) return;
  const at = Math.max(0, Math.min(queue.total - 1, i));
  const top = queue.list.offsetTop + at * rowHeight();
  const room = $("top").offsetHeight + 70;
  if (top < scrollY + room) scrollTo(0, top - room);
  else if (top + rowHeight() > scrollY + innerHeight - 20) scrollTo(0, top + rowHeight() - innerHeight + 20);
  if (focus) go({ at: String(at) }, { replace: true });
  fillRows();
  if (focus) queue.rows.get(at)?.querySelector("a")?.focus({ preventScroll: true });
}

// ---------- A task

let trail = []; // the tasks that were walked through, so that K goes back where J came from
let drawn = { told: null, frames: new Map() };
let looking = 0;

async function openTask() {
  const id = here.task;
  const cached = tasks.get(taskKey(id));
  if (!cached) $("main").setAttribute("aria-busy", "true");
  const toldTask = await loadTask(id);
  $("main").removeAttribute("aria-busy");
  if (view() !== "task" || here.task !== id) return;
  if (trail[trail.length - 1] !== id && !trail.includes(id)) trail = [...trail.slice(-200), id];
  drawTask(toldTask);
  if (cached?.stale) freshTask(id).catch(complain);
  looked(id);
  preload(toldTask);
  loadOutline(toldTask);
}

/** Who stays for a moment has looked; who only passes by has not. */
function looked(id) {
  clearTimeout(looking);
  if (readOnly()) return;
  looking = setTimeout(async () => {
    if (view() !== "task" || here.task !== id) return;
    try {
      Object.assign(state, await post("api/look", { task: id, seen: drawn.told?.seen })); // what was drawn, not what is
      queue.stale = true;
      drawTop();
    } catch {
      /* a look that is not counted is no error worth a message */
    }
  }, 600);
}

/** The next task's data and small pictures, while the person looks at this one. */
function preload(toldTask) {
  const id = toldTask.neighbours?.next;
  if (!id) return;
  (window.requestIdleCallback ?? setTimeout)(async () => {
    try {
      const next = await loadTask(id);
      if (here.task !== toldTask.id) return;
      for (const one of next.candidates.slice(0, 16))
        Object.assign(new Image(), { fetchPriority: "low" }).src = sized(imageOf(one.id), 320);
    } catch {
      /* it will be asked for again when it is shown */
    }
  });
}

const inputsOf = (toldTask) =>
  ["source", "reference"]
    .filter((name) => toldTask[name])
    .map((name) => ({
      label: t(name),
      short: name,
      ...toldTask[name],
      asked: name === "source" ? toldTask.region : null,
    }));
const current = (toldTask) =>
  toldTask.candidates.find((one) => one.short === here.c) ??
  toldTask.candidates.find((one) => one.picked) ??
  toldTask.candidates[0] ??
  null;
const chosen = () => (here.compare ? here.compare.split(",") : []);
const now = () => (view() === "task" ? (tasks.get(taskKey(here.task)) ?? null) : null);

function drawTask(toldTask) {
  if (drawn.told?.id !== toldTask.id) drawn = { told: null, frames: new Map() };
  if (drawn.told === null) {
    scrollTo(0, 0);
    entitle(toldTask.id);
  }
  const [one, aside] = [current(toldTask), document.querySelector(".inspector")];
  const depth = drawn.short === one?.short ? aside?.scrollTop : 0;
  Object.assign(drawn, { told: toldTask, short: one?.short });
  keepingFocus(() => $("main").replaceChildren(...taskParts(toldTask, one)), { preventScroll: true });
  document.querySelector(".inspector").scrollTop = depth ?? 0;
  drawViewer();
}

function taskParts(toldTask, one) {
  const inputs = inputsOf(toldTask);
  return [
    el(
      "article.task",
      { class: inputs.length ? "task with-inputs" : "task", "data-id": toldTask.id },
      taskHead(toldTask),
      inputs.length > 0 &&
        el(
          "aside.inputs",
          { "aria-label": t("inputs") },
          inputs.map(inputCard),
        ),
      el(
        "section",
        { class: toldTask.candidates.length > 4 ? "cards" : "cards few", "aria-label": t("candidates") },
        toldTask.candidates.length
          ? toldTask.candidates.map((each, i) => card(toldTask, each, i))
          : el("p.empty", {}, t("no_candidates")),
      ),
      el("aside.inspector", { "aria-label": t("about_candidate") }, inspector(toldTask, one)),
      !toldTask.neighbours?.next && state.to_look === 0 && endOf(),
    ),
    actions(toldTask, one),
  ];
}

function taskHead(toldTask) {
  return el(
    "header.task-head",
    {},
    el(
      "div.line",
      {},
      el("h1", {}, t("task_title", { id: toldTask.id })),
      el("span.type", {}, typeName(toldTask.type)),
      flagNames(toldTask.flags),
      button(t("copy_id"), () => copy(toldTask.id), { class: "quiet" }),
      toldTask.prompt && button(t("copy_prompt"), () => copy(toldTask.prompt), { class: "quiet" }),
    ),
    promptOf(toldTask),
    toldTask.reading?.length > 0 &&
      el(
        "dl.reading",
        {},
        toldTask.reading.map(({ name, text }) =>
          el("div", {}, el("dt", {}, named("reading", name)), el("dd", {}, text)),
        ),
      ),
  );
}

/** A prompt; a long one is folded to three lines, and stays open while one walks along the queue. */
function promptOf({ prompt }) {
  const words = el("p.prompt", {}, prompt || t("no_prompt"));
  if (prompt.length <= 320 && prompt.split("\n").length <= 5) return words;
  return fold("prompt", [words, el("span.unfold", {}, t("whole_prompt"))], null, { class: "fold" });
}

/** The frame of a picture with its proportions, so that nothing moves when it comes; it is kept when the card is drawn
 *  anew. */
function frame({ id, url, width, height, label, size = 320 }, outline) {
  const ratio = width && height ? width / height : 1;
  const kept = drawn.frames.get(id) ?? picture(url, size, label);
  drawn.frames.set(id, kept);
  return el(
    "span.frame",
    { style: { "aspect-ratio": String(ratio), width: `min(100%, calc(var(--picture-height) * ${ratio.toFixed(4)}))` } },
    kept,
    outlined() && outline,
  );
}

function inputCard(one) {
  return el(
    "figure",
    {},
    el(
      "button.picture",
      { type: "button", "aria-label": t("open_large", { name: one.label }), onclick: () => openViewer([one.short]) },
      frame({ ...one, id: one.short }, boxes(one.asked, "asked")),
    ),
    el("figcaption", {}, one.label, el("span.soft", {}, one.width ? ` ${one.width} × ${one.height}` : "")),
  );
}

function card(toldTask, one, i) {
  const label = t("candidate_n", { n: i + 1 });
  const size = toldTask.candidates.length > 4 ? 320 : 640;
  const mine = current(toldTask)?.id === one.id;
  const compared = chosen().includes(one.short);
  const classes = [
    "card",
    mine && "current",
    one.picked && "picked",
    one.excluded && "excluded",
    one.pinned && "pinned",
    compared && "compared",
  ].filter(Boolean);
  return el(
    `article.${classes.join(".")}`,
    {
      "data-short": one.short,
      "aria-label": label,
      onclick: (event) => {
        if (!event.target.closest("button")) choose(one);
      },
    },
    el(
      "button.picture",
      {
        type: "button",
        "data-focus": one.short,
        "aria-label": t("open_large", { name: label }),
        onclick: () => openViewer([one.short]),
      },
      frame({ ...one, url: imageOf(one.id), label, size }, boxes(one.region)),
    ),
    el(
      "button.number",
      {
        type: "button",
        "aria-pressed": String(compared),
        title: t("compare_toggle"),
        "aria-label": t("compare_n", { n: i + 1 }),
        onclick: () => toggleCompare(one),
      },
      String(i + 1),
    ),
    el("div.badges", {}, badges(one)),
    el(
      "div.line",
      {},
      el("span.maker", {}, one.generator),
      el("button.code", { type: "button", title: t("copy"), onclick: () => copy(one.short) }, one.short),
    ),
    cardEstimate(toldTask, one),
    one.excluded && el("p.why-not", {}, t("excluded_because", { reason: one.excluded.reason })),
    one.refused && el("p.why-not", {}, one.refused),
  );
}

function badges(one) {
  return [
    one.picked && el("span.badge.pick", {}, t("pick")),
    one.pinned && el("span.badge.pick", {}, t("pinned")),
    one.runner_up && el("span.badge", {}, t("runner_up")),
    one.fallback && el("span.badge.warn", {}, t("flag_fallback")),
    one.excluded && el("span.badge.warn", {}, t("excluded")),
    one.notes.length > 0 && el("span.badge", {}, t("n_notes", { n: one.notes.length })),
  ];
}

/** Whether anything was estimated yet; until then nothing is told of ranks and scores but that they are to come. */
const isReady = () => state.snapshot?.ready !== false;
const waitWords = () =>
  state.snapshot?.fault ? t("fault", { error: state.snapshot.fault }) : t("estimates_coming");

/** With totals the estimate, its ± and how far it lies behind the pick; before, only rank and a bar. */
function cardEstimate(toldTask, one) {
  const estimate = one.estimate;
  if (!estimate) return el("p.numbers.soft", {}, isReady() ? t("no_estimate") : waitWords());
  const best = Math.max(...toldTask.candidates.map((other) => other.estimate?.overall ?? 0), 1e-9);
  const bar = el("span.meter", {
    style: { "--share": `${Math.max(0, Math.min(100, (estimate.overall / (state.calibrated ? 10 : best)) * 100))}%` },
  });
  if (!state.calibrated) return el("p.numbers", {}, el("b", {}, one.rank ? t("rank", { n: one.rank }) : "–"), bar);
  return el(
    "p.numbers",
    {},
    el("b", {}, number(estimate.overall)),
    el("span.soft", {}, `± ${number(estimate.sd)}`),
    !one.picked && estimate.behind !== null && el("span.behind", { title: t("behind_pick") }, behind(estimate.behind)),
    bar,
  );
}

/** How far a candidate lies from the pick, signed: worse is less. */
const behind = (value) => `${value > 0 ? "−" : "+"}${Math.abs(value).toFixed(1)}`;

const choose = (one) => go({ c: one.short }, { replace: true });

function toggleCompare(one) {
  return go({ compare: toggled(chosen(), one.short).join(","), c: one.short }, { replace: true });
}

function inspector(toldTask, one) {
  if (!one) return [el("p.empty", {}, t("no_candidates")), why(toldTask, null), aboutTask(toldTask)];
  const i = toldTask.candidates.indexOf(one);
  return [
    el(
      "h2",
      {},
      t("candidate_n", { n: i + 1 }),
      el("span.soft", {}, ` ${[one.generator, one.variant].filter(Boolean).join(" · ")}`),
    ),
    verdicts(one),
    estimateLines(one),
    why(toldTask, one),
    scoreBars(toldTask, one),
    judgesOf(one),
    notesOf(one),
    madeWith(one),
    aboutTask(toldTask),
  ];
}

function verdicts(one) {
  const lines = [
    one.excluded &&
      el("p.why-not", {}, t("excluded_by", one.excluded ? { ...one.excluded, at: when(one.excluded.at) } : {})),
    one.pinned && el("p.good", {}, t("pinned_by", one.pinned ? { ...one.pinned, at: when(one.pinned.at) } : {})),
    one.refused && el("p.why-not", {}, t("refused_because", { reason: one.refused })),
    one.fallback && el("p.why-not", {}, t("is_fallback")),
  ].filter(Boolean);
  return lines.length > 0 && el("div.verdicts", {}, lines);
}

function estimateLines(one) {
  const e = one.estimate;
  if (!e) return null;
  if (!state.calibrated) return el("p.soft", {}, t("before_totals"));
  const axis = (name, value, measured) =>
    el(
      "div",
      {},
      el("dt", {}, name),
      el("dd", {}, number(value), !measured && el("span.soft", {}, ` ${t("not_measured")}`)),
    );
  return el(
    "dl.facts",
    {},
    el("div", {}, el("dt", {}, t("estimate")), el("dd", {}, `${number(e.overall)} ± ${number(e.sd)}`)),
    axis("SC", e.sc, e.sc_measured),
    axis("PQ", e.pq, e.pq_measured),
    e.p_best !== null && el("div", {}, el("dt", {}, t("p_best")), el("dd", {}, `${Math.round(e.p_best * 100)} %`)),
    !one.picked && e.behind !== null && el("div", {}, el("dt", {}, t("to_pick")), el("dd", {}, behind(e.behind))),
  );
}

const MOST_PARTS = 6;

/** Why the pick leads, for it and for who comes second: what the estimate rests on, the weightiest parts first. */
function why(toldTask, one) {
  const facts = toldTask.why;
  if (!facts || (one && !one.picked && !one.runner_up)) return null;
  const reason = pickReason(toldTask, facts);
  if (!isReady() && !reason) return null;
  const weight = (part) => Math.max(Math.abs(part.pick ?? 0), Math.abs(part.runner_up ?? 0));
  const parts = [...(facts.parts ?? [])].sort((a, b) => weight(b) - weight(a));
  const most = Math.max(...parts.map(weight), 1e-9);
  const rows = parts.map((part) => partBars(part, most));
  return el(
    "section",
    {},
    el("h3", {}, t("why_pick")),
    reason && el("p", {}, reason),
    facts.basis && el("p.soft", {}, facts.basis),
    rows.length > 0 &&
      el(
        "div.parts",
        {},
        el("p.legend", {}, el("span.swatch.pick", {}), t("pick"), el("span.swatch", {}), t("runner_up")),
        rows.slice(0, MOST_PARTS),
        rows.length > MOST_PARTS &&
          fold("parts", t("more_parts", { n: rows.length - MOST_PARTS }), rows.slice(MOST_PARTS)),
      ),
  );
}

/** Before any total the stored reason tells decimals that mean nothing yet: then only the rank is told. */
function pickReason(toldTask, facts) {
  const pick = toldTask.candidates.find((one) => one.picked);
  if (state.calibrated || pick?.pinned || pick?.fallback) return facts.pick_reason;
  const all = toldTask.candidates.filter((one) => one.rank).length;
  return pick?.rank ? t("rank_of", { n: pick.rank, all }) : "";
}

function partBars({ name, pick, runner_up }, most) {
  const bar = (value, kind) =>
    el(`span.pull.${kind}${value < 0 ? ".below" : ""}`, {
      style: { "--share": `${(Math.abs(value ?? 0) / most) * 50}%` },
    });
  return el(
    "div.part",
    {},
    el("span", {}, name.replaceAll("_", " ").replace(/\.(?=[a-z])/, " ")),
    el(
      "span.bars",
      { role: "img", "aria-label": t("part_bars", { pick: number(pick, 2), runner: number(runner_up, 2) }) },
      bar(pick, "first"),
      bar(runner_up, "second"),
    ),
  );
}

/** Each column as a strip: where this candidate stands among all of its type, and where the task's others do. */
function scoreBars(toldTask, one) {
  if (!one.scores?.length) return el("p.soft", {}, isReady() ? t("no_scores") : waitWords());
  const gates = one.scores.filter((score) => score.axis === "gate");
  const measured = one.scores.filter((score) => score.axis !== "gate" && score.value !== null);
  const unscored = one.scores.filter((score) => score.value === null);
  return el(
    "section",
    {},
    el("h3", {}, t("scores"), el("span.soft", {}, ` ${t("scores_hint")}`)),
    el(
      "ul.strips",
      {},
      measured.map((score) => strip(score, places(toldTask, one, score))),
    ),
    gates.length > 0 &&
      !one.refused &&
      el("p.soft", {}, t("gates_passed", { n: gates.filter((gate) => gate.value !== null).length })),
    unscored.length > 0 &&
      fold(
        "unscored",
        t("n_unscored", { n: unscored.length }),
        el(
          "ul",
          {},
          unscored.map((score) =>
            el("li", {}, columnName(score), el("span.soft", {}, ` ${score.reason ?? t("unscored")}`)),
          ),
        ),
      ),
  );
}

const places = (toldTask, one, { column }) =>
  toldTask.candidates
    .filter((other) => other.id !== one.id)
    .map((other) => other.scores.find((score) => score.column === column)?.place)
    .filter((place) => typeof place === "number");

/** `technical.band_noise` as "band noise"; its scorer and what it means are told where one points at it. */
const columnName = ({ column }) => column.slice(column.indexOf(".") + 1).replaceAll("_", " ");

function strip(score, others) {
  const about = [score.what, score.column, score.higher_is_better === false ? t("lower_better") : t("higher_better")]
    .filter(Boolean)
    .join("\n");
  const place = score.place ?? 0;
  return el(
    "li.strip",
    {},
    el(
      "span.strip-name",
      { title: about },
      columnName(score),
      el("span.soft", {}, ` ${(score.axis ?? "").toUpperCase()}`),
    ),
    el(
      "span.track",
      { role: "img", "aria-label": t("place", { percent: Math.round(place * 100) }) },
      el("span.fill", { style: { "--share": `${place * 100}%` } }),
      others.map((other) => el("i", { style: { left: `${other * 100}%` } })),
    ),
    el(score.best ? "b.value" : "span.value", { title: score.best ? t("best_of_task") : null }, scoreValue(score)),
  );
}

function scoreValue({ value, low, high }) {
  const span = (high ?? 1) - (low ?? 0);
  return number(value, span <= 2 ? 3 : span <= 20 ? 2 : 1);
}

function judgesOf(one) {
  return (
    one.judges?.length > 0 &&
    el(
      "section",
      {},
      el("h3", {}, t("judges")),
      one.judges.map((judge) =>
        el(
          "blockquote",
          {},
          el(
            "p.soft",
            {},
            [
              judge.name,
              judge.overall !== null && t("judge_overall", { value: number(judge.overall) }),
              judge.sc !== null && `SC ${number(judge.sc)}`,
              judge.pq !== null && `PQ ${number(judge.pq)}`,
            ]
              .filter(Boolean)
              .join(" · "),
          ),
          judge.words && el("p", {}, judge.words),
        ),
      ),
    )
  );
}

function notesOf(one) {
  return one.notes.length > 0 && el("section", {}, el("h3", {}, t("notes")), one.notes.map(noteLine));
}

const noteLine = (entry) => el("p", {}, entry.text, el("span.soft", {}, ` ${entry.by}, ${when(entry.at)}`));

function copyable(label, text) {
  if (text === null || text === undefined || text === "") return null;
  const words = typeof text === "string" ? text : JSON.stringify(text, null, 1);
  return el(
    "div",
    {},
    el("dt", {}, label),
    el(
      "dd",
      {},
      el("code", {}, words),
      button("", () => copy(words), {
        class: "quiet copy",
        "aria-label": t("copy_what", { what: label }),
        title: t("copy"),
      }),
    ),
  );
}

function madeWith(one) {
  return fold(
    "made",
    t("made_with"),
    el(
      "dl",
      {},
      copyable(t("id"), one.id),
      copyable(t("generator"), one.generator),
      copyable(t("seed"), one.seed === null || one.seed === undefined ? null : String(one.seed)),
      copyable(t("prompt_sent"), one.prompt_sent),
      Object.keys(one.settings ?? {}).length > 0 && copyable(t("settings"), one.settings),
      copyable(t("file"), one.file),
      el("div", {}, el("dt", {}, t("size")), el("dd", {}, `${one.width} × ${one.height}`)),
    ),
    { open: true, class: "made" },
  );
}

function aboutTask(toldTask) {
  return [
    toldTask.notes?.length > 0 && el("section", {}, el("h3", {}, t("task_notes")), toldTask.notes.map(noteLine)),
    toldTask.declined?.length > 0 &&
      fold(
        "declined",
        t("declined"),
        el(
          "ul",
          {},
          toldTask.declined.map((one) =>
            el(
              "li",
              {},
              el("b", {}, one.generator),
              ` ${one.reason}`,
              one.count > 1 && el("span.soft", {}, ` × ${one.count}`),
            ),
          ),
        ),
      ),
    toldTask.decisions?.length > 0 &&
      fold(
        "decisions",
        [t("decisions_here"), el("span.soft", {}, ` ${toldTask.decisions.length}`)],
        el(
          "ul.history",
          {},
          [...toldTask.decisions]
            .reverse()
            .map((one) =>
              el(
                "li",
                {},
                el("b", {}, decisionWords(one)),
                one.reason && ` ${one.reason}`,
                el("span.soft", {}, ` ${one.by}, ${when(one.at)}`),
              ),
            ),
        ),
      ),
  ];
}

/** The bar of what one does; at 390 px it lies at the lower edge, where a thumb reaches. */
function actions(toldTask, one) {
  const action = (name, letter, act, props = {}) =>
    button([el("span", {}, t(name)), key(letter)], act, {
      "data-focus": `bar-${name}`,
      "aria-label": t(name),
      ...props,
    });
  return el(
    "div.actions",
    { role: "toolbar", "aria-label": t("actions") },
    action("previous", "K", () => step(-1)),
    el("span.position", {}, here.at ? t("position", { n: Number(here.at) + 1, all: queue.total ?? state.tasks }) : ""),
    action("next", "J", () => step(1)),
    one &&
      !readOnly() &&
      action(one.excluded ? "include" : "exclude", "X", () => exclude(toldTask, one), {
        disabled: !mayExclude(),
        title: mayExclude() ? null : t("rule_none"),
      }),
    one && mayPin() && action(one.pinned ? "release" : "pin", "P", () => pin(toldTask, one)),
    !readOnly() && action("undo", "U", undo),
    one && !readOnly() && action("note", "N", () => note(toldTask, one)),
    toldTask.candidates.length > 0 && action("compare", "C", () => compare(toldTask)),
    toldTask.source &&
      toldTask.candidates.length > 0 &&
      action("outline", "O", toggleOutline, { "aria-pressed": String(outlined()), class: "wide" }),
  );
}

async function step(by) {
  const toldTask = now();
  if (!toldTask) return;
  const place = trail.indexOf(toldTask.id);
  const next = trail[place + by] ?? (by > 0 ? toldTask.neighbours?.next : toldTask.neighbours?.previous);
  if (!next) {
    toast(by > 0 ? (state.to_look === 0 ? t("end_title") : t("last_task")) : t("first_task"));
    return;
  }
  if (by < 0 && place <= 0) trail = [next, ...trail];
  await go({ task: next, c: "", compare: "", see: "", mode: "", at: String(Math.max(0, Number(here.at ?? 0) + by)) });
  $("main").focus({ preventScroll: true });
}

function moveChoice(by) {
  const toldTask = now();
  const list = toldTask?.candidates ?? [];
  if (!list.length) return;
  const i = list.indexOf(current(toldTask));
  const next = list[Math.max(0, Math.min(list.length - 1, i + by))];
  choose(next);
  const node = document.querySelector(`[data-focus="${CSS.escape(next.short)}"]`);
  node?.focus({ preventScroll: true });
  node?.closest(".card").scrollIntoView({ block: "nearest", behavior: CALM.matches ? "auto" : "smooth" });
}

// ---------- The large view: one or several pictures, moved and enlarged together

const MODES = ["single", "side", "blink", "difference", "slider"];
const PAIRED = ["difference", "slider"];
const viewer = { zoom: 1, x: 0.5, y: 0.5, split: 0.5, gain: 4, shown: 0, timer: 0, panes: [], print: "" };

function openViewer(shorts, mode = "single") {
  Object.assign(viewer, { zoom: 1, x: 0.5, y: 0.5, split: 0.5, shown: 0 });
  const one = now()?.candidates.find((candidate) => candidate.short === shorts[0]);
  return go({ see: shorts.join(","), mode: mode === "single" ? "" : mode, ...(one ? { c: one.short } : {}) });
}

const closeViewer = () => go({ see: "", mode: "" });

/** What was chosen, side by side; where nothing was, the pick and its runner-up. */
function compare(toldTask) {
  const picked = [toldTask.candidates.find((one) => one.picked), toldTask.candidates.find((one) => one.runner_up)]
    .filter(Boolean)
    .map((one) => one.short);
  const shorts = chosen().length > 1 ? chosen() : [...new Set([...chosen(), ...picked])].slice(0, 2);
  return openViewer(shorts.length ? shorts : [toldTask.candidates[0].short], shorts.length > 1 ? "side" : "single");
}

/** Everything of a task that can be looked at: its inputs, then its candidates. */
function lookable(toldTask) {
  return [
    ...inputsOf(toldTask),
    ...toldTask.candidates.map((one, i) => ({
      short: one.short,
      label: `${i + 1} · ${one.generator}`,
      url: imageOf(one.id),
      width: one.width,
      height: one.height,
      changed: one.region,
      candidate: one,
    })),
  ];
}

const seen = (toldTask) =>
  (here.see ?? "")
    .split(",")
    .map((short) => lookable(toldTask).find((one) => one.short === short))
    .filter(Boolean)
    .slice(0, 4);

function modeOf(items) {
  const mode = MODES.includes(here.mode) ? here.mode : "single";
  if (items.length < 2) return "single";
  return mode === "single" ? "side" : mode;
}

function drawViewer() {
  const dialog = $("viewer");
  const toldTask = now();
  const items = here.see && toldTask ? seen(toldTask) : [];
  if (!items.length) {
    if (dialog.open) {
      clearInterval(viewer.timer);
      dialog.close();
      keepToasts(dialog);
    }
    viewer.print = "";
    return;
  }
  const mode = modeOf(items);
  if (!dialog.open) dialog.showModal();
  const print = JSON.stringify([mode, items, outlined(), toldTask.id]);
  if (print !== viewer.print) buildViewer(dialog, toldTask, items, mode);
  viewer.print = print;
  placeAll();
}

function buildViewer(dialog, toldTask, items, mode) {
  clearInterval(viewer.timer);
  const focus = dialog.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  const used = PAIRED.includes(mode) ? items.slice(0, 2) : items;
  const stage = el(`div.stage.${mode}`, {
    tabindex: "0",
    "data-focus": "stage",
    "aria-label": t("stage"),
    role: "group",
  });
  viewer.panes = [];
  viewer.mode = mode;
  viewer.items = used;
  if (mode === "side") for (const one of used) stage.append(pane([one]));
  else stage.append(pane(used));
  stage.dataset.n = String(viewer.panes.length);
  dialog.replaceChildren(viewerBar(toldTask, items, mode), stage, el("div.captions", {}, modeControls(mode, used)));
  moveWith(stage);
  if (mode === "blink") blink();
  if (mode === "difference") difference(used, viewer.panes[0].node);
  (dialog.querySelector(focus ? `[data-focus="${CSS.escape(focus)}"]` : ".stage") ?? stage).focus();
}

function viewerBar(toldTask, items, mode) {
  const shorts = items.map((one) => one.short);
  const toggle = (one) => go({ see: toggled(shorts, one.short).join(",") || one.short }, { replace: true });
  return el(
    "div.viewer-bar",
    {},
    el(
      "div.group",
      { role: "group", "aria-label": t("modes") },
      MODES.map((name) =>
        button([t(`mode_${name}`), key(MODE_KEYS[name])], () => setMode(name), {
          "aria-pressed": String(name === mode),
          disabled: name !== "single" && lookable(toldTask).length < 2,
          "data-focus": `mode-${name}`,
        }),
      ),
    ),
    el(
      "div.group.pictures",
      { role: "group", "aria-label": t("which_pictures") },
      lookable(toldTask).map((one) =>
        button(one.candidate ? one.label.split(" · ")[0] : one.label, () => toggle(one), {
          "aria-pressed": String(shorts.includes(one.short)),
          "data-focus": `see-${one.short}`,
          title: one.label,
          class: one.candidate?.excluded ? "struck" : null,
        }),
      ),
    ),
    el(
      "div.group",
      {},
      button(t("fit"), () => zoomTo(1), { "data-focus": "fit" }),
      button("100%", fullSize, { "data-focus": "full" }),
      el("output", { id: "zoom", "aria-label": t("zoom") }),
      button(t("outline"), toggleOutline, { "aria-pressed": String(outlined()), "data-focus": "outline" }),
      button([t("close"), key("Esc")], closeViewer, { "data-focus": "close" }),
    ),
  );
}

const MODE_KEYS = { single: "L", side: "S", blink: "B", difference: "D", slider: "W" };

/** Another way to look; where it needs two pictures and one is shown, the pick or the runner-up joins it. */
function setMode(mode) {
  const toldTask = now();
  let shorts = seen(toldTask).map((one) => one.short);
  if (mode === "single") shorts = [shorts.includes(here.c) ? here.c : shorts[0]];
  else if (shorts.length < 2) shorts = [...shorts, partner(toldTask, shorts[0])].filter(Boolean);
  return go({ see: shorts.join(","), mode: mode === "single" ? "" : mode }, { replace: true });
}

function partner(toldTask, short) {
  const source = toldTask.source && "source";
  const wished = [
    ...toldTask.candidates.filter((one) => one.picked),
    ...toldTask.candidates.filter((one) => one.runner_up),
    ...toldTask.candidates,
  ].map((one) => one.short);
  return [...wished, source].find((other) => other && other !== short);
}

function pane(items) {
  const node = el(
    "div.pane",
    {},
    items.map((one) =>
      el(
        "div.layer",
        {},
        el("img", { src: sized(one.url, "full"), alt: one.label, draggable: "false", decoding: "async" }),
        outlined() && [boxes(one.changed), boxes(one.asked, "asked")],
      ),
    ),
    el("span.caption", {}, items.length === 1 ? caption(items[0]) : ""),
  );
  viewer.panes.push({ node, items });
  return node;
}

function caption(one) {
  const e = one.candidate?.estimate;
  const marks = one.candidate
    ? [
        one.candidate.picked && t("pick"),
        one.candidate.runner_up && t("runner_up"),
        one.candidate.excluded && t("excluded"),
        one.candidate.pinned && t("pinned"),
      ]
    : [];
  return [
    one.label,
    state.calibrated && e
      ? `${number(e.overall)} ± ${number(e.sd)}`
      : one.candidate?.rank
        ? t("rank", { n: one.candidate.rank })
        : null,
    ...marks,
    `${one.width} × ${one.height}`,
  ]
    .filter(Boolean)
    .join(" · ");
}

function modeControls(mode, items) {
  const labels = items.map((one, i) =>
    el("span", {}, items.length > 1 && PAIRED.includes(mode) ? `${"AB"[i]}: ` : "", caption(one)),
  );
  if (mode === "slider")
    return [
      labels[0],
      el("input", {
        type: "range",
        min: 0,
        max: 100,
        step: 1,
        value: String(viewer.split * 100),
        "aria-label": t("divider"),
        "data-focus": "divider",
        oninput: (event) => {
          viewer.split = event.target.value / 100;
          placeAll();
        },
      }),
      labels[1],
    ];
  if (mode === "difference")
    return [
      labels,
      el(
        "label.gain",
        {},
        t("gain"),
        el("input", {
          type: "range",
          min: 1,
          max: 16,
          value: String(viewer.gain),
          "data-focus": "gain",
          oninput: (event) => {
            viewer.gain = Number(event.target.value);
            difference(viewer.items, viewer.panes[0].node);
          },
        }),
      ),
      el("output", { id: "differs" }),
    ];
  if (mode === "blink")
    return [
      el("span", { id: "blinking" }, caption(items[0])),
      button(t("pause"), () => blink({ toggle: true }), { id: "pause", "data-focus": "pause" }),
    ];
  return mode === "single" ? labels : [];
}

/** Which layers are seen, and where they lie: x and y are the picture's point in the middle of its pane, 0 to 1. */
function placeAll() {
  for (const { node, items } of viewer.panes) {
    const room = roomOf(node);
    const layers = [...node.querySelectorAll(".layer")];
    layers.forEach((layer, i) =>
      placeLayer(layer, PAIRED.includes(viewer.mode) || viewer.mode === "blink" ? items[0] : items[i], room),
    );
    if (viewer.mode === "blink")
      layers.forEach((layer, i) => {
        layer.hidden = i !== viewer.shown % items.length;
      });
    if (viewer.mode === "slider") splitAt(node, layers, room);
  }
  const first = viewer.panes[0];
  const output = $("zoom");
  if (first && output)
    output.textContent = `${Math.round((viewer.zoom / exact()) * 100)}%`;
}

const roomOf = (node) => ({ width: node.clientWidth, height: node.clientHeight });
const fitOf = (one, room) => Math.min(room.width / (one.width || 1), room.height / (one.height || 1));

function placeLayer(layer, one, room) {
  const scale = fitOf(one, room) * viewer.zoom;
  const [width, height] = [one.width * scale, one.height * scale];
  const left =
    width <= room.width
      ? (room.width - width) / 2
      : Math.min(0, Math.max(room.width - width, room.width / 2 - viewer.x * width));
  const top =
    height <= room.height
      ? (room.height - height) / 2
      : Math.min(0, Math.max(room.height - height, room.height / 2 - viewer.y * height));
  Object.assign(layer.style, { width: `${width}px`, height: `${height}px`, left: `${left}px`, top: `${top}px` });
  layer.classList.toggle("pixels", scale * devicePixelRatio >= 3);
}

function splitAt(node, layers, room) {
  const at = viewer.split * room.width;
  const top = layers[1];
  if (!top) return;
  top.style.clipPath = `inset(0 0 0 ${Math.max(0, at - parseFloat(top.style.left))}px)`;
  let line = node.querySelector(".divider");
  if (!line) {
    line = el("div.divider", {});
    node.append(line);
  }
  line.style.left = `${at}px`;
}

function zoomTo(zoom, at = null) {
  const before = viewer.zoom;
  viewer.zoom = Math.max(Math.min(1, exact()), Math.min(64, zoom));
  if (at) {
    // the point under the pointer stays under it
    viewer.x += (at.x - viewer.x) * (1 - before / viewer.zoom);
    viewer.y += (at.y - viewer.y) * (1 - before / viewer.zoom);
  }
  clampMiddle();
  placeAll();
}

const share = (value) => Math.max(0, Math.min(1, value));

function clampMiddle() {
  viewer.x = share(viewer.x);
  viewer.y = share(viewer.y);
}

/** One pixel of the picture is one of the screen. */
const fullSize = () => zoomTo(exact());

function exact() {
  const first = viewer.panes[0];
  return first ? 1 / devicePixelRatio / fitOf(first.items[0], roomOf(first.node)) : 1;
}

/** The point of the picture (0 to 1) that lies under the pointer. */
function pointAt(event) {
  const layer = event.target.closest?.(".layer") ?? viewer.panes[0].node.querySelector(".layer:not([hidden])");
  const box = layer.getBoundingClientRect();
  return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
}

function moveWith(stage) {
  const down = new Map();
  let spread = 0;
  stage.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      zoomTo(viewer.zoom * Math.exp(-event.deltaY * 0.002), pointAt(event));
    },
    { passive: false },
  );
  stage.addEventListener("dblclick", (event) => {
    const at = pointAt(event);
    if (viewer.zoom > 1) zoomTo(1);
    else {
      Object.assign(viewer, at);
      fullSize();
    }
  });
  stage.addEventListener("pointerdown", (event) => {
    down.set(event.pointerId, event);
    spread = 0;
    stage.setPointerCapture(event.pointerId);
  });
  for (const name of ["pointerup", "pointercancel"])
    stage.addEventListener(name, (event) => {
      down.delete(event.pointerId);
      spread = 0;
    });
  stage.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (!before) return;
    down.set(event.pointerId, event);
    if (down.size > 1) {
      spread = pinch([...down.values()], spread);
      return;
    }
    const first = viewer.panes[0];
    if (viewer.mode === "slider" && viewer.zoom === 1) {
      const box = first.node.getBoundingClientRect();
      viewer.split = share((event.clientX - box.left) / box.width);
    } else pan(before.clientX - event.clientX, before.clientY - event.clientY);
    placeAll();
  });
}

function pinch([one, two], before) {
  const apart = Math.hypot(one.clientX - two.clientX, one.clientY - two.clientY);
  if (before) zoomTo(viewer.zoom * (apart / before));
  return apart;
}

function pan(dx, dy) {
  const layer = viewer.panes[0].node.querySelector(".layer:not([hidden])");
  viewer.x += dx / layer.offsetWidth;
  viewer.y += dy / layer.offsetHeight;
  clampMiddle();
}

/** By itself, unless the person wants little motion: then the space bar turns the page. */
function blink({ toggle = false } = {}) {
  const running = toggle ? viewer.timer !== 0 : CALM.matches;
  clearInterval(viewer.timer);
  viewer.timer = running ? 0 : setInterval(turn, 700);
  const pause = $("pause");
  if (pause) pause.textContent = viewer.timer ? t("pause") : t("go_on");
}

function turn() {
  viewer.shown = (viewer.shown + 1) % viewer.items.length;
  const label = $("blinking");
  if (label) label.textContent = caption(viewer.items[viewer.shown]);
  placeAll();
}

/** |A - B| of every pixel, enlarged; only where both have the same size, as scaling would invent differences. */
async function difference([a, b], node) {
  node.querySelector("canvas, .message")?.remove();
  node.classList.add("differing");
  if (a.width !== b.width || a.height !== b.height) {
    node.append(el("p.message", {}, t("unequal", { a: `${a.width} × ${a.height}`, b: `${b.width} × ${b.height}` })));
    return;
  }
  try {
    const [one, two] = await Promise.all([a, b].map(pixels));
    if (!node.isConnected || viewer.mode !== "difference") return;
    node.querySelector("canvas")?.remove();
    const { canvas, share, mean } = differing(one, two, viewer.gain);
    node.querySelector(".layer").append(canvas);
    const output = $("differs");
    if (output) output.textContent = t("differs", { share: number(share * 100), mean: number(mean) });
  } catch {
    node.append(el("p.message", {}, t("no_picture")));
  }
}

async function pixels(one) {
  const image = new Image();
  image.src = sized(one.url, "full");
  await image.decode();
  const canvas = el("canvas", { width: image.naturalWidth, height: image.naturalHeight });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

function differing(one, two, gain) {
  const out = new ImageData(one.width, one.height);
  let [sum, changed] = [0, 0];
  for (let i = 0; i < one.data.length; i += 4) {
    let most = 0;
    for (let k = 0; k < 3; k += 1) {
      const gap = Math.abs(one.data[i + k] - two.data[i + k]);
      out.data[i + k] = gap * gain;
      sum += gap;
      most = Math.max(most, gap);
    }
    out.data[i + 3] = 255;
    changed += most > 8;
  }
  const canvas = el("canvas", {
    width: one.width,
    height: one.height,
    role: "img",
    "aria-label": t("mode_difference"),
  });
  canvas.getContext("2d").putImageData(out, 0, 0);
  return { canvas, share: changed / (one.data.length / 4), mean: sum / (one.data.length * 0.75) };
}

/** In the large view of one picture: the one before, the one after. */
function turnPage(by) {
  const toldTask = now();
  const list = lookable(toldTask);
  const next = list[list.findIndex((one) => one.short === here.see) + by];
  if (next) go({ see: next.short, ...(next.candidate ? { c: next.short } : {}) }, { replace: true });
}

// ---------- Two at a time, without names

let pair = null;
let answered = []; // the questions that were answered in this window, newest last

async function showPair() {
  if (!state.ratings) return drawPair();
  if (!pair || pair.asked !== (here.task ?? ""))
    pair = { ...(await get("api/pair", { task: here.task })), asked: here.task ?? "" };
  return view() === "pair" && drawPair();
}

function drawPair() {
  const side = (id, letter, better) =>
    el(
      "figure",
      {},
      button(picture(imageOf(id), 640, t("picture_letter", { letter })), () => answer(better), {
        class: "picture",
        "aria-label": t("better_letter", { letter }),
        disabled: readOnly(),
      }),
      el("figcaption", {}, letter),
    );
  const body = !state.ratings
    ? el("p.empty", {}, t(readOnly() ? "is_read_only" : "no_ratings"))
    : !pair.left || !pair.a
      ? el("p.empty", {}, t("no_pairs"))
      : [
          promptOf(pair),
          el(
            "div.duel",
            { class: pair.source ? "duel with-source" : "duel" },
            pair.source &&
              el(
                "figure.source",
                {},
                picture(pair.source.url ?? pair.source, 320, t("source")),
                el("figcaption", {}, t("source")),
              ),
            side(pair.a, "A", "a"),
            side(pair.b, "B", "b"),
          ),
          el(
            "div.buttons.center",
            {},
            button([t("better_letter", { letter: "A" }), key("1")], () => answer("a"), { disabled: readOnly() }),
            button([t("same"), key("0")], () => answer("same"), { disabled: readOnly() }),
            button([t("better_letter", { letter: "B" }), key("2")], () => answer("b"), { disabled: readOnly() }),
          ),
          el("p.soft.center", {}, t("pairs_left", { n: pair.left })),
        ];
  const back = answered.length > 0 && el("div.buttons.center", {}, button([t("pair_back"), key("U")], askAgain));
  $("main").replaceChildren(
    el("section.pair", {}, el("h1", {}, t("tab_pair")), el("p.lead", {}, t("pair_lead")), body, back),
  );
}

/** The question before, once more: of a person's answers to the same two pictures the last one counts. */
function askAgain() {
  if (answering) return;
  if (!answered.length) toast(t("no_answer"));
  else {
    pair = answered.pop();
    drawPair();
  }
}

let answering = false;
async function answer(better) {
  if (answering || !pair?.a || readOnly()) return;
  answering = true;
  try {
    await post("api/pair", { task: pair.task, a: pair.a, b: pair.b, better });
    answered.push(pair);
    pair = null;
    await showPair();
  } catch (error) {
    toast(t("not_stored", { error: error.message }), { error: true });
  } finally {
    answering = false;
  }
}

// ---------- The day

const day = { plan: null, totals: null, work: null };

async function loadDay() {
  try {
    [day.plan, day.totals, day.work] = await Promise.all(["plan", "totals", "work"].map((one) => get(`api/${one}`)));
    await released;
    if (view() === "day") drawDay();
  } catch (error) {
    complain(error);
  }
}

async function showDay() {
  drawDay();
  await loadDay();
}

function drawDay() {
  keepingFocus(buildDay);
}

function buildDay() {
  const panel = (title, ...body) => el("section.panel", {}, el("h2", {}, title), body);
  const buttons = RUNS.map((verb) =>
    button(t(`run_${verb}`), () => run(verb), {
      "data-focus": `run-${verb}`,
      class: verb === "export" ? "primary" : null,
      disabled: running(),
    }),
  );
  $("main").replaceChildren(
    el(
      "div.day",
      {},
      el("h1.hidden", {}, t("tab_day")),
      el("div.next", { id: "next" }),
      panel(t("submissions"), slots(), picksLine()),
      panel(t("advice"), advice()),
      el(
        "section.panel.runs",
        {},
        el("h2", {}, t("run")),
        readOnly() ? el("p.soft", {}, t("is_read_only")) : el("div.buttons", {}, buttons),
        el("div", { id: "jobs" }),
        atWork(),
      ),
      el("section.panel.wide", {}, el("h2", {}, t("totals")), totals()),
    ),
  );
  drawNext();
  drawJobs();
}

/** Who works for the campaign, on whatever machine, as `bestshot status` says it. */
function atWork() {
  const lines = (day.work?.at_work ?? []).map((one) =>
    [
      t("at_work_line", { what: one.what || "bestshot", host: one.host, pid: one.pid, since: when(one.since) }),
      one.alone_at.length > 0 && t("at_work_alone", { names: one.alone_at.join(t("comma")) }),
      !one.alive && t("at_work_silent", { seconds: Math.round(one.silent_seconds) }),
    ].filter(Boolean),
  );
  return lines.length > 0 && [
    el("h3", {}, t("at_work")),
    lines.map((line) => el("p.soft.at-work", {}, line.join(t("comma")))),
  ];
}

const RUNS = ["score", "generate", "plan", "pick", "export"];
const isAlive = (job) => job.state === "running" || job.state === "stopping";
const running = () => (state.jobs ?? []).some(isAlive);

function slots() {
  const quota = state.quota;
  if (!quota) return el("p.soft", {}, t("no_quota"));
  return [
    el("p.big", {}, t("slots_of", { left: quota.left, allowed: quota.allowed })),
    el("p", { id: "countdown" }, countdown()),
  ];
}

function countdown() {
  const quota = state?.quota;
  if (!quota?.turns_at) return "";
  const minutes = Math.max(0, Math.floor((new Date(quota.turns_at) - Date.now()) / 60000));
  return t("turns_in", {
    day: quota.day,
    zone: quota.zone,
    hours: Math.floor(minutes / 60),
    minutes: String(minutes % 60).padStart(2, "0"),
  });
}

function picksLine() {
  const picks = state.picks;
  if (!picks?.count) return el("p.soft", {}, t("no_picks"));
  return [
    el("p", {}, t(picks.purpose === "learn" ? "picks_learn" : "picks_win", { n: picks.count })),
    picks.fallbacks > 0 && el("p.why-not", {}, t("n_fallbacks", { n: picks.fallbacks })),
    picks.submission && el("p.soft", {}, t("picks_are", { id: picks.submission })),
    (picks.stale ?? []).map((line) => el("p.soft", {}, line)),
    state.snapshot?.fault && el("p.why-not", {}, t("fault", { error: state.snapshot.fault })),
    state.snapshot?.stale?.length > 0 &&
      el("p.soft", {}, t("stale", { what: state.snapshot.stale.map((name) => named("news", name)).join(t("comma")) })),
  ];
}

function advice() {
  const plan = day.plan;
  if (!plan?.words) return el("p.soft", {}, t("no_plan"));
  return [
    plan.expected !== null &&
      el(
        "p.big",
        {},
        plan.hold
          ? t("hold")
          : t("expected", { value: number(plan.expected, 2), low: number(plan.low, 2), high: number(plan.high, 2) }),
      ),
    plan.words.map((line) => el("p", {}, line)),
    el("p.soft", {}, when(plan.at)),
  ];
}

const begun = new Set(); // ids of what was started in this window

async function run(verb, options = null) {
  try {
    const wanted = options ?? (await optionsOf(verb));
    if (!wanted) return;
    const { job } = await post("api/run", { verb, options: wanted });
    begun.add(job.id);
    state.jobs = [...(state.jobs ?? []).filter((one) => one.id !== job.id), job];
    if (view() === "day") drawDay();
  } catch (error) {
    complain(error);
  }
}

/** Say how a run ended. One that refused to replace a plan to learn asks whoever started it. */
async function tellEnd(job) {
  const told = { verb: named("verb", job.verb), error: job.error ?? "" };
  if (job.needs !== "replace" || $("ask").open || !begun.delete(job.id))
    toast(t(`ended_${job.state}`, told), { error: job.state === "failed" });
  else if (await askReplace()) await run(job.verb, { replace: true });
}

/** What a run is asked with, after the person was told what it does; null where it is not to be run. */
async function optionsOf(verb) {
  if (verb === "plan")
    return ask({
      title: t("run_plan"),
      confirm: t("run_plan"),
      body: [
        el("label", { for: "remaining" }, t("remaining")),
        el("input", {
          id: "remaining",
          name: "remaining",
          type: "number",
          min: 1,
          max: 1000,
          "data-first": true,
        }),
      ],
    }).then((form) => form && (form.remaining === "" ? {} : { remaining: Number(form.remaining) }));
  if (verb === "pick") return {};
  if (verb === "export") return exportOptions();
  return ask({ title: t(`run_${verb}`), text: [t("may_cost")], confirm: t(`run_${verb}`) }).then((form) => form && {});
}

const askReplace = () =>
  ask({ title: t("replace_title"), text: [t("replace_text")], confirm: t("replace"), danger: true }).then(
    (form) => form && { replace: true },
  );

/** What is known of the ZIP before it is written. */
const exportWords = (facts) => [
  facts.submission
    ? t("export_what", { submission: facts.submission, n: facts.tasks })
    : t("export_unnamed", { n: facts.tasks }),
  facts.changed_from_last === null ? t("export_first") : t("export_changed", { n: facts.changed_from_last }),
  t("export_decisions", { n: facts.decisions }),
  ...(facts.missing ? [t("export_missing", { n: facts.missing })] : []),
  ...(facts.certain === false ? [t("export_uncertain")] : []),
];

async function exportOptions() {
  const facts = await get("api/export-preview");
  const box = el("input", {
    type: "checkbox",
    name: "fallbacks",
    value: "yes",
    "data-first": true,
    onchange: () => {
      box.form.querySelector("button.primary").disabled = !box.checked;
    },
  });
  const form = await ask({
    title: t("export_title", { zip: facts.zip }),
    confirm: t("run_export"),
    text: exportWords(facts),
    disabled: facts.fallbacks > 0,
    body:
      facts.fallbacks > 0
        ? [
            el("p.why-not", {}, t("n_fallbacks", { n: facts.fallbacks })),
            el("label.check", {}, box, t("allow_fallbacks")),
          ]
        : [],
  });
  return form && (form.fallbacks ? { allow_fallbacks: true } : {});
}

function drawJobs() {
  const place = $("jobs");
  if (!place) return;
  keepingFocus(() => place.replaceChildren(...[...(state.jobs ?? [])].reverse().slice(0, 6).map(jobCard)));
  for (const verb of RUNS) document.querySelector(`[data-focus="run-${verb}"]`)?.toggleAttribute("disabled", running());
}

function jobCard(job) {
  const [verb, alive] = [named("verb", job.verb), isAlive(job)];
  const left = job.left_seconds ?? null;
  const numbers = [
    job.total && `${job.done} / ${job.total}`,
    left !== null && t("seconds_left", { n: Math.max(0, Math.round(left)) }),
  ];
  return el(
    `div.job.${job.state}`,
    {},
    el(
      "div.line",
      {},
      el("b", {}, verb),
      el("span", {}, named("job", job.state)),
      el("span.soft", {}, job.stage ?? ""),
      alive &&
        button(t(job.state === "stopping" ? "stop_now" : "stop"), () => stop(job), { "data-focus": `stop-${job.id}` }),
    ),
    alive && el("progress", { "aria-label": verb, ...(job.total ? { value: String(job.done / job.total), max: 1 } : {}) }),
    alive && el("span.soft", {}, numbers.filter(Boolean).join(" · ")),
    job.error && el("p.why-not", {}, job.error),
    job.lines?.length > 0 && fold(`job-${job.id}`, t("what_it_said"), el("pre", {}, job.lines.join("\n"))),
  );
}

async function stop(job) {
  try {
    await post(`api/jobs/${encodeURIComponent(job.id)}/stop`);
  } catch (error) {
    complain(error);
  }
}

function totals() {
  const rows = [...(day.totals?.told ?? []), ...(day.totals?.pending ?? [])];
  if (!rows.length) return el("p.soft", {}, t("no_totals"));
  const cells = (row) => [
    row.submission.slice(0, 8),
    row.day ?? "",
    number(row.total ?? null, 2),
    row.expected === null ? "–" : number(row.expected, 2),
    row.low === null || row.low === undefined ? "–" : `${number(row.low, 2)} – ${number(row.high, 2)}`,
  ];
  return el(
    "div.totals",
    {},
    chart(rows),
    el(
      "div.scroll",
      { tabindex: "0", role: "region", "aria-label": t("totals") },
      el(
        "table",
        {},
        el("caption.hidden", {}, t("totals")),
        el(
          "thead",
          {},
          el(
            "tr",
            {},
            ["submission", "day", "total", "expected_short", "range"].map((name) =>
              el("th", { scope: "col" }, t(`col_${name}`)),
            ),
          ),
        ),
        el(
          "tbody",
          {},
          rows.map((row) =>
            el(
              "tr",
              {},
              cells(row).map((cell, i) => el(i ? "td" : "th", i ? {} : { scope: "row" }, cell)),
            ),
          ),
        ),
      ),
    ),
  );
}

const svg = (name, attributes, ...children) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [one, value] of Object.entries(attributes)) node.setAttribute(one, value);
  node.append(...children);
  return node;
};

/** Totals as dots on a line, what was expected as rings with their range behind. The table beside it says the same. */
function chart(rows) {
  const [width, height, left, low] = [Math.max(320, Math.min(900, 90 + rows.length * 70)), 200, 44, 170];
  const values = rows
    .flatMap((row) => [row.total, row.expected, row.low, row.high])
    .filter((value) => typeof value === "number");
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = most - least || 1;
  const x = (i) => left + 24 + (i * (width - left - 48)) / Math.max(1, rows.length - 1);
  const y = (value) => low - ((value - least) / room) * (low - 18);
  const node = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "chart", role: "img", "aria-label": t("chart") });
  for (const value of [least, (least + most) / 2, most])
    node.append(
      svg("line", { x1: left, x2: width - 8, y1: y(value), y2: y(value), class: "grid" }),
      svg("text", { x: left - 8, y: y(value) + 4, class: "left" }, value.toFixed(2)),
    );
  rows.forEach((row, i) => {
    if (typeof row.low === "number")
      node.append(
        svg("rect", {
          x: x(i) - 9,
          width: 18,
          y: y(row.high),
          height: Math.max(1, y(row.low) - y(row.high)),
          rx: 4,
          class: "range",
        }),
      );
  });
  const line = rows
    .map((row, i) => [row.total, x(i)])
    .filter(([value]) => typeof value === "number")
    .map(([value, at]) => `${at},${y(value)}`);
  node.append(svg("polyline", { points: line.join(" "), class: "line" }));
  rows.forEach((row, i) => {
    if (typeof row.expected === "number")
      node.append(svg("circle", { cx: x(i), cy: y(row.expected), r: 4, class: "ring" }));
    if (typeof row.total === "number") node.append(svg("circle", { cx: x(i), cy: y(row.total), r: 4.5, class: "dot" }));
    if (rows.length <= 12 || i % Math.ceil(rows.length / 12) === 0)
      node.append(svg("text", { x: x(i), y: height - 8, class: "middle" }, (row.day ?? "").slice(5)));
  });
  return node;
}

// ---------- Keys

const HELP = [
  ["J K", "key_next"],
  ["/", "key_search"],
  ["Enter L", "key_large"],
  ["← →", "key_choose"],
  ["1 … 9", "key_compare"],
  ["C", "key_side"],
  ["X", "key_exclude"],
  ["P  ⇧1 … ⇧9", "key_pin"],
  ["U", "key_undo"],
  ["N", "key_note"],
  ["S B D W", "key_modes"],
  ["Z F + −", "key_zoom"],
  ["O", "key_outline"],
  ["Q A Y", "key_views"],
  ["?", "key_help"],
  ["Esc", "key_back"],
];

function help() {
  return ask({
    title: t("help"),
    body: [
      el(
        "dl.keys",
        {},
        HELP.map(([keys, text]) =>
          el(
            "div",
            {},
            el(
              "dt",
              {},
              keys
                .split(" ")
                .filter(Boolean)
                .map((one) => (one === "…" ? "…" : key(one))),
            ),
            el("dd", {}, t(text)),
          ),
        ),
      ),
    ],
  });
}

const withCandidate = (act) => () => {
  const toldTask = now();
  const one = toldTask && current(toldTask);
  if (one) act(toldTask, one);
};

const EVERYWHERE = {
  "?": help,
  q: () => go(viewOf("queue")),
  a: () => go(viewOf("pair")),
  y: () => go(viewOf("day")),
  u: undo,
  "/": search,
};
const IN_QUEUE = {
  j: () => reach(Number(here.at ?? -1) + 1),
  k: () => reach(Number(here.at ?? 1) - 1),
  Enter: openCurrent,
};
const IN_TASK = {
  j: () => step(1),
  k: () => step(-1),
  x: withCandidate(exclude),
  p: withCandidate(pin),
  n: () => {
    const toldTask = now();
    if (toldTask) note(toldTask, current(toldTask));
  },
  o: toggleOutline,
  c: () => {
    const toldTask = now();
    if (toldTask?.candidates.length) compare(toldTask);
  },
  l: withCandidate((toldTask, one) => openViewer([one.short])),
  ArrowRight: () => moveChoice(1),
  ArrowLeft: () => moveChoice(-1),
  Escape: () => go(viewOf("queue")),
};
const IN_VIEWER = {
  Escape: closeViewer,
  l: () => setMode("single"),
  s: () => setMode("side"),
  b: () => setMode("blink"),
  d: () => setMode("difference"),
  w: () => setMode("slider"),
  z: fullSize,
  f: () => zoomTo(1),
  "+": () => zoomTo(viewer.zoom * 1.5),
  "-": () => zoomTo(viewer.zoom / 1.5),
  o: toggleOutline,
  " ": () => {
    if (viewer.mode === "blink") {
      blink({ toggle: viewer.timer !== 0 });
      turn();
    }
  },
  x: withCandidate(exclude),
  p: withCandidate(pin),
  n: withCandidate(note),
  j: () => step(1),
  k: () => step(-1),
  ArrowRight: () => arrow(1, 0),
  ArrowLeft: () => arrow(-1, 0),
  ArrowUp: () => arrow(0, -1),
  ArrowDown: () => arrow(0, 1),
};
const IN_PAIR = {
  1: () => answer("a"),
  2: () => answer("b"),
  0: () => answer("same"),
  ArrowLeft: () => answer("a"),
  ArrowRight: () => answer("b"),
  ArrowDown: () => answer("same"),
  u: askAgain,
};
Object.assign(IN_QUEUE, { ArrowDown: IN_QUEUE.j, ArrowUp: IN_QUEUE.k });
Object.assign(IN_TASK, { Enter: IN_TASK.l });
Object.assign(IN_VIEWER, { "=": IN_VIEWER["+"] });

function search() {
  const focus = () => {
    const field = $("search");
    field?.focus();
    field?.select();
  };
  if (view() === "queue") focus();
  else go(viewOf("queue")).then(focus);
}

/** Enlarged, arrows move the picture; else they turn to the next one, or move the divider. */
function arrow(dx, dy) {
  if (viewer.zoom > 1) {
    pan(dx * 80, dy * 80);
    placeAll();
  } else if (viewer.mode === "slider" && dx) {
    viewer.split = share(viewer.split + dx * 0.05);
    placeAll();
  } else if (viewer.mode === "single" && dx) turnPage(dx);
}

function openCurrent() {
  const i = Number(here.at ?? 0);
  const one = taskAt(i);
  if (one) go({ view: "task", task: one.id, at: String(i), c: "" });
}

function digit(event) {
  const n = /^Digit([1-9])$/.exec(event.code)?.[1] ?? /^Numpad([1-9])$/.exec(event.code)?.[1];
  const one = n && now()?.candidates[Number(n) - 1];
  if (!one) return false;
  if (event.shiftKey) pin(now(), one);
  else if ($("viewer").open) inViewer(one);
  else toggleCompare(one);
  return true;
}

/** In the large view a digit shows another candidate, beside the others where several are compared. */
function inViewer(one) {
  const shorts = seen(now()).map((item) => item.short);
  if (shorts.length < 2) return go({ see: one.short, c: one.short }, { replace: true });
  return go({ see: toggled(shorts, one.short).join(","), c: one.short }, { replace: true });
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || $("ask").open || !state) return;
  const field = event.target.closest?.("input:not([type=range]), textarea, select");
  if (field) {
    if (event.key === "Escape") {
      field.blur();
      event.preventDefault();
    }
    return;
  }
  if (
    event.key === "Enter" &&
    event.target.closest?.("a, button, summary") &&
    !event.target.dataset.focus?.match(/^[0-9a-f]{8}/)
  )
    return;
  if (event.key === " " && event.target.closest?.("button, summary")) return;
  if (event.target.type === "range" && event.key.startsWith("Arrow")) return;
  if (view() === "task" && digit(event)) {
    event.preventDefault();
    return;
  }
  const local = $("viewer").open ? IN_VIEWER : { queue: IN_QUEUE, task: IN_TASK, pair: IN_PAIR }[view()];
  const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const act = local?.[name] ?? EVERYWHERE[name];
  if (!act || (event.repeat && ["x", "p", "n", "u"].includes(name))) return;
  event.preventDefault();
  act();
}

// ---------- Start

const VIEWS = { queue: showQueue, task: openTask, pair: showPair, day: showDay };
let shown = null;

const entitle = (what) => {
  document.title = `${what} · ${state.campaign}`;
};

/** Draw what the address says. Where only the large view or the chosen candidate changed, the data is there already. */
async function show() {
  const name = view();
  if (shown !== name) {
    document.body.dataset.view = name;
    shown = name;
  }
  if (name !== "task") {
    drawViewer();
    drawn = { told: null, frames: new Map() };
    clearTimeout(looking);
    entitle(t(`tab_${name}`));
  }
  drawTop();
  try {
    await VIEWS[name]();
  } catch (error) {
    $("main").removeAttribute("aria-busy");
    if (error instanceof Refused && name === "task")
      $("main").replaceChildren(
        el(
          "p.empty",
          { role: "alert" },
          error.message,
          " ",
          link("queue", t("tab_queue")),
        ),
      );
    else {
      complain(error);
      if (!(error instanceof Refused)) throw error;
    }
  }
}

async function start() {
  useTheme(memory.get("theme"));
  history.scrollRestoration = "manual";
  document.addEventListener("keydown", pressed);
  for (const name of ["pointerdown", "keydown"]) addEventListener(name, holdDrawing, { capture: true });
  for (const name of ["pointerup", "pointercancel", "dragend", "keyup"]) addEventListener(name, drawAgain, { capture: true });
  addEventListener("blur", drawAgain); // of the window: that of a field comes while a button is pressed
  addEventListener("pointermove", (event) => release && !event.buttons && drawAgain(), { passive: true });
  document.addEventListener("click", (event) => {
    const followed = event.target.closest("a[data-go]");
    if (!followed || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    history.pushState(null, "", followed.getAttribute("href"));
    here = readAddress();
    show().then(() => {
      if (view() !== "queue") $("main").focus({ preventScroll: true });
    });
  });
  window.addEventListener("popstate", () => {
    here = readAddress();
    show();
  });
  window.addEventListener("scroll", fillRows, { passive: true });
  window.addEventListener("resize", () => {
    if (view() === "queue" && queue.total !== null) {
      sizeList();
      fillRows();
    }
    if ($("viewer").open) placeAll();
  });
  $("viewer").addEventListener("cancel", (event) => {
    event.preventDefault();
    closeViewer();
  });
  setInterval(() => {
    const node = $("countdown");
    if (node && state) node.textContent = countdown();
    // Nothing in the store tells that a day of the contest is over, and all its submissions are there again.
    if (state?.quota?.turns_at && new Date(state.quota.turns_at) <= Date.now()) refresh({ decisions: false });
  }, 20000);
  try {
    await loadState();
    await show();
    listen();
    document.addEventListener("visibilitychange", listen);
  } catch (error) {
    $("main").replaceChildren(el("p.empty", { role: "alert" }, error.message));
  }
}

start();
