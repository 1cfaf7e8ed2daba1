// Beside the stage: the faces of the frame, the chosen one large, and what can be done.

import {useEffect, useRef} from "preact/hooks";
import {useStore} from "../lib/store.js";
import {Badge, Button, html} from "../lib/ui.js";
import {
  accept, addFace, choosePart, copyFrom, cutAnew, interpolate, leave, nudge, partName, partsOf, removeFace, stepPart, suggest,
} from "./actions.js";
import {askPerson, openApply} from "./asking.js";
import {colors} from "./drawing.js";
import {personName} from "./lanes.js";
import {NEW} from "./moves.js";
import {useSession} from "./session.js";

const SIZE = 248; // CSS pixels of the large face
const STEPS = [0.1, 1, 10];

export function Panel({session}) {
  useSession(session);
  return html`<aside class="frame-panel" aria-label="Faces of this frame">
    <${Conflict} session=${session} /><${Waiting} session=${session} />
    <${Large} session=${session} />
    <${Faces} session=${session} />
    <${Part} session=${session} />
    <${Actions} session=${session} />
    <${Stale} session=${session} /></aside>`;
}

function Conflict({session}) {
  const {moves} = session;
  if (!moves.conflict) return null;
  return html`<div class="problem" role="alert"><div><strong>Somebody else has changed this face</strong>
    <div>Theirs is shown; yours is dashed.</div>
    <div class="buttons"><${Button} kind="main" onClick=${() => moves.useMine()}>Use mine<//>
      <${Button} onClick=${() => moves.keepTheirs()}>Keep theirs<//></div></div></div>`;
}

// A new box that is not a face yet.
function Waiting({session}) {
  const draft = session.moves.drafts.get(NEW);
  if (!draft || draft.sent) return null;
  return html`<div class="new-box"><span>A new box: move it over the face.</span>
    <div class="buttons"><${Button} kind="main" action="accept" onClick=${() => accept(session)}>Take it<//>
      <${Button} action="leave" onClick=${() => leave(session)}>Leave it<//></div></div>`;
}

// The square of the chosen face, upright, with its points.
function Large({session}) {
  const canvas = useRef(null);
  useEffect(() => drawLarge(canvas.current, session));
  const {face} = session;
  const words = face ? `The chosen face, upright${face.stale ? "; its picture is out of date" : ""}` : "No face is chosen";
  return html`<canvas class="large" ref=${canvas} role="img" aria-label=${words} width=${2 * SIZE} height=${2 * SIZE}></canvas>`;
}

function drawLarge(canvas, session) {
  const context = canvas.getContext("2d");
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  const {face, shown} = session;
  const drawn = face && session.moves.shown(face);
  const square = drawn?.square ?? face?.square;
  if (!square || !shown?.picture || shown.number !== session.number) return;
  const matrix = upright(square, canvas.width);
  context.setTransform(...matrix);
  context.imageSmoothingQuality = "high";
  context.drawImage(shown.picture, -0.5, -0.5, ...shown.size);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = colors()["film-points"];
  context.strokeStyle = colors()["film-shade"];
  (drawn.points ?? []).forEach(([x, y], index) => {
    const [a, b, c, d, e, f] = matrix;
    context.beginPath();
    context.arc(a * x + c * y + e, b * x + d * y + f, session.points.has(index) ? 7 : 3.5, 0, 7);
    context.fill();
    context.stroke();
  });
}

// Frame pixels to a canvas of this size, as setTransform takes it.
function upright([[left, top], [right, over]], size) {
  const [x, y] = [right - left, over - top];
  const long = x * x + y * y || 1;
  const [cos, sin] = [x / long * size, y / long * size];
  return [cos, -sin, sin, cos, -(cos * left + sin * top), sin * left - cos * top];
}

