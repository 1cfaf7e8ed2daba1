// What the screen shows: the faces of a filter, the face, what is drawn on it. It saves what is drawn when it is left.

import {useEffect, useState} from "preact/hooks";
import {bytes, get, insist, post} from "../lib/api.js";
import {fail, toast} from "../lib/dialogs.js";
import {Thumbs, hexadecimal, loadView} from "../lib/view.js";
import {edit} from "../lib/undo.js";
import {TOOLS, breadthOf, painted} from "./brush.js";
import {Sketch} from "./sketch.js";

export const FILTERS = {
  uncertain: ["Least certain first", "status=kept&polygons=0&sort=-doubt", "unlabelled"],
  unlabelled: ["Without polygons", "status=kept&polygons=0", "unlabelled"],
  labelled: ["With polygons", "status=kept&polygons=1..", "labelled"],
  stale: ["Mask out of date", "status=kept&mask_stale=1", "stale"],
  all: ["All faces", "status=kept", "all"],
};
export const OVERLAYS = {drawn: "Polygons", stored: "In use", none: "None"};
const AGAIN = 300; // milliseconds between two looks at masks that nobody has looked at
const SLIDING = 120;
// Drawings that could not be saved, by side and face: they wait here for the face to be shown again.
const unsaved = new Map();

export class Session {
  constructor(side) {
    Object.assign(this, {side, filter: "uncertain", ids: [], labels: new Map(), place: 0, counts: null, left: 0, error: null});
    Object.assign(this, {face: null, sketch: null, picture: null, mask: null, stage: null, said: "", saving: 0, closed: false});
    Object.assign(this, {include: true, overlay: "drawn", tolerance: 1.5, source: "stored", cursor: null, hover: null});
    Object.assign(this, {report: 0, brush: null, breadth: 0.05, stroke: null}); // brush: of TOOLS; breadth: radius, of the shorter side
    this.page = crypto.randomUUID();
    this.listeners = new Set();
    this.queue = Promise.resolve();
    this.loading = 0;
    this.thumbs = new Thumbs(side, () => this.changed());
  }

  changed() {
    this.stage?.redraw();
    for (const listener of [...this.listeners]) listener();
  }

  say(text) {
    this.said = text;
    this.changed();
  }

  showOverlay(name) {
    this.overlay = name;
    this.say(`Overlay: ${OVERLAYS[name]}`);
  }

  get id() { return this.ids[this.place] ?? null; }

  get ready() { return this.left === 0 && this.saving === 0 && (this.face?.id ?? null) === this.id; }

  async open(filter, id) {
    try {
      await this.summarize();
      if (!filter && this.counts.unlabelled === 0) this.filter = "all";
      await this.setFilter(FILTERS[filter] ? filter : this.filter, id);
      while (this.left && !this.closed) {
        await new Promise(done => setTimeout(done, AGAIN));
        await this.summarize();
        if (!this.left) await this.setFilter(this.filter, this.id);
      }
    } catch (error) {
      this.error = error;
      this.changed();
    }
  }

  async summarize() {
    const said = await get(`${this.side}/masks`);
    Object.assign(this, {counts: said.counts, left: said.left, report: said.report, error: null});
    this.changed();
  }

  // id: the face to go on with, where the filter has it.
  async setFilter(filter, id = null) {
    this.filter = filter;
    const view = await loadView(`${this.side}/masks`, FILTERS[filter][1], []);
    this.rows = view.ids;
    this.ids = [...view.ids].map(hexadecimal);
    this.ids.forEach((face, place) => this.labels.set(face, view.columns.polygons[place]));
    this.doubt = new Map(this.ids.map((face, place) => [face, view.columns.doubt[place]]));
    if (id && !this.ids.includes(id) && this.filter === "all") id = null;
    await this.go(Math.max(0, this.ids.indexOf(id)));
  }

  // Shows the face at a place; what was drawn on the one before is saved behind it.
  async go(place) {
    this.leave();
    this.place = Math.min(Math.max(place, 0), Math.max(this.ids.length - 1, 0));
    this.changed();
    await this.load();
  }

  step(by) { return this.go(this.place + by); }

  async load() {
    const [id, asked] = [this.id, ++this.loading];
    if (!id) {
      Object.assign(this, {face: null, sketch: null, picture: null, mask: null});
      this.stage?.show(null, 1, 1);
      this.changed();
      return;
    }
    await this.queue;
    try {
      const [face, picture, mask] = await Promise.all([
        get(`${this.side}/masks/${id}`), bitmap(`${this.side}/face/${id}.jpg`), bitmap(`${this.side}/masks/${id}/mask.png`),
      ]);
      if (asked === this.loading && !this.closed) this.take(face, picture, mask);
    } catch (error) {
      if (asked === this.loading) fail(error);
    }
  }

  take(face, picture, mask) {
    Object.assign(this, {face, picture, mask, cursor: null, hover: null, stroke: null});
    this.sketch = new Sketch(face.polygons, face.size, () => this.changed());
    const mine = unsaved.get(`${this.side} ${face.id}`);
    if (mine) {
      unsaved.delete(`${this.side} ${face.id}`);
      this.sketch.replaceAll(mine, "");
      toast("Your polygons were not saved before", "", "They are here again; undo shows those in the file.");
    }
    this.labels.set(face.id, face.polygons.length);
    this.stage?.show(picture, ...face.size);
    const count = face.polygons.length;
    this.say(`Face ${this.place + 1} of ${this.ids.length}, ${face.name}, ${count === 1 ? "1 polygon" : `${count || "no"} polygons`}`);
  }

