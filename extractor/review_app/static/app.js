// The page: which document is open, what its person does, and what of it is written down.

import { Refused, ask, decide, startClock, touchClock } from "./api.js";
import { count, find, key, make, percent, say } from "./dom.js";
import { drawKeys, readKey } from "./keys.js";
import { Queue } from "./queue.js";
import { Reading } from "./reading.js";
import { HINTS, MATCHES, RecordPane, hint, isOpen } from "./record.js";

history.replaceState(null, "", location.pathname + location.hash); // the token is a cookie by now

let view = null;
let candidates = [];
let busy = false;
const decided = []; // files, as they were decided about, for undo
const ahead = new Map();
const queue = new Queue((file) => open(file));
const record = new RecordPane(activate, (action) => run(action));
const reading = new Reading(
  (owners) => {
    const at = record.items.findIndex((item) => owners.includes(item.owner));
    if (at >= 0) record.activate(at);
  },
  () => record.item && reading.light(record.item.owner, true),
);

const doubts = () => view.lines.filter((line) => line.type === "leaf" && line.doubt !== null).map((line) => line.doubt);

async function open(file, { field = queue.asked.field } = {}) {
  if (!file) return;
  try {
    const next = ahead.get(file) || (await ask("document", { file }));
    ahead.clear();
    take(next, { isFresh: true, field });
  } catch (error) {
    fail(error);
  }
}

// Shows a document, anew or as a decision left it.
function take(next, { isFresh = false, field = "", path = "" } = {}) {
  const isSame = !isFresh && view?.file === next.file;
  view = next;
  view.edits = view.lines.filter((line) => ["corrected", "rejected", "added", "restored"].includes(line.verdict)).length;
  find("empty").hidden = true;
  find("desk").hidden = false;
  find("name").textContent = view.name;
  document.title = `${view.name} – review`;
  const chip = find("chip");
  chip.textContent = view.finished ? "done" : view.status;
  chip.className = `chip ${view.finished ? "finished" : view.status}`;
  const open_ = doubts();
  find("left").textContent = view.error ? "" : open_.length ? count(open_.length, "value to decide", "values to decide") : "all decided";
  find("finish").disabled = Boolean(view.error);
  showBanner(view);
  reading.show(view);
  reading.clear();
  record.show(view, isSame);
  if (!isSame) {
    startClock();
    history.replaceState(null, "", `#${encodeURIComponent(view.file)}`);
    queue.mark(view.file);
    prefetch(view.file);
  }
  const wanted = field ? record.findField(field) : path ? record.findPath(path) : -1;
  record.activate(wanted >= 0 ? wanted : record.active);
}

function showBanner({ error, lost, notes }) {
  const told = [...(error ? [error] : []), ...lost, ...(view.finished ? [] : notes)];
  find("banner").hidden = !told.length;
  find("banner").className = `banner${error || lost.length ? " wrong" : ""}`;
  find("banner").replaceChildren(...(lost.length ? [make("b", {}, `${count(lost.length, "decision", "decisions")} about an earlier result could not be kept: `)] : []),
    ...told.slice(0, 4).map((sentence) => make("span", {}, make("bdi", {}, sentence), " ")), told.length > 4 ? `and ${told.length - 4} more.` : "");
}

async function prefetch(file) {
  const next = await queue.neighbour(file, 1, (row) => row.state !== "finished").catch(() => null);
  if (!next || ahead.has(next)) return;
  const found = await ask("document", { file: next }).catch(() => null);
  if (found && view?.file === file) ahead.set(next, found);
}