function Faces({session}) {
  const {frame, chosen} = session;
  if (!frame) return null;
  if (!frame.faces.length) return html`<p class="muted">No face in this frame. Draw a box around one (2), or press N.</p>`;
  return html`<ul class="face-list">${frame.faces.map((face, place) => html`<li key=${face.id}>
    <button type="button" class="button" aria-pressed=${face.id === chosen ? "true" : "false"} onClick=${() => session.choose(face.id)}>
      <span class="face-name">Face ${place + 1}${face.person && `, ${personName(face.person)}`}</span>
      <span class="muted">${Math.round(100 * Math.min(face.confidence ?? 1, face.sure ?? 1))} %</span>
      ${face.track > 0 && html`<span class="muted">track ${face.track}</span>`}
      ${face.stale ? html`<${Badge} kind="warn">${face.picture ? "out of date" : "no picture"}<//>` : html`<span class="muted cut">${face.origin}</span>`}
    </button></li>`)}</ul>`;
}

// The part of the tool that the keys move, and the keys as buttons.
function Part({session}) {
  const {tool, face} = session;
  const parts = partsOf(session);
  if (parts.length < 2 || (!face && !session.moves.drafts.size)) return null;
  const step = session.keyStep ?? 1;
  const setStep = value => { session.keyStep = value; session.changed(); };
  const by = (x, y, label) => html`<button type="button" class="button square" aria-label="Move ${label} by ${step}"
    onClick=${() => nudge(session, x * step, y * step)}>${{left: "←", right: "→", up: "↑", down: "↓"}[label]}</button>`;
  return html`<section class="part" aria-label="Part that the arrow keys move">
    <div class="buttons"><${Button} kind="quiet" action="previousPart" onClick=${() => stepPart(session, -1)}>‹<//>
      <select aria-label="Part" value=${session.part ?? ""} onChange=${event => choosePart(session, readPart(event.target.value))}>
        ${parts.map(part => html`<option key=${part} value=${part ?? ""}>${partName({tool, part, points: new Set()})}</option>`)}</select>
      <${Button} kind="quiet" action="nextPart" onClick=${() => stepPart(session, 1)}>›<//></div>
    <div class="buttons">${by(-1, 0, "left")}${by(1, 0, "right")}${by(0, -1, "up")}${by(0, 1, "down")}
      <div class="group" role="group" aria-label="Pixels a step">${STEPS.map(value => html`<button type="button" class="button" key=${value}
        aria-pressed=${value === step ? "true" : "false"} onClick=${() => setStep(value)}>${value}</button>`)}</div></div></section>`;
}

const readPart = text => (text === "" ? null : Number.isNaN(Number(text)) ? text : Number(text));

function Actions({session}) {
  const has = session.face !== null;
  return html`<div class="frame-actions">
    <${Button} action="add" onClick=${() => addFace(session)}>New face<//>
    <${Button} action="remove" disabled=${!has} onClick=${() => removeFace(session)}>Delete<//>
    <${Button} action="suggest" disabled=${!has} onClick=${() => suggest(session)}>Find points<//>
    <${Button} action="person" disabled=${!has} onClick=${() => askPerson(session)}>Person<//>
    <${Button} action="copyPrevious" onClick=${() => copyFrom(session, "previous")}>From previous<//>
    <${Button} action="copyNext" onClick=${() => copyFrom(session, "next")}>From next<//>
    <${Button} action="interpolate" onClick=${() => interpolate(session)}>Interpolate<//>
    <${Button} action="applyTo" disabled=${!has} onClick=${() => openApply(session)}>Apply to ...<//></div>`;
}

function Stale({session}) {
  const job = useStore(state => state.jobs.find(one => one.stage === "alignments extract" && ["waiting", "running"].includes(one.state)));
  const count = session.lanes?.counts.stale ?? 0;
  if (job) return html`<p class="muted" role="status">Pictures are being cut out anew: the faces cannot be changed until that ends.</p>`;
  if (!count) return null;
  return html`<div class="stale-note"><span>${count === 1 ? "1 frame has" : `${count} frames have`} faces whose picture or mask is out of date.</span>
    <${Button} onClick=${() => cutAnew(session)}>Cut them out anew<//></div>`;
}
