// What the screen shows: the frame, its faces, the chosen face and part, the tool, the filter. Not what is drawn of it.

import {useEffect, useState} from "preact/hooks";
import {get, insist} from "../lib/api.js";
import {fail} from "../lib/dialogs.js";
import {LIMITS, loadLanes, matching} from "./lanes.js";
import {Landmarks} from "./landmarks.js";
import {Moves} from "./moves.js";
import {Pictures} from "./pictures.js";
import {isSamePlace, placeOf} from "./shapes.js";

const AHEAD = 6;
const BLOCK = 24; // frames whose faces are fetched at once
const WIDTHS = [640, 960, 1280, 1920, 2560];

export class Session {
  constructor(side) {
    this.side = side;
    this.lanes = null;
    this.error = null;
    this.limits = {...LIMITS};
    this.filter = "all";
    this.matches = [];
    this.number = 0;
    this.direction = 1;
    this.shown = null; // {number, name, size, faces, picture}: what the stage shows
    this.faces = new Map(); // number -> frame as the server says it
    this.chosen = null; // id of a face
    this.tool = "view";
    this.part = null; // of the tool: a handle, "size", "turn" or a point; null is the whole
    this.points = new Set(); // that the points tool moves together
    this.locked = false;
    this.said = "";
    this.listeners = new Set();
    this.asked = 0;
    this.stage = null;
    this.pictures = new Pictures(side, number => this.arrived(number));
    this.landmarks = new Landmarks(side);
    this.moves = new Moves(this);
  }

  changed() {
    this.stage?.redraw();
    for (const listener of [...this.listeners]) listener();
  }

  // For everybody, also for those who hear the page.
  say(text) {
    this.said = text;
    this.changed();
  }

  get frame() {
    return this.faces.get(this.number) ?? null;
  }

  get face() {
    return this.frame?.faces.find(face => face.id === this.chosen) ?? null;
  }

  async loadLanes() {
    try {
      this.lanes = await loadLanes(this.side, this.limits);
      this.error = null;
      this.matches = matching(this.lanes, this.filter);
      this.changed();
    } catch (error) {
      this.error = error;
      this.changed();
    }
  }

  // After a change of the side, whoever made it.
  async reload() {
    const {frame} = this;
    this.faces = new Map(frame ? [[this.number, frame]] : []);
    await Promise.all([this.load(this.number), this.loadLanes()]);
    this.choose(this.frame?.faces.some(face => face.id === this.chosen) ? this.chosen : this.likeliest());
  }

  // Reads the faces of a frame and of those after it.
  async load(number) {
    const {frames} = await get(`${this.side}/placed?from=${number}&count=${BLOCK}`);
    for (const frame of frames) this.faces.set(frame.number, frame);
    this.moves.seen(frames);
    this.showIfReady();
  }

  // Goes to a frame; it is shown when picture and faces are there.
  go(number) {
    if (!this.lanes?.frames) return;
    const next = Math.min(this.lanes.frames - 1, Math.max(0, number));
    this.moves.flush();
    this.landmarks.forget();
    this.direction = next >= this.number ? 1 : -1;
    this.jumps = Math.abs(next - this.number) > 1;
    this.before = this.face ?? this.before;
    this.number = next;
    this.part = null;
    this.points.clear();
    this.fetch();
    this.showIfReady();
    this.changed();
  }

  fetch() {
    this.pictures.width = this.wantedWidth();
    const ahead = Array.from({length: AHEAD}, (_, k) => this.number + (k + 1) * this.direction);
    const wanted = [this.number, ...ahead, this.number - this.direction];
    this.pictures.want(wanted.filter(number => number >= 0 && number < this.lanes.frames), this.lanes.film && this.jumps);
    const missing = [this.number, this.number + AHEAD * this.direction].find(number => number >= 0
      && number < this.lanes.frames && !this.faces.has(number));
    if (missing === undefined) return;
    const {number} = this;
    const first = Math.max(0, this.direction > 0 ? missing : missing - BLOCK + 1);
    insist(() => this.load(first), () => !this.closed && this.number === number).catch(fail);
  }

