// Beside the stage: the polygons of the face, the suggestion, and the stages that learn from polygons and make masks.

import {address} from "../lib/api.js";
import {openDialog, toast} from "../lib/dialogs.js";
import {openForm} from "../lib/form.js";
import {titleOf} from "../lib/keys.js";
import {Badge, Button, count, html} from "../lib/ui.js";
import {OVERLAYS, wordOf} from "./session.js";

export function Panel({session, actions}) {
  return html`<aside class="mask-panel" aria-label="This face">
    <${About} session=${session} />
    <${Polygons} session=${session} actions=${actions} />
    <${Suggestion} session=${session} actions=${actions} />
    <${Overlay} session=${session} />
    <${Stages} session=${session} /></aside>`;
}

function About({session}) {
  const {face, sketch} = session;
  if (!face) return html`<section><h2>${session.id ? "Loading" : "No face"}</h2></section>`;
  return html`<section><h2 class="cut" title=${face.name}>${face.name}</h2>
    <div class="badges"><${Badge}>${face.size.join(" x ")}<//><${Badge}>${wordOf(face.mask)}<//>
      ${session.saving > 0 ? html`<${Badge} kind="accent">saving<//>` : sketch.dirty && html`<${Badge} kind="warn">not saved yet<//>`}</div></section>`;
}

function Polygons({session, actions}) {
  const {sketch} = session;
  if (!sketch) return null;
  const {polygons, chosen, point} = sketch;
  const words = (polygon, place) => `${polygon.include ? "include" : "exclude"}, ${polygon.points.length} points${place === chosen && point !== null ? `, point ${point + 1} is chosen` : ""}`;
  return html`<section><h3>Polygons</h3>
    ${!polygons.length && html`<p class="muted">None yet. Begin with New, or with a suggestion.</p>`}
    <ul class="polygons">${polygons.map((polygon, place) => html`<li key=${place}>
      <button type="button" class="button quiet" aria-pressed=${place === chosen ? "true" : "false"} onClick=${() => sketch.choose(place)}>
        <span class="kind ${polygon.include ? "include" : "exclude"}" aria-hidden="true"></span>
        <span>${place + 1}: ${words(polygon, place)}</span></button></li>`)}</ul>
    <div class="pairs"><${Button} action="flip" disabled=${chosen === null} onClick=${actions.flip}>Swap kind<//>
      <${Button} action="insert" disabled=${chosen === null} onClick=${actions.insert}>Add point<//>
      <${Button} action="remove" disabled=${chosen === null} onClick=${actions.remove}>Delete<//>
      <${Button} action="save" icon="save" disabled=${!sketch.dirty} onClick=${actions.save}>Save<//></div></section>`;
}

function Suggestion({session, actions}) {
  if (!session.face) return null;
  return html`<section><h3>Suggestion</h3>
    <label class="inline">From <select value=${session.source} onChange=${event => { session.source = event.target.value; session.changed(); }}>
      <option value="stored">${session.face.stored ? "the stored mask" : "the landmark hull"}</option>
      <option value="network">the network, now</option></select></label>
    <label class="slider"><span>Tolerance <output>${session.tolerance.toFixed(2)}</output></span>
      <input type="range" min="0" max="8" step="0.25" value=${session.tolerance} onInput=${event => session.slide(Number(event.target.value))} /></label>
    <div class="pairs"><${Button} action="suggest" onClick=${actions.suggest}>Suggest<//></div></section>`;
}

function Overlay({session}) {
  return html`<section><h3 id="overlay">Overlay</h3><div class="group" role="group" aria-labelledby="overlay">
    ${Object.entries(OVERLAYS).map(([name, words]) => html`<${Button} key=${name} title=${titleOf("overlay")} aria-pressed=${name === session.overlay ? "true" : "false"}
      onClick=${() => session.showOverlay(name)}>${words}<//>`)}</div></section>`;
}

const openReport = (side, time) => openDialog("The worst masks", () => html`<p class="muted">Of the mask report of ${new Date(time).toLocaleString()}.</p>
    <img class="report" src=${address(`${side}/masks/report.jpg`, {time})} alt="Faces with their masks, the worst first" />`, {wide: true});

function Stages({session}) {
  const {side, counts, report} = session;
  const start = (stage, values) => {
    session.settled();
    openForm(stage, values, {started: job => toast(`${stage} ${job.state === "waiting" ? "waits for its turn" : "was started"}`, "good", "Above, beside the name of the workspace, is how far it is.")});
  };
  return html`<section><h3>Next steps</h3>
    ${counts && html`<p class="muted">${count(counts.labelled)} of ${count(counts.all)} faces of this side have polygons.</p>`}
    <div class="stages"><${Button} onClick=${() => start("train-xseg", {})}>Train XSeg ...<//>
      <${Button} onClick=${() => start("mask", {side})}>Make masks again ...<//>
      <${Button} onClick=${() => start("mask-report", {side})}>Mask report ...<//>
      ${report > 0 && html`<${Button} kind="quiet" onClick=${() => openReport(side, report)}>Show the worst masks<//>`}</div></section>`;
}
