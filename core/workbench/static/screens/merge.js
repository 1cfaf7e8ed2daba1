// Merging by eye: one frame with the options that are tried, cues, and the film.

import {useEffect, useMemo} from "preact/hooks";
import {address, post} from "../lib/api.js";
import {ask, fail, toast} from "../lib/dialogs.js";
import {openForm} from "../lib/form.js";
import {Progress, StateBadge, StopButtons, isOver} from "../lib/job.js";
import {useActions} from "../lib/keys.js";
import {onEvent} from "../lib/live.js";
import {useStore} from "../lib/store.js";
import {Badge, Button, Empty, Heading, Icon, Problem, ToNextStep, count, gigabytes, html} from "../lib/ui.js";
import {Cues, Scope, wordsOf} from "../merge/cues.js";
import {Options} from "../merge/options.js";
import {Picture, VIEWS} from "../merge/picture.js";
import {Player} from "../merge/player.js";
import {Session, useSession} from "../merge/session.js";

export function Merge() {
  const session = useMemo(() => new Session(), []);
  const player = useMemo(() => new Player(session), []);
  useSession(session);
  const revision = useStore(state => state.revisions.dst);
  const models = useStore(state => state.server.exported.join());
  const job = useStore(state => state.jobs.find(one => one.stage === "merge" || one.stage === "compare"));
  useEffect(() => { session.load(); }, [revision, models]);
  useEffect(() => { if (job && isOver(job)) session.reloadFilms(); }, [job?.id, job?.state]);
  useEffect(() => {
    const end = onEvent("cues", () => session.reloadCues());
    return () => { end(); session.close(); };
  }, []);
  useActions(session.film && !session.film.lacks.length ? actionsOf(session, player) : {});
  window.forge.merge = session;
  const {film, error} = session;
  if (error) return html`<${Heading} title="Merge" /><${Problem} error=${error} />`;
  if (!film) return html`<${Heading} title="Merge" /><p class="muted" role="status">Loading ...</p>`;
  if (film.lacks.length) return html`<${Heading} title="Merge" /><${Lacks} lacks=${film.lacks} />`;
  return html`<${Heading} title="Merge"><${Views} session=${session} /><span class="grow"></span>
      <${Films} films=${film.films} /><${Render} session=${session} job=${job} /><//>
    <p class="unseen" role="status" aria-live="polite">${session.said}</p>
    <div class="merge-body"><div class="merge-middle">
        <div class="stage"><${Picture} session=${session} />
          ${!session.shown && !session.problem && html`<div class="stage-note"><p class="muted">The model is being opened ...</p></div>`}
          ${session.problem && html`<div class="stage-problem"><${Problem} error=${session.problem} /></div>`}</div>
        <${Transport} session=${session} player=${player} /></div>
      <aside class="merge-panel" aria-label="Options">${job && !isOver(job) && html`<div class="card job"><header class="heading">
          <h2>${job.stage}</h2><${StateBadge} job=${job} /><span class="grow"></span><${StopButtons} job=${job} /></header><${Progress} job=${job} /></div>`}
        <${Scope} session=${session} /><${Differences} session=${session} />
        <div class="merge-options"><${Options} session=${session} /></div><${Cues} session=${session} /></aside></div>`;
}

function Lacks({lacks}) {
  const faces = lacks.includes("faces");
  const title = faces ? "No faces of the target yet" : "No model to merge yet";
  const words = {
    faces: "Take the frames of the target film and find its faces: steps 2 and 4.",
    model: "Train a model and export it, or put a .dfm file into the model folder.",
  };
  return html`<${Empty} icon="merge" title=${title}>${lacks.map(one => words[one]).join(" ")}<//>
    <${ToNextStep}>${!faces && html`<${Button} onClick=${() => openForm("export")}>Export the model<//>`}<//>`;
}

