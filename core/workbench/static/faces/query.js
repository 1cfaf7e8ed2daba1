// The query in the address, what the server gets of it, and what has to be computed before.

// What cleaning finds out; see works.py.
const OF_CLEANING = ["verdict", "verdicts", "spared", "exposure", "contrast", "hidden", "cut_off", "misaligned"];
const FIXED = ["sort", "group", "count"];
export const BY = "by.";

// Without a word on the status those that are kept are meant.
export function toServer(query) {
  const asked = new URLSearchParams(query);
  asked.delete("count");
  if (!asked.has("status")) asked.set("status", "kept");
  if (asked.get("status") === "any") asked.delete("status");
  return asked;
}

export const sortName = query => (query.get("sort") ?? "").replace(/^-/, "");

const namesIn = query => [sortName(query), query.get("group"), ...filters(query).map(([name]) => name)].filter(Boolean);

export const filters = query => [...query.entries()].filter(([name]) => !FIXED.includes(name));

// What has to be computed before this query can be answered.
export function needed(query) {
  const found = namesIn(query).map(name => {
    if (OF_CLEANING.includes(name) || name.startsWith("verdict.")) return "clean";
    const [, method] = name.match(/^(?:by|score|out)\.(.+)$/) ?? [];
    return method ? BY + method : "";
  });
  return [...new Set(found.filter(Boolean))];
}

export const dependsOn = (query, names) => namesIn(query).some(name => names.includes(name));

// The same query with other values of a name: a list, or none.
export function withValues(query, name, values) {
  const next = new URLSearchParams(query);
  next.delete(name);
  for (const value of values) next.append(name, value);
  return next;
}

export const RADIANS = Math.PI / 180;

// "-0.5..0.5" -> [-0.5, 0.5]; what is left open is null.
export function ends(text) {
  const [low, high] = (text ?? "").split("..");
  const number = part => (part === undefined || part === "" ? null : Number(part));
  return [number(low), text?.includes("..") ? number(high) : number(low)];
}

export const range = (low, high) => (low === null && high === null ? "" : `${low ?? ""}..${high ?? ""}`);
