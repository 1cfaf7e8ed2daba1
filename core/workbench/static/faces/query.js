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
    if (OF_CLEANING.includes(name) || /^(verdict|rejected)\./.test(name)) return "clean";
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

// verdicts: [{name, column, rejected, help}]. Returns {name, column, rejected: whether it shows what was rejected}; the
// column is empty for all verdicts at once. Null where the query shows no queue.
export function queueOf(query, verdicts) {
  const one = verdicts.find(({column, rejected}) => query.has(column) || query.has(rejected));
  if (one) return {name: one.name, column: one.column, rejected: query.has(one.rejected)};
  return query.get("verdicts") === "1.." ? {name: "every verdict", column: "", rejected: false} : null;
}

// The verdicts that the face at a place of the view has.
export function verdictsAt(view, queue, verdicts, place) {
  if (queue.column) return [queue.name];
  return verdicts.filter(({column}) => Number.isFinite(view.columns[column]?.[place])).map(({name}) => name);
}

// The columns that a queue of all verdicts needs beside those of the grid.
export const columnsOfQueue = (query, known) => (query.has("verdicts") ? known.filter(name => name.startsWith("verdict.")) : []);
