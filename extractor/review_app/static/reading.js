// The document: its text with marks where values stand, or its pages with boxes; and the words a person chooses there.

import { ask } from "./api.js";
import { count, find, make } from "./dom.js";
import { Offsets } from "./offsets.js";

const BLOCK = 3000; // characters after which the text is broken at a line end, so that only what is in view is laid out

export class Reading {
  constructor(onMark, onPick) {
    this.text = find("text");
    this.pages = find("pages");
    this.onMark = onMark;
    this.onPick = onPick;
    this.picked = null; // [first unit, unit after the last] of the chosen words
    this.file = "";
    this.text.addEventListener("click", (event) => this.clickMark(event));
    this.pages.addEventListener("click", (event) => this.clickMark(event));
    document.addEventListener("selectionchange", () => this.readSelection());
    this.pages.addEventListener("pointerdown", (event) => this.startDrag(event));
    this.pages.addEventListener("pointermove", (event) => this.goOnDragging(event));
    window.addEventListener("pointerup", () => this.endDrag());
    find("tab-text").addEventListener("click", () => this.showPages(false));
    find("tab-pages").addEventListener("click", () => this.showPages(true));
    this.prefersPages = true;
  }

  // Shows a document. `lines` are those of its record that have words.
  show(view) {
    const isSame = this.file === view.file && this.words === view.text;
    this.file = view.file;
    if (!isSame) {
      this.words = view.text;
      this.offsets = new Offsets(view.text);
      this.tokens = null;
      this.pageList = [];
      this.showPages(false);
      find("tabs").hidden = true;
      this.text.scrollTop = 0;
      this.loadPages(view.file);
    }
    const drawn = JSON.stringify([view.file, view.lines.map((line) => line.spans), view.rejected.map((one) => one.spans)]);
    this.lines = view.lines;
    this.rejected = view.rejected;
    if (drawn !== this.drawn || !isSame) this.draw(view);
    this.drawn = drawn;
    this.drawBoxes();
  }

  draw(view) {
    const units = (at) => this.offsets.toUnits(at);
    const spans = [];
    const add = (owner, list) => (list || []).forEach(([start, end]) => spans.push([units(start), units(end), owner]));
    view.lines.forEach((line, number) => add(`l${number}`, line.spans));
    view.rejected.forEach((one, number) => one.restored || add(`r${number}`, one.spans));
    const signs = new Map(view.unseen.map(([start, end, sign]) => [units(start), [units(end), sign]]));
    const hidden = view.hidden.map(([start, end]) => [units(start), units(end), "hidden"]);
    this.text.replaceChildren(...drawBlocks(view.text, [...spans, ...hidden], signs));
    if (!view.text) this.text.append(make("p", { class: "soft" }, "There is no text."));
  }

  clickMark(event) {
    const mark = event.target.closest?.("[data-o]");
    if (!mark || !getSelection().isCollapsed || this.dragged) return;
    const owners = mark.dataset.o.split(" ").filter((owner) => owner !== "hidden");
    if (owners.length) this.onMark(owners);
  }

  // Lights the words of one line, and brings them into view.
  light(owner, isQuiet) {
    for (const lit of document.querySelectorAll(".reading .on")) lit.classList.remove("on");
    if (!owner) return;
    const found = [...document.querySelectorAll(`.reading [data-o~="${owner}"]`)];
    for (const mark of found) mark.classList.add("on");
    const first = found.find((mark) => mark.closest("#pages") ? !this.pages.hidden : !this.text.hidden);
    if (!first || isQuiet) return;
    const pane = first.closest("#pages") || this.text;
    const [seen, own] = [pane.getBoundingClientRect(), first.getBoundingClientRect()];
    if (own.top < seen.top + 40 || own.bottom > seen.bottom - 40) first.scrollIntoView({ block: "center" });
  }

