// The frame on its stage: merged, as it was, both with a wipe, what is covered, or three faces beside each other.

import {useEffect, useRef} from "preact/hooks";
import {address} from "../lib/api.js";
import {Stage} from "../lib/canvas.js";
import {color, html} from "../lib/ui.js";

export const VIEWS = [["wipe", "Wipe"], ["merged", "Merged"], ["target", "Target"], ["mask", "Mask"], ["three", "Faces"]];
const CELL = 512; // pixels of a face in the row of three
const AROUND = 0.55; // of the size of the landmarks, on each side
const KEPT = 30; // source faces

export function Picture({session}) {
  const canvas = useRef(null);
  const sources = useRef(new Map());
  useEffect(() => {
    const stage = new Stage(canvas.current, {draw: (context, on) => drawOver(context, on, session)});
    session.stage = stage;
    show(session, sources.current);
    return () => {
      session.stage = null;
      stage.close();
    };
  }, []);
  const {shown, view, wipe} = session;
  useEffect(() => { show(session, sources.current); }, [shown, view]);
  useEffect(() => { session.stage?.redraw(); }, [wipe]);
  const words = Object.fromEntries(VIEWS)[view].toLowerCase();
  const label = `Frame ${session.number + 1}, ${words}, ${shown?.head.faces.length ?? 0} swapped faces`;
  return html`<canvas ref=${canvas} tabindex="0" role="application" aria-label=${label}></canvas>
    ${view === "wipe" && shown && html`<${Wipe} session=${session} />`}`;
}

function show(session, sources) {
  const {stage, shown, view} = session;
  if (!stage || !shown) return;
  if (view === "three") {
    showThree(session, sources);
    return;
  }
  const {merged, target, head} = shown;
  stage.show(view === "target" || view === "mask" ? target : merged, ...head.size);
}

function drawOver(context, stage, {shown, view, wipe}) {
  if (!shown) return;
  const {width, height, scale, x, y} = stage;
  const whole = [x, y, width * scale, height * scale];
  context.save();
  if (view === "mask") {
    context.globalCompositeOperation = "multiply";
    context.drawImage(shown.mask, ...whole);
  } else if (view === "wipe") {
    context.beginPath();
    context.rect(0, 0, wipe * stage.viewWidth, stage.viewHeight);
    context.clip();
    context.drawImage(shown.target, ...whole);
  }
  context.restore();
  if (view === "wipe") {
    label(context, "target", 12, 12, "left");
    label(context, "merged", stage.viewWidth - 12, 12, "right");
  } else if (view === "three") {
    const cell = (width / 3) * scale;
    const {like} = shown.head;
    const first = like[0] ? (like[0].posed ? "source, looking the same way" : "source") : "no source face";
    [first, "target", "swapped"].forEach((text, place) => label(context, text, x + place * cell + 8, Math.max(y, 0) + 8, "left"));
  }
}

function label(context, text, x, y, align) {
  context.font = "12px system-ui, sans-serif";
  const width = context.measureText(text).width + 12;
  const left = align === "right" ? x - width : x;
  context.fillStyle = color("--film-shade");
  context.fillRect(left, y, width, 20);
  context.fillStyle = color("--film-text");
  context.textBaseline = "middle";
  context.fillText(text, left + 6, y + 10.5);
}

// Source, target and swapped face, a row for each face of the frame.
async function showThree(session, sources) {
  const {shown} = session;
  const {faces, like} = shown.head;
  const pictures = await Promise.all(like.map(one => sourceOf(one.id, sources)));
  if (session.shown !== shown || session.view !== "three" || !session.stage) return;
  const rows = Math.max(1, faces.length);
  const sheet = new OffscreenCanvas(3 * CELL, rows * CELL);
  const context = sheet.getContext("2d");
  faces.forEach(({place}, row) => {
    const [left, top, right, bottom] = place;
    const half = Math.max(right - left, bottom - top) * (0.5 + AROUND);
    const from = [(left + right) / 2 - half + 0.5, (top + bottom) / 2 - half + 0.5, 2 * half, 2 * half];
    if (pictures[row]) context.drawImage(pictures[row], 0, row * CELL, CELL, CELL);
    context.drawImage(shown.target, ...from, CELL, row * CELL, CELL, CELL);
    context.drawImage(shown.merged, ...from, 2 * CELL, row * CELL, CELL, CELL);
  });
  session.stage.show(sheet, sheet.width, sheet.height);
}

async function sourceOf(id, sources) {
  if (!sources.has(id)) {
    const response = await fetch(address(`src/face/${id}.jpg`)).catch(() => null);
    sources.set(id, response?.ok ? await createImageBitmap(await response.blob()) : null);
    for (const old of sources.keys()) {
      if (sources.size <= KEPT) break;
      sources.delete(old);
    }
  }
  return sources.get(id);
}

const KEYS = {ArrowLeft: -0.01, ArrowDown: -0.01, ArrowRight: 0.01, ArrowUp: 0.01, PageDown: -0.1, PageUp: 0.1, Home: -1, End: 1};

function Wipe({session}) {
  const to = wipe => session.changed({wipe: Math.min(1, Math.max(0, wipe))});
  const drag = event => {
    if (event.type === "pointerdown") {
      event.currentTarget.setPointerCapture(event.pointerId);
      event.currentTarget.focus({preventScroll: true});
    } else if (!event.buttons) return;
    event.preventDefault();
    const box = event.currentTarget.parentElement.getBoundingClientRect();
    to((event.clientX - box.left) / box.width);
  };
  const keys = event => {
    const by = KEYS[event.code];
    if (!by || event.ctrlKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    to(session.wipe + by * (event.shiftKey ? 10 : 1));
  };
  const share = Math.round(session.wipe * 100);
  return html`<div class="wipe" role="slider" tabindex="0" aria-label="Wipe" aria-orientation="horizontal" aria-valuemin="0" aria-valuemax="100"
    aria-valuenow=${share} aria-valuetext="target up to ${share} %, merged beyond" style=${{left: `${session.wipe * 100}%`}}
    onPointerDown=${drag} onPointerMove=${drag} onKeyDown=${keys}><span></span></div>`;
}
