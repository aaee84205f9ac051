// Elements out of data. Words only ever become text; there is no way from a string to markup here.

export function make(tag, attributes = {}, ...children) {
  const element = tag === "svg" || SVG.has(tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return element;
}

const SVG = new Set(["rect", "image", "g", "title"]);

export const find = (id) => document.getElementById(id);

export const key = (name) => make("kbd", {}, name);

let hiding = 0;

// A short sentence for everyone, screen readers too.
export function say(sentence, isWrong = false) {
  const toast = find("toast");
  toast.textContent = sentence;
  toast.classList.toggle("wrong", isWrong);
  toast.classList.add("shown");
  clearTimeout(hiding);
  hiding = setTimeout(() => toast.classList.remove("shown"), isWrong ? 7000 : 2200);
}

export const percent = (share) => `${Math.round(share * 100)} %`;

export const count = (number, one, many) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