function actionsOf(session, player) {
  const still = act => () => { player.stop(); act(); };
  const views = Object.fromEntries(VIEWS.map(([view], place) => [`show${place + 1}`, () => session.changed({view})]));
  return {
    ...views,
    play: () => player.toggle(),
    next: still(() => session.step(1)),
    previous: still(() => session.step(-1)),
    next10: still(() => session.step(10)),
    previous10: still(() => session.step(-10)),
    first: still(() => session.go(0)),
    last: still(() => session.go(session.film.frames - 1)),
    zoomIn: () => session.stage.zoomIn(),
    zoomOut: () => session.stage.zoomOut(),
    fit: () => session.stage.fit(),
  };
}

const Views = ({session}) => html`<div class="group" role="group" aria-label="View">${VIEWS.map(([view, title], place) => html`
  <${Button} key=${view} action=${`show${place + 1}`} aria-pressed=${session.view === view ? "true" : "false"}
    onClick=${() => session.changed({view})}>${title}<//>`)}</div>`;

function Differences({session}) {
  const {differences, scope} = session;
  if (!differences.length) return html`<p class="differences muted">${scope === "film" ? "All options as usual" : "As the whole film"}</p>`;
  return html`<div class="differences"><span>${wordsOf(Object.fromEntries(differences))}</span>
    <${Button} kind="quiet" icon="undo" onClick=${() => session.reset("")}>Reset<//></div>`;
}

const Films = ({films}) => films.map(film => html`<a class="button" key=${film.name} href=${address(`merge/films/${film.name}`)} download
  title="Download it, ${film.bytes < 1e8 ? `${(film.bytes / 1e6).toFixed(1)} MB` : gigabytes(film.bytes)}"><${Icon} name="save" />${film.name}</a>`);

function Render({session, job}) {
  const values = {...session.values, side: "dst"};
  const start = async () => {
    try {
      const started = await post("jobs", {stage: "merge", values});
      toast(started.state === "waiting" ? "It waits for its turn" : "The film is being made", "good");
    } catch (error) {
      fail(error);
    }
  };
  const open = Object.keys(session.changes).length > 0;
  const render = () => (open ? ask("Render without the cue?", "What you tried last is not in convert.toml: add the cue first.", "Render without it", start) : start());
  const made = session.film.films.some(film => film.name === "result.mp4");
  const busy = job && !isOver(job);
  return html`<div class="buttons">
    ${made && html`<${Button} disabled=${busy} title="Target, swapped and source film side by side" onClick=${() => openForm("compare", {}, {started: () => {}})}>Compare<//>`}
    <${Button} title="All options of the film: codec, quality, people ..." disabled=${busy}
      onClick=${() => openForm("merge", values, {started: () => {}})}>Options<//>
    <${Button} kind="main" icon="play" disabled=${busy} title="Make the film with these options and cues" onClick=${render}>Render<//></div>`;
}

function Transport({session, player}) {
  const {film, number, shown} = session;
  const step = (action, text, by) => html`<${Button} kind="quiet" action=${action} onClick=${() => { player.stop(); session.step(by); }}>${text}<//>`;
  const head = shown?.head;
  return html`<div class="transport">
    <${Button} icon=${player.playing ? "stop" : "play"} action="play" onClick=${() => player.toggle()} />
    <div class="group">${step("previous", "‹", -1)}${step("next", "›", 1)}</div>
    <input class="grow" type="range" aria-label="Frame" min="0" max=${film.frames - 1} value=${number}
      aria-valuetext="frame ${number + 1} of ${film.frames}" onInput=${event => { player.stop(); session.go(event.target.valueAsNumber); }} />
    <span class="where"><span>${count(number + 1)} of ${count(film.frames)}</span>
      ${film.scenes.length > 1 && html`<${Badge}>shot ${session.scene}<//>`}
      ${head && html`<${Badge}>${head.faces.length ? `${head.faces.length} swapped` : "no face here"}<//>
        <span class="muted cut" title=${head.model}>${head.model}</span>`}
      ${session.busy && html`<${Badge} kind="accent">drawing<//>`}</span></div>`;
}
