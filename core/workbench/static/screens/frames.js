// Frames of a film or folder with their faces: look, find what is wrong, put it right.

import {useEffect, useMemo, useRef} from "preact/hooks";
import {
  accept, addFace, copyFrom, interpolate, leave, nudge, removeFace, stepFace, stepPart, suggest,
} from "../frames/actions.js";
import {askPerson, openApply} from "../frames/asking.js";
import {drawFaces} from "../frames/drawing.js";
import {FILTERS, MOST_PERSONS, countOf, filterName} from "../frames/lanes.js";
import {Panel} from "../frames/panel.js";
import {Player} from "../frames/player.js";
import {Session, useSession} from "../frames/session.js";
import {placeOf, widthOf} from "../frames/shapes.js";
import {Timeline, Where} from "../frames/timeline.js";
import {toolsOf} from "../frames/tools.js";
import {Stage} from "../lib/canvas.js";
import {STEPS, WAYS, useActions} from "../lib/keys.js";
import {go} from "../lib/router.js";
import {useStore} from "../lib/store.js";
import {Badge, Button, Empty, Heading, Problem, Sides, ToNextStep, count, html, sideName} from "../lib/ui.js";
import {onBeforeUndo, onTakenBack, workOn} from "../lib/undo.js";

const TOOLS = [["view", "Look"], ["box", "Box"], ["square", "Square"], ["points", "Points"]];
const SETTLE = 200; // milliseconds after a change until lanes are read anew
const CLOSE_UP = 1.1; // face widths around the middle of a magnified face

export function Frames({route}) {
  const side = ["src", "dst"].includes(route.parts[0]) ? route.parts[0] : "dst";
  return html`<${Side} key=${side} side=${side} query=${route.query} />`;
}

function Side({side, query}) {
  const session = useMemo(() => new Session(side), []);
  const player = useMemo(() => new Player(session), []);
  useSession(session);
  useLoading(session, query);
  useActions(actionsOf(session, player));
  window.forge.frames = session;
  const {lanes, error} = session;
  return html`<${Heading} title="Frames"><${Sides} screen="frames" side=${side} />
      ${lanes?.frames > 0 && html`<${Filter} session=${session} />`}<span class="grow"></span>
      <${Saving} session=${session} /></${Heading}>
    <p class="unseen" aria-live="polite">${session.said}</p>
    ${error ? html`<${NoFrames} error=${error} side=${side} />`
      : lanes && !lanes.frames ? html`<${Empty} icon="frames" title="No frames yet">Find the faces of this side first.<//><${ToNextStep} />`
      : html`<div class="frame-body"><${Tools} session=${session} />
        <div class="frame-middle"><${Picture} session=${session} />
          <${Transport} session=${session} player=${player} /><${Timeline} session=${session} /></div>
        <${Panel} session=${session} /></div>`}`;
}

function useLoading(session, query) {
  const revision = useStore(state => state.revisions[session.side]);
  useEffect(() => {
    workOn(session.side);
    session.loadLanes().then(() => {
      if (!session.lanes?.frames) return;
      const asked = Number(query.get("frame"));
      session.setFilter(query.get("filter") ?? "all");
      session.go(asked > 0 ? asked - 1 : session.matches[0] ?? 0);
    });
    const ends = [
      onBeforeUndo(() => session.moves.settled()),
      onTakenBack(({side, frame}) => side === session.side && goToName(session, frame)),
    ];
    return () => {
      for (const end of ends) end();
      session.player.stop();
      session.close();
    };
  }, []);
  const asked = query.toString();
  useEffect(() => {
    if (!session.lanes?.frames) return;
    if (query.get("filter")) session.setFilter(query.get("filter"));
    if (query.get("frame") > 0) session.go(query.get("frame") - 1);
  }, [asked]);
  const first = useRef(true);
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return undefined;
    }
    const timer = setTimeout(() => session.reload().catch(() => {}), SETTLE);
    return () => clearTimeout(timer);
  }, [revision]);
}

// Where something was undone is shown.
async function goToName(session, name) {
  await session.reload();
  const number = await session.numberOf(name);
  if (number >= 0 && number !== session.number) session.go(number);
}

function actionsOf(session, player) {
  const moving = {};
  for (const [way, [x, y]] of Object.entries(WAYS)) {
    for (const [name, [, step]] of Object.entries(STEPS)) moving[`move${way}${name}`] = () => nudge(session, x * step, y * step);
  }
  const tools = Object.fromEntries(TOOLS.map(([name]) => [name, () => session.setTool(name)]));
  const still = act => () => { player.stop(); act(); };
  return {
    ...moving,
    ...tools,
    mask: () => toMask(session),
    play: () => player.toggle(),
    next: still(() => session.step(1)),
    previous: still(() => session.step(-1)),
    next10: still(() => session.step(10)),
    previous10: still(() => session.step(-10)),
    first: still(() => session.step(-Infinity)),
    last: still(() => session.step(Infinity)),
    nextFilter: () => stepFilter(session, 1),
    previousFilter: () => stepFilter(session, -1),
    nextFace: () => stepFace(session, 1),
    previousFace: () => stepFace(session, -1),
    nextPart: () => stepPart(session, 1),
    previousPart: () => stepPart(session, -1),
    add: () => addFace(session),
    accept: () => accept(session),
    leave: () => leave(session),
    remove: () => removeFace(session),
    suggest: () => suggest(session),
    copyPrevious: () => copyFrom(session, "previous"),
    copyNext: () => copyFrom(session, "next"),
    interpolate: () => interpolate(session),
    person: () => askPerson(session),
    applyTo: () => openApply(session),
    zoomIn: () => session.stage.zoomIn(),
    zoomOut: () => session.stage.zoomOut(),
    fit: () => session.stage.fit(),
    magnify: () => magnify(session),
    lock: () => lock(session),
  };
}

// A filter that was chosen by name shows its first frame from here on.
function lookFor(session, filter) {
  session.setFilter(filter);
  if (session.matches.length && !session.matches.includes(session.number)) session.step(1);
}

function stepFilter(session, by) {
  const names = Object.keys(FILTERS);
  const next = names[(names.indexOf(session.filter) + by + names.length) % names.length];
  session.setFilter(next);
  session.say(`${filterName(next)}: ${session.matches.length === 1 ? "1 frame" : `${session.matches.length} frames`}`);
}

// To the mask of the chosen face.
async function toMask(session) {
  await session.moves.settled();
  const {face, side} = session;
  if (face) go("masks", [side], new URLSearchParams({filter: "all", face: face.id}));
  else session.say("There is no face in this frame");
}

// The chosen face as large as the stage, and back.
function magnify(session) {
  const {stage, face} = session;
  if (!face || session.magnified) {
    session.magnified = false;
    stage.fit();
    return;
  }
  const [[x, y], reach] = [placeOf(face), widthOf(face) * CLOSE_UP];
  session.magnified = true;
  stage.fit([x - reach, y - reach, x + reach, y + reach]);
}

function lock(session) {
  session.locked = !session.locked;
  session.say(session.locked ? "The view follows the face" : "The view stays");
}

function NoFrames({error, side}) {
  if (error.status !== 400 && error.status !== 404) return html`<${Problem} error=${error} />`;
  return html`<${Empty} icon="frames" title="No ${sideName(side)} faces yet">Find the faces of this side; then their frames are here.<//><${ToNextStep} />`;
}

