// What automatic cleaning found, as a queue: why, and how much; one key throws the face out, another says that it is fine.

import {useEffect, useState} from "preact/hooks";
import {get} from "../lib/api.js";
import {Bar, Button, Problem, count, html} from "../lib/ui.js";
import {withValues} from "./query.js";

// The verdicts that say how a picture is, rather than who or what is on it.
const AUDIT = ["blurred", "too dark", "too bright", "low contrast", "duplicate"];
// Of these the smallest score is the worst.
const RISING = ["another person", "blurred", "too dark", "low contrast"];

// verdicts: [{name, column, help}]. there: whether cleaning was computed. judge: computes it. change: gets a query.
export function Review({side, query, verdicts, there, judge, change, version, actions, decided, children}) {
  const [found, error] = useVerdicts(side, there, version);
  if (error) return html`<${Problem} error=${error} />`;
  if (!there) {
    return html`<div class="review"><p>Every face is looked at: landmarks, who it is, what hides it, sharpness, exposure, duplicates.
        Nothing moves: you accept or reject each verdict.</p>
      <${Button} kind="main" icon="play" onClick=${judge}>Judge all faces<//>${children}</div>`;
  }
  if (!found) return html`<p class="muted">Counting ...</p>`;
  const rows = verdicts.filter(one => found[one.name]);
  const queue = verdicts.find(one => query.has(one.column)) ?? (query.get("verdicts") === "1.." ? {name: "every verdict"} : null);
  const open = one => {
    const bare = withValues(new URLSearchParams(), one.column, [".."]);
    change(withValues(bare, "sort", [(RISING.includes(one.name) ? "" : "-") + one.column]));
  };
  const all = () => change(new URLSearchParams({verdicts: "1..", group: "verdict"}));
  const section = (title, some) => some.length > 0 && html`<section><h2>${title}</h2><ul class="verdicts">${some.map(one => html`
    <li key=${one.name}><${Verdict} one=${one} counts=${found[one.name]} open=${() => open(one)} on=${query.has(one.column)} /></li>`)}</ul></section>`;
  return html`<div class="review">
    ${queue && html`<${Queue} name=${queue.name} decided=${decided} actions=${actions} />${children}`}
    ${rows.length === 0 ? html`<p>Nothing was found: every face is fine.</p>` : html`
      ${section("What is on the pictures", rows.filter(one => !AUDIT.includes(one.name)))}
      ${section("How the pictures are", rows.filter(one => AUDIT.includes(one.name)))}
      <div class="buttons"><${Button} onClick=${all}>All that were found<//></div>`}
    <${Button} kind="quiet" icon="again" onClick=${judge}>Look again<//>${!queue && children}</div>`;
}

function useVerdicts(side, there, version) {
  const [found, setFound] = useState(null);
  const [error, setError] = useState(null);
  useEffect(() => { if (there) get(`${side}/verdicts`).then(setFound, setError); }, [side, there, version]);
  return [found, error];
}

function Verdict({one, counts, open, on}) {
  return html`<button type="button" class="verdict" aria-pressed=${on ? "true" : "false"} onClick=${open} title=${one.help}>
    <strong>${one.name}</strong><span class="number">${count(counts.all)}</span>
    <span class="muted">${one.help}</span>
    <${Bar} share=${(counts.all - counts.open) / counts.all} label="${one.name}: decided" />
    <span class="muted number">${counts.open ? `${count(counts.open)} open` : "all decided"}</span></button>`;
}

function Queue({name, decided, actions}) {
  return html`<section class="queue" aria-label="Queue"><h2>Queue: ${name}</h2>
    <${Bar} share=${decided.all ? decided.done / decided.all : 1} label="How many are decided" />
    <p class="muted number">${count(decided.done)} of ${count(decided.all)} decided</p>
    <div class="buttons"><${Button} action="trash" title="Accept the verdict: trash (X)" onClick=${() => actions.mark("trash")}>Accept<//>
      <${Button} action="keep" title="Reject the verdict: keep (K)" onClick=${() => actions.mark("keep")}>Reject<//>
      <${Button} action="unsure" onClick=${() => actions.mark("unsure")}>Unsure<//>
      <${Button} kind="quiet" onClick=${actions.nextOpen}>Next open one<//></div></section>`;
}
