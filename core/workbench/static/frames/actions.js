// What is done to the chosen face or frame by one key or button.

import {get, post} from "../lib/api.js";
import {fail, toast} from "../lib/dialogs.js";
import {edit} from "../lib/undo.js";
import {NEW, moveAll} from "./moves.js";
import {COUNT, HANDLES, boxOf, isSamePlace, middleOf, movedBox, pointName, resizedBox} from "./shapes.js";

const TURN = Math.PI / 180; // of a key, for a pixel
const SIDES = 1 / 4; // of a new box, of the shorter side of what is seen

// Parts of the present tool that keys can move one by one; null is the whole.
export function partsOf({tool}) {
  if (tool === "box") return [null, ...HANDLES.keys()];
  if (tool === "square") return [null, "size", "turn"];
  if (tool === "points") return [null, ...Array(COUNT).keys()];
  return [null];
}

export function partName({tool, part, points}) {
  if (tool === "points" && part === null && points.size) return `${points.size} points`;
  if (part === null) return {box: "whole box", square: "whole square", points: "all points"}[tool] ?? "";
  if (tool === "box") return HANDLES[part][0];
  return tool === "points" ? `point ${part + 1}, ${pointName(part)}` : part;
}

export function stepPart(session, count) {
  const parts = partsOf(session);
  if (parts.length < 2) {
    session.say("This tool has no parts: choose box, square or points");
    return;
  }
  const place = parts.indexOf(session.part);
  choosePart(session, parts[(place + count + parts.length) % parts.length]);
}

export function choosePart(session, part) {
  session.part = part;
  session.points.clear();
  if (session.tool === "points" && part !== null) session.points.add(part);
  const place = session.tool === "points" && part !== null ? session.moves.shown(session.face ?? {}).points?.[part] : null;
  session.say(partName(session) + (place ? `, at ${place.map(value => value.toFixed(1)).join(", ")}` : ""));
}

export function stepFace(session, count) {
  const faces = session.frame?.faces ?? [];
  if (!faces.length) {
    session.say("There is no face in this frame");
    return;
  }
  const place = faces.findIndex(face => face.id === session.chosen);
  const next = place < 0 ? 0 : (place + count + faces.length) % faces.length;
  session.choose(faces[next].id);
  session.say(`Face ${next + 1} of ${faces.length}${faces[next].person ? `, ${faces[next].person}` : ""}`);
}

// Moves the part by so many frame pixels; without a face, or with the tool for looking, the picture.
export function nudge(session, x, y) {
  const {moves, tool} = session;
  const waiting = moves.drafts.get(NEW);
  if (waiting && !waiting.sent) {
    const box = session.part === null || session.tool !== "box" ? movedBox(waiting.box, x, y)
      : resizedBox(waiting.box, HANDLES[session.part], x, y);
    moves.update(waiting, {box});
    return;
  }
  if (tool === "view" || !session.face) {
    session.stage.pan(-40 * Math.sign(x), -40 * Math.sign(y));
    return;
  }
  const draft = moves.begin(session.face, tool);
  if (tool === "box") nudgeBox(session, draft, x, y);
  if (tool === "square") nudgeSquare(session, draft, x, y);
  if (tool === "points") nudgePoints(session, draft, x, y);
  moves.finishSoon(draft);
}

function nudgeBox({moves, part}, draft, x, y) {
  const box = draft.box ?? boxOf(draft.points);
  moves.update(draft, {box: part === null ? movedBox(box, x, y) : resizedBox(box, HANDLES[part], x, y)});
}

function nudgeSquare({moves, part}, draft, x, y) {
  if (!draft.points) return;
  const step = x - y;
  const half = Math.hypot(...[0, 1].map(axis => (draft.square ?? draft.points)[0][axis] - middleOf(draft.square ?? draft.points)[axis]));
  if (part === "turn") moveAll(moves, draft, draft, {turn: step * TURN});
  else if (part === "size") moveAll(moves, draft, draft, {scale: Math.max(0.1, 1 + step / Math.max(half, 1))});
  else moveAll(moves, draft, draft, {x, y});
}

function nudgePoints(session, draft, x, y) {
  if (!draft.points) return;
  const {points: chosen, moves} = session;
  const points = draft.points.map(([a, b], index) => (!chosen.size || chosen.has(index) ? [a + x, b + y] : [a, b]));
  moves.update(draft, {points});
  if (session.part !== null) session.say(`${partName(session)}, at ${points[session.part].map(value => value.toFixed(1)).join(", ")}`);
}

// A box in the middle of what is seen, to be moved and accepted.
export function addFace(session) {
  const {stage, moves} = session;
  if (!session.shown) return;
  session.setTool("box");
  const side = Math.min(stage.viewWidth / stage.scale, stage.viewHeight / stage.scale, ...session.shown.size) * SIDES;
  const [x, y] = stage.toPicture([stage.viewWidth / 2, stage.viewHeight / 2]);
  moves.beginNew([x - side / 2, y - side / 2, x + side / 2, y + side / 2]);
  session.part = null;
  session.say("New box: move it with the arrow keys, its corners after full stop, Enter takes it, Esc leaves it");
}

