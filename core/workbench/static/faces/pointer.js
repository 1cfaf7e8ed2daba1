// The mouse on the grid: click (on a heading: its group), Shift and Ctrl, rubber band, lasso (Alt), wheel; a finger scrolls.

import {inside} from "./selection.js";

const STILL = 5; // pixels that a click may move
const EDGE = 36; // near the border of the grid a band scrolls it

// open: is called with a double click. Returns what ends it.
export function listenToPointer(grid, canvas, open) {
  const hand = {grid, canvas, open, drag: null};
  const listeners = {
    pointerdown: event => press(hand, event),
    pointermove: event => move(hand, event),
    pointerup: event => release(hand, event),
    pointercancel: () => end(hand),
    dblclick: event => grid.layout.at(...inGrid(hand, event)) >= 0 && open(),
    wheel: event => roll(hand, event),
  };
  for (const [name, listener] of Object.entries(listeners)) canvas.addEventListener(name, listener, {passive: false});
  return () => {
    end(hand);
    for (const [name, listener] of Object.entries(listeners)) canvas.removeEventListener(name, listener);
  };
}

// Where the pointer is in the whole grid.
function inGrid({grid, canvas}, event) {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top + grid.top];
}

function roll({grid}, event) {
  event.preventDefault();
  if (event.ctrlKey) {
    grid.onZoom?.(event.deltaY < 0 ? 1 : -1);
    return;
  }
  const unit = [1, 40, grid.size.height][event.deltaMode];
  grid.scrollBy(event.deltaY * unit);
}

function press(hand, event) {
  if (event.button !== 0) return;
  const {grid, canvas} = hand;
  canvas.parentElement.focus({preventScroll: true});
  canvas.setPointerCapture(event.pointerId);
  const [x, y] = inGrid(hand, event);
  hand.drag = {
    start: [x, y],
    client: [event.clientX, event.clientY],
    top: grid.top,
    moved: false,
    finger: event.pointerType === "touch",
    lasso: event.altKey,
    more: event.shiftKey || event.ctrlKey || event.metaKey,
    points: [[x, y]],
    before: grid.selection.on.slice(),
  };
}

function move(hand, event) {
  const {grid, drag} = hand;
  if (!drag) return;
  const [dx, dy] = [event.clientX - drag.client[0], event.clientY - drag.client[1]];
  if (!drag.moved && Math.hypot(dx, dy) < STILL) return;
  drag.moved = true;
  if (drag.finger) {
    grid.scrollTo(drag.top - dy);
    return;
  }
  drag.last = event;
  stretch(hand);
  hand.timer ??= setInterval(() => creep(hand), 16);
}

// Scrolls while the band is held at the border.
function creep(hand) {
  const {grid, canvas, drag} = hand;
  const box = canvas.getBoundingClientRect();
  const above = box.top + EDGE - drag.last.clientY;
  const below = drag.last.clientY - (box.bottom - EDGE);
  const pull = above > 0 ? -above : Math.max(below, 0);
  if (!pull) return;
  grid.scrollBy(pull * 0.6);
  stretch(hand);
}

function stretch(hand) {
  const {grid, drag} = hand;
  const point = inGrid(hand, drag.last);
  if (drag.lasso) drag.points.push(point);
  else drag.points = band(drag.start, point);
  grid.band = drag.points;
  choose(grid, drag);
}

const band = ([x0, y0], [x1, y1]) => [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];

function choose(grid, drag) {
  const {selection, layout} = grid;
  const [xs, ys] = [0, 1].map(axis => drag.points.map(point => point[axis]));
  const rows = layout.touched(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys));
  if (drag.more) {
    selection.on.set(drag.before);
    selection.count = drag.before.reduce((sum, on) => sum + on, 0);
  } else {
    selection.clear();
  }
  for (const {first, end} of rows) {
    for (let place = first; place < end; place++) {
      if (drag.lasso && !holds(layout, drag.points, place)) continue;
      selection.set(place, true);
      selection.focus = selection.anchor = place;
    }
  }
  grid.touch();
}

function holds(layout, points, place) {
  const {x, y} = layout.place(place);
  return inside(points, x + layout.cell / 2, y + layout.cell / 2);
}

function release(hand, event) {
  const {grid, drag} = hand;
  if (!drag) return;
  if (!drag.moved) click(grid, event, drag.start);
  end(hand);
}

function end(hand) {
  clearInterval(hand.timer);
  hand.timer = hand.drag = hand.grid.band = null;
  hand.grid.draw();
}

// Chooses the faces of a group. more: beside those that are chosen.
export function chooseGroup(grid, group, more = false) {
  const {layout, selection} = grid;
  if (!more) selection.clear();
  for (let place = layout.firsts[group]; place < layout.firsts[group + 1]; place++) selection.set(place, true);
  selection.focus = selection.anchor = layout.firsts[group];
  grid.touch();
}

function click(grid, event, [x, y]) {
  const {selection, layout} = grid;
  const seen = y - grid.top;
  const head = layout.headsSeen(grid.top, grid.size.height).find(one => seen >= one.y && seen < one.y + layout.head);
  if (head) {
    chooseGroup(grid, head.group, event.ctrlKey || event.metaKey || event.shiftKey);
    return;
  }
  const place = layout.at(x, y);
  if (place < 0) {
    if (!event.shiftKey && !event.ctrlKey) selection.clear();
  } else if (event.shiftKey) selection.to(place, event.ctrlKey || event.metaKey);
  else if (event.ctrlKey || event.metaKey) selection.toggle(place);
  else selection.only(place);
  grid.touch();
}
