// The filters: words with how many faces have them, ranges with how the faces are spread.

import {useState} from "preact/hooks";
import {Button, count, html} from "../lib/ui.js";
import {COLUMNS, shown, titleOf, wordOf} from "./names.js";
import {ends, filters, range, withValues} from "./query.js";

const WORDS = ["status", "mark", "person", "reason", "origin", "verdict", "rejected"];
const RANGES = ["yaw", "pitch", "size", "sharpness", "confidence", "landmark_confidence", "exposure", "contrast", "hidden",
  "cut_off", "misaligned", "track", "frame"];
const FEW = 8;

// counts: word column -> {word: how many}. ranges: number column -> {low, high, bins}. change: gets another query.
export function Filters({query, counts, ranges, change}) {
  const words = WORDS.filter(name => Object.keys(counts[name] ?? {}).length > (name === "status" ? 0 : 1) || query.has(name));
  return html`<aside class="filters" aria-label="Filters">
    ${words.map(name => html`<${Words} key=${name} name=${name} counts=${counts[name] ?? {}} query=${query} change=${change} />`)}
    <${Stale} query=${query} change=${change} spread=${ranges.stale} />
    ${RANGES.filter(name => ranges[name] && (ranges[name].low < ranges[name].high || query.has(name))).map(name => html`
      <${Range} key=${name} name=${name} spread=${ranges[name]} query=${query} change=${change} />`)}</aside>`;
}

function Words({name, counts, query, change}) {
  const [all, setAll] = useState(false);
  const chosen = query.has(name) ? query.getAll(name) : name === "status" ? ["kept"] : [];
  const known = Object.entries(counts).sort(([, one], [, two]) => two - one).map(([word]) => word);
  const words = [...new Set([...chosen.filter(word => word !== "any"), ...known])];
  const toggle = word => {
    const next = chosen.includes(word) ? chosen.filter(other => other !== word) : [...chosen.filter(other => other !== "any"), word];
    // Of the status nothing means what is kept, so everything has a word of its own.
    change(withValues(query, name, next.length || name !== "status" ? next : ["any"]));
  };
  return html`<fieldset class="filter"><legend>${titleOf(name)}</legend>
    ${words.slice(0, all ? words.length : FEW).map(word => html`<label class="choice" key=${word}>
      <input type="checkbox" checked=${chosen.includes(word)} onChange=${() => toggle(word)} />
      <span class="cut" title=${wordOf(name, word)}>${wordOf(name, word)}</span><span class="muted number">${count(counts[word] ?? 0)}</span></label>`)}
    ${words.length > FEW && html`<${Button} kind="quiet" onClick=${() => setAll(!all)}>${all ? "Fewer" : `All ${count(words.length)}`}<//>`}
  </fieldset>`;
}

function Stale({query, change, spread}) {
  if (!spread?.high && !query.has("stale")) return null;
  return html`<label class="choice filter"><input type="checkbox" checked=${query.get("stale") === "1"}
    onChange=${event => change(withValues(query, "stale", event.target.checked ? ["1"] : []))} />
    <span>Picture is out of date</span></label>`;
}

function Range({name, spread, query, change}) {
  const {scale = 1, shift = 0, unit = "", help} = COLUMNS[name] ?? {};
  const now = ends(query.get(name));
  const set = (which, text) => {
    const typed = text.trim() === "" ? null : Number(text.replace(",", "."));
    if (Number.isNaN(typed)) return;
    const next = [...now];
    next[which] = typed === null ? null : Number(((typed - shift) / scale).toFixed(5));
    const value = range(...next);
    change(withValues(query, name, value ? [value] : []));
  };
  const field = (which, word) => html`<input type="text" inputmode="decimal" aria-label="${titleOf(name)}: ${word}"
    value=${now[which] === null ? "" : Number((now[which] * scale + shift).toFixed(3))}
    placeholder=${shown(name, which ? spread.high : spread.low)} onChange=${event => set(which, event.target.value)} />`;
  return html`<fieldset class="filter"><legend title=${help}>${titleOf(name)}${unit && html`<span class="muted">${unit}</span>`}</legend>
    <${Spread} spread=${spread} now=${now} />
    <div class="from-to">${field(0, "at least")}<span aria-hidden="true">to</span>${field(1, "at most")}</div></fieldset>`;
}

// How many faces have which value; what the filter leaves is brighter.
function Spread({spread, now}) {
  const most = Math.max(1, ...spread.bins);
  const step = (spread.high - spread.low) / spread.bins.length;
  return html`<svg class="spread" viewBox="0 0 ${spread.bins.length} 20" preserveAspectRatio="none" aria-hidden="true">
    ${spread.bins.map((size, place) => {
      const middle = spread.low + (place + 0.5) * step;
      const on = (now[0] === null || middle >= now[0]) && (now[1] === null || middle <= now[1]);
      const height = size ? 2 + 18 * Math.sqrt(size / most) : 0;
      return html`<rect class=${on ? "on" : ""} x=${place} y=${20 - height} width="0.86" height=${height} />`;
    })}</svg>`;
}

// The filters in words, each with a button that takes it away.
export function Chips({query, change}) {
  const found = filters(query).filter(([name]) => name !== "status" || query.get("status") !== "any");
  if (!found.length) return null;
  const without = (name, value) => withValues(query, name, query.getAll(name).filter(other => other !== value));
  return html`<ul class="chips" aria-label="What is filtered">${found.map(([name, value]) => html`<li key="${name}=${value}">
    <button type="button" class="chip" title="Take this filter away" onClick=${() => change(without(name, value))}>
      ${chipText(name, value)}<span aria-hidden="true">×</span></button></li>`)}
    ${found.length > 1 && html`<li><${Button} kind="quiet" onClick=${() => change(keepOrder(query))}>Clear all<//></li>`}</ul>`;
}

function keepOrder(query) {
  const next = new URLSearchParams();
  for (const name of ["sort", "group"]) if (query.has(name)) next.set(name, query.get(name));
  return next;
}

function chipText(name, value) {
  if (WORDS.includes(name) || name.startsWith("out.")) return `${titleOf(name)}: ${wordOf(name, value)}`;
  if (name === "stale") return "Out of date";
  if (name === "verdicts") return "Has a verdict";
  if (name.startsWith("rejected.")) return `Rejected: ${titleOf(name).toLowerCase()}`;
  if (name.startsWith("verdict.")) return `Verdict: ${titleOf(name).toLowerCase()}`;
  const [low, high] = ends(value);
  if (low === high) return `${titleOf(name)} ${shown(name, low)}`;
  if (low === null) return `${titleOf(name)} up to ${shown(name, high)}`;
  if (high === null) return `${titleOf(name)} from ${shown(name, low)}`;
  return `${titleOf(name)} ${shown(name, low)} to ${shown(name, high)}`;
}
