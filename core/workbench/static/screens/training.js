// What training makes: the preview and its history, losses, times; save, stop, change.

import {useEffect, useRef, useState} from "preact/hooks";
import {address, get, post} from "../lib/api.js";
import {fail, openDialog, toast} from "../lib/dialogs.js";
import {openForm} from "../lib/form.js";
import {Progress, StopButtons, isOver} from "../lib/job.js";
import {useStore} from "../lib/store.js";
import {Button, Empty, Heading, Problem, count, html} from "../lib/ui.js";
import {LossChart} from "./chart.js";
import {Diagnosis} from "./diagnosis.js";

const POINTS = 500; // of a curve
const QUIET = 120; // seconds without a new line: nothing trains
const NUMBERS = [
  ["target_iter", "Train until this iteration", "0: to the end of the schedule, else until stopped"],
  ["preview_every", "Iterations between previews", "0: at saves only"],
  ["save_minutes", "Minutes between saves", "up to 1440"],
  ["held_out_every", "Iterations between held-out losses", ""],
  ["learning_rate", "Learning rate", "such as 2e-5"],
];

export function Training() {
  const [model, setModel] = useState("");
  const [found, setFound] = useState(null);
  const [error, setError] = useState(null);
  const news = useStore(state => state.training);
  const job = useStore(state => state.jobs.find(one => one.stage === "train" && !isOver(one)));
  useEffect(() => { get(`training/summary?points=${POINTS}&model=${encodeURIComponent(model)}`).then(setFound, setError); }, [model, news]);
  if (error) return html`<${Heading} title="Training" /><${Problem} error=${error} />`;
  if (!found) return html`<${Heading} title="Training" /><p class="muted" role="status">Loading ...</p>`;
  const trains = job?.state === "running" || (found.age !== null && found.age < QUIET);
  return html`<${Heading} title="Training">
      ${found.models.length > 1 && html`<label class="inline">Model <select value=${found.model} onChange=${event => setModel(event.target.value)}>
        ${found.models.map(name => html`<option value=${name}>${name}</option>`)}</select></label>`}
      <span class="grow"></span><${Controls} job=${job} trains=${trains} /><//>
    ${job?.state === "running" && html`<div class="card"><${Progress} job=${job} /></div>`}
    ${!found.model && !found.preview ? html`<${Empty} icon="training" title="Nothing was trained yet">Previews and losses
        appear here while a model trains. Training goes on when this page is closed.<//>`
      : html`<${Numbers} found=${found} />
        <div class="training-panels"><${Preview} found=${found} />
          <section class="card" aria-labelledby="losses"><h2 id="losses">Losses</h2><${LossChart} found=${found} /></section></div>
        <${Diagnosis} />`}`;
}

function Controls({job, trains}) {
  const ask = (body, said) => post("training/request", body).then(() => toast(said, "good"), fail);
  if (!trains) return html`<${Button} kind="main" icon="play" onClick=${() => openForm("train")}>Train<//>`;
  return html`<div class="buttons">
    <${Button} icon="save" title="Save after this iteration" onClick=${() => ask({save: true}, "It saves after this iteration")}>Save<//>
    <${Button} title="Draw a preview after this iteration" onClick=${() => ask({preview: true}, "A preview comes after this iteration")}>Preview now<//>
    <${Button} title="What may change while it trains" onClick=${openChanges}>Change<//>
    ${job && html`<${Button} icon="again" title="Save, stop, and go on with other options"
      onClick=${() => openForm("train", job.values, {takesOver: job})}>Other options<//><${StopButtons} job=${job} />`}</div>`;
}

const openChanges = () => openDialog("Change while it trains", close => html`<${Changes} close=${close} />`);

