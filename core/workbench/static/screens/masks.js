// Masks of faces: polygons drawn or painted by hand, from nothing or from a suggestion; the least certain faces first.

import {useEffect, useMemo, useRef} from "preact/hooks";
import {Stage} from "../lib/canvas.js";
import {STEPS, WAYS, useActions} from "../lib/keys.js";
import {onEvent} from "../lib/live.js";
import {Badge, Button, Empty, Heading, Problem, Sides, ToNextStep, count, html, sideName} from "../lib/ui.js";
import {onBeforeUndo, onTakenBack, redo, undo, workOn} from "../lib/undo.js";
import {TOOLS} from "../masks/brush.js";
import {drawSketch} from "../masks/paint.js";
import {Panel} from "../masks/panel.js";
import {FILTERS, OVERLAYS, Session, useSession} from "../masks/session.js";
import {Strip} from "../masks/strip.js";
import {toolOf} from "../masks/tool.js";

const MAKE_MASKS = ["mask", "mask-labels", "mask-import", "mask-report", "faces"];

export function Masks({route}) {
  const side = ["src", "dst"].includes(route.parts[0]) ? route.parts[0] : "src";
  return html`<${Side} key=${side} side=${side} query=${route.query} />`;
}

function Side({side, query}) {
  const session = useMemo(() => new Session(side), []);
  useSession(session);
  useLoading(session, query);
  const actions = actionsOf(session);
  useActions(actions);
  window.forge.masks = session;
  const {error, counts, ids} = session;
  const none = counts && !session.left && !ids.length;
  return html`<${Heading} title="Masks"><${Sides} screen="masks" side=${side} />${counts && html`<${Filter} session=${session} actions=${actions} />`}
      <span class="grow"></span>${session.left > 0 && html`<${Badge} kind="accent">looking at ${count(session.left)} more masks<//>`}
      <${Walk} session=${session} actions=${actions} /></${Heading}>
    <p class="unseen" role="status" aria-live="polite">${session.said}</p>
    ${error ? html`<${NoFaces} error=${error} side=${side} />`
      : none && !counts.all ? html`<${NoFaces} error=${{status: 404}} side=${side} />`
      : html`<div class="mask-body"><${Tools} session=${session} actions=${actions} />
        <div class="mask-middle"><${Picture} session=${session} none=${none} /><${Strip} session=${session} /></div>
        <${Panel} session=${session} actions=${actions} /></div>`}`;
}

function useLoading(session, query) {
  useEffect(() => {
    workOn(session.side);
    session.open(query.get("filter"), query.get("face"));
    const hidden = () => document.hidden && session.save();
    document.addEventListener("visibilitychange", hidden);
    const ends = [
      onBeforeUndo(() => session.settled()),
      onTakenBack(({side, face}) => side === session.side && showChanged(session, face)),
      onEvent("job", job => job.state === "done" && MAKE_MASKS.includes(job.stage) && session.settled().then(() => session.reload())),
    ];
    return () => {
      document.removeEventListener("visibilitychange", hidden);
      for (const end of ends) end();
      session.close();
    };
  }, []);
}

// Where something was undone is shown.
function showChanged(session, face) {
  const place = session.ids.indexOf(face);
  if (place < 0 || place === session.place) session.reload();
  else session.go(place);
}

function actionsOf(session) {
  const {sketch} = session;
  const moving = {};
  for (const [way, [x, y]] of Object.entries(WAYS)) {
    for (const [name, [, step]] of Object.entries(STEPS)) moving[`move${way}${name}`] = () => nudge(session, x * step, y * step);
  }
  const having = act => () => session.sketch && act(session.sketch);
  const kind = include => having(() => {
    session.include = include;
    if (sketch.drawing) sketch.step(sketch.draw(sketch.drawing.points, include));
    session.say(include ? "Polygons include" : "Polygons exclude");
  });
  const names = Object.keys(OVERLAYS);
  return {
    ...moving,
    next: () => session.step(1),
    previous: () => session.step(-1),
    next10: () => session.step(10),
    previous10: () => session.step(-10),
    first: () => session.step(-Infinity),
    last: () => session.step(Infinity),
    nextFilter: () => stepFilter(session, 1),
    previousFilter: () => stepFilter(session, -1),
    include: kind(true),
    exclude: kind(false),
    add: having(() => begin(session)),
    brush: having(() => takeBrush(session, "brush")),
    eraser: having(() => takeBrush(session, "eraser")),
    smaller: having(() => session.resize(0.8)),
    larger: having(() => session.resize(1.25)),
    putPoint: having(() => (session.brush ? putDown(session) : putPoint(session))),
    accept: having(() => (session.brush ? session.endStroke() : close(session))),
    leave: having(() => leave(session)),
    insert: having(() => insert(session)),
    flip: having(() => sketch.polygon && sketch.flip()),
    remove: having(() => {
      if (sketch.drawing) sketch.undo();
      else session.say(sketch.remove() || "Nothing is chosen");
    }),
    nextFace: having(() => stepPolygon(session, 1)),
    previousFace: having(() => stepPolygon(session, -1)),
    nextPart: having(() => stepPoint(session, 1)),
    previousPart: having(() => stepPoint(session, -1)),
    suggest: () => session.suggest(),
    overlay: () => session.showOverlay(names[(names.indexOf(session.overlay) + 1) % names.length]),
    save: () => session.save(),
    // What is drawn here goes back first; then what was saved, whenever that was.
    undo: () => (session.stroke ? session.dropStroke() : session.sketch?.undo() || undo()),
    redo: () => session.sketch?.redo() || redo(),
    zoomIn: () => session.stage?.zoomIn(),
    zoomOut: () => session.stage?.zoomOut(),
    fit: () => session.stage?.fit(),
  };
}

// Pressed again it is laid aside.
function takeBrush(session, brush) {
  const [width, height] = session.sketch.size;
  session.cursor ??= [width / 2, height / 2];
  session.stage.canvas.focus({preventScroll: true});
  session.takeBrush(session.brush === brush ? null : brush);
}

function putDown(session) {
  if (session.stroke) session.endStroke();
  else if (session.cursor) session.beginStroke(session.cursor);
}

function begin(session) {
  const {sketch} = session;
  if (session.brush) session.takeBrush(null);
  if (sketch.drawing && !sketch.close()) sketch.drop();
  sketch.start(session.include);
  const [width, height] = sketch.size;
  session.cursor ??= [width / 2, height / 2];
  session.stage.canvas.focus({preventScroll: true});
  session.say(`New polygon, ${session.include ? "include" : "exclude"}: click, or arrow keys and Space, puts points; Enter closes it`);
}

function putPoint(session) {
  const {sketch, cursor} = session;
  if (!sketch.drawing || !cursor) return;
  sketch.addPoint(cursor);
  session.say(`Point ${sketch.drawing.points.length} at ${cursor.map(value => value.toFixed(1)).join(", ")}`);
}

function close(session) {
  if (!session.sketch.drawing) return;
  session.say(session.sketch.close() ? "Closed" : "A polygon needs three points");
}

function leave(session) {
  const {sketch} = session;
  if (session.stroke) session.dropStroke();
  else if (session.brush) session.takeBrush(null);
  else if (sketch.drawing) sketch.drop();
  else sketch.choose(sketch.point === null ? null : sketch.chosen);
}

// A point in the middle of the edge behind the chosen one.
function insert({sketch}) {
  const {polygon, point} = sketch;
  if (!polygon) return;
  const place = point ?? 0;
  const [from, to] = [polygon.points[place], polygon.points[(place + 1) % polygon.points.length]];
  sketch.step(sketch.insert(place + 1, [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2]));
  sketch.choose(sketch.chosen, place + 1);
}

function nudge(session, x, y) {
  const {sketch, stage} = session;
  if (!sketch) return;
  if (sketch.drawing || session.brush) {
    session.cursor = sketch.within([(session.cursor?.[0] ?? 0) + x, (session.cursor?.[1] ?? 0) + y]);
    session.moveStroke(session.cursor);
  } else if (sketch.polygon) {
    sketch.step(sketch.moved(sketch.polygon.points, [x, y]), `move ${sketch.chosen} ${sketch.point}`);
  } else {
    stage.pan(-20 * x, -20 * y);
  }
}

function stepPolygon(session, by) {
  const {sketch} = session;
  const total = sketch.polygons.length;
  if (!total) return session.say("There is no polygon");
  sketch.choose(sketch.chosen === null ? 0 : (sketch.chosen + by + total) % total);
  return session.say(`Polygon ${sketch.chosen + 1} of ${total}, ${sketch.polygon.include ? "include" : "exclude"}`);
}

function stepPoint(session, by) {
  const {sketch} = session;
  if (!sketch.polygon) stepPolygon(session, 1);
  if (!sketch.polygon) return;
  const total = sketch.polygon.points.length;
  const next = sketch.point === null ? (by > 0 ? 0 : total - 1) : (sketch.point + by + total) % total;
  sketch.choose(sketch.chosen, next);
  session.say(`Point ${next + 1} of ${total}, at ${sketch.polygon.points[next].map(value => value.toFixed(1)).join(", ")}`);
}

function stepFilter(session, by) {
  const names = Object.keys(FILTERS);
  const next = names[(names.indexOf(session.filter) + by + names.length) % names.length];
  session.setFilter(next);
}

function Filter({session, actions}) {
  return html`<label class="inline"><span class="unseen">Filter</span>
      <select value=${session.filter} onChange=${event => session.setFilter(event.target.value, session.id)}>${Object.entries(FILTERS).map(([name, [words, , counted]]) => html`
        <option key=${name} value=${name}>${words} (${count(session.counts[counted])})</option>`)}</select></label>
    <div class="group"><${Button} kind="quiet" action="previousFilter" onClick=${actions.previousFilter}>‹<//>
      <${Button} kind="quiet" action="nextFilter" onClick=${actions.nextFilter}>›<//></div>`;
}

