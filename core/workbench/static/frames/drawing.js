// Faces over the frame: boxes, squares, points.

import {color} from "../lib/ui.js";
import {NEW} from "./moves.js";
import {HANDLES, LINES, boxOf, handlePlace} from "./shapes.js";
import {knobOf} from "./tools.js";

const NAMES = [
  "accent", "good", "warn", "bad", "dst", "text", "muted", "film-box", "film-square", "film-points", "film-chosen", "film-other",
  "film-mine", "film-text", "film-shade", ...Array.from({length: 8}, (_, k) => `hue-${k + 1}`),
];
let known = null;
let ink = null;
addEventListener("theme", () => { known = null; });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { known = null; });

// The colours of the theme, for a canvas: colors()["accent"].
export function colors() {
  known ??= Object.fromEntries(NAMES.map(name => [name, color(`--${name}`)]));
  return known;
}

export function drawFaces(context, stage, session) {
  const {moves, frame, chosen, conflict = moves.conflict} = session;
  if (!session.shown || session.shown.number !== session.number || !frame) return;
  context.lineJoin = "round";
  ink = colors();
  for (const face of frame.faces) {
    const shown = moves.shown(face);
    if (face.id !== chosen) drawOther(context, stage, shown, face);
  }
  if (session.face) drawChosen(context, stage, session, moves.shown(session.face), session.face);
  const waiting = moves.drafts.get(NEW);
  if (waiting?.frame.number === session.number) drawBoxTool(context, stage, waiting.box, true);
  if (conflict?.draft.frame.number === session.number) drawMine(context, stage, conflict.draft);
  if (session.band) drawBand(context, stage, session.band);
  if (session.hover) drawName(context, stage, session.hover);
}

function line(context, stroke, width = 1.6, dash = []) {
  context.setLineDash([]);
  context.lineWidth = width + 2;
  context.strokeStyle = ink["film-shade"];
  context.stroke();
  context.setLineDash(dash);
  context.lineWidth = width;
  context.strokeStyle = stroke;
  context.stroke();
  context.setLineDash([]);
}

function trace(context, stage, points, closed) {
  points.forEach((point, place) => {
    const [x, y] = stage.toScreen(point);
    if (place) context.lineTo(x, y);
    else context.moveTo(x, y);
  });
  if (closed) context.closePath();
}

const cornersOf = ([left, top, right, bottom]) => [[left, top], [right, top], [right, bottom], [left, bottom]];

function drawPolygon(context, stage, points, stroke, width, dash) {
  context.beginPath();
  trace(context, stage, points, true);
  line(context, stroke, width, dash);
}

const dashOf = face => (face.stale ? [6, 4] : []);

function drawOther(context, stage, shown, face) {
  context.globalAlpha = 0.75;
  drawPolygon(context, stage, cornersOf(shown.box ?? boxOf(shown.points)), ink["film-other"], 1.4, dashOf(face));
  context.globalAlpha = 1;
}

function drawChosen(context, stage, session, shown, face) {
  const {tool} = session;
  const box = shown.box ?? boxOf(shown.points);
  if (tool === "view") {
    drawPolygon(context, stage, cornersOf(box), ink["film-box"], 2, dashOf(face));
    if (shown.points) drawPoints(context, stage, shown.points, {small: true});
  }
  if (tool === "box") {
    if (shown.points) drawPoints(context, stage, shown.points, {small: true});
    drawBoxTool(context, stage, box, true, session.part);
  }
  if (tool === "square" && shown.points) {
    drawPoints(context, stage, shown.points, {small: true});
    if (shown.square) drawSquareTool(context, stage, shown.square, session.part);
  }
  if (tool === "points" && shown.points) {
    drawPolygon(context, stage, cornersOf(box), ink["film-box"], 1, [3, 4]);
    drawPoints(context, stage, shown.points, {chosen: session.points});
  }
}

function drawBoxTool(context, stage, box, handles, part = null) {
  drawPolygon(context, stage, cornersOf(box), ink["film-box"], 2);
  if (!handles) return;
  HANDLES.forEach((handle, place) => drawHandle(context, stage.toScreen(handlePlace(box, handle)), place === part ? ink["film-chosen"] : ink["film-box"]));
}

function drawSquareTool(context, stage, square, part) {
  drawPolygon(context, stage, square, ink["film-square"], 2);
  for (const corner of square) drawHandle(context, stage.toScreen(corner), part === "size" ? ink["film-chosen"] : ink["film-square"]);
  const knob = knobOf(square, stage.scale);
  context.beginPath();
  trace(context, stage, [[(square[0][0] + square[1][0]) / 2, (square[0][1] + square[1][1]) / 2], knob], false);
  line(context, ink["film-square"], 1.6);
  const [x, y] = stage.toScreen(knob);
  context.beginPath();
  context.arc(x, y, 5, 0, 7);
  fill(context, part === "turn" ? ink["film-chosen"] : ink["film-square"]);
}

function drawHandle(context, [x, y], paint) {
  context.beginPath();
  context.rect(x - 4, y - 4, 8, 8);
  fill(context, paint);
}

function fill(context, paint) {
  context.lineWidth = 2;
  context.strokeStyle = ink["film-shade"];
  context.stroke();
  context.fillStyle = paint;
  context.fill();
}

function drawPoints(context, stage, points, {small = false, chosen = new Set()}) {
  context.globalAlpha = small ? 0.7 : 1;
  context.beginPath();
  for (const [begin, end, closed] of LINES) trace(context, stage, points.slice(begin, end), closed);
  context.lineWidth = 1;
  context.strokeStyle = ink["film-points"];
  context.stroke();
  context.globalAlpha = 1;
  const radius = small ? 1.8 : 3.2;
  points.forEach((point, index) => {
    const [x, y] = stage.toScreen(point);
    context.beginPath();
    context.arc(x, y, chosen.has(index) ? radius + 1.6 : radius, 0, 7);
    fill(context, chosen.has(index) ? ink["film-chosen"] : ink["film-points"]);
  });
}

// One's own change that somebody else was quicker with.
function drawMine(context, stage, draft) {
  drawPolygon(context, stage, cornersOf(draft.box ?? boxOf(draft.points)), ink["film-mine"], 2, [7, 5]);
  if (!draft.points) return;
  context.beginPath();
  for (const [begin, end, closed] of LINES) trace(context, stage, draft.points.slice(begin, end), closed);
  line(context, ink["film-mine"], 1.2, [4, 3]);
}

function drawBand(context, stage, band) {
  drawPolygon(context, stage, cornersOf(band), ink["film-chosen"], 1.2, [4, 3]);
}

function drawName(context, stage, {place, name}) {
  const [x, y] = stage.toScreen(place);
  context.font = "12px system-ui, sans-serif";
  const width = context.measureText(name).width + 12;
  context.fillStyle = ink["film-shade"];
  context.fillRect(x + 10, y - 26, width, 20);
  context.fillStyle = ink["film-text"];
  context.fillText(name, x + 16, y - 12);
}
