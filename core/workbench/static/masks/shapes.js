// What points, lines and polygons are to each other.

// How far a point is from a piece of a line.
export function toSegment([x, y], [a, b], [c, d]) {
  const long = (c - a) ** 2 + (d - b) ** 2 || 1;
  const share = Math.min(1, Math.max(0, ((x - a) * (c - a) + (y - b) * (d - b)) / long));
  return Math.hypot(x - a - share * (c - a), y - b - share * (d - b));
}

// By the even-odd rule.
export function isInside(points, [x, y]) {
  let inside = false;
  points.forEach(([a, b], place) => {
    const [c, d] = points.at(place - 1);
    if (b > y !== d > y && x < (c - a) * (y - b) / (d - b) + a) inside = !inside;
  });
  return inside;
}
