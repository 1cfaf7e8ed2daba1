// What a pointer does on the stage, by tool.

import {distance} from "../lib/canvas.js";
import {NEW, moveAll} from "./moves.js";
import {
  HANDLES, SMALLEST, boxBetween, boxOf, handlePlace, isInside, isInsideBox, middleOf, movedBox, pointName, resizedBox,
} from "./shapes.js";

const REACH = 11; // CSS pixels around a handle
const POINT = 9; // around a point
const OUTSIDE = 34; // beyond a corner of the square, where it is turned
const ASK_BETWEEN = 50; // milliseconds

// What the stage calls: see lib/canvas.js.
export function toolsOf(session) {
  let drag = null; // {move, up, cancel}
  const begin = (point, event) => {
    drag = grab(session, point, event);
    return drag !== null;
  };
  const end = name => (point, event) => {
    const [ended] = [drag, drag = null];
    ended?.[name]?.(point, event);
    showPointer(session, point);
  };
  return {
    down: begin,
    move: (point, event) => drag?.move?.(point, event),
    up: end("up"),
    cancel: end("cancel"),
    hover: point => showPointer(session, point),
    leave: () => { session.hover = null; session.stage.redraw(); },
  };
}

function grab(session, point, event) {
  const waiting = session.moves.drafts.get(NEW);
  if (waiting && !waiting.sent) return grabBox(session, waiting, point) ?? drawBox(session, point);
  chooseUnder(session, point);
  const face = session.face && session.moves.shown(session.face);
  if (session.tool === "box") {
    return (face && grabBox(session, null, point)) ?? drawBox(session, point);
  }
  if (session.tool === "square" && face?.points) return grabSquare(session, face, point);
  if (session.tool === "points" && face?.points) return grabPoints(session, face, point, event);
  return null;
}

// Chooses the face under the pointer, unless that pointer has hold of the chosen one.
function chooseUnder(session, point) {
  const shown = (session.frame?.faces ?? []).map(face => session.moves.shown(face));
  const own = shown.find(face => face.id === session.chosen);
  if (own && holdOf(session, own, point)) return;
  const under = shown.filter(face => isInsideBox(point, face.box ?? boxOf(face.points)));
  const areas = under.map(({box, points}) => box ?? boxOf(points)).map(([a, b, c, d]) => (c - a) * (d - b));
  const found = under[areas.indexOf(Math.min(...areas))];
  if (found && found.id !== session.chosen) session.choose(found.id);
}

// What of the chosen face is at a point: a handle, a point, "size", "turn", "inside" or nothing.
function holdOf({tool, stage}, face, point) {
  const near = (place, reach) => distance(place, point) * stage.scale <= reach;
  if (tool === "box") {
    const box = face.box ?? boxOf(face.points);
    const places = HANDLES.map(handle => handlePlace(box, handle));
    const handle = nearest(places, point);
    if (near(places[handle], REACH)) return {handle};
    return isInsideBox(point, box) ? {inside: true} : null;
  }
  if (tool === "square" && face.square) {
    const corner = nearest(face.square, point);
    if (near(face.square[corner], REACH)) return {part: "size"};
    if (isInside(point, face.square)) return {inside: true};
    return near(face.square[corner], OUTSIDE) || near(knobOf(face.square, stage.scale), REACH) ? {part: "turn"} : null;
  }
  if (tool === "points" && face.points) {
    const index = nearest(face.points, point);
    return near(face.points[index], POINT) ? {index} : null;
  }
  return null;
}

// Where the handle for turning is: above the middle of the upper side.
export function knobOf(square, scale) {
  const top = [(square[0][0] + square[1][0]) / 2, (square[0][1] + square[1][1]) / 2];
  const [x, y] = middleOf(square);
  const long = Math.hypot(top[0] - x, top[1] - y) || 1;
  return [top[0] + (top[0] - x) / long * 22 / scale, top[1] + (top[1] - y) / long * 22 / scale];
}

const nearest = (places, point) => {
  const far = places.map(place => distance(place, point));
  return far.indexOf(Math.min(...far));
};

function grabBox(session, waiting, point) {
  const {moves} = session;
  const shown = waiting ?? moves.shown(session.face);
  const hold = holdOf({tool: "box", stage: session.stage}, shown, point);
  if (!hold) return null;
  const draft = waiting ?? moves.begin(session.face, "box");
  const from = draft.box ?? boxOf(draft.points);
  session.part = hold.handle ?? null;
  let asked = 0;
  const move = to => {
    const [x, y] = [to[0] - point[0], to[1] - point[1]];
    const box = hold.inside ? movedBox(from, x, y) : resizedBox(from, HANDLES[hold.handle], x, y);
    moves.update(draft, {box});
    if (waiting || performance.now() - asked < ASK_BETWEEN) return;
    asked = performance.now();
    session.landmarks.follow(draft.frame.number, box, draft.id, found => {
      if (!draft.sent && moves.drafts.get(draft.id) === draft && found.confidence > 0.3) moves.update(draft, {points: found.points, square: null});
    });
  };
  const up = to => {
    if (distance(to, point) === 0 && !waiting) moves.drop(draft);
    else if (!waiting) moves.finish(draft);
  };
  return {move, up, cancel: () => (waiting ? moves.update(draft, {box: from}) : moves.drop(draft))};
}

