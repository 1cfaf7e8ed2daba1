// A canvas with a picture that can be zoomed and moved. Points of the picture are in its own pixels, (0, 0) is the
// centre of the first one, as everywhere in this program; points of the screen are CSS pixels from the canvas's corner.

const MOST = 60; // CSS pixels for a pixel of the picture
const STEP = 1.25;
const SOFT = 3; // above this zoom pixels are shown as squares
const EDGE = 0.94; // of the canvas that a fitted picture takes

export class Stage {
  // draw(context, stage): draws over the picture, in points of the screen.
  // tool: {down, move, up, hover, leave, cancel}, each (point, event) with a point of the picture; down says by true that
  // the drag is the tool's own, else it moves the picture. changed: is called when the view is another one.
  constructor(canvas, {draw = () => {}, tool = {}, changed = () => {}}) {
    Object.assign(this, {canvas, draw, tool, changed});
    this.context = canvas.getContext("2d");
    this.picture = null; // anything that drawImage takes, of any resolution
    this.width = this.height = 0; // of the picture, in its own pixels
    this.scale = 1; // CSS pixels for a pixel of the picture
    this.x = this.y = 0; // where the picture's corner is on the screen
    this.fitted = true;
    this.ratio = 1;
    this.viewWidth = this.viewHeight = 0; // of the canvas, CSS pixels
    this.pointers = new Map();
    this.drag = null; // "tool", "view", "pinch" or null
    this.asked = 0;
    this.end = new AbortController();
    this.listen();
  }

  // Another picture of this size; the view stays where the size stays.
  show(picture, width, height) {
    const same = width === this.width && height === this.height;
    Object.assign(this, {picture, width, height});
    if (!same || this.fitted) this.fit();
    this.redraw();
  }

  toScreen([x, y]) {
    return [(x + 0.5) * this.scale + this.x, (y + 0.5) * this.scale + this.y];
  }

  toPicture([x, y]) {
    return [(x - this.x) / this.scale - 0.5, (y - this.y) / this.scale - 0.5];
  }

  // The point of the picture under a pointer.
  pointOf(event) {
    return this.toPicture(this.place(event));
  }

  place(event) {
    const corner = this.canvas.getBoundingClientRect();
    return [event.clientX - corner.left, event.clientY - corner.top];
  }

  // Shows the whole picture, or as much of it: [left, top, right, bottom].
  fit(part = null) {
    const [left, top, right, bottom] = part ?? [-0.5, -0.5, this.width - 0.5, this.height - 0.5];
    const room = Math.min(this.viewWidth / Math.max(right - left, 1), this.viewHeight / Math.max(bottom - top, 1));
    this.fitted = part === null;
    this.scale = Math.min(MOST, room * EDGE) || 1;
    this.center([(left + right) / 2, (top + bottom) / 2]);
  }

  // Brings a point of the picture into the middle.
  center([x, y]) {
    this.x = this.viewWidth / 2 - (x + 0.5) * this.scale;
    this.y = this.viewHeight / 2 - (y + 0.5) * this.scale;
    this.viewed();
  }

  // Zooms by a factor; what is at this place of the screen stays there.
  zoom(factor, place = [this.viewWidth / 2, this.viewHeight / 2]) {
    this.zoomTo(this.scale * factor, place);
  }

  zoomTo(scale, place = [this.viewWidth / 2, this.viewHeight / 2]) {
    const least = Math.min(1, this.viewWidth / this.width, this.viewHeight / this.height) / 4;
    const next = Math.min(MOST, Math.max(least || 0.01, scale));
    const factor = next / this.scale;
    this.x = place[0] - (place[0] - this.x) * factor;
    this.y = place[1] - (place[1] - this.y) * factor;
    this.scale = next;
    this.fitted = false;
    this.viewed();
  }

  zoomIn() { this.zoom(STEP); }

  zoomOut() { this.zoom(1 / STEP); }

  pan(x, y) {
    this.x += x;
    this.y += y;
    this.fitted = false;
    this.viewed();
  }

  viewed() {
    this.changed(this);
    this.redraw();
  }

  // Draws before the next frame of the screen, once.
  redraw() {
    this.asked ||= requestAnimationFrame(() => {
      this.asked = 0;
      this.drawNow();
    });
  }