  // The words that are chosen, as the server takes them.
  spans() {
    if (!this.picked) return [];
    const [start, end] = this.picked;
    return [[this.offsets.toPoints(start), this.offsets.toPoints(end)]];
  }

  pick(range, isQuiet) {
    this.picked = range;
    find("picked").hidden = !range;
    if (range) {
      const words = this.words.slice(...range).replace(/\s+/g, " ");
      find("picked-words").textContent = words.length > 48 ? `“${words.slice(0, 46)}…”` : `“${words}”`;
    }
    this.drawPicked();
    if (!isQuiet) this.onPick();
  }

  clear() {
    this.pick(null, true);
    this.cursor = null;
    if (this.text.contains(getSelection().anchorNode)) getSelection().removeAllRanges();
  }

  readSelection() {
    const chosen = getSelection();
    if (this.moving || !chosen.rangeCount) return;
    if (chosen.isCollapsed || !this.text.contains(chosen.anchorNode) || !this.text.contains(chosen.focusNode)) {
      if (this.picked && !this.cursor && this.pages.hidden && chosen.isCollapsed) this.pick(null, true);
      return;
    }
    const ends = [place(chosen.anchorNode, chosen.anchorOffset), place(chosen.focusNode, chosen.focusOffset)];
    if (ends.includes(null)) return;
    const range = this.trim(Math.min(...ends), Math.max(...ends));
    if (range) this.pick(range, true);
  }