function Changes({close}) {
  const [values, set] = useState({});
  const [error, setError] = useState(null);
  const send = async event => {
    event.preventDefault();
    const chosen = Object.entries(values).filter(([, text]) => text.trim());
    const wrong = chosen.find(([, text]) => Number.isNaN(Number(text)));
    if (wrong) {
      setError({what: "This is no number.", where: wrong[0], fields: {[wrong[0]]: "a number"}});
      return;
    }
    try {
      await post("training/request", {numbers: Object.fromEntries(chosen.map(([name, text]) => [name, Number(text)]))});
      toast("It changes after this iteration", "good");
      close();
    } catch (problem) {
      setError(problem);
    }
  };
  return html`<form class="stage-form" onSubmit=${send}><p class="muted">These take effect after the iteration that runs now, for this
      run. Everything else needs a new start: Other options.</p>
    <div class="fields">${NUMBERS.map(([name, label, help]) => html`<div class="field ${error?.fields?.[name] ? "faulty" : ""}" key=${name}>
      <label for=${`change-${name}`}>${label}</label>
      <input type="text" inputmode="decimal" id=${`change-${name}`} value=${values[name] ?? ""} placeholder="as it is"
        aria-invalid=${error?.fields?.[name] ? "true" : undefined} onInput=${event => set({...values, [name]: event.target.value})} />
      ${error?.fields?.[name] && html`<p class="fault">${error.fields[name]}</p>`}<p class="help">${help}</p></div>`)}</div>
    ${error && html`<${Problem} error=${error} />`}
    <footer class="dialog-foot"><${Button} onClick=${close}>Cancel<//><button class="button main">Change</button></footer></form>`;
}

function Numbers({found}) {
  const {latest, phases} = found;
  if (latest.iter === undefined) return null;
  const phase = [...phases].reverse().find(one => one.start < latest.iter);
  const items = [
    ["Iteration", count(latest.iter)],
    ["Loss, source", latest.src?.toFixed(4)],
    ["Loss, target", latest.dst?.toFixed(4)],
    ["Held out, source", latest.held_src?.toFixed(4)],
    ["Held out, target", latest.held_dst?.toFixed(4)],
    ["An iteration", `${latest.ms.toFixed(latest.ms < 10 ? 1 : 0)} ms`],
    ["Waits for data", `${Math.round(100 * latest.wait)} %`, latest.wait > 0.1 ? "warn" : ""],
    ["Phase", phase && `${phase.name.replace("phase ", "")}: ${phase.options}`],
  ];
  return html`<dl class="numbers">${items.filter(([, value]) => value).map(([name, value, kind]) => html`
    <div class=${kind ?? ""} key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function Preview({found}) {
  const {history, model, preview} = found;
  const [place, setPlace] = useState(null); // null: the newest, and whatever comes after it
  const shown = place === null ? 0 : history[Math.min(place, history.length - 1)];
  const source = address("training/preview.jpg", shown ? {model, iteration: shown} : {model, iteration: 0, time: preview});
  const playing = useRef(0);
  useEffect(() => () => clearInterval(playing.current), []);
  const stop = () => {
    clearInterval(playing.current);
    playing.current = 0;
  };
  const play = () => {
    stop();
    let next = place === null || place >= history.length - 1 ? 0 : place;
    setPlace(next);
    playing.current = setInterval(() => {
      next += 1;
      if (next >= history.length) {
        stop();
        setPlace(null);
      } else setPlace(next);
    }, 150);
  };
  const slide = event => {
    stop();
    const chosen = Number(event.target.value);
    setPlace(chosen >= history.length ? null : chosen);
  };
  const words = shown ? `iteration ${count(shown)}` : "newest";
  return html`<section class="card preview" aria-labelledby="preview"><header class="heading"><h2 id="preview">Preview</h2>
      <span class="muted">${preview ? words : ""}</span></header>
    ${!preview ? html`<p class="muted">None was drawn yet.</p>`
      : html`<a href=${source} target="_blank" rel="noopener" title="Show it alone"><img src=${source}
          alt="Source, as made; target, as made; the swap (${words})" /></a>
        ${history.length > 1 && html`<div class="timeline"><${Button} kind="quiet" icon="play" title="Play the history" onClick=${play} />
          <label class="unseen" for="history">History of previews</label>
          <input id="history" type="range" min="0" max=${history.length} step="1" value=${place ?? history.length}
            aria-valuetext=${words} onInput=${slide} />
          <${Button} kind="quiet" onClick=${() => { stop(); setPlace(null); }}>Newest<//></div>`}`}</section>`;
}