// A box that is drawn on empty ground is a new face.
function drawBox(session, point) {
  const {moves} = session;
  let draft = moves.drafts.get(NEW) ?? null;
  const old = draft?.box;
  const move = to => {
    draft ??= moves.beginNew(boxBetween(point, to));
    moves.update(draft, {box: boxBetween(point, to)});
  };
  const up = to => {
    const [left, top, right, bottom] = boxBetween(point, to);
    const least = Math.max(SMALLEST, 8 / session.stage.scale);
    if (draft && right - left >= least && bottom - top >= least) moves.finish(draft);
    else if (draft && old) moves.update(draft, {box: old});
    else if (draft) moves.drop(draft);
    else session.choose(null);
  };
  return {move, up, cancel: () => draft && moves.drop(draft)};
}

function grabSquare(session, face, point) {
  const hold = holdOf(session, face, point);
  if (!hold) return null;
  const {moves} = session;
  const draft = moves.begin(session.face, "square");
  const from = {points: draft.points, square: draft.square, box: draft.box};
  const middle = middleOf(draft.square ?? draft.points);
  const angle = ([x, y]) => Math.atan2(y - middle[1], x - middle[0]);
  session.part = hold.part ?? null;
  let moved = false;
  const move = to => {
    moved = true;
    if (hold.part === "size") moveAll(moves, draft, from, {scale: Math.max(0.05, distance(to, middle) / distance(point, middle))});
    else if (hold.part === "turn") moveAll(moves, draft, from, {turn: angle(to) - angle(point)});
    else moveAll(moves, draft, from, {x: to[0] - point[0], y: to[1] - point[1]});
  };
  return {move, up: () => (moved ? moves.finish(draft) : moves.drop(draft)), cancel: () => moves.drop(draft)};
}

function grabPoints(session, face, point, event) {
  const hold = holdOf(session, face, point);
  if (!hold) return drawBand(session, face, point, event);
  const {moves, points: chosen} = session;
  if (!chosen.has(hold.index)) {
    if (!event.shiftKey) chosen.clear();
    chosen.add(hold.index);
  }
  session.part = hold.index;
  const draft = moves.begin(session.face, "points");
  const from = draft.points;
  let moved = false;
  const move = to => {
    moved = true;
    const [x, y] = [to[0] - point[0], to[1] - point[1]];
    moves.update(draft, {points: from.map(([a, b], index) => (chosen.has(index) ? [a + x, b + y] : [a, b]))});
  };
  return {move, up: () => (moved ? moves.finish(draft) : moves.drop(draft)), cancel: () => moves.drop(draft)};
}

// Chooses the points inside of it; with Shift besides those that are chosen already.
function drawBand(session, face, point, event) {
  const before = event.shiftKey ? [...session.points] : [];
  session.part = null;
  const move = to => {
    session.band = boxBetween(point, to);
    const inside = face.points.flatMap((place, index) => (isInsideBox(place, session.band) ? [index] : []));
    session.points = new Set([...before, ...inside]);
    session.changed();
  };
  const up = () => {
    if (!session.band) session.points = new Set(before);
    session.band = null;
    session.say(session.points.size ? `${session.points.size} points are chosen` : "No point is chosen");
  };
  return {move, up, cancel: up};
}

const CURSORS = ["nwse-resize", "ns-resize", "nesw-resize", "ew-resize", "nwse-resize", "ns-resize", "nesw-resize", "ew-resize"];

// Shows what a press would do: the pointer's shape, and the name of the point under it.
function showPointer(session, point) {
  const {stage, moves} = session;
  const waiting = moves.drafts.get(NEW);
  const face = waiting && !waiting.sent ? waiting : session.face && moves.shown(session.face);
  const hold = face && holdOf(waiting ? {tool: "box", stage} : session, face, point);
  session.hover = hold?.index === undefined ? null : {index: hold.index, place: face.points[hold.index], name: `${hold.index + 1} ${pointName(hold.index)}`};
  let cursor = session.tool === "view" || session.tool === "square" ? "grab" : "crosshair";
  if (hold?.handle !== undefined) cursor = CURSORS[hold.handle];
  else if (hold?.part) cursor = hold.part === "turn" ? "alias" : "nwse-resize";
  else if (hold) cursor = "move";
  stage.canvas.style.cursor = cursor;
  stage.redraw();
}
