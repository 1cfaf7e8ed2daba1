// The grid as a part of the page: its canvas, its scroll bar, its keys, and what a screen reader says of it.

import {useEffect, useRef} from "preact/hooks";
import {count, html, useSize} from "../lib/ui.js";
import {listenToPointer} from "./pointer.js";

// open: is called with Enter and a double click. said: place => the words for a cell.
export function GridView({grid, label, open, said, scroller}) {
  const box = useSize((width, height) => grid.resize(width, height));
  const canvas = useRef(null);
  useEffect(() => {
    grid.attach(canvas.current);
    return listenToPointer(grid, canvas.current, open);
  }, [grid]);
  const {layout, selection} = grid;
  const {focus} = selection;
  const place = focus >= 0 && layout.count ? layout.place(focus) : null;
  const focused = on => {
    grid.focused = on;
    grid.draw();
  };
  return html`<div class="grid-frame">
    <div class="grid" id="faces-grid" ref=${box} role="grid" tabindex="0" aria-label=${label} aria-multiselectable="true"
        aria-rowcount=${layout.rowCount} aria-colcount=${layout.columns} aria-activedescendant=${place ? "focused-face" : undefined}
        onKeyDown=${event => press(grid, event, open)} onFocus=${() => focused(true)} onBlur=${() => focused(false)}>
      <canvas ref=${canvas}></canvas>
      <div role="row" class="unseen" aria-rowindex=${place ? place.row + 1 : 1}>
        <div role="gridcell" id="focused-face" aria-colindex=${place ? place.column + 1 : 1}
          aria-selected=${place && selection.has(focus) ? "true" : "false"}>${place ? said(focus) : "no faces"}</div></div>
    </div>
    <${Scroller} grid=${grid} handle=${scroller} /></div>`;
}

const STEPS = {ArrowLeft: -1, ArrowRight: 1};
const ROWS = {ArrowUp: () => -1, ArrowDown: () => 1, PageUp: rows => -rows, PageDown: rows => rows};

function press(grid, event, open) {
  const {selection, layout} = grid;
  if (!layout.count || event.altKey) return;
  const {code} = event;
  const from = Math.max(selection.focus, 0);
  const page = Math.max(1, Math.floor(grid.size.height / layout.pitch) - 1);
  let to = -1;
  if (code in STEPS) to = Math.min(Math.max(from + STEPS[code], 0), layout.count - 1);
  else if (code in ROWS) to = layout.down(from, ROWS[code](page));
  else if (code === "Home") to = 0;
  else if (code === "End") to = layout.count - 1;
  else if (code === "Space") selection.toggle(from);
  else if (code === "Enter" && !event.ctrlKey) open();
  else if (code === "Escape") selection.clear();
  else return;
  event.preventDefault();
  event.stopPropagation();
  if (to >= 0) {
    if (event.shiftKey) selection.to(to);
    else if (event.ctrlKey || event.metaKey) selection.focus = to;
    else selection.only(to);
    grid.reveal(to);
  }
  grid.touch();
}

// A scroll bar of our own: the place in the list is a share of it, so that it works for a million rows.
function Scroller({grid, handle}) {
  const track = useRef(null);
  const thumb = useRef(null);
  const hint = useRef(null);
  const drag = useRef(null);
  handle.current = () => {
    const {height} = grid.size;
    if (!track.current) return;
    const share = grid.layout.height ? Math.min(1, height / grid.layout.height) : 1;
    const length = Math.max(28, share * height);
    const at = grid.reach ? (grid.top / grid.reach) * (height - length) : 0;
    track.current.hidden = share >= 1;
    track.current.setAttribute("aria-valuenow", grid.reach ? Math.round((100 * grid.top) / grid.reach) : 0);
    Object.assign(thumb.current.style, {height: `${length}px`, transform: `translateY(${at}px)`});
    hint.current.hidden = !drag.current;
    if (drag.current) {
      hint.current.textContent = grid.hint?.(grid.firstShown()) ?? "";
      hint.current.style.transform = `translateY(${Math.min(at, height - 26)}px)`;
    }
  };
  useEffect(() => handle.current(), [grid]);
  const start = event => {
    event.currentTarget.setPointerCapture(event.pointerId);
    const box = thumb.current.getBoundingClientRect();
    const inside = event.clientY >= box.top && event.clientY <= box.bottom;
    drag.current = {shift: inside ? event.clientY - box.top : box.height / 2, length: box.height};
    go(event);
  };
  const go = event => {
    if (!drag.current) return;
    const top = track.current.getBoundingClientRect().top;
    const free = grid.size.height - drag.current.length;
    grid.scrollTo(((event.clientY - top - drag.current.shift) / Math.max(1, free)) * grid.reach);
  };
  const end = () => {
    drag.current = null;
    handle.current();
  };
  return html`<div class="scroller" ref=${track} role="scrollbar" aria-label="Place in the list" aria-controls="faces-grid"
      aria-orientation="vertical" aria-valuemin="0" aria-valuemax="100" aria-valuenow="0" aria-valuetext=${count(grid.view.count)}
      onPointerDown=${start} onPointerMove=${go} onPointerUp=${end} onPointerCancel=${end}>
    <div class="scroller-thumb" ref=${thumb}></div><div class="scroller-hint" ref=${hint} hidden></div></div>`;
}
