// The frame around every screen: header, navigation, messages.

import {render} from "preact";
import {useState} from "preact/hooks";
import {Dialogs, Toasts, showKeys} from "./lib/dialogs.js";
import {JobPill} from "./lib/job.js";
import {listenToKeys, useActions} from "./lib/keys.js";
import {currentSocket, keepLive} from "./lib/live.js";
import {href, useRoute} from "./lib/router.js";
import {read, useStore} from "./lib/store.js";
import {Button, Icon, Problem, gigabytes, html, sideName} from "./lib/ui.js";
import {redo, undo} from "./lib/undo.js";
import {SCREENS} from "./screens/screens.js";

const THEMES = ["system", "light", "dark"];

function App() {
  const route = useRoute();
  const lost = useStore(state => state.lost);
  const loaded = useStore(state => state.server !== null);
  useActions({undo, redo, help: showKeys});
  const screen = SCREENS.find(one => one.name === route.screen) ?? SCREENS[0];
  return html`
    <a class="skip" href="#main" onClick=${toMain}>To the content</a>
    <${Header} />
    <${Navigation} current=${screen.name} />
    <main id="main" tabindex="-1" class="screen ${screen.name}">
      ${lost ? html`<${Problem} error=${lost} />`
        : loaded ? html`<${screen.draw} key=${screen.name} route=${route} />` : html`<p class="muted" role="status">Loading ...</p>`}
    </main>
    <${Toasts} /><${Dialogs} />`;
}

function toMain(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

function Header() {
  const workspace = useStore(state => state.server?.workspace);
  const connected = useStore(state => state.connected);
  const side = useStore(state => state.side);
  return html`<header class="top">
    <a class="brand" href="#/overview"><img src="/static/icon.svg" alt="" width="22" height="22" />
      <span>DFM Forge</span></a>
    <span class="workspace" title="The workspace">${workspace ?? ""}</span>
    <${JobPill} />
    ${!connected && html`<span class="badge warn" role="status">connecting again</span>`}
    <span class="grow"></span>
    <${Machine} />
    <div class="group">
      <${Button} kind="quiet" icon="undo" title="Undo the last change of the ${sideName(side)} faces (Ctrl+Z)" onClick=${undo} />
      <${Button} kind="quiet" icon="redo" title="Make it again (Ctrl+Shift+Z)" onClick=${redo} />
      <${Button} kind="quiet" icon="keys" title="Keys (?)" onClick=${showKeys} />
      <${Theme} /></div>
  </header>`;
}

function Machine() {
  const machine = useStore(state => state.machine);
  if (!machine) return null;
  const {disk, cards} = machine;
  const title = `${gigabytes(disk.free)} of ${gigabytes(disk.total)} are free; ${gigabytes(disk.reserve)} are kept in reserve`;
  return html`<dl class="machine">
    ${cards.map((card, number) => html`<div title=${card.name} key=${number}><dt>GPU ${cards.length > 1 ? number : ""}</dt>
      <dd>${known(card.use, "%")} ${memory(card)} ${known(card.temperature, "°C")}</dd></div>`)}
    <div title=${title} class=${disk.short ? "short" : ""}><dt>Disk</dt><dd>${gigabytes(disk.free)} free</dd></div>
  </dl>`;
}

const known = (value, unit) => (value === null ? "" : `${value} ${unit}`);

const memory = card => (card.total ? `${(card.used / 1024).toFixed(1)} / ${(card.total / 1024).toFixed(0)} GiB` : "");

function Theme() {
  const [name, set] = useState(localStorage.getItem("theme") ?? THEMES[0]);
  const next = THEMES[(THEMES.indexOf(name) + 1) % THEMES.length];
  const change = () => {
    localStorage.setItem("theme", next);
    showTheme(next);
    set(next);
  };
  return html`<${Button} kind="quiet" icon=${name} title="Colours: ${name}; change to ${next}" onClick=${change} />`;
}

function showTheme(name) {
  if (name === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  dispatchEvent(new Event("theme"));
}

function Navigation({current}) {
  const busy = useStore(state => state.jobs.filter(job => job.state === "running").length);
  const running = screen => (screen.name === "jobs" ? busy : 0);
  return html`<nav class="side" aria-label="Screens"><ul>${SCREENS.map(screen => html`
    <li key=${screen.name}><a href=${href(screen.name)} aria-current=${screen.name === current ? "page" : undefined}
        title=${screen.title}>
      <${Icon} name=${screen.icon} /><span class="name">${screen.title}</span>
      ${running(screen) > 0 && html`<span class="count">${busy}<span class="unseen"> running</span></span>`}
    </a></li>`)}</ul></nav>`;
}

// For tests, and for whoever looks into the console. Nothing of the page uses it.
window.forge = {state: read, socket: currentSocket, screens: SCREENS.map(screen => screen.name)};
showTheme(localStorage.getItem("theme") ?? THEMES[0]);
listenToKeys();
render(html`<${App} />`, document.getElementById("app"));
keepLive();