// Enter: the new box is a face; anything else that waits is sent.
export function accept(session) {
  const draft = session.moves.drafts.get(NEW);
  if (draft) session.moves.finish(draft);
  else session.moves.flush();
}

export function leave(session) {
  const {moves} = session;
  const draft = moves.drafts.get(NEW) ?? [...moves.drafts.values()].find(one => !one.sent);
  if (draft && !draft.sent) {
    moves.drop(draft);
    session.say("Left as it was");
  } else if (session.part !== null || session.points.size) {
    choosePart(session, null);
  } else {
    session.choose(null);
  }
}

export function removeFace(session) {
  const {face, moves} = session;
  if (!face) {
    session.say("No face is chosen");
    return;
  }
  const left = session.frame.faces.filter(other => other !== face);
  const {number} = session;
  moves.send(() => ({op: "delete_face", face: face.id, base: face.base})).then(() => {
    // In another frame another face is chosen by now.
    if (session.number === number) session.choose(left[0]?.id ?? null);
    session.say("The face was deleted");
  });
}

// The points anew, as the network sees them in the box.
export function suggest(session) {
  const {face, moves} = session;
  if (!face) {
    session.say("No face is chosen");
    return;
  }
  const draft = moves.begin(face, "box");
  moves.update(draft, {box: draft.box ?? boxOf(face.points)});
  moves.finish(draft);
}

// A face of the nearest frame before ("previous") or after ("next") that shows one: moved with the picture, then
// looked for anew. A chosen face at that place takes its points; else it is a new face.
export async function copyFrom(session, way) {
  const {side, number, frame, moves} = session;
  try {
    await moves.settled();
    const other = (await get(`${side}/near/${number}`))[way];
    if (!other) {
      session.say(`No ${way} frame shows a face`);
      return;
    }
    const free = other.faces.filter(face => face.points && !frame.faces.some(here => isSamePlace(here, face)))
      .sort((one, two) => (two.track === session.before?.track) - (one.track === session.before?.track));
    const onto = free.length ? null : session.face;
    const source = free[0] ?? (onto && other.faces.find(face => face.points && isSamePlace(face, onto)));
    if (!source) {
      session.say(`All faces of the ${way} frame are here already`);
      return;
    }
    const found = await session.landmarks.followTo(source.id, other.number, number);
    if (found.superseded) return;
    const operation = {op: "copy", frame: frame.name, source: source.id, box: found.box, points: found.points};
    const there = new Set(frame.faces.map(face => face.id));
    await moves.send(() => (onto ? {...operation, onto: onto.id, base: onto.base} : operation));
    const made = session.faces.get(number)?.faces.find(face => !there.has(face.id));
    if (made && session.number === number) session.choose(made.id);
    session.say(`Copied from frame ${other.number + 1}${found.aligned ? "" : "; the network sees no face here: look at it"}`);
  } catch (error) {
    fail(error);
  }
}

// Faces for the frames between the nearest two that show the same person.
export async function interpolate(session) {
  const {side, number, moves} = session;
  try {
    await moves.settled();
    const {previous, next} = await get(`${side}/near/${number}`);
    const pair = previous && next && pairOf(previous.faces, next.faces, session.before);
    if (!pair) {
      session.say("There is no frame with such a face on both sides");
      return;
    }
    const [first, last] = pair;
    await moves.send(() => ({op: "interpolate", first: first.id, last: last.id, first_base: first.base, last_base: last.base}));
    await session.reload();
    session.say(`Interpolated from frame ${previous.number + 1} to ${next.number + 1}`);
  } catch (error) {
    fail(error);
  }
}

// One face of each that go together: of one track, of one person, else those that were chosen or are largest.
function pairOf(left, right, before) {
  const [lefts, rights] = [left, right].map(faces => faces.filter(face => face.points));
  const order = [...lefts].sort((one, other) => (other.track === before?.track) - (one.track === before?.track));
  for (const same of [(a, b) => a.track && a.track === b.track, (a, b) => a.person && a.person === b.person, isSamePlace, () => true]) {
    for (const first of order) {
      const last = rights.find(face => same(first, face));
      if (last) return [first, last];
    }
  }
  return null;
}

export async function setPerson(session, ids, person) {
  try {
    await session.moves.settled();
    await edit(session.side, [{op: "set_person", faces: ids, person}]);
    await session.reload();
    session.say(person ? `This is ${person}` : "Nobody known");
  } catch (error) {
    fail(error);
  }
}

// The pictures of faces that were moved are cut out anew, by the stage that does so.
export async function cutAnew(session) {
  try {
    await session.moves.settled();
    await post("jobs", {stage: "alignments extract", values: {side: session.side}});
    toast("Pictures are being cut out anew", "good");
  } catch (error) {
    fail(error);
  }
}
