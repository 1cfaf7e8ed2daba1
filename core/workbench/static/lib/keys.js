// All keys of all screens in one table, in three presets; a screen says what an action does there. Keys are read by
// their place (event.code), so that they sit alike on every layout.

import {useEffect, useRef} from "preact/hooks";

export const PRESETS = ["forge", "faceswap", "dfl"];

// action: [what it does, keys in forge, faceswap, dfl]. Several keys have spaces between; an empty text: no key there.
export const MAP = {
  undo: ["undo", "Ctrl+KeyZ", "Ctrl+KeyZ", "Ctrl+KeyZ"],
  redo: ["redo", "Ctrl+Shift+KeyZ", "Ctrl+Shift+KeyZ", "Ctrl+Shift+KeyZ"],
  help: ["show these keys", "Shift+Slash", "Shift+Slash", "Shift+Slash"],
  next: ["next", "KeyD", "KeyX", "KeyD"],
  previous: ["previous", "KeyA", "KeyZ", "KeyA"],
  next10: ["ten further", "Shift+KeyD", "Shift+KeyX", "Shift+KeyD"],
  previous10: ["ten back", "Shift+KeyA", "Shift+KeyZ", "Shift+KeyA"],
  play: ["play or pause", "Space", "Space", ""],
  first: ["first", "Home", "Home", "Home"],
  last: ["last", "End", "End", "End"],
  nextFilter: ["next filter", "KeyF", "KeyF", ""],
  previousFilter: ["previous filter", "Shift+KeyF", "", ""],
  view: ["tool: look", "Digit1", "F1", ""],
  box: ["tool: box", "Digit2", "F2", ""],
  square: ["tool: square", "Digit3", "F3", ""],
  points: ["tool: points", "Digit4", "F4", ""],
  mask: ["its mask", "Digit5", "F5", ""],
  copyPrevious: ["copy from the previous frame", "KeyV", "KeyV", "Comma"],
  copyNext: ["copy from the next frame", "KeyC", "KeyC", ""],
  interpolate: ["interpolate the gap", "KeyI", "", ""],
  add: ["new face or polygon", "KeyN", "", ""],
  putPoint: ["put a point of the polygon", "Space", "Space", "Space"],
  insert: ["insert a point", "KeyI", "KeyI", "KeyI"],
  flip: ["turn include into exclude, and back", "KeyR", "", ""],
  save: ["save", "Ctrl+KeyS", "Ctrl+KeyS", "Ctrl+KeyS"],
  accept: ["close it, or accept", "Enter", "Enter", "Enter"],
  leave: ["leave it", "Escape", "Escape", "Escape"],
  include: ["include", "KeyQ", "", "KeyQ"],
  exclude: ["exclude", "KeyW", "", "KeyW"],
  brush: ["brush", "KeyB", "KeyD", ""],
  eraser: ["eraser", "KeyE", "KeyE", ""],
  smaller: ["smaller brush", "BracketLeft", "BracketLeft", ""],
  larger: ["larger brush", "BracketRight", "BracketRight", ""],
  remove: ["delete the point, polygon or face", "Delete KeyX", "Delete", "Delete KeyX"],
  trash: ["mark as trash", "KeyX", "Delete", "KeyX"],
  keep: ["mark as kept", "KeyK", "", ""],
  unsure: ["mark as unsure", "KeyU", "", ""],
  unmark: ["take the mark off", "KeyR", "", ""],
  person: ["say who it is", "KeyP", "", ""],
  similar: ["select similar faces", "KeyS", "", ""],
  apply: ["apply the marks", "Ctrl+Enter", "Ctrl+Enter", "Ctrl+Enter"],
  nextOpen: ["next without a mark", "KeyN", "", ""],
  all: ["select all", "Ctrl+KeyA", "Ctrl+KeyA", "Ctrl+KeyA"],
  lock: ["lock the view", "KeyL", "", "ShiftLeft"],
  magnify: ["magnify", "KeyM", "KeyM", "Backquote"],
  overlay: ["show masks", "KeyO", "", "Digit4"],
  nextFace: ["next face of the frame, or polygon", "KeyT", "KeyT", "KeyT"],
  previousFace: ["previous face of the frame, or polygon", "Shift+KeyT", "Shift+KeyT", "Shift+KeyT"],
  nextPart: ["next corner, handle or point", "Period", "Period", "Period"],
  previousPart: ["previous corner, handle or point", "Comma", "Comma", "Shift+Period"],
  applyTo: ["apply to several frames", "KeyY", "KeyY", "KeyY"],
  zoomIn: ["zoom in", "Equal", "Equal", "Equal"],
  zoomOut: ["zoom out", "Minus", "Minus", "Minus"],
  fit: ["show the whole picture", "Digit0", "Digit0", "Digit0"],
  show1: ["show the wipe", "Digit1", "F1", "Digit1"],
  show2: ["show the merged frame", "Digit2", "F2", "Digit2"],
  show3: ["show the target", "Digit3", "F3", "Digit3"],
  show4: ["show what is covered", "Digit4", "F4", "Digit4"],
  show5: ["show source, target and swapped face", "Digit5", "F5", "Digit5"],
  suggest: ["suggest again", "KeyS", "", ""],
};

