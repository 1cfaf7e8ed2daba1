// What a pointer does on the face. Points of the stage have (0, 0) in the middle of a pixel, those of polygons at its corner.

import {distance} from "../lib/canvas.js";

const REACH = 10; // CSS pixels around a point
const EDGE = 7; // around an edge

export const toFile = ([x, y]) => [x + 0.5, y + 0.5];

export const toStage = ([x, y]) => [x - 0.5, y - 0.5];

// What the stage calls: see lib/canvas.js.
export function toolOf(session) {
  let drag = null; // {move}
  const ended = name => point => {
    if (drag) session.sketch[name]();
    drag = null;
    hover(session, point);
  };
  return {
    down: point => {
      drag = session.sketch && press(session, toFile(point));
      return Boolean(drag);
    },
    move: point => {
      session.cursor = toFile(point);
      drag?.move(toFile(point));
    },
    up: ended("end"),
    cancel: ended("cancel"),
    hover: point => hover(session, point),
    leave: () => { session.hover = session.cursor = null; session.stage.redraw(); },
  };
}

function press(session, point) {
  const {sketch} = session;
  if (sketch.drawing) return draw(session, point);
  const hold = holdOf(session, point);
  sketch.choose(hold?.polygon ?? null, hold?.point ?? null);
  if (!hold || hold.inside) return null;
  sketch.begin();
  if (hold.edge !== undefined) {
    sketch.show(sketch.insert(hold.edge, point));
    sketch.choose(hold.polygon, hold.edge);
  }
  const from = sketch.polygon.points;
  return {move: to => sketch.show(sketch.moved(from, [to[0] - point[0], to[1] - point[1]]))};
}

// A press puts a point, which a drag moves on; on the first point it closes the polygon.
function draw(session, point) {
  const {sketch, stage} = session;
  const {points} = sketch.drawing;
  if (points.length > 2 && distance(points[0], point) * stage.scale <= REACH) {
    sketch.close();
    session.say("Closed");
    return {move: () => {}};
  }
  sketch.begin();
  const put = to => sketch.show(sketch.draw([...points, sketch.within(to)]));
  put(point);
  return {move: put};
}

// What is at a point: {polygon, point}, {polygon, edge} of the chosen one, {polygon, inside}, or nothing.
function holdOf({sketch, stage}, point) {
  const order = [...sketch.polygons.keys()].sort((one, other) => (other === sketch.chosen) - (one === sketch.chosen));
  for (const polygon of order) {
    const far = sketch.polygons[polygon].points.map(place => distance(place, point) * stage.scale);
    const least = Math.min(...far);
    if (least <= REACH) return {polygon, point: far.indexOf(least)};
  }
  if (sketch.polygon) {
    const edge = edgeAt(sketch.polygon.points, point, EDGE / stage.scale);
    if (edge) return {polygon: sketch.chosen, edge};
  }
  // Excludes lie on includes.
  const under = order.filter(polygon => isInside(sketch.polygons[polygon].points, point));
  const polygon = under.find(one => !sketch.polygons[one].include) ?? under[0];
  return polygon === undefined ? null : {polygon, inside: true};
}

// The place behind the edge that is nearest to a point; 0 where none is near.
function edgeAt(points, point, reach) {
  const far = points.map((end, place) => toSegment(point, points.at(place - 1), end));
  far.push(far.shift());
  const least = Math.min(...far);
  return least <= reach ? far.indexOf(least) + 1 : 0;
}

function toSegment([x, y], [a, b], [c, d]) {
  const long = (c - a) ** 2 + (d - b) ** 2 || 1;
  const share = Math.min(1, Math.max(0, ((x - a) * (c - a) + (y - b) * (d - b)) / long));
  return Math.hypot(x - a - share * (c - a), y - b - share * (d - b));
}

function isInside(points, [x, y]) {
  let inside = false;
  points.forEach(([a, b], place) => {
    const [c, d] = points.at(place - 1);
    if (b > y !== d > y && x < (c - a) * (y - b) / (d - b) + a) inside = !inside;
  });
  return inside;
}

// Shows what a press would do.
function hover(session, stagePoint) {
  const {sketch, stage} = session;
  if (!sketch) return;
  const point = toFile(stagePoint);
  session.cursor = sketch.drawing ? sketch.within(point) : null;
  session.hover = sketch.drawing ? null : holdOf(session, point);
  let cursor = sketch.drawing ? "crosshair" : "grab";
  if (session.hover?.point !== undefined) cursor = "move";
  else if (session.hover?.edge) cursor = "copy";
  else if (session.hover) cursor = "pointer";
  stage.canvas.style.cursor = cursor;
  stage.redraw();
}
