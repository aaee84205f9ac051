// The documents: a page of them at a time, as they are sorted and filtered on the server.

import { ask } from "./api.js";
import { count, find, make, percent } from "./dom.js";

const PAGE = 100;
const SIGNS = { open: "○", started: "◐", finished: "✓" };

export class Queue {
  constructor(onOpen) {
    this.list = find("documents");
    this.onOpen = onOpen;
    this.rows = [];
    this.total = 0;
    this.asked = { sort: "confidence", field: "", status: "", state: "open", search: "" };
    this.list.addEventListener("scroll", () => this.loadInView());
    this.list.addEventListener("click", (event) => {
      const link = event.target.closest("a");
      if (!link) return;
      event.preventDefault();
      this.onOpen(link.dataset.file);
    });
    for (const name of ["sort", "field", "status"]) {
      find(name).addEventListener("change", (event) => this.change({ [name]: event.target.value }));
    }
    for (const button of document.querySelectorAll("[data-state]")) {
      button.addEventListener("click", () => {
        for (const other of document.querySelectorAll("[data-state]")) other.setAttribute("aria-pressed", other === button);
        this.change({ state: button.dataset.state });
      });
    }
    let waiting = 0;
    find("search").addEventListener("input", (event) => {
      clearTimeout(waiting);
      waiting = setTimeout(() => this.change({ search: event.target.value }), 150);
    });
  }

  async change(wanted) {
    Object.assign(this.asked, wanted);
    await this.load();
  }

  async load() {
    const asked = JSON.stringify(this.asked);
    const page = await ask("queue", { ...this.asked, limit: PAGE });
    if (asked !== JSON.stringify(this.asked)) return;
    this.rows = page.rows;
    this.take(page);
    this.list.scrollTop = 0;
    this.draw();
  }

  take(page) {
    this.total = page.total;
    this.showProgress(page.progress);
    const reading = page.progress.indexed < page.progress.total;
    find("reading-on").hidden = !reading;
    find("reading-on").textContent = reading ? `reading ${page.progress.indexed.toLocaleString("en")} of ${page.progress.total.toLocaleString("en")}…` : "";
    this.isReading = reading;
  }

  showProgress({ finished, total }) {
    find("bar").max = total || 1;
    find("bar").value = finished;
    find("tally").textContent = `${finished.toLocaleString("en")} of ${count(total, "document", "documents")} done`;
  }

  async loadMore() {
    if (this.loading || this.rows.length >= this.total) return;
    this.loading = true;
    try {
      const page = await ask("queue", { ...this.asked, offset: this.rows.length, limit: PAGE });
      const known = new Set(this.rows.map((row) => row.file));
      const fresh = page.rows.filter((row) => !known.has(row.file));
      this.rows.push(...fresh);
      this.total = fresh.length ? page.total : this.rows.length;
      this.list.append(...fresh.map((row) => this.drawRow(row)));
    } finally {
      this.loading = false;
    }
  }

  loadInView() {
    if (this.list.scrollTop + this.list.clientHeight > this.list.scrollHeight - 600) this.loadMore();
  }

  draw() {
    this.list.replaceChildren(...this.rows.map((row) => this.drawRow(row)));
    find("found").textContent = this.rows.length ? count(this.total, "document", "documents") : "No document is like this.";
    this.mark(this.current);
  }

  drawRow(row) {
    const doubts = row.indexed ? (row.state === "finished" ? "done" : row.doubts ? count(row.doubts, "value to decide", "values to decide") : "nothing to decide") : row.status;
    return make("li", {}, make("a", { href: `#${encodeURIComponent(row.file)}`, "data-file": row.file, class: row.state, draggable: "false", "aria-current": row.file === this.current ? "true" : null },
      make("span", { class: "state", "aria-hidden": "true" }, row.status === "failed" || row.status === "unreadable" ? "✕" : SIGNS[row.state] || "○"),
      make("span", { class: "doc-name" }, make("bdi", {}, row.name)),
      row.lowest === null || row.state === "finished" ? make("span") : make("span", { class: `sure${row.lowest < 0.5 ? " low" : ""}` }, percent(row.lowest)),
      make("small", {}, doubts, row.edits ? ` · ${count(row.edits, "change", "changes")}` : "", row.lost ? ` · ${row.lost} not kept` : "")));
  }

  // A document has changed by what its person decided: its row says so where it stands, and it does not jump.
  update(view, doubts) {
    const row = this.rows.find((one) => one.file === view.file);
    if (!row) return;
    const before = row.state;
    row.state = view.finished ? "finished" : view.people.length ? "started" : "open";
    row.doubts = doubts.length;
    row.lowest = doubts.length ? Math.min(...doubts) : null;
    row.edits = view.edits;
    const old = this.list.children[this.rows.indexOf(row)];
    old?.replaceWith(this.drawRow(row));
    if ((before === "finished") !== (row.state === "finished")) {
      find("bar").value += row.state === "finished" ? 1 : -1;
      this.showProgress({ finished: find("bar").value, total: find("bar").max });
    }
  }

  mark(file) {
    this.current = file;
    for (const link of this.list.querySelectorAll("a")) {
      const isCurrent = link.dataset.file === file;
      link.toggleAttribute("aria-current", isCurrent);
      if (isCurrent) {
        link.setAttribute("aria-current", "true");
        link.scrollIntoView({ block: "nearest" });
      }
    }
  }

  async neighbour(file, by, isWanted = () => true) {
    let at = this.rows.findIndex((row) => row.file === file);
    for (;;) {
      at += by;
      if (at >= this.rows.length && this.rows.length < this.total) await this.loadMore();
      if (at < 0 || at >= this.rows.length) return null;
      if (isWanted(this.rows[at])) return this.rows[at].file;
    }
  }
}
