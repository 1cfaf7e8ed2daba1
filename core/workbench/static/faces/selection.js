// Which cells are chosen, and the one that has the focus: by place, so that a range of a million is quick.

export class Selection {
  constructor(count = 0) {
    this.on = new Uint8Array(count);
    this.count = 0;
    this.focus = count ? 0 : -1;
    this.anchor = this.focus;
  }

  has(index) { return this.on[index] === 1; }

  set(index, on) {
    if (this.on[index] === Number(on)) return;
    this.on[index] = Number(on);
    this.count += on ? 1 : -1;
  }

  clear() {
    this.on.fill(0);
    this.count = 0;
  }

  all() {
    this.on.fill(1);
    this.count = this.on.length;
  }

  only(index) {
    this.clear();
    this.set(index, true);
    this.focus = this.anchor = index;
  }

  toggle(index) {
    this.set(index, !this.has(index));
    this.focus = this.anchor = index;
  }

  // From the anchor to here, and nothing else unless more is kept.
  to(index, more = false) {
    if (!more) this.clear();
    const [first, end] = this.anchor < index ? [this.anchor, index] : [index, this.anchor];
    for (let place = Math.max(0, first); place <= end; place++) this.set(place, true);
    this.focus = index;
  }

  // The places that are chosen, in order.
  places() {
    const found = [];
    for (let place = this.on.indexOf(1); place >= 0; place = this.on.indexOf(1, place + 1)) found.push(place);
    return found;
  }

  // What marks are for: what is chosen, else the focus.
  meant() {
    if (this.count) return this.places();
    return this.focus < 0 ? [] : [this.focus];
  }

  // The same faces in another order. before, now: ids.
  carried(before, now) {
    const next = new Selection(now.length);
    if (!before.length || !now.length) return next;
    const kept = new Set(this.places().map(place => before[place]));
    const [focus, anchor] = [this.focus, this.anchor].map(place => before[place]);
    next.focus = -1;
    now.forEach((id, place) => {
      if (kept.has(id)) next.set(place, true);
      if (id === focus) next.focus = place;
      if (id === anchor) next.anchor = place;
    });
    // The one that had the focus is gone: the one that took its place has it.
    if (next.focus < 0) next.focus = Math.min(Math.max(this.focus, 0), now.length - 1);
    if (next.anchor < 0 || next.anchor >= now.length) next.anchor = next.focus;
    return next;
  }
}

// Whether a point is inside of a polygon [[x, y], ...].
export function inside(polygon, x, y) {
  let found = false;
  for (let one = 0, two = polygon.length - 1; one < polygon.length; two = one++) {
    const [[x1, y1], [x2, y2]] = [polygon[one], polygon[two]];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) found = !found;
  }
  return found;
}