// What is known of the active line, below the record.
let asking = 0;
function activate(item, isQuiet = false) {
  candidates = [];
  reading.light(item?.owner, isQuiet);
  drawInspector(item);
  clearTimeout(asking);
  const line = item?.line;
  if (!line || line.type === "row" || line.rows || line.removed) return;
  if (line.input?.kind === "choice") {
    candidates = line.input.choices.filter((choice) => choice !== line.value).slice(0, 9).map((choice) => ({ value: choice, text: String(choice), source: "", spans: [] }));
    drawInspector(item);
    return;
  }
  asking = setTimeout(async () => {
    const found = await ask("candidates", { file: view.file, path: line.path }).catch(() => []);
    if (record.item?.line !== line) return;
    candidates = found;
    drawInspector(item);
  }, 90);
}

function drawInspector(item) {
  const box = find("inspector");
  if (!item) return box.replaceChildren(make("p", { class: "soft" }, "This record is empty. ", hint("f", "done, next")));
  if (item.rejected) {
    const { where, reason, spans } = item.rejected;
    return box.replaceChildren(
      make("p", { class: "crumb" }, make("bdi", {}, where)),
      make("p", {}, "Left out: ", make("b", {}, reason), ". ", spans.length ? ["The document has ", quote(spans), "."] : "No words of the document support it."),
      make("p", { class: "hints" }, hint("t", "take it back"), hint("j k", "move"), hint("f", "done, next")));
  }
  const { line } = item;
  const crumb = make("p", { class: "crumb" }, make("bdi", {}, line.path.split("/").slice(1).map((step) => (/^\d+$/.test(step) ? String(Number(step) + 1) : step.replace(/_/g, " "))).join(" › ")),
    line.input && HINTS[line.input.kind] ? make("span", { class: "kind" }, line.input.kind) : null);
  if (line.type !== "leaf") {
    if (candidates.length) crumb.append(make("span", { class: "soft" }, "left out of this list:"));
    const keys = line.type === "row" ? [hint("A", "accept the row"), hint("d", "remove"), hint("Alt ↑↓", "move"), hint("o", "add a row")] : [hint("o", line.rows ? "add a row" : "add an entry")];
    return box.replaceChildren(crumb, ...drawOffers(), make("p", { class: "hints" }, keys));
  }
  const facts = [];
  if (line.spans.length) facts.push(make("span", {}, quote(line.spans), line.places ? ` page ${line.places.join(", ")}` : ""));
  else if (line.value !== null) facts.push(make("span", { class: "warn" }, "No words of the document support it."));
  if (line.match && line.match !== "exact" && line.spans.length && !line.verdict) facts.push(make("span", { class: "soft" }, MATCHES[line.match]));
  if (line.doubt !== null) facts.push(make("span", { class: "soft" }, `${percent(line.doubt)} sure`));
  if (line.said) facts.push(make("span", { class: "soft" }, "the model said ", make("bdi", {}, `“${line.said}”`)));
  if (line.findings?.length) facts.push(make("span", { class: "soft" }, line.findings.join(", ")));
  for (const problem of line.problems || []) facts.push(make("span", { class: "warn" }, make("bdi", {}, problem)));
  const keys = line.value === null ? [hint("e", "add"), hint("w", "choose words")] : [hint("a", "accept"), hint("e", "correct"), hint("x", "reject"), hint("w", "choose words")];
  box.replaceChildren(crumb, make("p", { class: "facts" }, facts), ...drawOffers(), make("p", { class: "hints" }, ...keys, hint("f", "done, next"), hint("?", "all keys")));
}

function drawOffers() {
  if (!candidates.length) return [];
  const offers = candidates.map((one, number) => make("button", { type: "button", class: "offer", onclick: () => takeCandidate(number) },
    key(number + 1), make("bdi", {}, one.text), one.source ? make("small", {}, one.source) : null));
  return [make("p", { class: "offers", role: "group", "aria-label": "Values that may be meant" }, offers)];
}

function quote(spans) {
  const words = spans.slice(0, 3).map(([start, end]) => view.text.slice(reading.offsets.toUnits(start), reading.offsets.toUnits(end)).replace(/\s+/g, " "));
  const said = words.map((one) => (one.length > 160 ? `${one.slice(0, 158)}…` : one)).join("” … “");
  const shown = view.unseen.length ? said.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g, "�") : said;
  return make("q", {}, make("bdi", {}, shown));
}

