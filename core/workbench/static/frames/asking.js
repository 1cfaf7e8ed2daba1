// Dialogs of the screen: who a face is, and what is to be done to many faces at once.

import {useState} from "preact/hooks";
import {fail, openDialog} from "../lib/dialogs.js";
import {edit} from "../lib/undo.js";
import {Button, count, html} from "../lib/ui.js";
import {hexadecimal, loadView} from "../lib/view.js";
import {setPerson} from "./actions.js";

export function askPerson(session) {
  const {face} = session;
  if (!face) {
    session.say("No face is chosen");
    return;
  }
  openDialog("Who is this?", close => html`<${Person} session=${session} face=${face} close=${close} />`);
}

function Person({session, face, close}) {
  const [name, set] = useState(face.person);
  const save = event => {
    event.preventDefault();
    close();
    setPerson(session, [face.id], name.trim());
  };
  return html`<form onSubmit=${save} class="stage-form"><label>Name
      <input type="text" value=${name} maxlength="80" list="persons" onInput=${event => set(event.target.value)} /></label>
    <datalist id="persons">${(session.lanes?.persons ?? []).map(one => html`<option value=${one} />`)}</datalist>
    <p class="muted">An empty name takes it back. To name all faces of a track, use “Apply to ...” afterwards.</p>
    <footer class="dialog-foot"><${Button} onClick=${close}>Cancel<//>
      <button type="submit" class="button main">Save</button></footer></form>`;
}

export function openApply(session) {
  const {face} = session;
  if (!face) {
    session.say("No face is chosen");
    return;
  }
  session.moves.settled().then(() => openDialog("Apply to several frames",
    close => html`<${Apply} session=${session} face=${session.face ?? face} close=${close} />`));
}

const WHATS = {
  move: "move their points as those of this face were moved last",
  person: "say that they are the same person",
  remove: "delete them",
};

function Apply({session, face, close}) {
  const moved = session.moves.last.has(face.id);
  const [what, setWhat] = useState(moved ? "move" : "person");
  const [whose, setWhose] = useState(face.track ? "track" : face.person ? "person" : "all");
  const [first, setFirst] = useState(session.number + 1);
  const [last, setLast] = useState(session.lanes.frames);
  const [found, setFound] = useState(null);
  const look = async () => {
    const query = {status: "kept", frame: `${first - 1}..${last - 1}`};
    if (whose === "track") query.track = face.track;
    if (whose === "person") query.person = face.person;
    const view = await loadView(session.side, query);
    return {revision: view.revision, ids: [...view.ids].map(hexadecimal)};
  };
  const count_ = () => look().then(setFound).catch(fail);
  const carryOut = async () => {
    try {
      const {revision, ids} = await look();
      close();
      await applyTo(session, face, what, ids, revision);
    } catch (error) {
      fail(error);
    }
  };
  const set = change => event => { change(event.target.value); setFound(null); };
  return html`<div class="stage-form apply">
    <fieldset><legend>What to do to the faces</legend>${Object.entries(WHATS).map(([name, words]) => html`
      <label class="inline" key=${name}><input type="radio" name="what" value=${name} checked=${what === name}
        disabled=${(name === "move" && !moved) || (name === "person" && !face.person)} onChange=${set(setWhat)} />${words}</label>`)}</fieldset>
    <fieldset><legend>Which faces</legend>
      <label class="inline"><input type="radio" name="whose" value="track" checked=${whose === "track"} disabled=${!face.track}
        onChange=${set(setWhose)} />of the same track</label>
      <label class="inline"><input type="radio" name="whose" value="person" checked=${whose === "person"} disabled=${!face.person}
        onChange=${set(setWhose)} />of the same person</label>
      <label class="inline"><input type="radio" name="whose" value="all" checked=${whose === "all"} onChange=${set(setWhose)} />all</label></fieldset>
    <fieldset class="range"><legend>In which frames</legend>
      <label>From <input type="number" min="1" max=${session.lanes.frames} value=${first} onInput=${set(value => setFirst(Number(value)))} /></label>
      <label>to <input type="number" min="1" max=${session.lanes.frames} value=${last} onInput=${set(value => setLast(Number(value)))} /></label></fieldset>
    <p role="status">${found ? `${count(found.ids.length)} faces, with this one` : "One undo takes it all back."}</p>
    <footer class="dialog-foot"><${Button} onClick=${count_}>Count<//><span class="grow"></span>
      <${Button} onClick=${close}>Cancel<//><${Button} kind="main" onClick=${carryOut}>Apply<//></footer></div>`;
}

async function applyTo(session, face, what, ids, revision) {
  if (!ids.length) {
    session.say("There is no such face");
    return;
  }
  const before = session.moves.last.get(face.id);
  const operation = {
    move: {op: "apply_move", face: face.id, base: face.base, before, faces: ids},
    person: {op: "set_person", faces: ids, person: face.person},
    remove: {op: "delete_faces", faces: ids},
  }[what];
  const done = await edit(session.side, [operation], revision);
  await session.reload();
  session.say(`${done.faces === 1 ? "1 face was" : `${done.faces} faces were`} changed`);
}
