// What training makes: the preview and its history, losses, times; save, stop, change.

import {Empty, Heading, html} from "../lib/ui.js";

export function Training() {
  return html`<${Heading} title="Training" /><${Empty} icon="training" title="Nothing was trained yet">Start training in the overview.<//>`;
}
