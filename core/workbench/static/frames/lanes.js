// What the timeline knows of every frame, and the filters made of it.

import {address, bytes, headed} from "../lib/api.js";

export const FILTERS = {
  all: "All frames",
  none: "No face",
  several: "Several faces",
  misaligned: "Misaligned",
  small: "Small face",
  cutoff: "Cut off",
  person: "Somebody else",
  identity: "Identity changes",
  gap: "Gap in a track",
  edited: "Edited",
  stale: "Out of date",
  low: "Low confidence",
  cut: "Scene begins",
  some: "With a face",
};
export const LIMITS = {misaligned: 0.1, small: 80, low: 0.6};

// {revision, frames, fps, flags, counts, persons, faces, lowest, who, flag}: the last four have a value a frame.
export async function loadLanes(side, limits) {
  const {head, buffer, start} = headed(await bytes(address(`${side}/lanes`, limits).replace("/api/v1/", "")));
  const column = place => new Float32Array(buffer, start + 4 * head.frames * place, head.frames);
  return {...head, faces: column(0), lowest: column(1), who: column(2), flag: column(3)};
}

// Numbers of the frames that a filter lets through, ascending. "who:Anna" is a filter, too.
export function matching(lanes, filter) {
  const numbers = [];
  const person = filter.startsWith("who:") ? 1 << lanes.persons.indexOf(filter.slice(4)) : 0;
  const bit = 1 << lanes.flags.indexOf(filter);
  for (let number = 0; number < lanes.frames; number++) {
    const passes = filter === "all" || (filter === "some" ? lanes.faces[number] : person ? lanes.who[number] & person : lanes.flag[number] & bit);
    if (passes) numbers.push(number);
  }
  return numbers;
}

export const MOST_PERSONS = 24;

// A person without a name has a number.
export const personName = person => (/^\d+$/.test(person) ? `person ${person}` : person);

export const filterName = filter => FILTERS[filter] ?? `Shows ${personName(filter.slice(4))}`;

export const countOf = (lanes, filter) => (filter === "all" ? lanes.frames : lanes.counts[filter] ?? matching(lanes, filter).length);

// The words for what is wrong with a frame.
export const faultsOf = (lanes, number) => lanes.flags
  .filter((name, bit) => lanes.flag[number] & (1 << bit))
  .map(name => FILTERS[name]);