// Writes a decision down. Gives the sentence why not, where it was refused.
async function write(action, decision = {}, next = {}) {
  if (busy) return "One moment: the decision before is being written.";
  busy = true;
  try {
    const after = await decide({ file: view.file, version: view.version, action, ...decision });
    if (action !== "undo") decided.push(view.file);
    record.closeEditor();
    take(after, next);
    queue.update(view, doubts());
    return "";
  } catch (error) {
    if (error instanceof Refused && error.status === 409) {
      record.closeEditor();
      take(error.document, {});
      queue.update(view, doubts());
      find("banner").hidden = false;
      find("banner").className = "banner wrong";
      find("banner").textContent = error.message;
    } else if (!record.isEditing) fail(error);
    return error.message;
  } finally {
    busy = false;
  }
}

function fail(error) {
  if (!(error instanceof Refused)) console.error(error);
  say(error.message, true);
  if (error.status === 404 && !view) find("empty-words").textContent = error.message;
}

function goOn(from = record.active) {
  const at = record.findOpen(from, 1);
  if (at >= 0) record.activate(at);
  else {
    record.activate(Math.min(from + 1, record.items.length - 1));
    say("Everything is decided; f goes to the next document.");
  }
}

const leaf = () => (record.item?.line?.type === "leaf" && !record.item.line.removed ? record.item.line : null);

async function writeAndGoOn(action, decision) {
  const from = record.active;
  const wrong = await write(action, decision);
  if (wrong) return wrong;
  const [here, next] = [record.items[from]?.line, record.items[from + 1]?.line];
  const above = (path) => path.slice(0, path.lastIndexOf("/"));
  const isNewRow = action === "add" && next?.type === "leaf" && next.value === null && above(here.path) && above(next.path) === above(here.path);
  if (isNewRow) record.activate(from + 1); // somebody who fills a row goes on filling it
  else goOn(from);
  return "";
}

function takeCandidate(number) {
  const [line, one] = [leaf(), candidates[number]];
  if (one && record.item?.line?.type === "list") return write("restore", { position: one.rejected });
  if (!line || !one) return;
  writeAndGoOn(line.value === null ? "add" : "correct", { path: line.path, value: one.value, spans: one.spans });
}

