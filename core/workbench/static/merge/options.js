// The options that change the picture, as the server has them from the stage; what differs from the usual is marked.

import {Button, html} from "../lib/ui.js";

const FINE = 5; // a range that is not wider moves by hundredths
const MIDDLE = 20; // by tenths

export function Options({session}) {
  return html`${session.film.groups.map(group => (group.usual
    ? html`<fieldset key=${group.heading}><legend>${group.heading}</legend>${fieldsOf(session, group)}</fieldset>`
    : html`<details key=${group.heading} open><summary>${group.heading} (${group.fields.length})</summary>${fieldsOf(session, group)}</details>`))}
    ${session.scope !== "film" && html`<div class="look switch"><input type="checkbox" id="look-swap" checked=${session.changes.swap === false}
      onChange=${event => session.set("swap", !event.target.checked)} /><label for="look-swap">Leave the face as it is</label></div>`}`;
}

const fieldsOf = (session, group) => html`<div class="looks">${group.fields.map(field => html`
  <${Field} key=${field.name} session=${session} field=${field} />`)}</div>`;

function Field({session, field}) {
  const id = `look-${field.name}`;
  const fault = session.faults[field.name];
  const differs = session.differs(field.name);
  const off = session.scope !== "film" && !field.cue;
  const common = {
    id,
    disabled: off,
    "aria-invalid": fault ? "true" : undefined,
    "aria-describedby": fault ? `${id}-fault` : undefined,
    title: off ? "A cue cannot set this" : field.help,
  };
  const usual = session.scope === "film" ? field.default : session.filmValue(field.name);
  return html`<div class="look ${field.kind} ${differs ? "differs" : ""} ${fault ? "faulty" : ""}">
    <label for=${id} title=${field.help}>${field.label}</label>
    <${Input} session=${session} field=${field} common=${common} />
    <${Button} kind="quiet" icon="undo" title="${field.label}: back to ${usual === null || usual === "" ? "not set" : usual}"
      disabled=${!differs} onClick=${() => session.reset(field.name)} />
    ${fault && html`<p class="fault" id="${id}-fault">${fault}</p>`}</div>`;
}

function Input({session, field, common}) {
  const value = session.valueOf(field.name);
  const set = chosen => session.set(field.name, chosen);
  if (field.kind === "switch") {
    return html`<input type="checkbox" ...${common} checked=${value} onChange=${event => set(event.target.checked)} />`;
  }
  // With DeepFaceLab's way its own words count, which are not listed.
  const listed = field.choices.length ? field.choices : field.name !== "mask" && !session.filmValue("exact") ? field.suggested : [];
  if (listed.length) {
    const words = listed.includes(value) || value === null ? listed : [value, ...listed];
    return html`<select ...${common} value=${value ?? ""} onChange=${event => set(event.target.value)}>
      ${field.default === null && html`<option value="">not set</option>`}
      ${words.map(word => html`<option key=${word} value=${word}>${word}</option>`)}</select>`;
  }
  if (field.kind === "number" || field.kind === "whole") return html`<${Number_} field=${field} value=${value} set=${set} common=${common} />`;
  const words = field.name === "dfm" ? [] : field.suggested;
  return html`<input type="text" ...${common} value=${value ?? ""} placeholder="not set" list=${words.length ? `${common.id}-words` : undefined}
      onChange=${event => set(event.target.value)} />
    ${words.length > 0 && html`<datalist id="${common.id}-words">${words.map(word => html`<option key=${word} value=${word} />`)}</datalist>`}`;
}

function Number_({field, value, set, common}) {
  const width = field.most - field.least;
  const step = field.kind === "whole" ? 1 : width <= FINE ? 0.01 : width <= MIDDLE ? 0.1 : 0.5;
  const typed = event => {
    const number = event.target.valueAsNumber;
    if (!Number.isNaN(number)) set(number);
  };
  // Home and End belong to the slider here, not to the film.
  const own = event => { if (["Home", "End"].includes(event.code)) event.stopPropagation(); };
  return html`<span class="number" onKeyDown=${own}>
    <input type="range" ...${common} min=${field.least} max=${field.most} step=${step} value=${value} onInput=${typed} />
    <input type="number" aria-label="${field.label}, as a number" disabled=${common.disabled} min=${field.least} max=${field.most} step="any"
      value=${value} onChange=${typed} /></span>`;
}
