// Over the grid: how many, sort, group, size of the cells; what is being computed; what was found alike.

import {Bar, Button, count, html} from "../lib/ui.js";
import {BY, sortName, withValues} from "./query.js";
import {titleOf} from "./names.js";

const DIRECT = ["frame", "yaw", "pitch", "size", "sharpness", "confidence", "landmark_confidence", "track", "exposure", "contrast",
  "hidden", "cut_off", "misaligned"];
const GROUPS = ["person", "track", "reason", "frame", "status", "origin", "mark", "verdict", "score.persons"];
export const CELLS = [56, 240];

export function Sorting({query, columns, methods, change}) {
  const now = query.get("sort") ?? "";
  const [name, down] = [sortName(query), now.startsWith("-")];
  const set = (next, turned) => change(withValues(query, "sort", next ? [(turned ? "-" : "") + next] : []));
  const group = query.get("group") ?? "";
  const direct = DIRECT.filter(column => columns.includes(column));
  return html`
    <label class="inline"><span>Sort</span><select value=${name} onChange=${event => set(event.target.value, false)}>
      <option value="">as in the film</option>
      <optgroup label="What is known">${direct.map(column => html`<option value=${column}>${titleOf(column)}</option>`)}</optgroup>
      <optgroup label="Methods of sorting, computed where needed">${methods.map(method => html`
        <option value=${BY + method.name} title=${method.help}>${method.name}</option>`)}</optgroup>
      ${name && !direct.includes(name) && !name.startsWith(BY) && html`<option value=${name}>${titleOf(name)}</option>`}</select></label>
    <button type="button" class="button square" title="Turn the order round" aria-label="Turn the order round" disabled=${!name}
      aria-pressed=${down ? "true" : "false"} onClick=${() => set(name, !down)}>${down ? "\u2193" : "\u2191"}</button>
    <label class="inline"><span>Group</span><select value=${group}
        onChange=${event => change(withValues(query, "group", event.target.value ? [event.target.value] : []))}>
      <option value="">none</option>${GROUPS.map(column => html`<option value=${column}>${titleOf(column)}</option>`)}</select></label>`;
}

export const CellSize = ({cell, change}) => html`<label class="inline cell-size"><span>Size<span class="unseen"> of the faces</span></span>
  <input type="range" min=${CELLS[0]} max=${CELLS[1]} step="4" value=${cell} title="Size of the faces (Ctrl and the wheel)"
    onInput=${event => change(Number(event.target.value))} /></label>`;

// said: of the events "computing".
export function Computing({said, stop}) {
  const share = said.total ? said.done / said.total : null;
  const words = said.description ? `${said.description}: ${count(said.done)}${said.total ? ` of ${count(said.total)}` : ""} ${said.unit ?? ""}` : "starting";
  return html`<div class="computing"><span class="number">${titleOf(said.what)} \u00b7 ${words}</span>
    <${Bar} share=${share} label="Computing ${titleOf(said.what)}" /><${Button} icon="stop" title="Stop computing" onClick=${stop} /></div>`;
}

// like: {ids, cosines, least, unknown, only}: what select similar found.
export function Similar({like, chosen, change, sort, compute, close}) {
  return html`<div class="similar" role="group" aria-label="Select similar">
    <label class="inline"><span>Alike from</span>
      <input type="range" min=${Math.round(100 * like.lowest)} max="100" value=${Math.round(100 * like.least)}
        onInput=${event => change(Number(event.target.value) / 100)} /><output class="number">${Math.round(100 * like.least)} %</output></label>
    <strong class="number">${count(chosen)} chosen</strong>
    ${like.unknown > 0 && html`<span class="muted">${count(like.unknown)} are not known yet</span>
      <${Button} onClick=${compute}>Compute<//>`}
    <span class="grow"></span>
    ${like.only && html`<${Button} onClick=${sort}>Sort by likeness<//>`}
    <${Button} kind="quiet" icon="close" title="Close" onClick=${close} /></div>`;
}