const actions = {
  nextLine: () => record.move(1),
  previousLine: () => record.move(-1),
  nextPart: () => record.activate(record.findPart(1)),
  previousPart: () => record.activate(record.findPart(-1)),
  leastSure: () => {
    const at = record.findLeastSure();
    if (at >= 0) record.activate(at);
    else say("Everything is decided; f goes to the next document.");
  },
  nextEmpty: () => record.activate(Math.max(0, record.findEmpty(1))),
  previousEmpty: () => record.activate(Math.max(0, record.findEmpty(-1))),
  leftOut: () => {
    const at = record.findFirstLeftOut();
    if (at >= 0) record.activate(at);
    else say("Nothing was left out.");
  },
  accept: () => {
    const { line } = record.item || {};
    if (record.item?.rejected) return say("This was left out; t takes it back.");
    if (!line || line.removed) return;
    if (line.type !== "leaf") return writeAndGoOn("accept", { path: line.path });
    if (line.value === null || line.verdict) return goOn();
    return writeAndGoOn("accept", { path: line.path });
  },
  acceptRow: () => {
    const row = record.row();
    if (row) return writeAndGoOn("accept", { path: row.path });
  },
  reject: () => {
    const line = leaf();
    if (line && line.value !== null) return writeAndGoOn("reject", { path: line.path });
  },
  correct: () => {
    if (record.item?.rejected) return actions.takeBack();
    if (record.item?.line.type === "list") return actions.addRow();
    const line = leaf();
    if (line) record.edit(line, (typed) => writeAndGoOn(line.value === null ? "add" : "correct", { path: line.path, value: typed }));
  },
  pickWords: () => {
    if (!leaf()) return say("Choose a value first; its words are chosen then.");
    if (!reading.startCursor(record.item.owner)) say("The document has no words.");
  },
  takeWords: () => {
    const line = leaf();
    if (!line || !reading.picked) return;
    return writeAndGoOn(line.value === null ? "add" : "correct", { path: line.path, from_words: true, spans: reading.spans() });
  },
  takeEvidence: () => {
    const line = leaf();
    if (!line || !reading.picked) return;
    if (line.value === null) return actions.takeWords();
    return writeAndGoOn("correct", { path: line.path, value: line.value, spans: reading.spans() });
  },
  addRow: async () => {
    const [list, row] = [record.list(), record.row()];
    if (!list) return say("There is no list here to add a row to.");
    if (!list.rows) {
      const line = { path: `${list.path}/${list.length}`, label: `${list.label} ${list.length + 1}`, value: null, input: { kind: "text" } };
      return addEntry(list, line);
    }
    const isInside = row && row.path.startsWith(`${list.path}/`) && !row.path.slice(list.path.length + 1).includes("/");
    const position = isInside ? row.position + 1 : list.length;
    const wrong = await write("add_row", { path: list.path, position });
    const at = record.findPath(`${list.path}/${position}`);
    if (!wrong && at >= 0) record.activate(at + 1);
  },
  removeRow: () => {
    const { line } = record.item || {};
    const row = record.row();
    const list = record.list();
    if (line?.type === "leaf" && list && !list.rows && line.path.startsWith(`${list.path}/`)) return actions.reject();
    if (row && !row.removed) return writeAndGoOn("remove_row", { path: row.path });
  },
  moveUp: () => moveRow(-1),
  moveDown: () => moveRow(1),
  takeBack: async () => {
    const one = record.item?.rejected;
    if (!one) return say("Only a value that was left out can be taken back; r goes there.");
    const at = record.active;
    const wrong = await write("restore", { position: one.number });
    if (!wrong) record.activate(Math.min(at, record.items.length - 1));
  },
  finish: async () => {
    if (!view || view.error) return actions.nextDocument();
    const { file } = view;
    if (!view.finished) {
      if (await write("finish")) return;
      say("Done.");
    }
    const next = (await queue.neighbour(file, 1, (row) => row.state !== "finished")) || (await queue.neighbour(null, 1, (row) => row.state !== "finished"));
    if (next) return open(next);
    await queue.load();
    if (queue.rows.length && queue.rows[0].state !== "finished") return open(queue.rows[0].file);
    say("All documents of this queue are done.");
  },
  nextDocument: async () => open(await queue.neighbour(view?.file, 1)),
  previousDocument: async () => open(await queue.neighbour(view?.file, -1)),
  undo: async () => {
    const last = decided.pop();
    if (last && last !== view?.file) await open(last);
    if (!view?.undoable) return say("There is nothing to undo in this document.");
    const before = new Map(view.lines.map((line) => [line.path, line.verdict]));
    if (!(await write("undo"))) {
      const changed = record.items.findIndex((item) => item.line && before.get(item.line.path) !== item.line.verdict);
      if (changed >= 0) record.activate(changed);
      say("Undone.");
    }
  },
  togglePages: () => reading.showPages(find("pages").hidden),
  search: () => find("search").focus(),
  help: () => find("help").showModal(),
  redraw: () => take(view, {}),
};

function addEntry(list, line) {
  const holder = { line: { ...line, type: "leaf", doubt: null, spans: [], verdict: "", depth: list.depth + 1, text: null } };
  const at = record.items.findIndex((item) => item.line === list);
  const element = record.drawLine(holder.line, -1);
  const item = record.items.pop();
  let after = record.items[at].element;
  while (after.nextElementSibling?.dataset.n && record.items[Number(after.nextElementSibling.dataset.n)]?.line?.path?.startsWith(`${list.path}/`)) after = after.nextElementSibling;
  after.after(element);
  item.element.removeAttribute("data-n");
  const before = record.items[record.active];
  record.items[record.active] = item;
  record.edit(item.line, async (typed) => {
    const wrong = await write("add", { path: line.path, value: typed });
    if (!wrong) record.activate(Math.max(0, record.findPath(line.path)));
    return wrong;
  }, "");
  record.items[record.active] = before;
}

