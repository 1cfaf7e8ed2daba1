// Parts that every screen is built of.

import {h} from "preact";
import {useEffect, useRef} from "preact/hooks";
import htm from "htm";
import {titleOf} from "./keys.js";

export const html = htm.bind(h);

const PATHS = {
  overview: "M3 3h7v7H3zM14 3h7v4h-7zM14 11h7v10h-7zM3 14h7v7H3z",
  faces: "M12 4a5 5 0 1 0 0 10a5 5 0 1 0 0-10M4 21c0-4 3.6-6 8-6s8 2 8 6",
  frames: "M3 5h18v14H3zM7 5v14M17 5v14M3 10h4M3 15h4M17 10h4M17 15h4",
  masks: "M4 5c5 2 11 2 16 0v8c0 4-4 7-8 8c-4-1-8-4-8-8zM8 11h3M13 11h3",
  training: "M3 20h18M4 16l5-6 4 3 7-9",
  merge: "M9 4a6 8 0 1 0 0 16a6 8 0 1 0 0-16M15 4a6 8 0 1 0 0 16a6 8 0 1 0 0-16",
  live: "M12 9a3 3 0 1 0 0 6a3 3 0 1 0 0-6M6 6a8.5 8.5 0 0 0 0 12M18 6a8.5 8.5 0 0 1 0 12",
  jobs: "M4 6h16M4 12h16M4 18h10",
  undo: "M8 5L4 9l4 4M4 9h10a5 5 0 0 1 0 10h-4",
  redo: "M16 5l4 4-4 4M20 9H10a5 5 0 0 0 0 10h4",
  play: "M7 4l13 8-13 8z",
  stop: "M6 6h12v12H6z",
  close: "M5 5l14 14M19 5L5 19",
  check: "M4 12l5 5L20 6",
  warn: "M12 4L2 20h20zM12 10v4M12 17v.5",
  again: "M20 12a8 8 0 1 1-2.5-5.8M20 3v4h-4",
  keys: "M3 6h18v12H3zM7 10h.5M12 10h.5M17 10h.5M8 14h8",
  light: "M12 8a4 4 0 1 0 0 8a4 4 0 1 0 0-8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.5 1.5M17.5 17.5L19 19M5 19l1.5-1.5M17.5 6.5L19 5",
  dark: "M20 14A8 8 0 0 1 10 4a8 8 0 1 0 10 10z",
  system: "M3 4h18v12H3zM9 20h6M12 16v4",
  save: "M4 4h12l4 4v12H4zM8 4v5h7V4M8 20v-6h8v6",
  arrow: "M5 12h14M13 6l6 6-6 6",
};

export const Icon = ({name}) => html`
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${PATHS[name]} /></svg>`;

// kind: "", "main", "quiet" or "danger". action: of keys.js, for the title.
export function Button({icon, kind = "", action, title, children, ...rest}) {
  const shown = title ?? (action ? titleOf(action) : undefined);
  const label = children ? undefined : shown;
  return html`<button type="button" class="button ${kind} ${children ? "" : "square"}" title=${shown} aria-label=${label} ...${rest}>
    ${icon && html`<${Icon} name=${icon} />`}${children}</button>`;
}

export const Badge = ({kind = "", children}) => html`<span class="badge ${kind}">${children}</span>`;

// share: 0..1; null where nobody knows how much there is.
export function Bar({share, label}) {
  const value = share === null ? undefined : Math.round(share * 100);
  return html`<div class="bar ${share === null ? "endless" : ""}" role="progressbar" aria-label=${label}
    aria-valuemin="0" aria-valuemax="100" aria-valuenow=${value}><span style=${{width: `${value ?? 100}%`}}></span></div>`;
}

// Where there is nothing yet: what that means, and what to do.
export const Empty = ({icon, title, children}) => html`
  <div class="empty"><${Icon} name=${icon} /><h2>${title}</h2><p>${children}</p></div>`;

// Below an empty screen: where what it needs is made.
export const ToNextStep = ({children}) => html`<div class="centred"><a class="button main" href="#/overview">To the next step</a>${children}</div>`;

export function Problem({error}) {
  return html`<div class="problem" role="alert"><${Icon} name="warn" /><div>
    <strong>${error.what ?? error.message}</strong>
    ${error.where && html`<div class="mono">${error.where}</div>`}
    ${error.why && html`<div>${error.why}</div>`}
    ${error.hint && html`<div class="muted">${error.hint}</div>`}</div></div>`;
}

// The title of the page and its first heading.
export function Heading({title, children}) {
  useEffect(() => { document.title = `${title} - DFM Forge workbench`; }, [title]);
  return html`<header class="heading"><h1>${title}</h1>${children}</header>`;
}

// Switches between the sides of a screen.
export const Sides = ({screen, side}) => html`<nav class="sides" aria-label="Side">${Object.entries(SIDES).map(([name, title]) => html`
  <a class="button" key=${name} href="#/${screen}/${name}"
    aria-current=${name === side ? "page" : undefined}>${title}</a>`)}</nav>`;

export const SIDES = {src: "Source", dst: "Target"};

// As in "the source faces".
export const sideName = side => SIDES[side].toLowerCase();

// Calls back with the size of an element whenever it changes: (width, height) in CSS pixels.
export function useSize(callback) {
  const element = useRef(null);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => callback(entry.contentRect.width, entry.contentRect.height));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return element;
}

// A colour of theme.css as a canvas takes it: color("--accent").
export function color(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min ${rest} s` : `${rest} s`;
}

export const count = number => number.toLocaleString("en");

export const gigabytes = bytes => `${(bytes / 1e9).toFixed(bytes < 1e11 ? 1 : 0)} GB`;
