// Undo and redo of the changes of faces: the server knows them, also those of other programs and earlier days.

import {post} from "./api.js";
import {fail, toast} from "./dialogs.js";
import {read, update} from "./store.js";
import {sideName} from "./ui.js";

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
    const done = await post(`${side}/${word}`);
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

// Sends operations (of operations.py) as one change; one undo takes it back. Sent again after a broken connection, it
// is carried out once.
export async function edit(side, operations, base = null) {
  workOn(side);
  const body = {id: crypto.randomUUID(), operations, base};
  try {
    return await post(`${side}/edits`, body);
  } catch (error) {
    if (error.status !== 0) throw error;
    return post(`${side}/edits`, body);
  }
}
