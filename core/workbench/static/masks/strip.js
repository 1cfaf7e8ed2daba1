// The faces of the filter as a row of thumbs around the present one.

import {useEffect, useRef, useState} from "preact/hooks";
import {html, useSize} from "../lib/ui.js";

const WIDE = 68; // CSS pixels of a thumb with its gap
const SIDE = 60;

export function Strip({session}) {
  const [room, setRoom] = useState(1);
  const box = useSize(width => setRoom(Math.max(1, Math.floor(width / WIDE))));
  const {ids, place} = session;
  const first = Math.max(0, Math.min(place - Math.floor(room / 2), ids.length - room));
  const shown = ids.slice(first, first + room);
  const key = shown.join();
  useEffect(() => session.thumbs.want(shown.map(id => BigInt(`0x${id}`))), [key]);
  return html`<div class="strip" ref=${box} role="group" aria-label="Faces of this filter">${shown.map((id, number) => html`
    <${Thumb} key=${id} session=${session} id=${id} place=${first + number} />`)}</div>`;
}

function Thumb({session, id, place}) {
  const canvas = useRef(null);
  const picture = session.thumbs.get(BigInt(`0x${id}`));
  useEffect(() => {
    const context = canvas.current.getContext("2d");
    context.clearRect(0, 0, 2 * SIDE, 2 * SIDE);
    if (picture) context.drawImage(picture, 0, 0, 2 * SIDE, 2 * SIDE);
  }, [picture]);
  const labelled = session.labels.get(id) > 0;
  return html`<button type="button" class="thumb" aria-current=${place === session.place ? "true" : undefined}
    aria-label="Face ${place + 1}${labelled ? ", has polygons" : ""}" onClick=${() => session.go(place)}>
    <canvas ref=${canvas} width=${2 * SIDE} height=${2 * SIDE}></canvas>${labelled && html`<span class="drawn" aria-hidden="true"></span>`}</button>`;
}
