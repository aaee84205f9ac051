// The record: a line for each value, list and row, then what was left out. One line is the active one.

import { find, key, make, percent } from "./dom.js";

const VERDICTS = {
  accepted: ["✓", "accepted"],
  corrected: ["✎", "corrected"],
  rejected: ["✕", "rejected"],
  added: ["+", "added"],
  restored: ["↩", "taken back"],
};
const SURE = 0.8; // less than this is called doubtful

export class RecordPane {
  constructor(onActivate, act) {
    this.pane = find("record");
    this.onActivate = onActivate;
    this.act = act;
    this.items = []; // what can be active: {line, number} or {rejected, number}, with its element
    this.active = 0;
    this.pane.addEventListener("click", (event) => this.click(event));
    this.pane.addEventListener("dblclick", (event) => event.target.closest("[data-n]") && !event.target.closest("button, input") && this.act("correct"));
    this.pane.addEventListener("focusin", (event) => this.followFocus(event));
  }

  show(view, keeps) {
    const before = this.items[this.active];
    const key_ = before && (before.line ? before.line.path : `!${before.rejected.number}`);
    this.view = view;
    this.items = [];
    const rows = [];
    view.lines.forEach((line, number) => {
      const row = this.drawLine(line, number);
      const before = view.lines[number - 1];
      const isLong = (one) => one && (one.depth > 0 || (one.type === "list" && one.length));
      if (number && line.depth === 0 && (isLong(before) || (line.type === "list" && line.length))) row.classList.add("apart");
      rows.push(row);
    });
    if (view.more) rows.push(make("p", { class: "soft pad" }, `${view.more} more lines are not shown.`));
    const shown = view.rejected.map((one, number) => [one, number]).filter(([one]) => one.restored === null);
    if (shown.length) {
      rows.push(make("div", { class: "section", role: "row" }, make("div", { role: "gridcell", class: "section-title" },
        `Left out (${shown.length}) `, make("span", { class: "soft" }, "said by the model, not kept"))));
      for (const [one, number] of shown) rows.push(this.drawRejected(one, number));
    }
    const top = this.pane.scrollTop;
    this.pane.replaceChildren(...rows);
    this.pane.scrollTop = keeps ? top : 0;
    if (keeps) {
      const again = this.items.findIndex((item) => (item.line ? item.line.path : `!${item.rejected.number}`) === key_);
      this.active = again >= 0 ? again : Math.min(this.active, this.items.length - 1);
    } else this.active = Math.max(0, this.findOpen(-1, 1));
  }

  drawLine(line, number) {
    const index = this.items.length;
    const common = { "data-n": index, role: "row", "aria-level": line.depth + 1, tabindex: -1, "data-path": line.path, "data-depth": Math.min(line.depth, 6), id: `line-${index}` };
    if (line.type === "leaf") {
      const element = make("div", { ...common, class: `line leaf${line.removed ? " removed" : ""}${line.verdict ? ` ${line.verdict}` : ""}${line.doubt !== null && line.doubt < SURE ? " doubtful" : ""}`, "aria-label": describeLine(line) },
        make("div", { class: "label", role: "rowheader" }, make("bdi", {}, line.label)),
        make("div", { class: "value", role: "gridcell" },
          line.text === null
            ? make("span", { class: "none" }, line.verdict === "rejected" && line.first ? make("del", {}, make("bdi", {}, line.first)) : "—")
            : make("bdi", {}, line.text),
          line.first && line.text !== null ? make("span", { class: "was" }, make("del", {}, make("bdi", {}, line.first))) : null,
          (line.problems || []).length ? make("span", { class: "flag" }, "check") : null,
          (line.others || []).length ? make("span", { class: "flag" }, "conflict") : null),
        make("div", { class: "sign", role: "gridcell" }, drawSign(line)));
      this.items.push({ line, number, element, owner: `l${number}` });
      return element;
    }
    if (line.type === "row") {
      const element = make("div", { ...common, class: `line row-head${line.removed ? " removed" : ""}${line.added ? " added" : ""}`, "aria-label": `Row ${line.label}${line.removed ? ", removed" : ""}: ${line.title}` },
        make("div", { class: "row-title", role: "gridcell" }, make("b", {}, line.label), " ", make("bdi", {}, line.title || "new row"), line.removed ? make("span", { class: "flag gone" }, "removed") : null, line.added ? make("span", { class: "flag new" }, "added") : null),
        make("div", { class: "row-tools", role: "gridcell" },
          tool("↑", "Move this row up", "moveUp"), tool("↓", "Move this row down", "moveDown"), tool("✓", "Accept this row", "acceptRow"), tool("✕", "Remove this row", "removeRow")));
      this.items.push({ line, number, element });
      return element;
    }
    if (line.type === "list") {
      const element = make("div", { ...common, class: `line list-head${line.length ? "" : " bare"}`, "aria-label": `${line.label}, ${line.count} ${line.rows ? "rows" : "entries"}` },
        ...(line.length
          ? [make("div", { class: "list-title", role: "gridcell" }, make("bdi", {}, line.label), " ", make("span", { class: "count" }, String(line.count)))]
          : [make("div", { class: "label", role: "rowheader" }, make("bdi", {}, line.label)), make("div", { class: "value none", role: "gridcell" }, "—")]),
        make("div", { class: "row-tools", role: "gridcell" }, tool("+", line.rows ? "Add a row" : "Add an entry", "addRow")));
      this.items.push({ line, number, element });
      return element;
    }
    return make("div", { class: "group", role: "row", "data-depth": Math.min(line.depth, 6) }, make("div", { role: "rowheader" }, make("bdi", {}, line.label)));
  }