  drawNow() {
    const {context, ratio} = this;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.viewWidth, this.viewHeight);
    if (this.picture) {
      context.imageSmoothingEnabled = this.scale < SOFT;
      context.imageSmoothingQuality = "high";
      context.drawImage(this.picture, this.x, this.y, this.width * this.scale, this.height * this.scale);
    }
    this.draw(context, this);
  }

  close() {
    this.end.abort();
    this.observer.disconnect();
    cancelAnimationFrame(this.asked);
  }

  listen() {
    this.observer = new ResizeObserver(() => this.measure());
    this.observer.observe(this.canvas);
    const on = (target, name, act, more = {}) => target.addEventListener(name, act, {signal: this.end.signal, ...more});
    on(window, "resize", () => this.measure()); // the zoom of the browser changes the pixel ratio
    on(window, "theme", () => this.redraw());
    on(this.canvas, "wheel", event => this.wheel(event), {passive: false});
    on(this.canvas, "pointerdown", event => this.pressed(event));
    on(this.canvas, "pointermove", event => this.moved(event));
    on(this.canvas, "pointerup", event => this.released(event));
    on(this.canvas, "pointercancel", event => this.released(event));
    on(this.canvas, "pointerleave", event => !this.drag && this.tool.leave?.(event));
    on(this.canvas, "contextmenu", event => event.preventDefault());
    this.measure();
  }

  measure() {
    const {clientWidth: viewWidth, clientHeight: viewHeight} = this.canvas;
    const ratio = window.devicePixelRatio || 1;
    if (viewWidth === this.viewWidth && viewHeight === this.viewHeight && ratio === this.ratio) return;
    const [x, y] = [this.x + (viewWidth - this.viewWidth) / 2, this.y + (viewHeight - this.viewHeight) / 2];
    Object.assign(this, {viewWidth, viewHeight, ratio, x, y});
    this.canvas.width = Math.max(1, Math.round(viewWidth * ratio));
    this.canvas.height = Math.max(1, Math.round(viewHeight * ratio));
    if (this.fitted) this.fit();
    this.viewed();
    this.drawNow(); // a canvas of another size is empty: no flicker
  }

  wheel(event) {
    event.preventDefault();
    if (event.shiftKey) {
      this.pan(-event.deltaY - event.deltaX, 0);
      return;
    }
    // A pinch on a touchpad comes as small steps with ctrlKey, a wheel in lines or in steps of about 100.
    const step = event.deltaMode === 1 ? event.deltaY * 30 : event.deltaY;
    const speed = event.ctrlKey ? 0.01 : 0.002;
    this.zoom(Math.exp(-Math.max(-200, Math.min(200, step)) * speed), this.place(event));
  }

  pressed(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.focus({preventScroll: true});
    event.preventDefault();
    this.pointers.set(event.pointerId, this.place(event));
    if (this.pointers.size === 2) {
      if (this.drag === "tool") this.tool.cancel?.(this.pointOf(event), event);
      this.drag = "pinch";
    } else if (this.pointers.size === 1) {
      const own = event.button === 0 && this.tool.down?.(this.pointOf(event), event);
      this.drag = own ? "tool" : "view";
    }
  }

  moved(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      this.tool.hover?.(this.pointOf(event), event);
      return;
    }
    const now = this.place(event);
    if (this.drag === "pinch") this.pinch(event.pointerId, now);
    this.pointers.set(event.pointerId, now);
    if (this.drag === "tool") this.tool.move?.(this.pointOf(event), event);
    if (this.drag === "view") this.pan(now[0] - before[0], now[1] - before[1]);
  }

  pinch(pointer, now) {
    const [still] = [...this.pointers].filter(([id]) => id !== pointer).map(([, place]) => place);
    const before = this.pointers.get(pointer);
    const [long, was] = [distance(now, still), distance(before, still)];
    this.pan((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    if (was > 0) this.zoom(long / was, [(now[0] + still[0]) / 2, (now[1] + still[1]) / 2]);
  }

  released(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    const drag = this.drag;
    // Of two fingers one is left: it moves the picture on.
    this.drag = this.pointers.size ? "view" : null;
    if (drag !== "tool") return;
    if (event.type === "pointercancel") this.tool.cancel?.(this.pointOf(event), event);
    else this.tool.up?.(this.pointOf(event), event);
  }
}

export const distance = ([a, b], [c, d]) => Math.hypot(a - c, b - d);