// Arrow keys move what is chosen: by a pixel, with Shift by ten, with Ctrl by a tenth.
export const WAYS = {Left: [-1, 0], Right: [1, 0], Up: [0, -1], Down: [0, 1]};
export const STEPS = {"": ["", 1], Ten: ["Shift+", 10], Tenth: ["Ctrl+", 0.1]};
for (const way of Object.keys(WAYS)) {
  for (const [name, [held, pixels]] of Object.entries(STEPS)) {
    MAP[`move${way}${name}`] = [`move ${way.toLowerCase()} by ${pixels}`, ...PRESETS.map(() => `${held}Arrow${way}`)];
  }
}

// Newest last: a dialog over a screen comes before it.
const layers = [];

export function preset() {
  const kept = localStorage.getItem("keys");
  return PRESETS.includes(kept) ? kept : PRESETS[0];
}

export const choosePreset = name => localStorage.setItem("keys", name);

export const keysOf = (action, name = preset()) => MAP[action][1 + PRESETS.indexOf(name)].split(" ").filter(Boolean);

// Keys for people: "Ctrl+Z", "Del, X".
export const spoken = keys => keys.join(", ")
  .replace(/Key|Digit/g, "")
  .replace("BracketLeft", "[").replace("BracketRight", "]").replace("Comma", ",").replace("Period", ".").replace("Equal", "+").replace("Minus", "-").replace("Arrow", "").replace("Backquote", "`")
  .replace("Shift+Slash", "?").replace("ShiftLeft", "Shift").replace("Delete", "Del").replace("Escape", "Esc");

// The title of a button: what it does and its key.
export function titleOf(action, words = MAP[action][0]) {
  const keys = keysOf(action);
  const text = words[0].toUpperCase() + words.slice(1);
  return keys.length ? `${text} (${spoken(keys)})` : text;
}

// Says what actions do while the component is shown: {action: function}. The newest component comes first.
export function useActions(actions) {
  const layer = useRef(actions);
  layer.current = actions;
  useEffect(() => {
    layers.push(layer);
    return () => layers.splice(layers.indexOf(layer), 1);
  }, []);
}

// The actions that have a meaning now.
export const activeActions = () => new Set(layers.flatMap(layer => Object.keys(layer.current)));

// The question mark is the one key that is known by its sign: it sits elsewhere on every layout.
const pressed = event => event.key === "?" ? "Shift+Slash" : [
  event.ctrlKey || event.metaKey ? "Ctrl+" : "",
  event.shiftKey && !event.code.startsWith("Shift") ? "Shift+" : "",
  event.code,
].join("");

function isTyping(element) {
  if (element.isContentEditable || element.matches("textarea, select")) return true;
  return element.matches("input") && !["checkbox", "radio", "range", "button"].includes(element.type);
}

// The newest layer that knows a key carries it out.
function carryOut(key, event) {
  const open = document.querySelector("dialog[open]");
  for (const layer of [...layers].reverse()) {
    const action = Object.keys(layer.current).find(name => keysOf(name).includes(key));
    if (!action) continue;
    if (open && !["undo", "redo"].includes(action)) return;
    event.preventDefault();
    layer.current[action](event);
    return;
  }
}

export function listenToKeys() {
  let alone = false; // Shift is held, and nothing else was done since
  addEventListener("keydown", event => {
    alone = event.key === "Shift" && !event.repeat && !event.ctrlKey && !isTyping(event.target);
    if (event.altKey || isTyping(event.target)) return;
    const key = pressed(event);
    // Space and Enter belong to the button that has the focus.
    if (["Space", "Enter"].includes(key) && event.target.matches("button, a, summary, input")) return;
    if (key.includes("Arrow") && event.target.matches("input[type=range]")) return;
    // It is a key of its own only when it is let go again: with others it changes what they mean.
    if (event.key !== "Shift") carryOut(key, event);
  });
  addEventListener("keyup", event => {
    if (alone && event.key === "Shift") carryOut("ShiftLeft", event);
    alone = false;
  });
  addEventListener("pointerdown", () => { alone = false; });
}