  drawRejected(one, number) {
    const index = this.items.length;
    const element = make("div", { "data-n": index, id: `line-${index}`, class: "line left-out", role: "row", tabindex: -1, "aria-level": 1, "aria-label": `Left out: ${one.where}: ${one.text}; ${one.reason}` },
      make("div", { class: "label", role: "rowheader" }, make("bdi", {}, one.where)),
      make("div", { class: "value", role: "gridcell" }, make("bdi", {}, one.text), make("span", { class: "why" }, one.reason)),
      make("div", { class: "sign", role: "gridcell" }, one.confidence === null ? null : make("span", { class: "sure" }, percent(one.confidence)), tool("↩", "Take it back", "takeBack")));
    this.items.push({ rejected: one, number, element, owner: `r${number}` });
    return element;
  }

  get item() {
    return this.items[this.active];
  }

  click(event) {
    const element = event.target.closest("[data-n]");
    if (!element || event.target.closest("input")) return;
    const button = event.target.closest("button[data-do]");
    this.activate(Number(element.dataset.n));
    if (button) this.act(button.dataset.do);
  }

  followFocus(event) {
    const element = event.target.closest("[data-n]");
    if (element && Number(element.dataset.n) !== this.active) this.activate(Number(element.dataset.n), { isFocused: true });
  }

  activate(index, { isFocused = false, isQuiet = false } = {}) {
    if (!this.items.length) return this.onActivate(null);
    this.active = Math.max(0, Math.min(index, this.items.length - 1));
    for (const one of this.pane.querySelectorAll('[aria-selected="true"]')) {
      one.removeAttribute("aria-selected");
      one.tabIndex = -1;
    }
    const { element } = this.item;
    element.setAttribute("aria-selected", "true");
    element.tabIndex = 0;
    if (!isFocused && !this.pane.querySelector(".editor") && !isQuiet) element.focus({ preventScroll: true });
    const [seen, own] = [this.pane.getBoundingClientRect(), element.getBoundingClientRect()];
    if (own.top < seen.top + 28 || own.bottom > seen.bottom - 28) element.scrollIntoView({ block: own.top < seen.top ? "center" : "center" });
    this.onActivate(this.item, isQuiet);
  }

  move(by) {
    this.activate(this.active + by);
  }

  // The next value to be decided, in reading order; round the end once.
  findOpen(from, by) {
    const most = this.items.length;
    for (let step = 1; step <= most; step += 1) {
      const index = (((from + by * step) % most) + most) % most;
      if (isOpen(this.items[index])) return index;
    }
    return -1;
  }

  // The next row, list or field of the record itself, or what was left out.
  findPart(by) {
    let at = this.active + by;
    const isPart = (item) => item.line?.type !== "leaf" || item.line.depth === 0;
    while (this.items[at] && !isPart(this.items[at])) at += by;
    return Math.max(0, Math.min(at, this.items.length - 1));
  }

  // The least sure of what is to be decided; where that is the active line, the one that is surer by least.
  findLeastSure() {
    const open = [...this.items.keys()].filter((index) => isOpen(this.items[index]));
    open.sort((a, b) => this.items[a].line.doubt - this.items[b].line.doubt || a - b);
    return open.length ? open[(open.indexOf(this.active) + 1) % open.length] : -1;
  }