  trim(start, end) {
    while (start < end && /[\s,;:([{*_`"“”„«»]/.test(this.words[start])) start += 1;
    while (end > start && /[\s,;:)\]}*_`"“”„«»]/.test(this.words[end - 1])) end -= 1;
    return start < end ? [start, end] : null;
  }

  // Choosing words by keys: the cursor is a run of words, first and last.
  startCursor(owner) {
    this.showPages(false);
    this.tokens ||= [...this.words.matchAll(/\S+/g)].map((found) => [found.index, found.index + found[0].length]);
    if (!this.tokens.length) return false;
    const lit = owner && this.text.querySelector(`[data-o~="${owner}"]`);
    const from = lit ? Number(lit.querySelector("[data-a]")?.dataset.a ?? lit.dataset.a) : this.firstInView();
    const at = Math.max(0, this.tokens.findIndex(([, end]) => end > from));
    this.cursor = [at, at];
    this.text.focus({ preventScroll: true });
    this.selectCursor();
    return true;
  }

  firstInView() {
    const top = this.text.getBoundingClientRect().top;
    for (const run of this.text.querySelectorAll("[data-a]")) {
      if (run.getBoundingClientRect().bottom > top) return Number(run.dataset.a);
    }
    return 0;
  }

  moveCursor(name, extends_) {
    let [first, last] = this.cursor;
    const most = this.tokens.length - 1;
    const line = (at, by) => {
      const turn = (from, to) => this.words.slice(from, to).includes("\n");
      let next = at;
      while (next + by >= 0 && next + by <= most) {
        next += by;
        if (turn(this.tokens[Math.min(at, next)][1], this.tokens[Math.max(at, next)][0])) break;
      }
      return next;
    };
    const to = { ArrowRight: Math.min(most, last + 1), ArrowLeft: extends_ ? last - 1 : Math.max(0, first - 1),
      ArrowDown: line(last, 1), ArrowUp: line(first, -1) }[name];
    if (extends_) last = Math.max(first, to);
    else first = last = to;
    this.cursor = [first, last];
    this.selectCursor();
  }

  selectCursor() {
    const range = this.trim(this.tokens[this.cursor[0]][0], this.tokens[this.cursor[1]][1]);
    if (!range) return;
    this.moving = true;
    const [start, end] = [this.node(range[0]), this.node(range[1] - 1)];
    if (start && end) {
      getSelection().setBaseAndExtent(start[0], start[1], end[0], Math.min(end[1] + 1, end[0].length));
      const box = getSelection().getRangeAt(0).getBoundingClientRect();
      const seen = this.text.getBoundingClientRect();
      if (box.top < seen.top + 30 || box.bottom > seen.bottom - 60) {
        start[0].parentElement.scrollIntoView({ block: "nearest" });
        this.text.scrollTop += getSelection().getRangeAt(0).getBoundingClientRect().top - seen.top - seen.height / 2;
      }
    }
    this.pick(range, true);
    setTimeout(() => { this.moving = false; });
  }

  node(unit) {
    const runs = this.runs();
    let low = 0;
    let high = runs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (Number(runs[middle].dataset.a) <= unit) low = middle;
      else high = middle - 1;
    }
    const run = runs[low];
    return run?.firstChild ? [run.firstChild, run.matches("i") ? 0 : unit - Number(run.dataset.a)] : null;
  }

  runs() {
    return this.text.querySelectorAll("[data-a]");
  }

  // Pages.
  async loadPages(file) {
    const pages = await ask("pages", { file }).catch(() => []);
    if (file !== this.file || !pages.length) return;
    this.pageList = pages;
    find("tabs").hidden = false;
    this.pages.replaceChildren(...pages.map((page) => make("figure", {},
      make("svg", { viewBox: `0 0 ${page.width} ${page.height}`, role: "img", "aria-label": `Page ${page.number}` },
        make("image", { href: `api/picture?${new URLSearchParams({ file, page: page.number })}`, width: page.width, height: page.height }),
        make("g", { "data-page": page.number }),
        make("g", { class: "words" }, page.words.map(([start, end, left, top, right, bottom]) => make("rect", {
          "data-s": start, "data-e": end, x: left, y: top, width: Math.max(1, right - left), height: Math.max(1, bottom - top),
        })))),
      make("figcaption", {}, `Page ${page.number}`))));
    this.drawBoxes();
    if (this.prefersPages) this.showPages(true);
    this.onPick();
  }

  showPages(shows) {
    if (shows && !this.pageList.length) return;
    if (this.pageList?.length) this.prefersPages = shows;
    this.pages.hidden = !shows;
    this.text.hidden = shows;
    find("tab-pages").setAttribute("aria-selected", shows);
    find("tab-text").setAttribute("aria-selected", !shows);
  }

  drawBoxes() {
    for (const page of this.pageList || []) {
      const layer = this.pages.querySelector(`[data-page="${page.number}"]`);
      const boxes = [];
      this.lines.forEach((line, number) => {
        const found = wordBoxes(page.words, line.spans || []);
        const own = page.words.length ? found : (line.boxes || []).filter((box) => box[0] === page.number).map((box) => box.slice(1));
        for (const [left, top, right, bottom] of own) {
          boxes.push(make("rect", { "data-o": `l${number}`, x: left, y: top, width: right - left, height: bottom - top, rx: 1 }));
        }
      });
      layer.replaceChildren(...boxes);
    }
  }

  startDrag(event) {
    this.dragged = false;
    const word = event.target.closest?.(".words rect");
    if (!word) return;
    event.preventDefault();
    this.anchor = [Number(word.dataset.s), Number(word.dataset.e)];
    this.anchorWord = word;
  }

  goOnDragging(event) {
    if (!this.anchor) return;
    const word = document.elementFromPoint(event.clientX, event.clientY)?.closest?.(".words rect");
    if (!word || (word === this.anchorWord && !this.dragged)) return;
    this.dragged = true;
    const [start, end] = [Number(word.dataset.s), Number(word.dataset.e)];
    const range = this.trim(this.offsets.toUnits(Math.min(start, this.anchor[0])), this.offsets.toUnits(Math.max(end, this.anchor[1])));
    if (range) this.pick(range, true);
  }

  endDrag() {
    if (!this.anchor) return;
    const [start, end] = this.anchor;
    this.anchor = null;
    if (this.dragged) {
      setTimeout(() => { this.dragged = false; });
      return;
    }
    const owners = this.lines.flatMap((line, number) => (line.spans || []).some(([a, b]) => a < end && start < b) ? [`l${number}`] : []);
    if (owners.length) this.onMark(owners);
    const range = this.trim(this.offsets.toUnits(start), this.offsets.toUnits(end));
    if (range) this.pick(range, true);
  }

  drawPicked() {
    const spans = this.spans();
    for (const word of this.pages.querySelectorAll(".words rect")) {
      const on = spans.some(([start, end]) => Number(word.dataset.s) < end && start < Number(word.dataset.e));
      word.classList.toggle("pick", on);
    }
  }
}

// Boxes of the words that spans cover, those on one line joined.
function wordBoxes(words, spans) {
  const boxes = [];
  for (const [first, last] of spans) {
    let open = null;
    for (const [start, end, left, top, right, bottom] of words) {
      if (end <= first || start >= last) continue;
      if (open && Math.abs(open[1] - top) < 2 && left >= open[2] - 2) {
        open[2] = right;
        open[3] = Math.max(open[3], bottom);
      } else boxes.push((open = [left, top, right, bottom]));
    }
  }
  return boxes;
}

function place(node, offset) {
  if (node.nodeType !== Node.TEXT_NODE) {
    const run = node.querySelector?.("[data-a]");
    return run ? Number(run.dataset.a) : null;
  }
  const run = node.parentElement.closest("[data-a]");
  return run ? Number(run.dataset.a) + (run.matches("i") ? 0 : offset) : null;
}

// The text cut where marks begin and end, each piece with all that own it.
function* drawBlocks(text, spans, signs) {
  const cuts = [];
  for (let at = BLOCK; ;) {
    const end = text.indexOf("\n", at);
    if (end < 0) break;
    cuts.push(end + 1);
    at = end + 1 + BLOCK;
  }
  const opening = new Map();
  const closing = new Map();
  const note = (map, at, owner) => map.set(at, [...(map.get(at) || []), owner]);
  for (const [start, end, owner] of spans) {
    if (end <= start || end > text.length) continue;
    note(opening, start, owner);
    note(closing, end, owner);
  }
  const borders = [...new Set([0, text.length, ...cuts, ...opening.keys(), ...closing.keys()])].sort((a, b) => a - b);
  const active = new Map();
  const isCut = new Set(cuts);
  let block = make("div", { class: "block" });
  for (let number = 0; number + 1 < borders.length; number += 1) {
    const [start, end] = [borders[number], borders[number + 1]];
    if (isCut.has(start)) {
      yield block;
      block = make("div", { class: "block" });
    }
    for (const owner of closing.get(start) || []) {
      const left = (active.get(owner) || 0) - 1;
      if (left > 0) active.set(owner, left);
      else active.delete(owner);
    }
    for (const owner of opening.get(start) || []) active.set(owner, (active.get(owner) || 0) + 1);
    const owners = [...active.keys()];
    const runs = drawRuns(text, start, end, signs);
    if (!owners.length) block.append(...runs);
    else {
      const isValue = owners.some((owner) => owner.startsWith("l"));
      const kind = owners.includes("hidden") && owners.length === 1 ? "hidden" : isValue ? "value" : "left-out";
      block.append(make(kind === "hidden" ? "s" : "mark", { class: kind, "data-o": owners.join(" ") }, ...runs));
    }
  }
  yield block;
}

function drawRuns(text, start, end, signs) {
  const runs = [];
  let at = start;
  const put = (to) => at < to && runs.push(make("span", { "data-a": at }, text.slice(at, to)));
  if (signs.size) {
    for (let i = start; i < end; i += 1) {
      const sign = signs.get(i);
      if (!sign) continue;
      put(i);
      runs.push(make("i", { class: "unseen", "data-a": i, title: "a character that cannot be seen" }, sign[1]));
      at = sign[0];
      i = at - 1;
    }
  }
  put(end);
  return runs;
}

export const tellWords = (number) => count(number, "word", "words");
