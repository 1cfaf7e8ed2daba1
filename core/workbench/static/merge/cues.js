// Cues: for whom the options are, those in the file, taking one out, taking back.

import {fail, toast} from "../lib/dialogs.js";
import {Button, Problem, html} from "../lib/ui.js";

// Words of a cue's place: "frames 120-480, person anna".
const placeOf = where => Object.entries(where).map(([name, value]) => `${name} ${value}`).join(", ") || "all faces";

export const wordsOf = changes => Object.entries(changes)
  .map(([name, value]) => `${name.replaceAll("_", " ")} ${typeof value === "object" ? JSON.stringify(value) : value}`).join(" · ");

export function Scope({session}) {
  const {film, scope} = session;
  const choices = [
    ["film", "Whole film", true, ""],
    ["scene", "This shot", film.scenes.length > 0, "Step 4 has not looked for cuts in this film"],
    ["person", "This person", film.persons.length > 0, "Nobody has a name yet: step 4.1.3 tells people apart"],
    ["frames", "Frames", true, ""],
  ];
  const add = () => session.addCue().then(() => toast("The cue is in convert.toml", "good"), fail);
  const ready = Object.keys(session.changes).length > 0;
  return html`<div class="scope" role="group" aria-label="Options for">${choices.map(([name, title, there, why]) => html`
      <${Button} key=${name} aria-pressed=${scope === name ? "true" : "false"} disabled=${!there} title=${there ? undefined : why}
        onClick=${() => session.setScope(name)}>${title}<//>`)}</div>
    ${scope !== "film" && html`<div class="draft">
      ${scope === "scene" && html`<span>Shot ${session.scene} of ${film.scenes.length}</span>`}
      ${scope === "person" && html`<label class="inline">Person <select value=${session.person}
        onChange=${event => { session.changed({person: event.target.value}); session.ask(); }}>
        ${film.persons.map(name => html`<option key=${name} value=${name}>${name}</option>`)}</select></label>`}
      ${scope === "frames" && html`<label class="inline">Frames <input type="text" size="12" value=${session.range} placeholder="120-480"
        onChange=${event => { session.changed({range: event.target.value}); session.ask(); }} /></label>`}
      <span class="grow"></span>
      <${Button} kind="main" icon="save" disabled=${!ready} title=${ready ? "Write it into convert.toml" : "Change an option first"} onClick=${add}>Add the cue<//>
    </div>`}`;
}

export function Cues({session}) {
  const {cues, shown} = session;
  if (!cues) return null;
  const change = number => session.changeCues(number).then(() => toast(number ? "The cue was taken out" : "The file is as before", "good"), fail);
  const obeyed = new Set(session.withCues ? shown?.head.cues : []);
  return html`<section class="cues" aria-labelledby="cues-title"><header class="heading"><h2 id="cues-title">Cues</h2>
      <span class="grow"></span>
      <label class="inline"><input type="checkbox" checked=${session.withCues}
        onChange=${event => { session.changed({withCues: event.target.checked}); session.ask(); }} />in the picture</label>
      <${Button} kind="quiet" icon="undo" title="Take back the last change of convert.toml" disabled=${!cues.undo} onClick=${() => change(null)} /></header>
    ${cues.error && html`<${Problem} error=${cues.error} />`}
    ${!cues.error && !cues.cues.length && html`<p class="muted">None: all faces are merged alike. Choose a shot, a person or frames above, change
      options, and add it.</p>`}
    <ol>${cues.cues.map((cue, place) => html`<li key=${place} class=${obeyed.has(place + 1) ? "obeyed" : ""}>
      <div><strong>${place + 1}. ${placeOf(cue.where)}</strong>${obeyed.has(place + 1) && html`<span class="badge accent">in this frame</span>`}
        <div class="muted">${wordsOf(cue.changes) || "changes nothing"}</div></div>
      <${Button} kind="quiet" icon="close" title="Take out cue ${place + 1}" onClick=${() => change(place + 1)} /></li>`)}</ol></section>`;
}
