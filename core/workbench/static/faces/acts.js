// What is done to the faces that are chosen: marks, names, applying; and finding those that are alike.

import {bytes, get, headed, post} from "../lib/api.js";
import {fail, openDialog, toast} from "../lib/dialogs.js";
import {Button, count, html, sideName} from "../lib/ui.js";
import {edit} from "../lib/undo.js";
import {hexadecimal} from "../lib/view.js";

const AT_ONCE = 100_000; // faces of an operation
const IN_ALL = 2; // operations of a request: more would be too long for it
const MOST_EXAMPLES = 1000;

const faces = number => (number === 1 ? "1 face" : `${count(number)} faces`);

// Sends an operation on many faces. Returns the answers.
async function send(side, ids, operation) {
  const parts = [];
  for (let start = 0; start < ids.length; start += AT_ONCE) {
    parts.push({...operation, faces: ids.slice(start, start + AT_ONCE).map(hexadecimal)});
  }
  const answers = [];
  for (let start = 0; start < parts.length; start += IN_ALL) answers.push(await edit(side, parts.slice(start, start + IN_ALL)));
  return answers;
}

// Writes a word into a column of a view, so that the page shows it at once.
export function write(view, name, places, word) {
  const words = view.words[name];
  let code = words.indexOf(word);
  if (code < 0) code = words.push(word) - 1;
  const before = places.map(place => view.columns[name][place]);
  for (const place of places) view.columns[name][place] = code;
  return () => places.forEach((place, number) => { view.columns[name][place] = before[number]; });
}

// What is chosen gets a word at once; it goes back when the server refuses. sent: sends it for these places and gives the
// answers.
async function change(grid, name, word, sent) {
  const {view} = grid;
  const places = grid.selection.meant();
  if (!places.length) return [];
  const back = write(view, name, places, word);
  grid.touch();
  try {
    return await sent(places);
  } catch (error) {
    back();
    grid.touch();
    throw error;
  }
}

const marked = (grid, mark, sent) => change(grid, "mark", mark, sent);

const idsAt = (grid, places) => places.map(place => grid.view.ids[place]);

export const setMark = (side, grid, mark) => marked(grid, mark, places => send(side, idsAt(grid, places), {op: "set_mark", mark}));

// In a queue of verdicts keeping a face rejects them for good, and any other decision takes that back. verdictsAt: the
// verdicts of the face at a place.
export async function decide(side, grid, mark, verdictsAt) {
  const {view} = grid;
  return marked(grid, mark, async places => {
    const answers = [];
    for (let start = 0; start < places.length; start += AT_ONCE) {
      const some = places.slice(start, start + AT_ONCE);
      const faces = some.map(place => hexadecimal(view.ids[place]));
      const rejections = byVerdicts(some, verdictsAt).map(([verdicts, those]) => ({
        op: "reject_verdicts", verdicts, rejected: mark === "keep", faces: those.map(place => hexadecimal(view.ids[place])),
      }));
      answers.push(await edit(side, [...rejections, {op: "set_mark", mark, faces}]));
    }
    return answers;
  });
}

// [verdicts, places of the faces that have these], without faces that have none.
function byVerdicts(places, verdictsAt) {
  const found = new Map();
  for (const place of places) {
    const verdicts = verdictsAt(place);
    const key = verdicts.join();
    if (!found.has(key)) found.set(key, [verdicts, []]);
    found.get(key)[1].push(place);
  }
  return [...found.values()].filter(([verdicts]) => verdicts.length);
}

export const setPerson = (side, grid, person) => change(grid, "person", person,
  places => send(side, idsAt(grid, places), {op: "set_person", person}));

// Asks who the chosen faces are. known: names. act: gets the name.
export function askPerson(number, known, before, act) {
  openDialog(`Who is this? (${faces(number)})`, close => {
    const submit = event => {
      event.preventDefault();
      close();
      act(new FormData(event.target).get("person").trim());
    };
    return html`<form class="person-form" onSubmit=${submit}>
      <label>Name<input type="text" name="person" list="known-persons" maxlength="80" pattern="[^\\/\\\\]*" value=${before}
        autocomplete="off" autofocus /></label>
      <datalist id="known-persons">${known.map(name => html`<option value=${name} />`)}</datalist>
      ${known.length > 0 && html`<div class="buttons">${known.slice(0, 9).map(name => html`
        <${Button} onClick=${() => { close(); act(name); }}>${name}<//>`)}</div>`}
      <p class="muted">An empty name takes the name away.</p>
      <footer class="dialog-foot"><${Button} onClick=${close}>Cancel<//><button class="button main">Name</button></footer></form>`;
  });
}

// Asks, and carries out all marks of the side.
export async function askApply(side) {
  try {
    const {counts} = await get(`${side}/faces`);
    const {trash = 0, keep = 0} = counts.mark ?? {};
    if (!trash && !keep) {
      toast("There are no marks to apply", "", "Mark faces first: trash (X) or keep (K).");
      return;
    }
    openDialog(`Apply the marks of the ${sideName(side)} faces?`, close => html`
      <ul class="plain">${trash > 0 && html`<li><strong>${faces(trash)}</strong> go to the trash folder of the side.</li>`}
        ${keep > 0 && html`<li><strong>${faces(keep)}</strong> are kept; those in the trash come back.</li>`}</ul>
      <p class="muted">Files are moved, none is deleted, and undo (Ctrl+Z) brings all of them back.</p>
      <footer class="dialog-foot"><${Button} onClick=${close}>Cancel<//>
        <${Button} kind="main" onClick=${() => { close(); apply(side); }}>Apply<//></footer>`);
  } catch (error) {
    fail(error);
  }
}

async function apply(side) {
  try {
    const done = await post(`${side}/apply`);
    toast(`Applied: ${faces(done.faces)}`, "good", "Ctrl+Z takes it back.");
  } catch (error) {
    fail(error);
  }
}

// The faces that are like the chosen ones, the most alike first: {ids, cosines, lowest, least, unknown, only}.
export async function findSimilar(side, ids) {
  const step = Math.max(1, Math.ceil(ids.length / MOST_EXAMPLES));
  const examples = ids.filter((_, place) => place % step === 0).map(hexadecimal);
  const {head, buffer, start} = headed(await bytes(`${side}/similar`, {method: "POST", body: JSON.stringify({faces: examples})}));
  return {
    ids: new BigUint64Array(buffer, start, head.count),
    cosines: new Float32Array(buffer, start + 8 * head.count, head.count),
    lowest: head.least,
    least: head.same,
    unknown: head.unknown,
    only: examples.length === 1 ? examples[0] : "",
  };
}

// Chooses those of a view that are so much alike.
export function chooseAlike(grid, like) {
  const wanted = new Set();
  for (let place = 0; place < like.ids.length && like.cosines[place] >= like.least; place++) wanted.add(like.ids[place]);
  const {selection, view} = grid;
  selection.clear();
  view.ids.forEach((id, place) => { if (wanted.has(id)) selection.set(place, true); });
  grid.touch();
}
