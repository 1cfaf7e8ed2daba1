// Polygons and masks over the face.

import {colors} from "../frames/drawing.js";
import {drawStroke} from "./brush.js";
import {toStage} from "./tool.js";

const VEIL = 0.38; // of an overlay
const layer = new OffscreenCanvas(1, 1);
let ink = null;

export function drawSketch(context, stage, session) {
  const {sketch, picture, overlay} = session;
  if (!sketch || !picture) return;
  ink = colors();
  context.lineJoin = "round";
  if (overlay !== "none") {
    beginLayer(stage);
    const drawn = overlay === "drawn" ? fillPolygons(stage, session) : fillMask(stage, session);
    if (drawn) showLayer(context, stage);
  }
  sketch.polygons.forEach((polygon, place) => drawPolygon(context, stage, session, polygon, place));
  if (sketch.drawing) drawOpen(context, stage, session);
  if (session.brush && session.cursor) drawBrush(context, stage, session);
}

function beginLayer(stage) {
  const [width, height] = [stage.viewWidth, stage.viewHeight].map(side => Math.max(1, Math.round(side * stage.ratio)));
  Object.assign(layer, {width, height});
  layer.getContext("2d").setTransform(stage.ratio, 0, 0, stage.ratio, 0, 0);
}

// Includes together, then excludes out of them, as files are read.
function fillPolygons(stage, {sketch: {polygons}, stroke}) {
  const context = layer.getContext("2d");
  const fill = (polygon, paint, mode) => {
    context.globalCompositeOperation = mode;
    context.fillStyle = paint;
    context.beginPath();
    trace(context, stage, polygon.points);
    context.fill("evenodd");
  };
  for (const polygon of polygons.filter(one => one.include)) fill(polygon, ink["film-square"], "source-over");
  for (const polygon of polygons.filter(one => !one.include)) fill(polygon, ink["film-square"], "destination-out");
  if (stroke) {
    context.globalCompositeOperation = stroke.erase ? "destination-out" : "source-over";
    context.fillStyle = ink["film-square"];
    drawStroke(context, stroke, point => stage.toScreen(toStage(point)), stage.scale);
  }
  return polygons.length > 0 || Boolean(stroke);
}

// Brightness becomes how much of the colour there is.
function fillMask(stage, {mask, face}) {
  if (!mask) return false;
  const context = layer.getContext("2d");
  context.drawImage(tinted(mask), stage.x, stage.y, face.size[0] * stage.scale, face.size[1] * stage.scale);
  return true;
}

let kept = {mask: null, canvas: null};

function tinted(mask) {
  if (kept.mask === mask) return kept.canvas;
  const canvas = new OffscreenCanvas(mask.width, mask.height);
  const context = canvas.getContext("2d");
  context.drawImage(mask, 0, 0);
  const image = context.getImageData(0, 0, mask.width, mask.height);
  for (let place = 0; place < image.data.length; place += 4) image.data[place + 3] = image.data[place];
  context.putImageData(image, 0, 0);
  context.globalCompositeOperation = "source-in";
  context.fillStyle = ink["film-points"];
  context.fillRect(0, 0, mask.width, mask.height);
  kept = {mask, canvas};
  return canvas;
}

function showLayer(context, stage) {
  context.globalAlpha = VEIL;
  context.drawImage(layer, 0, 0, stage.viewWidth, stage.viewHeight);
  context.globalAlpha = 1;
}

function trace(context, stage, points, closed = true) {
  points.forEach((point, place) => {
    const [x, y] = stage.toScreen(toStage(point));
    if (place) context.lineTo(x, y);
    else context.moveTo(x, y);
  });
  if (closed) context.closePath();
}

function line(context, paint, width) {
  context.lineWidth = width + 2;
  context.strokeStyle = ink["film-shade"];
  context.stroke();
  context.lineWidth = width;
  context.strokeStyle = paint;
  context.stroke();
}

const paintOf = include => ink[include ? "film-square" : "film-mine"];

function drawPolygon(context, stage, {sketch, hover}, polygon, place) {
  const isChosen = place === sketch.chosen;
  context.setLineDash(polygon.include ? [] : [7, 4]); // not by colour alone
  context.beginPath();
  trace(context, stage, polygon.points);
  line(context, paintOf(polygon.include), isChosen ? 2.4 : 1.6);
  context.setLineDash([]);
  const under = hover?.polygon === place ? hover.point : undefined;
  if (!isChosen && under === undefined) return;
  polygon.points.forEach((point, number) => {
    const large = number === under || (isChosen && number === sketch.point);
    if (isChosen || large) dot(context, stage, point, isChosen && number === sketch.point ? ink["film-chosen"] : paintOf(polygon.include), large ? 6 : 4);
  });
}

function dot(context, stage, point, paint, radius) {
  const [x, y] = stage.toScreen(toStage(point));
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.lineWidth = 2;
  context.strokeStyle = ink["film-shade"];
  context.stroke();
  context.fillStyle = paint;
  context.fill();
}

function drawOpen(context, stage, {sketch, cursor}) {
  const {include, points} = sketch.drawing;
  const paint = paintOf(include);
  context.beginPath();
  trace(context, stage, cursor ? [...points, cursor] : points, false);
  line(context, paint, 2.2);
  points.forEach((point, place) => dot(context, stage, point, place ? paint : ink["film-chosen"], place ? 4 : 6));
  if (!cursor) return;
  const [x, y] = stage.toScreen(toStage(cursor));
  context.beginPath();
  for (const [a, b] of [[9, 0], [-9, 0], [0, 9], [0, -9]]) {
    context.moveTo(x + a / 3, y + b / 3);
    context.lineTo(x + a, y + b);
  }
  line(context, ink["film-text"], 1.4);
}

// The brush, and of the eraser a dashed one.
function drawBrush(context, stage, {brush, cursor, radius, stroke}) {
  const [x, y] = stage.toScreen(toStage(cursor));
  context.setLineDash(brush === "eraser" ? [5, 4] : []);
  context.beginPath();
  context.arc(x, y, Math.max(1, radius * stage.scale), 0, 7);
  line(context, ink[stroke ? "film-chosen" : "film-text"], 1.6);
  context.setLineDash([]);
}
