// The grid of faces on a canvas: what is on the screen is drawn, and nothing else is known to the browser.

import {Thumbs} from "../lib/view.js";
import {Layout} from "./layout.js";
import {paintBand, paintCell, paintHead, readPalette} from "./paint.js";
import {Selection} from "./selection.js";

// Screens of thumbs that are fetched ahead, in the direction of travel and behind.
const AHEAD = 1.5;
const BEHIND = 0.5;
const EMPTY = {count: 0, ids: new BigUint64Array(0), groups: [], columns: {}, words: {}};

export class Grid {
  // changed: is called when focus, selection or position are others. caption: place => text at the foot of a cell.
  constructor(side, changed) {
    this.changed = changed;
    this.thumbs = new Thumbs(side, () => this.draw());
    this.view = EMPTY;
    this.selection = new Selection();
    this.size = {width: 0, height: 0};
    this.cell = 112;
    this.top = 0;
    this.travel = 1;
    this.band = null;
    this.caption = () => "";
    this.heading = name => name;
    this.palette = readPalette();
    this.layOut();
    this.renew = () => {
      this.palette = readPalette();
      this.draw();
    };
    addEventListener("theme", this.renew);
    this.scheme = matchMedia("(prefers-color-scheme: dark)");
    this.scheme.addEventListener("change", this.renew);
  }

  close() {
    removeEventListener("theme", this.renew);
    this.scheme.removeEventListener("change", this.renew);
    this.thumbs.forget();
    this.canvas = null;
  }

  attach(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", {alpha: false});
    this.draw();
  }

  // Another view; what is chosen stays so, and what has the focus stays where it is on the screen.
  show(view) {
    const before = this.selection.focus;
    const shown = before >= 0 && this.view.count ? this.layout.place(before).y - this.top : 0;
    this.selection = this.selection.carried(this.view.ids, view.ids);
    const stays = before >= 0 && this.view.ids[before] === view.ids[this.selection.focus];
    this.forgetRenewed(view);
    this.view = view;
    this.layOut();
    const visible = shown > -this.layout.pitch && shown < this.size.height;
    if (stays && visible && this.selection.focus >= 0) this.top = this.layout.place(this.selection.focus).y - shown;
    this.scrollTo(this.top);
    this.changed();
  }

  // Pictures that were out of date and are no more have other thumbs.
  forgetRenewed(next) {
    const {stale} = this.view.columns;
    if (!stale?.includes(1)) return;
    const before = new Set(this.view.ids.filter((_, place) => stale[place] === 1));
    next.ids.forEach((id, place) => {
      if (before.has(id) && next.columns.stale[place] !== 1) this.thumbs.kept.delete(id);
    });
  }

  resize(width, height) {
    const first = this.firstShown();
    this.size = {width, height};
    this.layOut();
    if (this.canvas) {
      const scale = devicePixelRatio;
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(height * scale);
    }
    if (first > 0) this.top = this.layout.place(first).y;
    this.scrollTo(this.top);
  }

  setCell(cell) {
    const first = this.firstShown();
    this.cell = cell;
    this.layOut();
    if (first > 0) this.top = this.layout.place(first).y;
    this.scrollTo(this.top);
    this.changed();
  }

  layOut() {
    this.layout = new Layout(this.view.count, this.view.groups, this.size.width, this.cell);
  }

  firstShown() {
    const row = this.layout.rowsBetween(this.top, this.top + this.size.height)[0];
    return row ? row.first : 0;
  }

  get reach() { return Math.max(0, this.layout.height - this.size.height); }

  scrollTo(top) {
    const before = this.top;
    this.top = Math.min(Math.max(top, 0), this.reach);
    if (this.top !== before) this.travel = this.top > before ? 1 : -1;
    this.draw();
    this.changed("scroll");
  }

  scrollBy(pixels) { this.scrollTo(this.top + pixels); }

  // Scrolls as little as needed, or to the middle, so that a cell is seen.
  reveal(index, middle = false) {
    if (index < 0 || index >= this.view.count) return;
    const {y} = this.layout.place(index);
    const [least, most] = [y + this.layout.pitch - this.size.height, y - this.layout.head - 4];
    if (middle && (this.top < least || this.top > most)) this.scrollTo(y - this.size.height / 2 + this.layout.pitch / 2);
    else if (this.top > most) this.scrollTo(most);
    else if (this.top < least) this.scrollTo(least);
  }

  // Puts the focus on a face. Returns whether the view has it.
  go(id) {
    const place = this.view.ids.indexOf(id);
    if (place < 0) return false;
    this.selection.only(place);
    this.reveal(place, true);
    this.draw();
    this.changed();
    return true;
  }

  // After the selection was changed from outside.
  touch() {
    this.draw();
    this.changed();
  }

  chosenIds() { return this.selection.meant().map(place => this.view.ids[place]); }

  word(name, place) {
    const words = this.view.words[name];
    return words ? words[this.view.columns[name][place]] : "";
  }

  draw() {
    if (this.pending || !this.canvas) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      if (this.canvas && this.size.width) this.paint();
    });
  }

  paint() {
    const {context, palette, layout, top} = this;
    const {width, height} = this.size;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.fillStyle = palette["--bg"];
    context.fillRect(0, 0, width, height);
    const rows = layout.rowsBetween(top, top + height);
    this.blank = 0;
    for (const row of rows) this.paintRow(row);
    for (const {y, group} of layout.headsSeen(top, height)) {
      paintHead(context, palette, this.heading(layout.names[group]), layout.sizes[group], y, width);
    }
    if (this.band) paintBand(context, palette, this.band.map(([x, y]) => [x, y - top]));
    this.ask(rows);
  }

  paintRow({y, first, end}) {
    const {layout, selection, view} = this;
    const {columns} = view;
    for (let place = first; place < end; place++) {
      const x = layout.place(first).x + (place - first) * layout.pitch;
      const bitmap = this.thumbs.get(view.ids[place]);
      if (bitmap === undefined) this.blank += 1;
      const status = this.word("status", place);
      paintCell(this.context, this.palette, {
        bitmap,
        color: columns.color?.[place],
        mark: this.word("mark", place),
        out: status !== "" && status !== "kept",
        stale: columns.stale?.[place] === 1,
        chosen: selection.has(place),
        focused: place === selection.focus && this.focused,
        caption: this.caption(place),
      }, x, y - this.top, layout.cell);
    }
  }

  // Thumbs of what is seen first, then of what comes next.
  ask(rows) {
    const {top, travel, layout} = this;
    const {height} = this.size;
    const key = rows.length ? `${rows[0].first} ${rows.at(-1).end} ${travel}` : "";
    if (key === this.asked?.key && this.view === this.asked.view) return;
    this.asked = {key, view: this.view};
    const below = layout.rowsBetween(top + height, top + height * (1 + (travel > 0 ? AHEAD : BEHIND)));
    const above = layout.rowsBetween(top - height * (travel > 0 ? BEHIND : AHEAD), top).reverse();
    const more = travel > 0 ? [...below, ...above] : [...above, ...below];
    const places = [...rows, ...more].flatMap(({first, end}) => Array.from({length: end - first}, (_, number) => first + number));
    this.thumbs.want([...new Set(places)].map(place => this.view.ids[place]));
  }
}