function Saving({session}) {
  const {moves} = session;
  if (!moves.late) return null;
  return html`<${Badge} kind="accent">saving<//>`;
}

function Filter({session}) {
  const {lanes, filter} = session;
  const options = [...Object.keys(FILTERS), ...lanes.persons.slice(0, MOST_PERSONS).map(person => `who:${person}`)];
  const limit = (name, words, step) => html`<label>${words}<input type="number" step=${step} min="0" value=${session.limits[name]}
    onChange=${event => { session.limits = {...session.limits, [name]: event.target.value}; session.loadLanes(); }} /></label>`;
  return html`<label class="inline"><span class="unseen">Filter</span>
      <select value=${filter} onChange=${event => lookFor(session, event.target.value)}>${options.map(name => html`
        <option key=${name} value=${name}>${filterName(name)} (${count(countOf(lanes, name))})</option>`)}</select></label>
    <div class="group"><${Button} kind="quiet" action="previousFilter" onClick=${() => stepFilter(session, -1)}>‹<//>
      <${Button} kind="quiet" action="nextFilter" onClick=${() => stepFilter(session, 1)}>›<//></div>
    <details class="limits"><summary title="From where on a filter finds a frame">Limits of the filters</summary><div>
      ${limit("misaligned", "Misaligned beyond", 0.01)}${limit("small", "Small below, pixels", 1)}${limit("low", "Confidence below", 0.05)}</div></details>`;
}

function Tools({session}) {
  return html`<div class="tools" role="toolbar" aria-label="Tools" aria-orientation="vertical">
    ${TOOLS.map(([name, title]) => html`<${Button} key=${name} action=${name} aria-pressed=${session.tool === name ? "true" : "false"}
      onClick=${() => session.setTool(name)}>${title}<//>`)}
    <${Button} action="mask" onClick=${() => toMask(session)}>Mask<//>
    <hr />
    <${Button} action="magnify" aria-pressed=${session.magnified ? "true" : "false"} onClick=${() => magnify(session)}>Magnify<//>
    <${Button} action="lock" aria-pressed=${session.locked ? "true" : "false"} onClick=${() => lock(session)}>Follow<//>
    <div class="zoom"><${Button} action="zoomOut" aria-label="Zoom out" onClick=${() => session.stage.zoomOut()}>−<//>
      <${Button} action="zoomIn" aria-label="Zoom in" onClick=${() => session.stage.zoomIn()}>+<//></div>
    <${Button} action="fit" onClick=${() => session.stage.fit()}>Fit<//></div>`;
}

function Picture({session}) {
  const canvas = useRef(null);
  useEffect(() => {
    const stage = new Stage(canvas.current, {
      draw: (context, on) => drawFaces(context, on, session),
      tool: toolsOf(session),
      changed: () => session.viewed(),
    });
    session.stage = stage;
    session.showIfReady();
    return () => {
      session.stage = null;
      stage.close();
    };
  }, []);
  const {shown, number, frame} = session;
  const label = `Frame ${number + 1}, ${frame?.faces.length ?? 0} faces, tool ${session.tool}`;
  return html`<div class="stage"><canvas ref=${canvas} tabindex="0" role="application" aria-label=${label}></canvas>
    ${shown && shown.picture === null && html`<div class="stage-note"><${Empty} icon="warn" title="This frame cannot be shown">
      Its file is not there any more, or is damaged.<//></div>`}</div>`;
}

function Transport({session, player}) {
  const step = (action, text, by) => html`<${Button} kind="quiet" action=${action}
    onClick=${() => { player.stop(); session.step(by); }}>${text}<//>`;
  return html`<div class="transport">
    <${Button} icon=${player.playing ? "stop" : "play"} action="play" onClick=${() => player.toggle()} />
    <div class="group">${step("first", "⇤", -Infinity)}${step("previous10", "«", -10)}${step("previous", "‹", -1)}
      ${step("next", "›", 1)}${step("next10", "»", 10)}${step("last", "⇥", Infinity)}</div>
    <${Where} session=${session} /></div>`;
}
