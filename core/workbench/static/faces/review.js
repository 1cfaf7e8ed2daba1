// What automatic cleaning found, as a queue: why, and how much; one key throws the face out, another says that it is fine.

import {useEffect, useState} from "preact/hooks";
import {get} from "../lib/api.js";
import {Bar, Button, Problem, count, html} from "../lib/ui.js";
import {queueOf, withValues} from "./query.js";

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
        Nothing moves: you accept or reject each verdict. What you reject is remembered.</p>
      <${Button} kind="main" icon="play" onClick=${judge}>Judge all faces<//>${children}</div>`;
  }
  if (!found) return html`<p class="muted">Counting ...</p>`;
  const rows = verdicts.filter(one => found[one.name]);
  const queue = queueOf(query, verdicts);
  const open = (one, column) => {
    const bare = withValues(new URLSearchParams(), column, [".."]);
    change(withValues(bare, "sort", [(RISING.includes(one.name) ? "" : "-") + column]));
  };
  const all = () => change(new URLSearchParams({verdicts: "1..", group: "verdict"}));
  const section = (title, some) => some.length > 0 && html`<section><h2>${title}</h2><ul class="verdicts">${some.map(one => html`
    <li key=${one.name}><${Verdict} one=${one} counts=${found[one.name]} query=${query} open=${open} /></li>`)}</ul></section>`;
  return html`<div class="review">
    ${queue?.rejected && html`<${Rejected} name=${queue.name} number=${decided.all} actions=${actions} />${children}`}
    ${queue && !queue.rejected && html`<${Queue} name=${queue.name} decided=${decided} actions=${actions} />${children}`}
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

function Verdict({one, counts, query, open}) {
  const [all, decided] = [counts.all + counts.rejected, counts.all - counts.open + counts.rejected];
  const on = name => (query.has(name) ? "true" : "false");
  return html`<button type="button" class="verdict" aria-pressed=${on(one.column)} onClick=${() => open(one, one.column)} title=${one.help}>
    <strong>${one.name}</strong><span class="number">${count(counts.all)}</span>
    <span class="muted">${one.help}</span>
    <${Bar} share=${decided / all} label="${one.name}: decided" />
    <span class="muted number">${counts.open ? `${count(counts.open)} open` : "all decided"}</span></button>
    ${counts.rejected > 0 && html`<${Button} kind="quiet" aria-pressed=${on(one.rejected)} title="Show the faces that you keep anyway"
      onClick=${() => open(one, one.rejected)}>${count(counts.rejected)} rejected<//>`}`;
}

// Faces that stay although cleaning said something of them.
function Rejected({name, number, actions}) {
  return html`<section class="queue" aria-label="Rejected"><h2>Rejected: ${name}</h2>
    <p class="muted number">${number === 1 ? "1 face is" : `${count(number)} faces are`} kept anyway, and not proposed again.</p>
    <div class="buttons"><${Button} action="unmark" title="Propose it again (R)" onClick=${() => actions.mark("")}>Propose again<//>
      <${Button} action="trash" title="Accept the verdict: trash (X)" onClick=${() => actions.mark("trash")}>Accept<//></div></section>`;
}

function Queue({name, decided, actions}) {
  return html`<section class="queue" aria-label="Queue"><h2>Queue: ${name}</h2>
    <${Bar} share=${decided.all ? decided.done / decided.all : 1} label="How many are decided" />
    <p class="muted number">${count(decided.done)} of ${count(decided.all)} decided</p>
    <div class="buttons"><${Button} action="trash" title="Accept the verdict: trash (X)" onClick=${() => actions.mark("trash")}>Accept<//>
      <${Button} action="keep" title="Reject the verdict for good: keep (K)" onClick=${() => actions.mark("keep")}>Reject<//>
      <${Button} action="unsure" onClick=${() => actions.mark("unsure")}>Unsure<//>
      <${Button} kind="quiet" onClick=${actions.nextOpen}>Next open one<//></div></section>`;
}
