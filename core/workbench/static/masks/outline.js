// From a bitmap to polygons: outlines along the edges of its pixels, with few points.

import {distance} from "../lib/canvas.js";
import {isInside, toSegment} from "./shapes.js";

const SLACK = 1.5; // pixels of the bitmap that an outline may be off
const SPECK = 12; // pixels: smaller pieces and holes are dropped
// Ways along the edges of pixels: right, down, left, up.
const WAYS = [[1, 0], [0, 1], [-1, 0], [0, -1]];

// {outer, holes} of each piece: closed paths of points, (0, 0) is the corner of the first pixel.
// filled: Uint8Array, width * height, 1 inside.
export function pieces(filled, width, height) {
  const paths = loops(filled, width, height).filter(path => Math.abs(area(path)) >= SPECK).map(path => ({path, size: area(path)}));
  const found = paths.filter(one => one.size > 0).sort((one, other) => one.size - other.size).map(one => ({path: one.path, holes: []}));
  for (const hole of paths.filter(one => one.size < 0)) {
    // Of the pieces around it the smallest one: another may lie in a hole of a larger one.
    found.find(piece => isInside(piece.path, inner(hole.path)))?.holes.push(fewer(hole.path));
  }
  return found.map(({path, holes}) => ({outer: fewer(path), holes}));
}

// A path with each hole hung in at the nearest pair of points, there and back along the same line.
export function joined(outer, holes) {
  let path = outer;
  for (const hole of holes) {
    const pairs = path.flatMap((from, i) => hole.map((to, j) => [distance(from, to), i, j]));
    const [, i, j] = pairs.reduce((one, other) => (other[0] < one[0] ? other : one));
    path = [...path.slice(0, i + 1), ...hole.slice(j), ...hole.slice(0, j + 1), ...path.slice(i)];
  }
  return path;
}

// Closed paths with the inside on their right: around pieces clockwise, around holes the other way.
function loops(filled, width, height) {
  const at = (x, y) => x >= 0 && y >= 0 && x < width && y < height && filled[y * width + x];
  const seen = new Uint8Array(width * height); // pixels along whose top a path went
  const found = [];
  for (let place = 0; place < filled.length; place++) {
    // Every path, also one around a hole, goes to the right along the top of some pixel.
    if (!filled[place] || seen[place] || filled[place - width]) continue;
    found.push(walk(at, seen, width, place % width, Math.floor(place / width)));
  }
  return found;
}

function walk(at, seen, width, startX, startY) {
  const path = [];
  let [x, y, way] = [startX, startY, 0];
  do {
    if (way === 0) seen[y * width + x] = 1;
    path.push([x, y]);
    x += WAYS[way][0];
    y += WAYS[way][1];
    way = turned(at, x, y, way);
  } while (x !== startX || y !== startY || way !== 0);
  return path;
}

// Where pixels meet at a corner only, they are one piece.
function turned(at, x, y, way) {
  for (const turn of [3, 0, 1]) {
    const next = (way + turn) % 4;
    if (isEdge(at, x, y, next)) return next;
  }
  return (way + 2) % 4;
}

// Whether going this way from a corner has the inside on the right and the outside on the left.
function isEdge(at, x, y, way) {
  const around = [at(x, y), at(x - 1, y), at(x - 1, y - 1), at(x, y - 1)]; // right below, left below, left above, right above
  return Boolean(around[way]) && !around[(way + 3) % 4];
}

function area(path) {
  return path.reduce((sum, [x, y], place) => sum + path.at(place - 1)[0] * y - x * path.at(place - 1)[1], 0) / 2;
}

// A point of the piece that a hole is in: paths begin along the top of a pixel.
const inner = ([[x, y]]) => [x + 0.5, y + 0.5];

// The same path with few points (Douglas and Peucker), at least three.
function fewer(path) {
  const far = path.reduce((best, point, place) => (distance(point, path[0]) > distance(path[best], path[0]) ? place : best), 0);
  const found = [...thinned(path.slice(0, far + 1)), ...thinned([...path.slice(far), path[0]])];
  return found.length > 2 ? found : path;
}

// All points but the last that a line needs.
function thinned(line) {
  const [first, last] = [line[0], line.at(-1)];
  let [worst, place] = [SLACK, 0];
  for (let k = 1; k < line.length - 1; k++) {
    const off = toSegment(line[k], first, last);
    if (off > worst) [worst, place] = [off, k];
  }
  return place ? [...thinned(line.slice(0, place + 1)), ...thinned(line.slice(place))] : [first];
}