  // Pixels that a picture needs for the present zoom; 0 for all that it has.
  wantedWidth() {
    const size = this.frame?.size ?? this.shown?.size;
    if (!size || !this.stage) return 0;
    const needed = size[0] * this.stage.scale * this.stage.ratio;
    const width = WIDTHS.find(one => one >= needed) ?? 0;
    return width >= size[0] ? 0 : width;
  }

  arrived(number) {
    if (number === this.number) this.showIfReady();
  }

  // The view is another one: a sharper picture may be needed.
  viewed() {
    if (!this.lanes || this.wantedWidth() === this.pictures.width) return;
    this.fetch();
  }

  showIfReady() {
    const [picture, frame] = [this.pictures.get(this.number), this.frame];
    if (picture === undefined || !frame) return;
    const isOther = this.shown?.number !== this.number;
    const size = frame.size ?? (picture ? [picture.width, picture.height] : this.shown?.size ?? [640, 360]);
    this.shown = {number: this.number, name: frame.name, size, picture};
    this.stage?.show(picture, ...size);
    if (isOther) {
      this.choose(this.likeliest());
      if (this.locked && this.face) this.stage?.center(placeOf(this.face));
      if (!this.player?.playing) this.announceFrame();
    }
    this.changed();
    this.player?.shown();
  }

  announceFrame() {
    const count = this.frame.faces.length;
    const faces = count === 1 ? "1 face" : `${count || "no"} faces`;
    this.say(`Frame ${this.number + 1} of ${this.lanes.frames}, ${this.frame.name}, ${faces}`);
  }

  // The face that goes on from the one that was chosen before: of its track, at its place, else the largest.
  likeliest() {
    const faces = this.frame?.faces ?? [];
    const before = this.before;
    const same = before && (faces.find(face => before.track && face.track === before.track)
      ?? faces.find(face => isSamePlace(face, before)));
    return (same ?? faces[0])?.id ?? null;
  }

  choose(id) {
    if (id === this.chosen) return;
    this.moves.flush();
    this.chosen = id;
    this.part = null;
    this.points.clear();
    this.before = this.face ?? this.before;
    this.changed();
  }

  setFilter(filter) {
    this.filter = filter;
    this.matches = matching(this.lanes, filter);
    this.changed();
  }

  setTool(tool) {
    this.moves.flush();
    this.tool = tool;
    this.part = null;
    this.points.clear();
    this.say(`Tool: ${tool}`);
  }

  // The number of a frame by its name; -1 where there is none.
  async numberOf(name) {
    this.names ??= (await get(`${this.side}/frames`)).names;
    return this.names.indexOf(name);
  }

  // By so many frames among those that the filter lets through.
  step(count) {
    const {matches, number} = this;
    if (!matches.length) {
      this.say("No frame passes the filter");
      return;
    }
    const after = matches.findIndex(match => match > number);
    const from = matches.indexOf(number);
    // Between two matches the next one is the first step.
    let place = from;
    if (from < 0) place = count > 0 ? (after < 0 ? matches.length : after) - 1 : after < 0 ? matches.length : after;
    const next = matches[Math.min(matches.length - 1, Math.max(0, place + count))];
    if (next === number) this.say(count > 0 ? "This is the last one" : "This is the first one");
    else this.go(next);
  }

  close() {
    this.closed = true;
    this.moves.close();
    this.pictures.close();
    this.landmarks.forget();
  }
}

// Draws a component again whenever the session changes, once a frame of the screen.
export function useSession(session) {
  const [, again] = useState(0);
  useEffect(() => {
    let asked = 0;
    const listener = () => {
      asked ||= requestAnimationFrame(() => {
        asked = 0;
        again(count => count + 1);
      });
    };
    session.listeners.add(listener);
    return () => {
      session.listeners.delete(listener);
      cancelAnimationFrame(asked);
    };
  }, [session]);
  return session;
}
