// Undo and redo of the changes of faces: the server knows them, also those of other programs and earlier days.

import {insist, post} from "./api.js";
import {fail, toast} from "./dialogs.js";
import {read, update} from "./store.js";
import {sideName} from "./ui.js";

const PATIENCE = 60_000; // milliseconds for an answer, after which the connection counts as broken
let waiting = 0; // edits that are not with the server yet

// Screens ask to be told what was taken back, to show it: {side, face, frame, faces, tool}.
const followers = new Set();

export function onTakenBack(callback) {
  followers.add(callback);
  return () => followers.delete(callback);
}

// What has to be with the server before: a callback that may take a while.
const firsts = new Set();

export function onBeforeUndo(callback) {
  firsts.add(callback);
  return () => firsts.delete(callback);
}

async function exchange(word) {
  const {side} = read();
  try {
    for (const first of [...firsts]) await first();
    const done = await inOrder(() => post(`${side}/${word}`));
    const faces = done.faces === 1 ? "1 face" : `${done.faces} faces`;
    toast(`${word === "undo" ? "Undone" : "Made again"}: ${done.tool}`, "", `${faces}, ${sideName(side)}`);
    for (const follower of [...followers]) follower({side, ...done});
  } catch (error) {
    fail(error);
  }
}

export const undo = () => exchange("undo");

export const redo = () => exchange("redo");

// Undo is for the side that was worked on last.
export const workOn = side => read().side !== side && update({side});

// One after the other: over a slow line two requests may overtake each other.
let newest = Promise.resolve();

function inOrder(work) {
  const done = newest.then(work);
  newest = done.catch(() => {});
  return done;
}

// When all that was changed so far is with the server, or was refused.
export const settled = () => newest;

// Sends operations (of operations.py) as one change; one undo takes it back. While the connection is broken it waits, and
// so does all that comes after it; sent again, it is carried out once.
export function edit(side, operations, base = null) {
  workOn(side);
  const body = {id: crypto.randomUUID(), operations, base};
  waiting += 1;
  return inOrder(() => insist(() => post(`${side}/edits`, body, {signal: AbortSignal.timeout(PATIENCE)}))).finally(() => { waiting -= 1; });
}

// Whoever closes the page while the connection is broken is asked.
addEventListener("beforeunload", event => { if (waiting && !read().connected) event.preventDefault(); });
