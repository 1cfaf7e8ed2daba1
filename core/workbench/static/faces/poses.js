// Which way the faces of both sides look: a map of yaw and pitch, and what the source lacks. A cell is a filter.

import {useEffect, useState} from "preact/hooks";
import {get} from "../lib/api.js";
import {onEvent} from "../lib/live.js";
import {useStore} from "../lib/store.js";
import {Button, Problem, count, html, sideName} from "../lib/ui.js";
import {RADIANS, range, withValues} from "./query.js";

const MIDDLE = [3, 9];

// show: (side, query) leads there. measure: side => lets poses be measured.
export function Poses({side, query, show, measure, version}) {
  const [found, setFound] = useState(null);
  const [error, setError] = useState(null);
  const revisions = useStore(state => state.revisions);
  const [news, setNews] = useState(0);
  useEffect(() => { get("poses").then(setFound, setError); }, [revisions, version, news]);
  useEffect(() => onEvent("computing", said => said.state === "done" && setNews(count => count + 1)), []);
  if (error) return html`<${Problem} error=${error} />`;
  if (!found) return html`<p class="muted">Counting ...</p>`;
  const sides = Object.keys(found.sides);
  const go = (yaw, pitch, where = side) => {
    const next = withValues(query, "yaw", yaw ? [inRadians(yaw)] : []);
    show(where, withValues(next, "pitch", pitch ? [inRadians(pitch)] : []));
  };
  return html`<div class="poses">
    <p class="muted">How many faces look which way, as one sees it on the picture: above those of the source, below those of the target.
      Outlined: the film has faces there and the source hardly any. A cell shows its faces.</p>
    ${sides.filter(name => found.sides[name].unknown > 0).map(name => html`<div class="hint" key=${name}>
      <span>${count(found.sides[name].unknown)} ${sideName(name)} faces have no pose yet.</span>
      <${Button} onClick=${() => measure(name)}>Measure<//></div>`)}
    ${sides.length > 0 && html`<${Map} found=${found} sides=${sides} query=${query} go=${go} />`}
    ${sides.length === 2 && html`<h2>What the source lacks</h2>
      ${found.gaps.length === 0 ? html`<p>The source has faces for everywhere that the target looks.</p>`
        : html`<ul class="gaps">${found.gaps.map(gap => html`<li><button type="button" class="link" onClick=${() => go(gap.yaw, gap.pitch, "dst")}>
          ${gap.said}</button></li>`)}</ul>`}`}
    ${(query.has("yaw") || query.has("pitch")) && html`<${Button} onClick=${() => go(null, null)}>All poses<//>`}</div>`;
}

// A hair less than the upper end: a face at an edge belongs to one cell. The outermost cells take what is beyond.
function inRadians([low, high]) {
  const [least, most] = [low <= -90 ? null : low * RADIANS, high >= 90 ? null : high * RADIANS - 1e-5];
  return range(least === null ? null : Number(least.toFixed(5)), most === null ? null : Number(most.toFixed(5)));
}

function Map({found, sides, query, go}) {
  const {edges} = found;
  const [rows, columns] = used(sides.map(name => found.sides[name].counts));
  const most = Object.fromEntries(sides.map(name => [name, Math.max(1, ...found.sides[name].counts.flat())]));
  const pitchOf = row => [edges[edges.length - 2 - row], edges[edges.length - 1 - row]];
  const yawOf = column => [edges[column], edges[column + 1]];
  const isOn = (yaw, pitch) => query.get("yaw") === inRadians(yaw) && query.get("pitch") === inRadians(pitch);
  return html`<table class="pose-map"><caption class="unseen">Faces by yaw and pitch</caption>
    <thead><tr><td></td>${columns.map(column => html`<th scope="col">${lines(label(yawOf(column), "right", "left"))}</th>`)}</tr></thead>
    <tbody>${rows.map(row => html`<tr><th scope="row">${lines(label(pitchOf(row), "down", "up"))}</th>
      ${columns.map(column => html`<${Cell} key=${column} found=${found} sides=${sides} most=${most} row=${row} column=${column}
        on=${isOn(yawOf(column), pitchOf(row))} go=${() => go(yawOf(column), pitchOf(row))}
        words="${label(yawOf(column), "right", "left")}, ${label(pitchOf(row), "down", "up")}" />`)}</tr>`)}</tbody></table>`;
}

function Cell({found, sides, most, row, column, on, go, words}) {
  const numbers = sides.map(name => found.sides[name].counts[row][column]);
  const said = sides.map((name, place) => `${sideName(name)} ${count(numbers[place])}`).join(", ");
  const unseen = text => html`<span class="unseen">${text}</span>`;
  const thin = found.thin[row]?.[column];
  return html`<td class=${thin ? "thin" : ""}><button type="button" aria-pressed=${on ? "true" : "false"} onClick=${go} title="${words}: ${said}">
    ${unseen(`${words}${thin ? ", too few in the source" : ""}:`)}
    ${sides.map((name, place) => html`<span class="pose ${name}" key=${name}>
      <span class="heat" style=${{opacity: numbers[place] ? 0.1 + (0.32 * Math.log1p(numbers[place])) / Math.log1p(most[name]) : 0}}></span>
      ${unseen(` ${sideName(name)} `)}<span class="digits">${short(numbers[place])}</span></span>`)}</button></td>`;
}

const short = number => (number === 0 ? "" : number < 1000 ? String(number) : `${(number / 1000).toFixed(number < 10_000 ? 1 : 0)}k`);

const lines = words => words.split(" ").map(word => html`<div>${word}</div>`);

// "left 15-30"
function label([low, high], negative, positive) {
  const [near, far] = [low, high].map(Math.abs).sort((one, two) => one - two);
  return `${low < 0 ? negative : positive} ${near}\u2013${far}`;
}

// Rows and columns to show: the middle, and out to the last that holds a face; yaw rises to the left of the picture.
function used(maps) {
  const size = maps[0].length;
  const holds = (row, column) => maps.some(map => map[row][column] > 0);
  const all = Array.from({length: size}, (_, place) => place);
  const ends = filled => [Math.min(MIDDLE[0], ...filled), Math.max(MIDDLE[1] - 1, ...filled)];
  const between = ([low, high]) => all.filter(place => place >= low && place <= high);
  const rows = between(ends(all.filter(row => all.some(column => holds(row, column)))));
  const columns = between(ends(all.filter(column => all.some(row => holds(row, column)))));
  return [rows, columns.reverse()];
}
