// What is asked of the server, and how long a person had a document before them.

export class Refused extends Error {
  constructor(status, content) {
    super(content.error || "The server does not answer; see the terminal it runs in.");
    this.status = status;
    this.document = content.document;
  }
}

async function answer(response) {
  const content = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, content);
  return content;
}

export async function ask(path, values = {}) {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "" && value !== undefined));
  return answer(await fetch(`api/${path}?${query}`).catch(lost));
}

export async function decide(decision) {
  return answer(await fetch("api/decisions", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Review": "1" },
    body: JSON.stringify({ ...decision, seconds: takeSeconds() }),
  }).catch(lost));
}

function lost() {
  throw new Refused(0, { error: "The server is gone; start `extractor review` again. What was decided is kept." });
}

const IDLE = 60_000; // milliseconds without a touch after which nobody is taken to look
let since = performance.now();
let touched = since;
let spent = 0;

export function startClock() {
  since = touched = performance.now();
  spent = 0;
}

export function touchClock() {
  const now = performance.now();
  spent += Math.min(now - since, IDLE);
  since = touched = now;
}

function takeSeconds() {
  touchClock();
  const seconds = spent / 1000;
  spent = 0;
  return Math.round(seconds * 10) / 10;
}