  // A polygon that was begun is closed where it can be, as DeepFaceLab's editor does it.
  leave() {
    if (!this.sketch) return;
    this.endStroke();
    if (this.sketch.drawing && !this.sketch.close()) this.sketch.drop();
    this.save();
  }

  get radius() { return this.breadth * Math.min(...this.sketch.size); }

  // Takes a brush, or with null goes back to polygons; one that was begun is closed where it can be.
  takeBrush(brush) {
    this.endStroke();
    if (brush && this.sketch?.drawing && !this.sketch.close()) this.sketch.drop();
    this.brush = brush;
    if (brush && this.overlay !== "drawn") this.overlay = "drawn";
    this.say(brush ? `${TOOLS[brush]}: drag, or Space puts it down and lifts it and arrow keys move it` : "Polygons");
  }

  resize(factor) {
    this.breadth = breadthOf(this.breadth * factor);
    this.say(`Brush of ${(2 * this.radius).toFixed(1)} pixels`);
  }

  beginStroke(point) {
    this.stroke = {points: [this.sketch.within(point)], radius: this.radius, erase: this.brush === "eraser"};
    this.changed();
  }

  moveStroke(point) {
    this.stroke?.points.push(this.sketch.within(point));
    this.changed();
  }

  dropStroke() {
    this.stroke = null;
    this.changed();
  }

  // One stroke is one step.
  endStroke() {
    const {stroke, sketch} = this;
    if (!stroke) return;
    this.stroke = null;
    const polygons = painted(sketch.polygons, stroke, sketch.size);
    if (polygons !== sketch.polygons) sketch.replaceAll(polygons.map(one => ({...one, points: one.points.map(point => sketch.within(point))})), "");
    const count = polygons.length;
    if (stroke.erase && polygons === sketch.polygons && !count) this.say("Nothing is drawn yet that could be erased");
    else this.say(`${stroke.erase ? "Erased" : "Painted"}: ${count === 1 ? "1 polygon" : `${count} polygons`}`);
  }

  // Done when everything that was drawn is with the server.
  settled() {
    this.leave();
    return this.queue;
  }

  save() {
    const {sketch, face} = this;
    if (!sketch?.dirty) return this.queue;
    const polygons = sketch.polygons;
    sketch.saved = JSON.stringify(polygons);
    this.saving += 1;
    this.changed();
    this.queue = this.queue.then(() => this.send(face, sketch, polygons));
    return this.queue;
  }

  async send(face, sketch, polygons) {
    try {
      await edit(this.side, [{op: "set_polygons", face: face.id, base: face.base, polygons}]);
      face.base = (await insist(() => get(`${this.side}/masks/${face.id}`))).base;
      this.labels.set(face.id, polygons.length);
      this.summarize().catch(() => {});
      if (this.face !== face) return;
      this.mask = await bitmap(`${this.side}/masks/${face.id}/mask.png`);
      this.say("Saved");
    } catch (error) {
      sketch.saved = "";
      unsaved.set(`${this.side} ${face.id}`, polygons);
      fail(error);
      // What somebody else has drawn is shown below what was drawn here.
      if (this.face === face && error.status === 409) this.reload();
    } finally {
      this.saving -= 1;
      this.changed();
    }
  }

  // After a change of the face by somebody else, or undo.
  reload() {
    if (this.sketch) this.sketch.saved = JSON.stringify(this.sketch.polygons);
    this.load();
    this.summarize().catch(() => {});
  }

  async suggest() {
    const {face, sketch, source, tolerance} = this;
    if (!face) return;
    try {
      const found = await post(`${this.side}/masks/suggest`, {page: this.page, face: face.id, source, tolerance});
      if (found.superseded || this.sketch !== sketch) return;
      sketch.time = performance.now(); // however long it took: steps of the slider are one
      sketch.replaceAll(found.polygons, "suggest");
      const points = found.polygons.reduce((sum, one) => sum + one.points.length, 0);
      this.say(found.polygons.length ? `${found.polygons.length === 1 ? "1 polygon" : `${found.polygons.length} polygons`} with ${points} points, from the ${wordOf(found.source)}` : "The mask is empty");
    } catch (error) {
      fail(error);
    }
  }

  // A suggestion that was just made follows the slider.
  slide(tolerance) {
    this.tolerance = tolerance;
    this.changed();
    clearTimeout(this.sliding);
    if (this.sketch?.kind === "suggest") this.sliding = setTimeout(() => this.suggest(), SLIDING);
  }

  close() {
    this.leave();
    this.closed = true;
    this.thumbs.forget();
  }
}

export const wordOf = origin => ({hull: "landmark hull", network: "mask network", xseg: "XSeg mask", polygons: "polygons", hand: "mask made by hand"}[origin] ?? `${origin} mask`);

async function bitmap(path) {
  return createImageBitmap(new Blob([await bytes(path)])).catch(() => null);
}

// Draws the component again when anything has changed.
export function useSession(session) {
  const [, again] = useState(0);
  useEffect(() => {
    const listener = () => again(count => count + 1);
    session.listeners.add(listener);
    return () => session.listeners.delete(listener);
  }, []);
}
