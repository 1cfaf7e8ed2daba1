// What is being moved, and what is on its way to the server. A face that is moved is a draft: the page shows it at
// once; when the server has it, the draft goes.

import {insist} from "../lib/api.js";
import {fail, toast} from "../lib/dialogs.js";
import {edit} from "../lib/undo.js";
import {movedFace, stretched} from "./shapes.js";

const PAUSE = 600; // keys within this time are one change
const LATE = 300; // beyond this the page says that it saves
const SURE = 0.3; // of the network, that there is a face at all
export const NEW = "new";

export class Moves {
  constructor(session) {
    this.session = session;
    this.drafts = new Map(); // id of a face, or NEW -> draft
    this.newer = new Map(); // base of a face that this page has changed -> the base that it got
    this.last = new Map(); // id of a face -> its points before the last move
    this.queue = Promise.resolve();
    this.saving = 0;
    this.late = false;
    this.conflict = null; // {draft, operation}: what somebody else was quicker with
    this.timer = 0;
  }

  // The face as it is drawn.
  shown(face) {
    return this.drafts.get(face.id) ?? face;
  }

  // A draft of a face; the same one while it is moved on. kind: "box", "square" or "points".
  begin(face, kind) {
    const before = this.drafts.get(face.id);
    if (before && !before.sent && before.kind === kind) return before;
    this.flush();
    const {id, box, points, square} = this.shown(face);
    const draft = {id, base: face.base, box, points, square, kind, before: face, frame: this.session.frame};
    this.drafts.set(id, draft);
    return draft;
  }

  beginNew(box) {
    this.flush();
    const draft = {id: NEW, box, points: null, square: null, kind: "box", frame: this.session.frame, before: null};
    this.drafts.set(NEW, draft);
    this.session.changed();
    return draft;
  }

  update(draft, change) {
    Object.assign(draft, change);
    this.session.changed();
  }

  drop(draft) {
    clearTimeout(this.timer);
    if (this.drafts.get(draft.id) === draft) this.drafts.delete(draft.id);
    this.session.changed();
  }

  // Moved by keys: it is sent when the keys rest.
  finishSoon(draft) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.finish(draft), PAUSE);
  }

  // Sends what waits for the keys to rest.
  flush() {
    clearTimeout(this.timer);
    for (const draft of [...this.drafts.values()]) if (draft.id !== NEW && !draft.sent) this.finish(draft);
  }

  // All that was done is with the server.
  async settled() {
    this.flush();
    let waited;
    do {
      waited = this.queue;
      await waited;
    } while (waited !== this.queue);
  }

  finish(draft) {
    clearTimeout(this.timer);
    // It may have been left by Esc while the pointer still had hold of it.
    if (draft.sent || this.drafts.get(draft.id) !== draft) return;
    draft.sent = true;
    const asked = draft.kind === "box" ? this.findPoints(draft) : null;
    this.enqueue(draft, async () => {
      await asked;
      return operationOf(draft);
    });
  }

  // The points follow the box: where the network sees them, else as the box was moved.
  async findPoints(draft) {
    const {session} = this;
    const {box, before} = draft;
    try {
      const answer = await session.landmarks.ask(draft.frame.number, box, before?.id ?? null);
      const found = answer ?? await session.landmarks.ask(draft.frame.number, box, before?.id ?? null);
      if (found && (found.confidence >= SURE || !before?.points)) {
        this.update(draft, {points: found.points, square: null});
        if (found.confidence < SURE) session.say("The network sees no face there: look at the points");
        return;
      }
      session.say("The network sees no face there: the points moved with the box");
    } catch (error) {
      fail(error);
    }
    if (before?.points && before.box) this.update(draft, {points: stretched(before.points, before.box, box), square: null});
  }

  // An operation that is no draft: make gives it, or null.
  send(make) {
    this.flush();
    return this.enqueue(null, async () => make());
  }

  enqueue(draft, make) {
    this.saving++;
    const late = setTimeout(() => { this.late = true; this.session.changed(); }, LATE);
    const done = this.queue.then(() => this.carryOut(draft, make)).finally(() => {
      clearTimeout(late);
      this.saving--;
      if (!this.saving) this.late = false;
      this.session.changed();
    });
    this.queue = done.catch(() => {});
    return this.queue;
  }

  async carryOut(draft, make) {
    const {session} = this;
    let operation = null;
    try {
      operation = await make();
      if (!operation) return;
      operation = this.rebased(operation);
      const before = new Map((session.frame?.faces ?? []).map(face => [face.id, face.base]));
      await edit(session.side, [operation]);
      if (draft?.before?.points) this.last.set(draft.id, draft.before.points);
      await this.takeOver(draft, before);
    } catch (error) {
      await this.refused(error, draft, operation);
    }
  }

  // Reads the frame anew; what this page has changed is no conflict for what it does next.
  async takeOver(draft, before) {
    const {session} = this;
    const number = draft?.frame.number ?? session.number;
    await insist(() => session.load(number));
    for (const face of session.faces.get(number)?.faces ?? []) {
      const old = before.get(face.id);
      if (old && old !== face.base) this.newer.set(old, face.base);
    }
    if (draft) {
      if (draft.id === NEW && number === session.number) this.chooseNew(before);
      this.drop(draft);
    }
    session.changed();
  }

  chooseNew(before) {
    const made = this.session.frame?.faces.find(face => !before.has(face.id));
    if (made) this.session.choose(made.id);
  }

  // The server says how faces are now: undone, they may be again as this page once changed them from.
  seen(frames) {
    for (const frame of frames) for (const face of frame.faces) this.newer.delete(face.base);
  }

  rebased(operation) {
    const next = {...operation};
    for (const name of ["base", "first_base", "last_base"]) {
      while (this.newer.has(next[name])) next[name] = this.newer.get(next[name]);
    }
    return next;
  }

  async refused(error, draft, operation) {
    const {session} = this;
    if (error.status === 409 && operation && error.where === operation.face && draft) {
      await session.load(draft.frame.number).catch(fail);
      this.drafts.delete(draft.id);
      this.conflict = {draft, operation};
      session.say("Somebody else has changed this face: yours is dashed");
      return;
    }
    if (draft) this.drop(draft);
    await session.load(session.number).catch(() => {});
    fail(error);
  }

  // Makes one's own change after all, on what is there now.
  async useMine() {
    const {draft, operation} = this.conflict;
    this.conflict = null;
    const now = this.session.faces.get(draft.frame.number)?.faces.find(face => face.id === draft.id);
    if (!now) {
      toast("The face is not there any more", "bad");
      this.session.changed();
      return;
    }
    await this.send(() => ({...operation, base: now.base}));
  }

  keepTheirs() {
    this.conflict = null;
    this.session.changed();
  }

  close() {
    this.flush();
  }
}

function operationOf(draft) {
  const {id, base, box, points} = draft;
  if (id === NEW) return points && {op: "add_face", frame: draft.frame.name, box, points};
  if (draft.kind === "box") return {op: "move_box", face: id, base, box, points};
  if (!points) return null;
  if (draft.kind === "square") return {op: "move_square", face: id, base, points, box};
  return {op: "move_points", face: id, base, points};
}

// Moves all of a draft: shift, turn and scale.
export const moveAll = (moves, draft, from, change) => moves.update(draft, movedFace(from, change));