  // The next field without a value, round the end once.
  findEmpty(by) {
    const most = this.items.length;
    for (let step = 1; step <= most; step += 1) {
      const index = (((this.active + by * step) % most) + most) % most;
      const { line } = this.items[index];
      if (line && !line.removed && (line.type === "leaf" ? line.value === null && !line.verdict : line.type === "list" && !line.length)) return index;
    }
    return -1;
  }

  findFirstLeftOut() {
    return this.items.findIndex((item) => item.rejected);
  }

  findPath(path) {
    return this.items.findIndex((item) => item.line?.path === path);
  }

  findField(field) {
    const name = (path) => path.split("/").slice(1).filter((step) => !/^\d+$/.test(step)).map((step) => step.replace(/~1/g, "/").replace(/~0/g, "~")).join(".");
    return this.items.findIndex((item) => isOpen(item) && name(item.line.path) === field);
  }

  // The row that the active line is in, and the list that a new row or entry would be added to.
  row() {
    for (let path = this.item?.line?.path ?? ""; path; path = path.slice(0, path.lastIndexOf("/"))) {
      const found = this.items.find((item) => item.line?.type === "row" && item.line.path === path);
      if (found) return found.line;
    }
    return null;
  }

  list() {
    for (let path = this.item?.line?.path ?? ""; path; path = path.slice(0, path.lastIndexOf("/"))) {
      const found = this.items.find((item) => item.line?.type === "list" && item.line.path === path);
      if (found) return found.line;
    }
    return null;
  }

  // A field to type into, in the place of the active line's value. `save` says whether it is done.
  edit(line, save, start = line.value === null ? "" : String(line.value)) {
    this.closeEditor();
    const { element } = this.item;
    const { kind } = line.input;
    const field = make("input", { class: "editor", id: "editor", "aria-label": `${line.label}: ${HINTS[kind] || "text"}`, "aria-describedby": "editor-error", autocomplete: "off", spellcheck: "false", placeholder: HINTS[kind] || "", inputmode: kind === "number" ? "decimal" : kind === "integer" ? "numeric" : kind === "email" || kind === "url" ? kind : null, dir: "auto" });
    field.value = start;
    const error = make("p", { class: "error", id: "editor-error", role: "alert" });
    const cell = element.querySelector(".value");
    cell.replaceChildren(field, error);
    element.classList.add("editing");
    field.addEventListener("keydown", async (event) => {
      event.stopPropagation();
      if (event.key === "Escape") {
        event.preventDefault();
        this.closeEditor();
        this.act("redraw");
      } else if (event.key === "Enter" && !event.isComposing) {
        event.preventDefault();
        if (field.readOnly) return;
        field.readOnly = true;
        const wrong = await save(field.value);
        field.readOnly = false;
        if (wrong) {
          error.textContent = wrong;
          field.setAttribute("aria-invalid", "true");
          field.focus();
          error.scrollIntoView({ block: "nearest" });
        }
      }
    });
    field.focus();
    field.select();
  }

  closeEditor() {
    this.pane.querySelector(".editor")?.remove();
  }

  get isEditing() {
    return Boolean(this.pane.querySelector(".editor"));
  }
}

export const HINTS = {
  date: "YYYY-MM-DD, YYYY-MM or YYYY",
  number: "a number, such as 1024.50",
  integer: "a whole number",
  email: "name@example.org",
  url: "an address",
  choice: "one of the choices",
};

export const isOpen = (item) => item.line?.type === "leaf" && item.line.doubt !== null;

function drawSign(line) {
  if (line.verdict) {
    const [sign, words] = VERDICTS[line.verdict];
    return make("span", { class: "verdict", title: words }, sign, make("span", { class: "sr" }, words));
  }
  if (line.doubt === null) return "";
  return [make("span", { class: `match ${line.match || "none"}`, title: MATCHES[line.match] || MATCHES.none }), make("span", { class: "sure" }, percent(line.doubt))];
}

export const MATCHES = {
  exact: "the same characters stand in the text",
  normalised: "the same but for case, spaces, quotation marks or markup",
  fuzzy: "close to the words, not the same",
  derived: "worked out from the words by a rule",
  none: "no words of the text support it",
};

function describeLine(line) {
  const state = line.removed ? "in a removed row" : line.verdict ? VERDICTS[line.verdict][1] : line.doubt === null ? "" : `${percent(line.doubt)} sure, to be decided`;
  return [line.label, line.text ?? "no value", state, ...(line.problems || [])].filter(Boolean).join(", ");
}

function tool(sign, words, action) {
  return make("button", { type: "button", class: "tool", "data-do": action, "aria-label": words, title: words, tabindex: -1 }, sign);
}

export const hint = (name, words) => make("span", { class: "hint" }, key(name), ` ${words}`);