function Walk({session, actions}) {
  const step = (action, words) => html`<${Button} kind="quiet" action=${action} onClick=${actions[action]}>${words}<//>`;
  return html`<span class="number">${session.ids.length ? `${count(session.place + 1)} of ${count(session.ids.length)}` : ""}</span>
    <div class="group">${step("first", "⇤")}${step("previous10", "«")}${step("previous", "‹")}${step("next", "›")}${step("next10", "»")}${step("last", "⇥")}</div>`;
}

function NoFaces({error, side}) {
  if (error.status !== 400 && error.status !== 404) return html`<${Problem} error=${error} />`;
  return html`<${Empty} icon="masks" title="No ${sideName(side)} faces yet">Find the faces of this side; then their masks are here.<//><${ToNextStep} />`;
}

function Tools({session, actions}) {
  const {sketch, include} = session;
  const kind = sketch?.drawing?.include ?? include;
  const button = (action, words, more = {}) => html`<${Button} action=${action} onClick=${actions[action]} ...${more}>${words}<//>`;
  const drawing = Boolean(sketch?.drawing || session.brush);
  return html`<div class="tools" role="toolbar" aria-label="Tools" aria-orientation="vertical">
    ${button("include", "Include", {"aria-pressed": String(kind)})}${button("exclude", "Exclude", {"aria-pressed": String(!kind)})}
    <hr />${button("add", "New", {"aria-pressed": String(Boolean(sketch?.drawing))})}${button("putPoint", "Put point", {disabled: !drawing})}
    ${button("accept", "Close", {disabled: !drawing})}${button("leave", "Cancel", {disabled: !drawing && sketch?.chosen == null})}
    <hr />${Object.entries(TOOLS).map(([name, words]) => button(name, words, {"aria-pressed": String(session.brush === name)}))}
    <div class="zoom">${button("smaller", "○", {"aria-label": "Smaller brush"})}${button("larger", "◯", {"aria-label": "Larger brush"})}</div>
    <hr />${button("nextFace", "Polygon ›")}${button("nextPart", "Corner ›")}
    <hr /><div class="zoom">${button("undo", "↶", {"aria-label": "Undo", disabled: !sketch?.past.length})}${button("redo", "↷", {"aria-label": "Redo", disabled: !sketch?.future.length})}</div>
    <div class="zoom">${button("zoomOut", "−", {"aria-label": "Zoom out"})}${button("zoomIn", "+", {"aria-label": "Zoom in"})}</div>${button("fit", "Fit")}</div>`;
}

function Picture({session, none}) {
  const canvas = useRef(null);
  useEffect(() => {
    const stage = new Stage(canvas.current, {draw: (context, on) => drawSketch(context, on, session), tool: toolOf(session)});
    session.stage = stage;
    if (session.face) stage.show(session.picture, ...session.face.size);
    return () => {
      session.stage = null;
      stage.close();
    };
  }, []);
  const {face, sketch, picture} = session;
  const label = face ? `Face ${face.name}, ${sketch.polygons.length} polygons${sketch.drawing ? ", drawing" : ""}${session.brush ? `, ${session.brush}` : ""}` : "No face";
  return html`<div class="stage"><canvas ref=${canvas} tabindex="0" role="application" aria-label=${label}></canvas>
    ${none && html`<div class="stage-note"><${Empty} icon="check" title="No face is left here">Choose another filter.<//></div>`}
    ${face && !picture && html`<div class="stage-note"><${Empty} icon="warn" title="This face cannot be shown">Its file is damaged.<//></div>`}</div>`;
}
