// Two saves on the same faces: what got better and what worse, in words, figures and pictures.

import {useEffect, useState} from "preact/hooks";
import {bytes, get, post} from "../lib/api.js";
import {fail, toast} from "../lib/dialogs.js";
import {Progress, isOver} from "../lib/job.js";
import {useStore} from "../lib/store.js";
import {Badge, Button, count, html} from "../lib/ui.js";

const KINDS = {better: "good", worse: "bad", "the same": ""};

export function Diagnosis() {
  const [found, setFound] = useState(null);
  const [chosen, choose] = useState("");
  const jobs = useStore(state => state.jobs.filter(job => job.stage === "quality"));
  const job = jobs.find(one => !isOver(one));
  const over = jobs.filter(isOver).length;
  useEffect(() => {
    Promise.all([get("training/saves"), get("training/comparisons")]).then(([saves, made]) => {
      setFound({saves, made});
      choose("");
    }, fail);
  }, [over]);
  if (!found) return null;
  const {saves, made} = found;
  const shown = made.find(one => one.id === chosen) ?? made[0];
  return html`<section class="card diagnosis" aria-labelledby="diagnosis"><header class="heading"><h2 id="diagnosis">Two saves compared</h2>
      ${made.length > 1 && html`<label class="inline"><span class="unseen">Comparison</span><select value=${shown.id} onChange=${event => choose(event.target.value)}>
        ${made.map(one => html`<option key=${one.id} value=${one.id}>${one.before} → ${one.after}</option>`)}</select></label>`}</header>
    ${job ? html`<${Progress} job=${job} />` : html`<${Choice} saves=${saves} />`}
    ${shown && html`<${Result} key=${shown.id + shown.written} shown=${shown} />`}</section>`;
}

function Choice({saves}) {
  const [before, setBefore] = useState(saves.at(-1)?.name ?? "");
  const [after, setAfter] = useState(saves[0]?.name ?? "");
  if (saves.length < 2) return html`<p class="muted">When a model has two saves or backups, they can be compared here on the same faces.</p>`;
  const start = () => post("jobs", {stage: "quality", values: {compare: [before, after]}})
    .then(() => toast("Both are judged on the same faces", "good", "It takes a minute or two."), fail);
  const select = (label, value, set) => html`<label class="inline">${label} <select value=${value} onChange=${event => set(event.target.value)}>
    ${saves.map(one => html`<option key=${one.name} value=${one.name}>${one.name}, iteration ${count(one.iteration)}</option>`)}</select></label>`;
  return html`<div class="compare-choice">${select("Before", before, setBefore)}${select("After", after, setAfter)}
    <${Button} icon="play" disabled=${before === after} onClick=${start}>Compare<//></div>`;
}

function Result({shown}) {
  const {before, after, changes, faces, held_out: heldOut} = shown;
  const having = verdict => changes.filter(change => change.verdict === verdict);
  const same = having("the same");
  const sentence = ({title, before: from, after: to, better, worse}) => html`${title}: <strong>${from} → ${to}</strong>
    <span class="muted"> (${better} faces better, ${worse} worse)</span>`;
  return html`<p><strong>${before}</strong> against <strong>${after}</strong>, on ${count(faces)} ${heldOut ? "held-out target faces, never trained on" : "target faces, which may have been trained on"}.</p>
    <ul class="changes">${["better", "worse"].flatMap(having).map(change => html`<li key=${change.title}><${Badge} kind=${KINDS[change.verdict]}>${change.verdict}<//> <span>${sentence(change)}</span></li>`)}
      ${same.length > 0 && html`<li key="same"><${Badge}>the same<//> <span>No difference beyond chance: ${same.map(change => change.title).join(", ")}.</span></li>`}</ul>
    <p class="muted">Two saves of one training differ by chance, too: a progress is what several saves agree on.</p>
    <${Pictures} id=${shown.id} />`;
}

function Pictures({id}) {
  const [groups, setGroups] = useState(null);
  useEffect(() => { bytes(`training/comparisons/${id}/page`).then(data => setGroups(groupsOf(data)), () => setGroups([])); }, [id]);
  if (!groups) return html`<p class="muted" role="status">Loading the pictures ...</p>`;
  return groups.map(({title, rows}) => html`<section key=${title}><h3>${title}</h3>${rows.map(({pictures, caption}) => html`<figure class="triptych" key=${caption}>
    <div>${pictures.map(({name, source}) => html`<span key=${name}>${name}<img src=${source} alt="${name} of this face" /></span>`)}</div>
    <figcaption>${caption}</figcaption></figure>`)}</section>`);
}

// The pictures of the page that the quality stage has written. It is read, never shown: texts stay texts, and pictures
// are data.
function groupsOf(data) {
  // Without its style, which is refused here even in a page that is not shown.
  const text = new TextDecoder().decode(data).replace(/<style>.*?<\/style>/s, "");
  const page = new DOMParser().parseFromString(text, "text/html");
  return [...page.querySelectorAll("h2")].map(head => {
    const rows = [];
    for (let next = head.nextElementSibling; next?.tagName === "FIGURE"; next = next.nextElementSibling) rows.push(rowOf(next));
    return {title: head.textContent, rows};
  }).filter(({rows}) => rows.length > 0);
}

function rowOf(figure) {
  const pictures = [...figure.querySelectorAll("img")].map(image => ({name: image.alt, source: image.getAttribute("src")}));
  return {pictures: pictures.filter(({source}) => source?.startsWith("data:image/jpeg;base64,")), caption: figure.querySelector("figcaption")?.textContent ?? ""};
}
