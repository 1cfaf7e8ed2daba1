// Brush and eraser: a stroke changes the polygons that it touches, and leaves all others as they are.

import {distance} from "../lib/canvas.js";
import {joined, pieces} from "./outline.js";

export const TOOLS = {brush: "Brush", eraser: "Eraser"};
const [THINNEST, WIDEST] = [0.004, 0.3]; // radius of a brush, of the shorter side of the picture
const FINE = 1024; // pixels of a bitmap's side, where the picture does not have more
const SOLID = 127; // of 255: half of a pixel

export const breadthOf = breadth => Math.min(WIDEST, Math.max(THINNEST, breadth));

// The polygons after a stroke {points, radius, erase} in pixels of the file; the same array where nothing changes.
export function painted(polygons, stroke, size) {
  const plane = new Plane(size);
  const touched = polygons.filter(polygon => isNear(polygon, stroke) && plane.meet([polygon], stroke));
  const next = stroke.erase ? erased(plane, polygons, touched, stroke) : added(plane, polygons, touched, stroke);
  return next ? plain(plane, next) : polygons;
}

// Draws a stroke in one go, so that it can be cut out of what is there. at: from pixels of the file to the context's.
export function drawStroke(context, {points, radius}, at, scale) {
  const path = points.filter((point, place) => !place || distance(point, points[place - 1]) > 0).map(at);
  context.beginPath();
  if (path.length === 1) {
    context.arc(...path[0], radius * scale, 0, 7);
    context.fill();
    return;
  }
  path.forEach(([x, y], place) => (place ? context.lineTo(x, y) : context.moveTo(x, y)));
  Object.assign(context, {lineWidth: 2 * radius * scale, lineCap: "round", lineJoin: "round", strokeStyle: context.fillStyle});
  context.stroke();
}

// Polygons, some of them with holes; null where nothing changes.
function erased(plane, polygons, touched, stroke) {
  const gone = touched.filter(polygon => polygon.include);
  if (!gone.length) return null;
  return polygons.flatMap(one => (gone.includes(one) ? plane.outlines(one.include, plane.without([one], stroke)) : [one]));
}

// Includes that the stroke touches become one with it; what was excluded there is not any more.
function added(plane, polygons, touched, stroke) {
  const [mine, cut] = [touched.filter(one => one.include), touched.filter(one => !one.include)];
  const covered = mine.length && !plane.reaches(stroke, mine);
  if (covered && !cut.length) return null;
  const next = polygons.flatMap(one => {
    if (cut.includes(one)) return plane.outlines(false, plane.without([one], stroke));
    return !covered && mine.includes(one) ? [] : [one];
  });
  return covered ? next : [...next, ...plane.outlines(true, plane.together(mine, stroke))];
}

// A hole of an include becomes an exclude, as a person would draw it. Where that would cut other includes, and in
// excludes, it is joined to the outline, which the even-odd rule then leaves open.
function plain(plane, found) {
  const excludes = [];
  const outlines = found.map(one => {
    const {include, points, holes = []} = one;
    const others = found.filter(other => other.include && other !== one);
    const open = holes.filter(hole => include && !plane.overlap(others, hole));
    excludes.push(...open.map(hole => ({include: false, points: hole})));
    return {include, points: joined(points, holes.filter(hole => !open.includes(hole)))};
  });
  return [...outlines, ...excludes];
}

function isNear({points}, {points: path, radius}) {
  return [0, 1].every(axis => {
    const [own, other] = [points, path].map(some => some.map(point => point[axis]));
    return Math.min(...own) <= Math.max(...other) + radius && Math.max(...own) >= Math.min(...other) - radius;
  });
}

// A bitmap of the picture, finer than it where it is small.
class Plane {
  constructor(size) {
    this.scale = Math.min(4, Math.max(1, Math.round(FINE / Math.max(...size))));
    [this.width, this.height] = size.map(side => Math.round(side * this.scale));
    this.context = new OffscreenCanvas(this.width, this.height).getContext("2d", {willReadFrequently: true});
  }

  at = ([x, y]) => [x * this.scale, y * this.scale];

  meet(polygons, stroke) { return this.part([stroke], ["source-over", polygons], ["destination-in", stroke]).filled.includes(1); }

  without(polygons, stroke) { return this.part(polygons, ["source-over", polygons], ["destination-out", stroke]); }

  together(polygons, stroke) { return this.part([...polygons, stroke], ["source-over", polygons], ["source-over", stroke]); }

  // Whether a stroke goes beyond polygons.
  reaches(stroke, polygons) { return this.part([stroke], ["source-over", stroke], ["destination-out", polygons]).filled.includes(1); }

  overlap(polygons, points) {
    return polygons.length > 0 && this.part([{points}], ["source-over", polygons], ["destination-in", [{points}]]).filled.includes(1);
  }

  // Draws shapes one after the other, each in its mode, and looks at the part that polygons and strokes take:
  // {filled, left, top, width, height}, filled: 1 where more than half of a pixel is left.
  part(around, ...shapes) {
    const {context} = this;
    context.globalCompositeOperation = "source-over";
    context.clearRect(0, 0, this.width, this.height);
    for (const [mode, shape] of shapes) {
      context.globalCompositeOperation = mode;
      if (Array.isArray(shape)) this.fill(shape);
      else drawStroke(context, shape, this.at, this.scale);
    }
    const [left, top, right, bottom] = this.boxOf(around);
    const [width, height] = [right - left, bottom - top];
    const filled = new Uint8Array(Math.max(0, width * height));
    if (width <= 0 || height <= 0) return {filled, left, top, width: 0, height: 0};
    const {data} = context.getImageData(left, top, width, height);
    for (let place = 0; place < filled.length; place++) filled[place] = data[4 * place + 3] > SOLID ? 1 : 0;
    return {filled, left, top, width, height};
  }

  // Around polygons and strokes, within the bitmap: left, top, right, bottom.
  boxOf(shapes) {
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    for (const {points, radius = 0} of shapes) {
      for (const point of points) {
        for (const axis of [0, 1]) {
          box[axis] = Math.min(box[axis], point[axis] - radius);
          box[axis + 2] = Math.max(box[axis + 2], point[axis] + radius);
        }
      }
    }
    const most = [this.width, this.height];
    const within = (value, axis) => Math.min(most[axis], Math.max(0, value));
    return box.map((value, side) => within(side < 2 ? Math.floor(value * this.scale) - 1 : Math.ceil(value * this.scale) + 1, side % 2));
  }

  fill(polygons) {
    for (const {points} of polygons) {
      this.context.beginPath();
      points.map(this.at).forEach(([x, y], place) => (place ? this.context.lineTo(x, y) : this.context.moveTo(x, y)));
      this.context.fill("evenodd");
    }
  }

  outlines(include, {filled, left, top, width, height}) {
    const back = path => path.map(([x, y]) => [(x + left) / this.scale, (y + top) / this.scale]);
    return pieces(filled, width, height).map(({outer, holes}) => ({include, points: back(outer), holes: holes.map(back)}));
  }
}
