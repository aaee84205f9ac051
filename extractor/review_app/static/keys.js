// What each key does, and the list of it that ? shows.

import { key, make } from "./dom.js";

export const KEYS = [
  ["Values", [
    [["j", "ArrowDown"], "nextLine", "next line"],
    [["k", "ArrowUp"], "previousLine", "line before"],
    [["J", "PageDown"], "nextPart", "next row or field of the record"],
    [["K", "PageUp"], "previousPart", "row or field before"],
    [["n"], "leastSure", "the least sure value that is not decided; again: the next one"],
    [["m"], "nextEmpty", "the next field without a value"],
    [["M"], "previousEmpty", "the one before"],
    [["a", " "], "accept", "accept the value, go to the next one to decide"],
    [["e", "Enter"], "correct", "correct it, or add one; Enter saves, Esc leaves it"],
    [["1…9"], "", "take one of the values that are offered below"],
    [["x", "Delete"], "reject", "reject it: the document says nothing there"],
    [["A"], "acceptRow", "accept the whole row"],
  ]],
  ["Words", [
    [["w"], "pickWords", "choose words: ← → by word, ↑ ↓ by line, with Shift for several"],
    [["Enter"], "", "the chosen words are the value"],
    [["e"], "", "the chosen words are its evidence, and the value stays"],
    [["g"], "togglePages", "pages or text"],
  ]],
  ["Rows", [
    [["o"], "addRow", "add a row or an entry"],
    [["d"], "removeRow", "remove the row"],
    [["Alt+↑", "Alt+↓"], "", "move the row"],
  ]],
  ["Left out", [
    [["r"], "leftOut", "go to what was left out"],
    [["t"], "takeBack", "take it back"],
  ]],
  ["Documents", [
    [["f"], "finish", "done: accept the rest, go to the next document"],
    [["ArrowRight", "l"], "nextDocument", "next document"],
    [["ArrowLeft", "h"], "previousDocument", "document before"],
    [["z", "Ctrl+z"], "undo", "undo"],
    [["/"], "search", "find a document"],
    [["?"], "help", "these keys"],
  ]],
];

const ACTIONS = new Map(KEYS.flatMap(([, keys]) => keys.flatMap(([names, action]) => (action ? names.map((name) => [name, action]) : []))));
const SHOWN = { ArrowDown: "↓", ArrowUp: "↑", ArrowRight: "→", ArrowLeft: "←", " ": "Space", Delete: "Del" };

// The action of a key press; nothing where it is none of ours.
export function readKey(event) {
  if (event.altKey && !event.ctrlKey && !event.metaKey) return { ArrowUp: "moveUp", ArrowDown: "moveDown" }[event.key];
  if (event.ctrlKey || event.metaKey) return event.key === "z" && !event.shiftKey ? "undo" : undefined;
  if (event.shiftKey && event.key.startsWith("Arrow")) return undefined; // selects
  return ACTIONS.get(event.key);
}

export function drawKeys() {
  return KEYS.map(([title, keys]) => make("section", {}, make("h3", {}, title), make("dl", {}, keys.flatMap(([names, , words]) => [
    make("dt", {}, names.map((name) => key(SHOWN[name] || name))),
    make("dd", {}, words),
  ]))));
}