async function moveRow(by) {
  const row = record.row();
  const list = row && record.items.find((item) => item.line?.type === "list" && item.line.path === row.path.slice(0, row.path.lastIndexOf("/")))?.line;
  const position = row ? row.position + by : -1;
  if (!list || position < 0 || position >= list.length) return;
  const wrong = await write("move_row", { path: row.path, position });
  const at = record.findPath(`${list.path}/${position}`);
  if (!wrong && at >= 0) record.activate(at);
}

function run(action) {
  if (!view && !["search", "help", "nextDocument"].includes(action)) return;
  Promise.resolve(actions[action]?.()).catch(fail);
}

document.addEventListener("keydown", (event) => {
  touchClock();
  if (find("help").open || event.isComposing) return;
  const isTyping = event.target.matches("input, select, textarea");
  if (isTyping) {
    if (event.key === "Escape" || (event.key === "Enter" && event.target.id === "search")) {
      if (event.key === "Enter" && queue.rows.length) open(queue.rows[0].file);
      record.item?.element.focus();
    }
    return;
  }
  if (event.target.matches("button, a") && (event.key === "Enter" || event.key === " ")) return;
  if (reading.picked && leaf()) {
    const taken = { Enter: "takeWords", e: "takeEvidence", Escape: "" }[event.key];
    if (taken !== undefined && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      if (taken) return run(taken);
      reading.clear();
      return record.item.element.focus({ preventScroll: true });
    }
  }
  if (reading.cursor && event.key.startsWith("Arrow") && !event.altKey) {
    event.preventDefault();
    return reading.moveCursor(event.key, event.shiftKey);
  }
  if (/^[1-9]$/.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey) return takeCandidate(Number(event.key) - 1);
  const action = readKey(event);
  if (!action) return;
  event.preventDefault();
  run(action);
});
document.addEventListener("pointerdown", touchClock);
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  if (button && !button.closest("#record")) run(button.dataset.do);
});
find("show-help").addEventListener("click", () => run("help"));
find("keys").append(...drawKeys());
window.addEventListener("hashchange", () => open(decodeURIComponent(location.hash.slice(1))));

async function start() {
  const [about] = await Promise.all([ask("run"), queue.load()]);
  find("task").textContent = about.task || "Review";
  find("about").textContent = [about.folder, about.model].filter(Boolean).join(" · ");
  const wanted = decodeURIComponent(location.hash.slice(1));
  const first = wanted || queue.rows[0]?.file;
  if (first) await open(first);
  else find("empty-words").textContent = "Every document is done. Choose All to look at them again.";
  await fillFields();
  while (queue.isReading) {
    await new Promise((done) => { setTimeout(done, 1500); });
    const page = await ask("queue", { ...queue.asked, limit: 1 });
    queue.take(page);
    if (!queue.isReading) {
      await fillFields();
      if (find("documents").scrollTop === 0) {
        await queue.load();
        if (!decided.length && view && queue.rows[0] && queue.asked.state === "open" && !wanted) prefetch(view.file);
      }
    }
  }
}

async function fillFields() {
  const fields = await ask("fields");
  const select = find("field");
  const chosen = select.value;
  select.replaceChildren(make("option", { value: "" }, "Every field"), ...fields.map(([shown, field, many]) => make("option", { value: field }, `${shown} (${many.toLocaleString("en")})`)));
  select.value = chosen;
}

start().catch((error) => {
  fail(error);
  find("empty-words").textContent = error.message;
});
