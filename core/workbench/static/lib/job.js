// A job in words: how far it is, how long it takes, what became of it.

import {post} from "./api.js";
import {ask, fail} from "./dialogs.js";
import {openForm} from "./form.js";
import {href} from "./router.js";
import {useStore} from "./store.js";
import {Badge, Bar, Button, count, duration, html} from "./ui.js";

const KINDS = {done: "good", running: "accent", waiting: "", failed: "bad", killed: "bad", stopped: "warn", cancelled: "warn"};

export const isOver = job => !["waiting", "running"].includes(job.state);

export const StateBadge = ({job}) => html`<${Badge} kind=${KINDS[job.state]}>${job.state}<//>`;

// The options that were chosen, as they are typed: "src --every=2".
export const chosen = job => job.arguments.slice(job.stage.split(" ").length).join(" ");

// {share: 0..1 or null, text, left}, of a running job.
export function progressOf(job) {
  const said = job.progress ?? {};
  if (!said.description) return {share: null, text: "starting", left: ""};
  const of = said.total ? ` of ${count(said.total)}` : "";
  const text = `${said.description}: ${count(said.done)}${of}`;
  const done = said.done - said.first;
  const left = said.total && done > 0 ? (said.total - said.done) * (said.now - said.begun) / done : null;
  const ending = said.total && said.done >= said.total; // of this part; a network takes a moment to close
  return {share: said.total ? said.done / said.total : null, text, note: said.note, left: left === null || ending ? "" : `${duration(left)} left`};
}

export function Progress({job}) {
  const {share, text, note, left} = progressOf(job);
  return html`<div class="progress"><${Bar} share=${share} label="${job.stage}: how far it is" />
    <div class="progress-words"><span>${text}</span><span>${left}</span></div>
    ${note && html`<div class="muted mono">${note}</div>`}</div>`;
}

const send = (job, body) => post(`jobs/${job.id}/stop`, body).catch(fail);

export function StopButtons({job}) {
  const kill = () => ask("End it at once?", `${job.stage} loses what it has not saved.`, "End it", () => send(job, {kill: true}));
  if (job.state === "waiting") return html`<${Button} onClick=${() => send(job)}>Do not run<//>`;
  if (job.state !== "running") return null;
  return html`<${Button} icon="stop" title="Save and stop, as Ctrl+C does" onClick=${() => send(job)}>Stop<//>
    ${job.note && html`<${Button} kind="danger" onClick=${kill}>End at once<//>`}`;
}

export const AgainButton = ({job}) => isOver(job) && html`
  <${Button} icon="again" title="Fill in the form as before" onClick=${() => openForm(job.stage, job.values)}>Again<//>`;

// The running job, in the header.
export function JobPill() {
  const job = useStore(state => state.jobs.find(one => one.state === "running"));
  if (!job) return null;
  const {share, left} = progressOf(job);
  const part = share === null ? "" : `${Math.floor(100 * share)} %`;
  return html`<a class="pill" href=${href("jobs", [job.id])}><${Bar} share=${share} label="${job.stage}: how far it is" />
    <span>${[job.stage, part, left].filter(Boolean).join(" · ")}</span></a>`;
}
