// All about the face that has the focus: the picture, why it may be bad, its frame, numbers, names.

import {useEffect, useState} from "preact/hooks";
import {address, get} from "../lib/api.js";
import {Badge, Button, Empty, html} from "../lib/ui.js";
import {COLUMNS, groupTitle, shown, titleOf} from "./names.js";

const PAUSE = 120; // milliseconds that a face has to stay before it is asked for
const NUMBERS = ["yaw", "pitch", "roll", "size", "sharpness", "confidence", "landmark_confidence", "exposure", "contrast", "hidden",
  "cut_off", "misaligned"];
const KINDS = {keep: "good", trash: "bad", unsure: "warn"};

// id: 16 hexadecimal digits, or null. version: another one when the face may have changed.
export function FacePanel({side, id, version, marks, actions}) {
  const about = useAbout(side, id, version);
  if (!id) return html`<${Empty} icon="faces" title="No face">Nothing here has the focus.<//>`;
  return html`<div class="face-panel">
    <img class="face-large" src=${address(`${side}/face/${id}.jpg`)} alt="The face, large" />
    <${MarkButtons} mark=${marks} actions=${actions} />
    ${about?.id === id && html`<${About} side=${side} about=${about} actions=${actions} />`}</div>`;
}

function useAbout(side, id, version) {
  const [about, setAbout] = useState(null);
  useEffect(() => {
    if (!id) return undefined;
    const call = new AbortController();
    const timer = setTimeout(() => {
      get(`${side}/faces/${id}`, {signal: call.signal}).then(setAbout, () => {});
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      call.abort();
    };
  }, [side, id, version]);
  return about;
}

export function MarkButtons({mark, actions}) {
  const button = (name, word) => html`<${Button} action=${name === "" ? "unmark" : name} aria-pressed=${mark === name ? "true" : "false"}
    onClick=${() => actions.mark(name)}>${word}<//>`;
  return html`<div class="mark-buttons" role="group" aria-label="Mark">${button("keep", "Keep")}${button("trash", "Trash")}
    ${button("unsure", "Unsure")}${mark && button("", "No mark")}</div>`;
}

function About({side, about, actions}) {
  const {words, numbers, picture} = about;
  const known = NUMBERS.filter(name => numbers[name] !== undefined);
  const scores = Object.keys(numbers).filter(name => name.startsWith("score.") && !COLUMNS[name]);
  return html`
    <p class="badges">${words.status !== "kept" && html`<${Badge} kind="bad">${words.status}<//>`}
      ${words.mark && html`<${Badge} kind=${KINDS[words.mark]}>${words.mark === "trash" ? "to be thrown out" : words.mark}<//>`}
      ${numbers.stale === 1 && html`<${Badge} kind="warn">picture out of date<//>`}
      ${words.person && html`<${Badge} kind="accent">${words.person}<//>`}</p>
    ${words.reason && html`<p class="muted">${words.reason}</p>`}
    ${about.verdicts.length > 0 && html`<ul class="verdict-list">${about.verdicts.map(one => html`
      <li class=${one.rejected ? "rejected" : ""}><strong>${one.verdict}${one.rejected && ": rejected"}</strong><span>${one.sentence}</span></li>`)}</ul>`}
    <${FrameView} side=${side} about=${about} />
    <dl class="facts">
      <${Fact} name="Frame">${about.frame}<//>
      <${Fact} name="Person">${words.person || "nobody"} <${Button} kind="quiet" action="person" onClick=${actions.person}>Name<//><//>
      ${numbers.track > 0 && html`<${Fact} name="Track">${groupTitle("track", String(numbers.track))}<//>`}
      <${Fact} name="Origin">${words.origin || "unknown"}<//>
      ${known.map(name => html`<${Fact} key=${name} name=${titleOf(name)}>${shown(name, numbers[name])}<//>`)}
      ${scores.map(name => html`<${Fact} key=${name} name="By ${titleOf(name).toLowerCase()}">${shown(name, numbers[name])}<//>`)}
      ${picture && html`<${Fact} name="File"><span class="mono">${picture.folder}/${picture.name}</span><//>`}</dl>
    ${about.names.length > 1 && html`<h2>Names</h2><ol class="past">${about.names.map(one => html`
      <li><span class="mono">${one.name}</span><span class="muted">${one.why}</span></li>`)}</ol>`}
    ${about.changes.length > 0 && html`<h2>Changes</h2><ol class="past">${about.changes.map(one => html`
      <li class=${one.undone ? "undone" : ""}><span>${one.tool}</span><span class="muted">${one.time}${one.undone ? ", taken back" : ""}</span></li>`)}</ol>`}`;
}

const Fact = ({name, children}) => html`<div><dt>${name}</dt><dd>${children}</dd></div>`;

// The frame with the boxes of all its faces; this one brighter, with its points.
function FrameView({side, about}) {
  const [size, setSize] = useState(about.frame_size);
  const [gone, setGone] = useState(false);
  useEffect(() => {
    setSize(about.frame_size);
    setGone(false);
  }, [about.id]);
  if (gone) return html`<p class="muted">Its frame is not there any more.</p>`;
  // A frame of unknown size is shown as it is: its points are in its pixels.
  const source = address(`${side}/frame/${about.frame_number}.jpg`, about.frame_size ? {w: 640} : {});
  const loaded = ({target}) => size ?? setSize([target.naturalWidth, target.naturalHeight]);
  return html`<figure class="frame-view"><img src=${source} alt="The frame with this face" onLoad=${loaded} onError=${() => setGone(true)} />
    ${size && html`<svg viewBox="0 0 ${size[0]} ${size[1]}" aria-hidden="true">
      ${about.others.map(box => html`<${Box} box=${box} kind="other" />`)}<${Box} box=${about.box} kind="this" />
      ${(about.points ?? []).map(([x, y]) => html`<circle cx=${x} cy=${y} r=${size[0] / 260} />`)}</svg>`}</figure>`;
}

const Box = ({box: [left, top, right, bottom], kind}) => left !== null && html`
  <rect class=${kind} x=${left} y=${top} width=${right - left} height=${bottom - top} />`;
