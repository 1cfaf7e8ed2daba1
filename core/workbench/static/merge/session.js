// What the Merge screen knows: the film, the frame that is shown, the options that are tried, the cues.

import {useEffect, useState} from "preact/hooks";
import {bytes, get, headed, post} from "../lib/api.js";

const PAUSE = 50; // milliseconds after a change until the frame is asked for
// Kept while other screens are shown.
const kept = {values: {}, number: null, view: "wipe", wipe: 0.5};

export class Session {
  constructor() {
    Object.assign(this, {film: null, cues: null, error: null, problem: null, faults: {}, shown: null, busy: false, said: ""});
    Object.assign(this, kept);
    this.scope = "film"; // or "scene", "person", "frames": whom a cue is made for
    this.person = "";
    this.range = "";
    this.changes = {}; // of the cue that is made
    this.withCues = true;
    this.page = crypto.randomUUID();
    this.asked = 0;
    this.timer = 0;
    this.listeners = new Set();
  }

  changed(more = {}) {
    Object.assign(this, more);
    Object.assign(kept, {values: this.values, number: this.number, view: this.view, wipe: this.wipe});
    for (const listener of [...this.listeners]) listener();
  }

  say(said) { this.changed({said}); }

  async load() {
    try {
      const film = await get("merge/film");
      this.fields = new Map(film.groups.flatMap(group => group.fields).map(field => [field.name, field]));
      this.changed({film, error: null});
      if (film.lacks.length) return;
      this.changed({cues: await get("merge/cues")});
      this.go(Math.min(this.number ?? film.first, film.frames - 1));
    } catch (error) {
      this.changed({error});
    }
  }

  // Once it is loaded: before, the options that belong to the film are not known.
  async reloadFilms() {
    const film = this.film && (await get("merge/film").catch(() => null));
    if (film) this.changed({film});
  }

  close() {
    clearTimeout(this.timer);
    this.asked += 1;
    this.player?.stop();
  }

  go(number) {
    const last = this.film.frames - 1;
    this.changed({number: Math.max(0, Math.min(last, number))});
    this.ask(0);
  }

  step(by) { this.go(this.number + by); }

  // Options.

  defaultOf(name) { return this.fields.get(name).default; }

  // What counts for the whole film.
  filmValue(name) { return this.values[name] ?? this.defaultOf(name); }

  valueOf(name) { return this.changes[name] ?? this.filmValue(name); }

  differs(name) {
    return this.scope === "film" ? Object.hasOwn(this.values, name) : Object.hasOwn(this.changes, name);
  }

  set(name, value) {
    const which = this.scope === "film" ? "values" : "changes";
    const usual = name === "swap" ? true : this.scope === "film" ? this.defaultOf(name) : this.filmValue(name);
    const {[name]: before, ...rest} = this[which];
    this.changed({[which]: value === usual || value === "" ? rest : {...rest, [name]: value}});
    this.ask();
  }

  reset(name) {
    const which = this.scope === "film" ? "values" : "changes";
    const {[name]: before, ...rest} = this[which];
    this.changed({[which]: name ? rest : {}});
    this.ask();
  }

  get differences() { return Object.entries(this.scope === "film" ? this.values : this.changes); }

  // Cues.

  setScope(scope) {
    const {head} = this.shown ?? {};
    this.changed({
      scope,
      changes: scope === "film" ? {} : this.changes,
      person: this.person || (head?.faces.find(face => face.person)?.person ?? this.film.persons[0] ?? ""),
      range: this.range || `${this.frameNumber}-`,
    });
    this.ask();
  }

  // Of the film, from 1, as cues count.
  get frameNumber() {
    const name = this.shown?.number === this.number ? this.shown.head.name : "";
    return Number(/(\d+)\.\w+$/.exec(name)?.[1] ?? this.number + 1);
  }

  get scene() { return this.film.scenes.findLastIndex(start => start <= this.number) + 1; }

  get where() {
    if (this.scope === "scene") return {scene: this.scene};
    if (this.scope === "person") return {person: this.person};
    return this.scope === "frames" ? {frames: this.range} : {};
  }

  async addCue() {
    const cues = await post("merge/cues", {base: this.cues.revision, where: this.where, changes: this.changes});
    this.changed({cues, changes: {}, scope: "film"});
    this.ask();
  }

  async changeCues(number = null) {
    this.changed({cues: await post("merge/cues/change", {base: this.cues.revision, number})});
    this.ask();
  }

  async reloadCues() {
    const cues = await get("merge/cues").catch(() => null);
    if (!cues || cues.revision === this.cues?.revision) return;
    this.changed({cues});
    this.ask();
  }

  // The frame.

  ask(pause = PAUSE) {
    clearTimeout(this.timer);
    if (!this.busy) this.changed({busy: true});
    this.timer = setTimeout(() => this.askNow(), pause);
  }

  async askNow() {
    const ticket = ++this.asked;
    const {number} = this;
    const draft = this.scope !== "film" && Object.keys(this.changes).length ? {where: this.where, changes: this.changes} : null;
    const body = JSON.stringify({page: this.page, frame: number, values: this.values, draft, cues: this.withCues});
    try {
      const {head, buffer, start} = headed(await bytes("merge/preview", {method: "POST", body}));
      if (head.superseded || ticket !== this.asked) return;
      const [merged, target, mask] = await pictures(buffer, start, head.lengths);
      if (ticket !== this.asked) return;
      this.changed({shown: {number, head, merged, target, mask}, problem: null, faults: {}, busy: false});
      this.player?.shown();
    } catch (error) {
      if (ticket !== this.asked) return;
      this.player?.stop();
      this.changed({problem: error.fields && Object.keys(error.fields).length ? null : error, faults: error.fields ?? {}, busy: false});
    }
  }
}

function pictures(buffer, start, lengths) {
  let place = start;
  return Promise.all(lengths.map(length => {
    const jpeg = new Blob([new Uint8Array(buffer, place, length)], {type: "image/jpeg"});
    place += length;
    return createImageBitmap(jpeg);
  }));
}

// Draws the component again when the session has changed.
export function useSession(session) {
  const [, again] = useState(0);
  useEffect(() => {
    const listener = () => again(count => count + 1);
    session.listeners.add(listener);
    return () => session.listeners.delete(listener);
  }, [session]);
}
