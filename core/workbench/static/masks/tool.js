// What a pointer does on the face. Points of the stage have (0, 0) in the middle of a pixel, those of polygons at its corner.

import {distance} from "../lib/canvas.js";
import {isInside, toSegment} from "./shapes.js";

const REACH = 10; // CSS pixels around a point
const EDGE = 7; // around an edge

export const toFile = ([x, y]) => [x + 0.5, y + 0.5];

export const toStage = ([x, y]) => [x - 0.5, y - 0.5];

// What the stage calls: see lib/canvas.js.
export function toolOf(session) {
  let drag = null; // {move, end, cancel}
  const ended = name => point => {
    drag?.[name]();
    drag = null;
    hover(session, point);
  };
  return {
    down: point => {
      drag = session.sketch && (session.brush ? paint : press)(session, toFile(point));
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

function paint(session, point) {
  session.beginStroke(point);
  return {move: to => session.moveStroke(to), end: () => session.endStroke(), cancel: () => session.dropStroke()};
}

function press(session, point) {
  const {sketch} = session;
  const drag = sketch.drawing ? draw(session, point) : hold(session, point);
  return drag && {...drag, end: () => sketch.end(), cancel: () => sketch.cancel()};
}

function hold(session, point) {
  const {sketch} = session;
  const held = holdOf(session, point);
  sketch.choose(held?.polygon ?? null, held?.point ?? null);
  if (!held || held.inside) return null;
  sketch.begin();
  if (held.edge !== undefined) {
    sketch.show(sketch.insert(held.edge, point));
    sketch.choose(held.polygon, held.edge);
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

// Shows what a press would do.
function hover(session, stagePoint) {
  const {sketch, stage} = session;
  if (!sketch) return;
  const point = toFile(stagePoint);
  const places = sketch.drawing || session.brush;
  session.cursor = places ? sketch.within(point) : null;
  session.hover = places ? null : holdOf(session, point);
  let cursor = places ? "crosshair" : "grab";
  if (session.hover?.point !== undefined) cursor = "move";
  else if (session.hover?.edge) cursor = "copy";
  else if (session.hover) cursor = "pointer";
  stage.canvas.style.cursor = cursor;
  stage.redraw();
}
