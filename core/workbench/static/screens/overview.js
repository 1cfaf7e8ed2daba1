// Where the project stands, what to do next, what runs.

import {useEffect, useState} from "preact/hooks";
import {address, get} from "../lib/api.js";
import {fail, openDialog, toast} from "../lib/dialogs.js";
import {Progress, StateBadge, StopButtons, chosen, isOver} from "../lib/job.js";
import {openForm} from "../lib/form.js";
import {href} from "../lib/router.js";
import {useStore} from "../lib/store.js";
import {Button, Empty, Heading, Icon, SIDES, count, html} from "../lib/ui.js";
import {SCREENS} from "./screens.js";

const ROWS = [["Frames", "frames"], ["Faces", "faces"], ["Masks", "masks"]];
// On the buttons of a row that says of what.
const SHORT = {frames: "Extract", faces: "Find", mask: "Make"};
const WORDS = {frames: "Extract frames", faces: "Find faces", mask: "Make masks", train: "Train", export: "Export", merge: "Merge"};
// Where the result of a stage is looked at.
const LOOK = {faces: "faces", frames: "frames", mask: "masks", train: "training", merge: "merge"};

export function Overview() {
  const server = useStore(state => state.server);
  const step = key => server.steps.find(one => one.key === key);
  return html`<${Heading} title="Overview"><span class="grow"></span>
      <${Button} kind="quiet" title="A text about this computer and this project, without paths and names" onClick=${openSummary}>Summary for a report<//><//>
    <${Next} next=${server.next} step=${step(server.next.key)} />
    <div class="columns">
      <section aria-labelledby="steps" class="card">
        <h2 id="steps">Steps</h2>
        <div class="steps" role="table" aria-label="Steps of the pipeline">
          <div role="row" class="steps-head"><span role="columnheader">Step</span>
            <span role="columnheader">Source: the face to put in</span><span role="columnheader">Target: the film it goes into</span></div>
          ${ROWS.map(([title, key]) => html`<div role="row" key=${key}><span role="rowheader">${title}</span>
            <${Step} step=${step(`${key}-src`)} next=${server.next.key} side="src" />
            <${Step} step=${step(`${key}-dst`)} next=${server.next.key} side="dst" /></div>`)}
          ${["train", "export", "merge"].map(key => html`<div role="row" class="whole" key=${key}>
            <span role="rowheader">${step(key).title}</span><${Step} step=${step(key)} next=${server.next.key} /></div>`)}
        </div>
      </section>
      <div class="stack"><${Running} /><${Newest} /><${Earlier} archives=${server.archives} /></div>
    </div>`;
}

const openSummary = () => get("summary").then(({text}) => openDialog("Summary", close => html`<${Summary} text=${text} close=${close} />`, {wide: true}), fail);

function Summary({text, close}) {
  const copy = () => navigator.clipboard.writeText(text).then(() => {
    toast("Copied", "good");
    close();
  }, () => toast("The browser did not allow it", "bad", "Choose the text and copy it, or save it."));
  const file = URL.createObjectURL(new Blob([text], {type: "text/plain"}));
  useEffect(() => () => URL.revokeObjectURL(file), [file]);
  return html`<p class="muted">For a report of a fault. It names no path, film, model or person; look through it before you send it.</p>
    <textarea class="mono summary" readonly rows="18" aria-label="Summary">${text}</textarea>
    <footer class="dialog-foot"><a class="button" href=${file} download="forge-summary.txt">Save</a>
      <${Button} kind="main" onClick=${copy}>Copy<//></footer>`;
}

function Next({next, step}) {
  return html`<div class="next"><${Icon} name="arrow" /><p><strong>Next.</strong> ${next.said}</p>
    ${step && html`<${Button} kind="main" icon="play" onClick=${() => openForm(step.stage, step.values)}>${WORDS[step.stage]}<//>`}</div>`;
}

function Step({step, next, side}) {
  const isNext = step.key === next;
  const look = SCREENS.find(screen => screen.name === LOOK[step.stage]);
  const target = look && (side ? href(look.name, [side]) : href(look.name));
  return html`<div role="cell" aria-colspan=${side ? undefined : 2} class="step ${isNext ? "next-step" : ""} ${step.lacks ? "lacking" : ""}"
      data-side=${SIDES[side]}>
    <div class="step-what"><span class="number" aria-hidden="true">${step.done ? html`<${Icon} name="check" />` : step.number || "·"}</span>
      <div class="step-words">
        ${step.there ? html`<span class="there">${step.there}</span>` : !step.lacks && html`<span class="muted">nothing yet</span>`}
        ${step.lacks && !step.done && html`<span class="muted">needs ${step.lacks}</span>`}</div></div>
    <div class="step-buttons">
      ${step.done && target && html`<a class="button quiet" href=${target} aria-label="Look at: ${step.title}">Look</a>`}
      ${!step.lacks && html`<${Button} kind=${isNext ? "main" : ""} aria-label="${WORDS[step.stage]}: ${step.title}"
        onClick=${() => openForm(step.stage, step.values)}>${SHORT[step.stage] ?? WORDS[step.stage]}<//>`}</div>
    ${step.note && html`<p class="note">${step.note}</p>`}
  </div>`;
}

// The newest preview of training, where there is one.
function Newest() {
  const news = useStore(state => state.training);
  const [found, set] = useState(null);
  useEffect(() => { get("training/summary?points=10").then(set, () => {}); }, [news]);
  if (!found?.preview) return null;
  const source = address("training/preview.jpg", {iteration: 0, time: found.preview});
  const words = found.latest.iter ? `${found.model}, iteration ${count(found.latest.iter)}` : "";
  return html`<section class="card newest" aria-labelledby="newest"><header class="heading"><h2 id="newest">Newest preview</h2>
    <span class="muted">${words}</span></header>
    <a href=${href("training")} aria-label="To the training"><img src=${source} alt="Newest preview of the training" /></a></section>`;
}

// Films that were put away, with what was made from them.
function Earlier({archives}) {
  const all = Object.entries(archives).flatMap(([side, some]) => some.map(one => ({side, ...one})));
  if (!all.length) return null;
  return html`<section class="card" aria-labelledby="earlier"><h2 id="earlier">Earlier films</h2>
    <ul class="job-list">${all.map(one => html`<li key="${one.side} ${one.name}">
      <div class="job-line"><div class="earlier"><span class="cut">${one.video || "Unknown film"}</span><span class="muted">${one.said}</span></div>
        <${Button} aria-label="Bring back ${one.video || one.name} of ${one.side}" title="What is there now is put away instead"
          onClick=${() => openForm("archive", {side: one.side, back: one.name})}>Bring back<//></div></li>`)}</ul></section>`;
}

function Running() {
  const jobs = useStore(state => state.jobs);
  const now = jobs.filter(job => !isOver(job)).reverse();
  const over = jobs.filter(isOver).slice(0, 6);
  return html`<section aria-labelledby="running" class="card">
    <h2 id="running">Jobs</h2>
    ${!jobs.length && html`<${Empty} icon="jobs" title="Nothing has run yet">Stages that you start here run on when this page
      is closed. Those that are started in a terminal are not listed.<//>`}
    <ul class="job-list">${[...now, ...over].map(job => html`<li key=${job.id}>
      <div class="job-line"><a href=${href("jobs", [job.id])}>${job.stage}</a><span class="muted mono cut">${chosen(job)}</span>
        <${StateBadge} job=${job} /></div>
      ${job.state === "running" && html`<${Progress} job=${job} /><div class="buttons"><${StopButtons} job=${job} /></div>`}
      </li>`)}</ul></section>`;
}
