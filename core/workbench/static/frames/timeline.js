// All frames at once, in lanes: faces, confidence, persons, what was edited, where scenes begin, what the filter finds.

import {useEffect, useRef} from "preact/hooks";
import {html, useSize} from "../lib/ui.js";
import {colors} from "./drawing.js";
import {MOST_PERSONS, faultsOf} from "./lanes.js";
import {useSession} from "./session.js";

const LANES = [
  // name, height
  ["Faces", 16], ["Confidence", 20], ["Person", 10], ["Edited", 10], ["Filter", 10],
];
const GAP = 4;
const LABELS = 78; // width
export const HEIGHT = LANES.reduce((sum, [, height]) => sum + height + GAP, GAP);
const HUES = 8;
const PERSONS = [...Array(MOST_PERSONS).keys()];

export function Timeline({session}) {
  useSession(session);
  const canvas = useRef(null);
  const box = useSize(() => draw(canvas.current, session));
  useEffect(() => draw(canvas.current, session));
  useEffect(() => {
    const again = () => draw(canvas.current, session);
    addEventListener("theme", again);
    return () => removeEventListener("theme", again);
  }, [session]);
  const {lanes, number} = session;
  const last = Math.max(0, (lanes?.frames ?? 1) - 1);
  const scrub = event => {
    if (event.type === "pointerdown") event.currentTarget.setPointerCapture(event.pointerId);
    else if (!event.buttons) return;
    const corner = event.currentTarget.getBoundingClientRect();
    const share = (event.clientX - corner.left - LABELS) / Math.max(1, corner.width - LABELS);
    session.go(Math.floor(Math.min(0.999999, Math.max(0, share)) * (last + 1)));
  };
  const keys = event => {
    const step = {ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10}[event.code];
    if (!step || event.ctrlKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    session.go(number + step);
  };
  const text = lanes ? [`frame ${number + 1} of ${lanes.frames}`, ...faultsOf(lanes, number)].join(", ") : "";
  return html`<div class="timeline" ref=${box}>
    <canvas ref=${canvas} tabindex="0" role="slider" aria-label="Timeline" aria-valuemin="1" aria-valuemax=${last + 1}
      aria-valuenow=${number + 1} aria-valuetext=${text} style=${{height: `${HEIGHT}px`}}
      onPointerDown=${scrub} onPointerMove=${scrub} onKeyDown=${keys}></canvas></div>`;
}

function draw(canvas, session) {
  if (!canvas) return; // the screen was left before it was to be drawn
  const {lanes} = session;
  const [width, ratio] = [canvas.clientWidth, devicePixelRatio];
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(HEIGHT * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(HEIGHT * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, HEIGHT);
  if (!lanes?.frames || width <= LABELS) return;
  drawLabels(context);
  drawLanes(context, session, width - LABELS);
  drawNow(context, session, width - LABELS);
}

function drawLabels(context) {
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  context.fillStyle = colors().muted;
  let y = GAP;
  for (const [name, height] of LANES) {
    context.fillText(name, 2, y + height / 2);
    y += height + GAP;
  }
}

function drawLanes(context, session, width) {
  const {lanes, filter} = session;
  const ink = colors();
  const edited = 1 << lanes.flags.indexOf("edited");
  const cut = 1 << lanes.flags.indexOf("cut");
  const passes = new Set(filter === "all" ? [] : session.matches);
  const tops = LANES.map((_, place) => LANES.slice(0, place).reduce((sum, [, height]) => sum + height + GAP, GAP));
  // Many frames may share a pixel: each column shows the most telling of its frames.
  const columns = Math.min(Math.ceil(width), lanes.frames);
  for (let column = 0; column < columns; column++) {
    const [first, end] = [column, column + 1].map(place => Math.floor(place * lanes.frames / columns));
    const sum = summed(lanes, first, Math.max(end, first + 1), passes);
    const x = LABELS + column * width / columns;
    const wide = Math.max(1, width / columns - (width / columns > 8 ? 1 : 0));
    const bar = (lane, share, color) => {
      context.fillStyle = color;
      const height = LANES[lane][1] * share;
      context.fillRect(x, tops[lane] + LANES[lane][1] - height, wide, height);
    };
    if (sum.least === 0) bar(0, 0.22, ink.bad);
    if (sum.most > 0) bar(0, Math.min(1, 0.3 + 0.35 * (sum.most - 1) + 0.25), sum.most > 1 ? ink.warn : ink.accent);
    if (sum.least === 0 && sum.most > 0) bar(0, 0.22, ink.bad);
    if (sum.lowest < 2) bar(1, Math.max(0.06, sum.lowest), sum.lowest < session.limits.low ? ink.bad : ink.good);
    // Persons are stacked: the one with most faces is below.
    const there = PERSONS.filter(person => sum.who & (1 << person));
    there.reverse().forEach((person, place) => bar(2, 1 - place / there.length, ink[`hue-${1 + person % HUES}`]));
    if (sum.flags & edited) bar(3, 1, ink.dst);
    if (sum.passes) bar(4, 1, ink.accent);
    if (sum.flags & cut) {
      context.fillStyle = ink.text;
      context.fillRect(x - 0.5, GAP, 1, HEIGHT - 2 * GAP);
    }
  }
}

function summed(lanes, first, end, passes) {
  const sum = {least: Infinity, most: 0, lowest: 2, who: 0, flags: 0, passes: false};
  for (let number = first; number < end; number++) {
    sum.least = Math.min(sum.least, lanes.faces[number]);
    sum.most = Math.max(sum.most, lanes.faces[number]);
    if (lanes.lowest[number] < sum.lowest) sum.lowest = lanes.lowest[number];
    sum.who |= lanes.who[number];
    sum.flags |= lanes.flag[number];
    sum.passes ||= passes.has(number);
  }
  return sum;
}

function drawNow(context, {number, lanes}, width) {
  const ink = colors();
  const one = width / lanes.frames;
  const x = LABELS + (number + 0.5) * one;
  context.fillStyle = ink.text;
  context.fillRect(x - 1, 0, 2, HEIGHT);
  context.beginPath();
  context.moveTo(x - 5, 0);
  context.lineTo(x + 5, 0);
  context.lineTo(x, 6);
  context.fill();
}

// The words under the timeline: where it is, and what is to be looked at there.
export function Where({session}) {
  useSession(session);
  const {lanes, number, shown, filter, matches} = session;
  if (!lanes?.frames) return null;
  const place = matches.indexOf(number);
  const passing = filter === "all" ? "" : `, ${place < 0 ? "" : `${place + 1} of `}${matches.length} in the filter`;
  return html`<span class="where"><strong>${number + 1}</strong> / ${lanes.frames}
    <span class="muted"> ${shown?.number === number ? shown.name : "..."}${passing}</span>
    ${faultsOf(lanes, number).map(fault => html`<span class="badge warn" key=${fault}>${fault}</span>`)}</span>`;
}
