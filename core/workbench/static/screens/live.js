// Live pictures: the player is a stage with a page of its own; this starts it and leads there.

import {useEffect, useState} from "preact/hooks";
import {get} from "../lib/api.js";
import {openForm} from "../lib/form.js";
import {Progress, StopButtons, isOver} from "../lib/job.js";
import {go, href} from "../lib/router.js";
import {useStore} from "../lib/store.js";
import {Button, Empty, Heading, Icon, html} from "../lib/ui.js";

const LINK = /http:\/\/127\.0\.0\.1:\d+\/#[\w-]+/;
const EVERY = 700;
const OWN = {port: "8601"}; // beside the port of this page

export function Live() {
  const job = useStore(state => state.jobs.find(one => one.stage === "live" && !isOver(one)));
  const last = useStore(state => state.jobs.find(one => one.stage === "live"));
  const models = useStore(state => state.server.exported);
  const start = () => openForm("live", last?.values ?? OWN, {started: () => go("live")});
  return html`<${Heading} title="Live" />
    ${job ? html`<${Running} key=${job.id} job=${job} />`
      : html`<${Empty} icon="live" title=${models.length ? "Not playing" : "No model to play yet"}>
          The face of a model in the picture of your camera, at once. The player has a page of its own, at a port of its own: a
          tunnel needs that port, too. ${!models.length && "Train and export a model first, or name a .dfm file."}<//>
        <div class="centred"><${Button} kind="main" icon="play" onClick=${start}>Start the player<//>
          ${last && html`<a class="button" href=${href("jobs", [last.id])}>What it said last</a>`}</div>`}`;
}

function Running({job}) {
  const link = useLink(job);
  return html`<section class="card job" aria-labelledby="player"><header class="heading"><h2 id="player">Player</h2>
      <span class="grow"></span><a class="button quiet" href=${href("jobs", [job.id])}>Log</a><${StopButtons} job=${job} /></header>
    ${link ? html`<p>It is ready. Its page asks for your camera, shows the picture, and has all controls.</p>
        <div><a class="button main" href=${link} target="_blank" rel="noopener"><${Icon} name="live" />Open the player</a></div>`
      : html`<p class="muted" role="status">It loads the model ...</p><${Progress} job=${job} />`}</section>`;
}

// The link that the player has printed; empty until then.
function useLink(job) {
  const [link, set] = useState("");
  useEffect(() => {
    if (link) return undefined;
    const timer = setInterval(async () => {
      const said = await get(`jobs/${job.id}/log`).catch(() => null);
      const found = said?.text.match(LINK);
      if (found) set(found[0]);
    }, EVERY);
    return () => clearInterval(timer);
  }, [job.id, link]);
  return link;
}
