// Boxes, squares and points of faces: plain numbers in frame pixels.

const PARTS = [
  [17, "jaw"], [22, "right brow"], [27, "left brow"], [31, "bridge of the nose"], [36, "nose"],
  [42, "right eye"], [48, "left eye"], [60, "outer lips"], [68, "inner lips"],
];
export const COUNT = 68;
// Chains of points that are drawn as lines, and whether they are closed.
export const LINES = [
  [0, 17, false], [17, 22, false], [22, 27, false], [27, 31, false], [31, 36, false],
  [36, 42, true], [42, 48, true], [48, 60, true], [60, 68, true],
];
// Corners and sides of a box, clockwise from the top left: which of left, top, right, bottom each moves.
export const HANDLES = [
  ["top left corner", 0, 1], ["top side", null, 1], ["top right corner", 2, 1], ["right side", 2, null],
  ["bottom right corner", 2, 3], ["bottom side", null, 3], ["bottom left corner", 0, 3], ["left side", 0, null],
];
export const SMALLEST = 4; // pixels of a side

// "jaw 3", as people say it, of point 0..67.
export function pointName(index) {
  const place = PARTS.findIndex(([end]) => index < end);
  return `${PARTS[place][1]} ${index - (place ? PARTS[place - 1][0] : 0) + 1}`;
}

export const middleOf = points => [mean(points, 0), mean(points, 1)];

const mean = (points, axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;

export const middleOfBox = ([left, top, right, bottom]) => [(left + right) / 2, (top + bottom) / 2];

export const boxOf = points => [
  Math.min(...points.map(([x]) => x)), Math.min(...points.map(([, y]) => y)),
  Math.max(...points.map(([x]) => x)), Math.max(...points.map(([, y]) => y)),
];

export const handlePlace = (box, [, across, down]) => [
  across === null ? (box[0] + box[2]) / 2 : box[across],
  down === null ? (box[1] + box[3]) / 2 : box[down],
];

export const movedBox = (box, x, y) => [box[0] + x, box[1] + y, box[2] + x, box[3] + y];

// The box with a handle moved; no side gets shorter than SMALLEST.
export function resizedBox(box, [, across, down], x, y) {
  const next = [...box];
  if (across === 0) next[0] = Math.min(box[0] + x, box[2] - SMALLEST);
  if (across === 2) next[2] = Math.max(box[2] + x, box[0] + SMALLEST);
  if (down === 1) next[1] = Math.min(box[1] + y, box[3] - SMALLEST);
  if (down === 3) next[3] = Math.max(box[3] + y, box[1] + SMALLEST);
  return next;
}

// Between two corners, wherever they are.
export const boxBetween = ([a, b], [c, d]) => [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)];

// Points turned (radians, clockwise) and scaled about a middle, then shifted.
export function turned(points, middle, {turn = 0, scale = 1, x = 0, y = 0}) {
  const [cos, sin] = [Math.cos(turn) * scale, Math.sin(turn) * scale];
  return points.map(([a, b]) => {
    const [u, v] = [a - middle[0], b - middle[1]];
    return [middle[0] + u * cos - v * sin + x, middle[1] + u * sin + v * cos + y];
  });
}

// A face, {box, points, square}, moved as a whole.
export function movedFace(face, change) {
  const middle = middleOf(face.square ?? face.points);
  const next = {points: turned(face.points, middle, change), square: face.square && turned(face.square, middle, change), box: face.box};
  if (face.box) {
    const [[x, y]] = turned([middleOfBox(face.box)], middle, change);
    const half = [0, 1].map(axis => (face.box[axis + 2] - face.box[axis]) / 2 * (change.scale ?? 1));
    next.box = [x - half[0], y - half[1], x + half[0], y + half[1]];
  }
  return next;
}

// Points stretched as one box becomes another.
export const stretched = (points, from, to) => points.map(([x, y]) => [
  to[0] + (x - from[0]) * (to[2] - to[0]) / (from[2] - from[0]),
  to[1] + (y - from[1]) * (to[3] - to[1]) / (from[3] - from[1]),
]);

export const isInsideBox = ([x, y], [left, top, right, bottom]) => x >= left && x <= right && y >= top && y <= bottom;

// Whether a point is inside of a polygon.
export function isInside([x, y], polygon) {
  let inside = false;
  polygon.forEach(([a, b], place) => {
    const [c, d] = polygon[(place + 1) % polygon.length];
    if (b > y !== d > y && x < (c - a) * (y - b) / (d - b) + a) inside = !inside;
  });
  return inside;
}

export const placeOf = face => (face.points ? middleOf(face.points) : middleOfBox(face.box));

export const widthOf = face => {
  const [left, top, right, bottom] = face.points ? boxOf(face.points) : face.box;
  return Math.max(right - left, bottom - top);
};

// Whether two faces are at about the same place.
export const isSamePlace = (one, other) => {
  const [[a, b], [c, d]] = [placeOf(one), placeOf(other)];
  return Math.hypot(a - c, b - d) < widthOf(one) / 2;
};
