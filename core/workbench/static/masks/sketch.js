// What is drawn on one face: polygons, the one that is being drawn, what is chosen, and every step back. States are never
// changed, only replaced. Points are those of the file: (0, 0) is the corner of the picture, a pixel is one wide.

const SOON = 600; // milliseconds: keys and slider steps of one kind within this time are one step

export class Sketch {
  // changed: is called after every change. size: [width, height] of the picture.
  constructor(polygons, size, changed) {
    this.state = {polygons, drawing: null}; // drawing: {include, points}
    this.saved = JSON.stringify(polygons);
    this.size = size;
    this.changed = changed;
    this.past = [];
    this.future = [];
    this.chosen = null; // place of a polygon
    this.point = null; // place of a point of it
    this.kind = ""; // of the last step, for steps that are joined
    this.time = 0;
    this.before = null; // the state when a drag began
  }

  get polygons() { return this.state.polygons; }

  get drawing() { return this.state.drawing; }

  get polygon() { return this.polygons[this.chosen] ?? null; }

  get dirty() { return JSON.stringify(this.polygons) !== this.saved; }

  // One step: kind says with which it is joined when it comes soon after; empty for none.
  step(next, kind = "") {
    const joined = kind && kind === this.kind && performance.now() - this.time < SOON;
    if (!joined) this.past.push(this.state);
    Object.assign(this, {state: next, future: [], kind, time: performance.now()});
    this.keepChoice();
  }

  begin() { this.before = this.state; }

  // Within a drag.
  show(next) {
    this.state = next;
    this.keepChoice();
  }

  end() {
    const [before, after] = [this.before, this.state];
    this.before = null;
    if (!before || JSON.stringify(before) === JSON.stringify(after)) return;
    this.state = before;
    this.step(after);
  }

  cancel() {
    if (this.before) this.show(this.before);
    this.before = null;
  }

  undo() { return this.exchange(this.past, this.future); }

  redo() { return this.exchange(this.future, this.past); }

  exchange(from, to) {
    if (!from.length) return false;
    to.push(this.state);
    Object.assign(this, {state: from.pop(), kind: ""});
    this.keepChoice();
    return true;
  }

  keepChoice() {
    if (!this.polygon) this.chosen = this.point = null;
    if (this.point !== null && this.point >= this.polygon.points.length) this.point = null;
    this.changed();
  }

  choose(chosen, point = null) {
    Object.assign(this, {chosen, point, kind: ""});
    this.keepChoice();
  }

  within([x, y]) {
    const [width, height] = this.size;
    return [rounded(x, width), rounded(y, height)];
  }

  start(include) { this.step({...this.state, drawing: {include, points: []}}); }

  draw(points, include = this.drawing.include) { return {...this.state, drawing: {include, points}}; }

  addPoint(point) { this.step(this.draw([...this.drawing.points, this.within(point)])); }

  // Whether there was a polygon to close.
  close() {
    const {drawing, polygons} = this.state;
    if (!drawing || drawing.points.length < 3) return false;
    this.step({polygons: [...polygons, drawing], drawing: null});
    this.choose(this.polygons.length - 1);
    return true;
  }

  drop() { this.step({...this.state, drawing: null}); }

  withPolygon(place, polygon) { return {...this.state, polygons: this.polygons.map((one, k) => (k === place ? polygon : one))}; }

  // The state with other points of the chosen polygon.
  withPoints(points) { return this.withPolygon(this.chosen, {...this.polygon, points}); }

  moved(from, [x, y]) {
    const isMoved = place => this.point === null || place === this.point;
    return this.withPoints(from.map((one, place) => (isMoved(place) ? this.within([one[0] + x, one[1] + y]) : one)));
  }

  insert(place, point) {
    const {points} = this.polygon;
    return this.withPoints([...points.slice(0, place), this.within(point), ...points.slice(place)]);
  }

  // Removes the chosen point, or the polygon; one with two points left goes whole. Says what went.
  remove() {
    const {polygon, point, chosen} = this;
    if (!polygon) return "";
    if (point !== null && polygon.points.length > 3) {
      this.step(this.withPoints(polygon.points.filter((_, place) => place !== point)));
      return "The point is gone";
    }
    this.step({...this.state, polygons: this.polygons.filter((_, place) => place !== chosen)});
    this.choose(null);
    return "The polygon is gone";
  }

  flip() { this.step(this.withPolygon(this.chosen, {...this.polygon, include: !this.polygon.include})); }

  replaceAll(polygons, kind) {
    this.step({polygons, drawing: null}, kind);
    this.choose(null);
    this.kind = kind;
  }
}

const rounded = (value, most) => Math.round(100 * Math.min(most, Math.max(0, value))) / 100;
