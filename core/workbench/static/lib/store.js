// The state of the page: one object that is never changed, only replaced. What the server knows is only copied here.

import {useEffect, useState} from "preact/hooks";

let state = {
  server: null, // the answer of /state
  jobs: [], // newest first
  machine: null,
  revisions: {src: "", dst: ""},
  training: 0, // counts news of training
  connected: true,
  lost: null, // an ApiError that ends everything
  side: "src", // that was worked on last: undo is for it
  dialog: null,
  toasts: [],
};
const listeners = new Set();

export const read = () => state;

export function update(changes) {
  state = {...state, ...changes};
  for (const listener of [...listeners]) listener();
}

// A part of the state; the component is drawn again when it is another one.
export function useStore(select) {
  const [, again] = useState(0);
  const now = select(state);
  useEffect(() => {
    let last = select(state);
    const listener = () => {
      const next = select(state);
      if (next !== last) {
        last = next;
        again(count => count + 1);
      }
    };
    listener();
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, []);
  return now;
}
