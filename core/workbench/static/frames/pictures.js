// Pictures of frames as ImageBitmaps, fetched ahead.

import {bytes, insist} from "../lib/api.js";

const KEPT = 64;
const CALLS = 4;
const SMALL = 640; // pixels: of a film the server has such pictures at hand

export class Pictures {
  // arrived: is called with the number of a frame whose picture has come.
  constructor(side, arrived) {
    Object.assign(this, {side, arrived});
    this.kept = new Map(); // "number width" -> ImageBitmap, or null where there is none
    this.calls = new Map();
    this.wanted = [];
    this.width = 0; // pixels; 0 is as they are
  }

  // undefined: not here yet; null: there is none. A small one stands in for the sharp one.
  get(number) {
    return this.kept.get(`${number} ${this.width}`) ?? this.kept.get(`${number} ${SMALL}`)
      ?? (this.kept.has(`${number} ${this.width}`) ? null : undefined);
  }

  // Fetches these frames, the first of them first; what is on its way and is wanted no more is given up.
  // small: whether a small picture of the first one comes sooner.
  want(numbers, small) {
    this.wanted = numbers.map(number => [number, this.width]);
    if (small && this.get(numbers[0]) === undefined) this.wanted.unshift([numbers[0], SMALL]);
    const keys = new Set(this.wanted.map(([number, width]) => `${number} ${width}`));
    for (const [key, call] of this.calls) if (!keys.has(key)) call.abort();
    this.fetchMore();
  }

  close() {
    this.wanted = [];
    for (const call of this.calls.values()) call.abort();
    for (const bitmap of this.kept.values()) bitmap?.close();
    this.kept.clear();
  }

  fetchMore() {
    for (const [number, width] of this.wanted) {
      if (this.calls.size >= CALLS) return;
      const key = `${number} ${width}`;
      if (!this.kept.has(key) && !this.calls.has(key)) this.fetch(number, width, key);
    }
  }

  async fetch(number, width, key) {
    const call = new AbortController();
    this.calls.set(key, call);
    try {
      const path = `${this.side}/frame/${number}.jpg${width ? `?w=${width}` : ""}`;
      const data = await insist(() => bytes(path, {signal: call.signal}), () => !call.signal.aborted);
      this.keep(key, await createImageBitmap(new Blob([data])));
      this.arrived(number);
    } catch (error) {
      if (error.name !== "AbortError") {
        this.keep(key, null);
        this.arrived(number);
      }
    } finally {
      this.calls.delete(key);
      this.fetchMore();
    }
  }

  keep(key, bitmap) {
    this.kept.set(key, bitmap);
    for (const old of this.kept.keys()) {
      if (this.kept.size <= KEPT) return;
      // A bitmap that is still shown must not be closed: the browser frees it when nobody has it.
      this.kept.delete(old);
    }
  }

  // Pictures that could not be read may be there by now.
  forgetMissing() {
    for (const [key, bitmap] of this.kept) if (bitmap === null) this.kept.delete(key);
  }
}
