// The queue of stages: how far they are, their logs, and new ones.

import {useEffect, useRef, useState} from "preact/hooks";
import {get} from "../lib/api.js";
import {openForm} from "../lib/form.js";
import {AgainButton, Progress, StateBadge, StopButtons, chosen, isOver} from "../lib/job.js";
import {href} from "../lib/router.js";
import {read, useStore} from "../lib/store.js";
import {Empty, Heading, duration, html} from "../lib/ui.js";

const EVERY = 1000;
const LONGEST = 400_000; // letters of a log in the page

export function Jobs({route}) {
  const jobs = useStore(state => state.jobs);
  const shown = jobs.find(job => job.id === route.parts[0]) ?? jobs[0];
  return html`<${Heading} title="Jobs"><span class="grow"></span><${Start} /><//>
    ${!jobs.length ? html`<${Empty} icon="jobs" title="No jobs">Start a stage: it runs as a program of its own, goes on when this
        page or its server ends, and can be put after another one.<//>`
      : html`<div class="split">
        <nav class="card job-nav" aria-label="Jobs"><ul>${jobs.map(job => html`<li key=${job.id}>
          <a href=${href("jobs", [job.id])} aria-current=${job === shown ? "true" : undefined}>
            <span class="job-line"><strong>${job.stage}</strong><${StateBadge} job=${job} /></span>
            <span class="muted mono cut">${chosen(job) || "as it is by default"}</span>
            <span class="muted">${when(job)}</span></a></li>`)}</ul></nav>
        <${Job} key=${shown.id} job=${shown} /></div>`}`;
}

function Start() {
  const [stages, set] = useState([]);
  useEffect(() => { get("stages").then(set, () => {}); }, []);
  const start = event => {
    if (event.target.value) openForm(event.target.value);
    event.target.value = "";
  };
  return html`<label class="inline"><span>Start</span><select onChange=${start} value="">
    <option value="">a stage ...</option>
    ${stages.map(stage => html`<option value=${stage.name} title=${stage.summary}>${stage.name}</option>`)}</select></label>`;
}

function Job({job}) {
  const before = job.after && read().jobs.find(other => other.id === job.after);
  return html`<article class="card job" aria-labelledby="job-title">
    <header class="heading"><h2 id="job-title">${job.stage}</h2><${StateBadge} job=${job} />
      <span class="grow"></span><${StopButtons} job=${job} /><${AgainButton} job=${job} /></header>
    <code class="command">python -m core ${job.arguments.join(" ")}</code>
    ${job.state === "running" && html`<${Progress} job=${job} />`}
    ${job.state === "waiting" && html`<p>Begins when <a href=${href("jobs", [job.after])}>${before ? before.stage : "the one before"}</a> has ended well.</p>`}
    <p class="muted">${when(job)}${job.note && ` · ${job.note}`}${job.code ? ` · exit code ${job.code}` : ""}</p>
    <${Log} job=${job} /></article>`;
}

function when(job) {
  const time = new Date((job.started || job.created) * 1000).toLocaleString("en", {dateStyle: "medium", timeStyle: "short"});
  return job.started && job.ended ? `${time} · took ${duration(job.ended - job.started)}` : time;
}

function Log({job}) {
  const [text, setText] = useState("");
  const element = useRef(null);
  const state = useRef({next: 0, follow: true});
  useEffect(() => {
    let ended = false;
    let timer;
    const readOn = async () => {
      const said = await get(`jobs/${job.id}/log?from=${state.current.next}`).catch(() => null);
      if (ended) return;
      if (said?.text) setText(before => (before + said.text).slice(-LONGEST));
      if (said) state.current.next = said.next;
      if (!isOver(job) || said?.text) timer = setTimeout(readOn, EVERY);
    };
    readOn();
    return () => {
      ended = true;
      clearTimeout(timer);
    };
  }, [job.id, isOver(job)]);
  useEffect(() => {
    if (state.current.follow) element.current.scrollTop = element.current.scrollHeight;
  }, [text]);
  const scrolled = ({target}) => { state.current.follow = target.scrollHeight - target.scrollTop - target.clientHeight < 40; };
  return html`<pre class="log" ref=${element} onScroll=${scrolled} tabindex="0" role="log" aria-label="What it said">${text || "It has said nothing yet."}</pre>`;
}
