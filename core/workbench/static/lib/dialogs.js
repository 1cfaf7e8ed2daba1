// Dialogs, short messages and questions.

import {useEffect, useRef, useState} from "preact/hooks";
import {MAP, PRESETS, activeActions, choosePreset, keysOf, preset, spoken} from "./keys.js";
import {read, update, useStore} from "./store.js";
import {Button, Icon, html} from "./ui.js";

const SHOWN = 6000;
let counted = 0;

// Shows a dialog. draw: close => what is in it. title: its name.
export const openDialog = (title, draw, {wide = false} = {}) => update({dialog: {title, draw, wide}});

export const closeDialog = () => update({dialog: null});

export function Dialogs() {
  const dialog = useStore(state => state.dialog);
  return dialog && html`<${Dialog} key=${dialog} ...${dialog} />`;
}

function Dialog({title, draw, wide}) {
  const element = useRef(null);
  useEffect(() => {
    const before = document.activeElement;
    element.current.showModal();
    // What is asked for, or the answer that is meant, rather than the button that closes.
    element.current.querySelector("input:not([type=radio]), .dialog-foot .main")?.focus();
    return () => before?.focus?.();
  }, []);
  return html`<dialog ref=${element} class=${wide ? "wide" : ""} aria-labelledby="dialog-title"
      onClose=${closeDialog} onMouseDown=${event => event.target === element.current && closeDialog()}>
    <div class="dialog-body">
      <header class="dialog-head"><h2 id="dialog-title">${title}</h2>
        <${Button} kind="quiet" icon="close" title="Close (Esc)" onClick=${closeDialog} /></header>
      ${draw(closeDialog)}
    </div></dialog>`;
}

// Asks before something that cannot be taken back.
export function ask(title, text, yes, act) {
  openDialog(title, close => html`<p>${text}</p><footer class="dialog-foot">
    <${Button} onClick=${close}>Cancel<//>
    <${Button} kind="danger" onClick=${() => { close(); act(); }}>${yes}<//></footer>`);
}

// A short message. kind: "", "good" or "bad".
export function toast(text, kind = "", detail = "") {
  const id = ++counted;
  update({toasts: [...read().toasts.slice(-3), {id, text, kind, detail}]});
  setTimeout(() => dismiss(id), kind === "bad" ? 2 * SHOWN : SHOWN);
}

const dismiss = id => update({toasts: read().toasts.filter(other => other.id !== id)});

// Shows an error of the API.
export function fail(error) {
  if (error.name === "AbortError") return;
  toast(error.what ?? error.message, "bad", [error.where, error.why, error.hint].filter(Boolean).join(" - "));
}

export function Toasts() {
  const toasts = useStore(state => state.toasts);
  return html`<div class="toasts" role="status" aria-live="polite">${toasts.map(one => html`
    <div class="toast ${one.kind}" key=${one.id}><div><strong>${one.text}</strong>
      ${one.detail && html`<div class="muted">${one.detail}</div>`}</div>
      <button type="button" class="button quiet square" aria-label="Dismiss" onClick=${() => dismiss(one.id)}>
        <${Icon} name="close" /></button></div>`)}</div>`;
}

export function showKeys() {
  const active = activeActions();
  openDialog("Keys", () => html`<${Keys} active=${active} />`, {wide: true});
}

function Keys({active}) {
  const [name, set] = useState(preset());
  const choose = event => {
    choosePreset(event.target.value);
    set(event.target.value);
  };
  const rows = Object.keys(MAP).filter(action => keysOf(action, name).length);
  const list = (title, actions) => actions.length > 0 && html`<section><h3>${title}</h3><dl class="keys">${actions.map(action => html`
    <div><dt><kbd>${spoken(keysOf(action, name))}</kbd></dt><dd>${MAP[action][0]}</dd></div>`)}</dl></section>`;
  return html`<label class="inline">Keys as in
      <select value=${name} onChange=${choose}>${PRESETS.map(one => html`<option value=${one}>${one}</option>`)}</select></label>
    ${list("Here", rows.filter(action => active.has(action)))}
    ${list("In other screens", rows.filter(action => !active.has(action)))}`;
}
