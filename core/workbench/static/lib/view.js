// Faces of a side in an order, and their thumbs.

import {bytes, headed, insist} from "./api.js";

const AT_ONCE = 96;
const CALLS = 2;
const KEPT = 6000;

// The faces that a query asks for (see views.py): {count, total, revision, groups, words, ids, columns}.
// columns: name -> Float32Array; of a column with words, words[name] has them.
export async function loadView(side, query, columns = [], options = {}) {
  const asked = new URLSearchParams(query);
  if (columns.length) asked.set("columns", columns.join(","));
  const {head, buffer, start} = headed(await bytes(`${side}/view?${asked}`, options));
  const ids = new BigUint64Array(buffer, start, head.count);
  const found = {};
  head.columns.forEach((name, place) => {
    found[name] = new Float32Array(buffer, start + 8 * head.count + 4 * head.count * place, head.count);
  });
  return {...head, ids, columns: found};
}

// The id of a face, as the other routes take it.
export const hexadecimal = id => id.toString(16).padStart(16, "0");

// Thumbs as ImageBitmaps, fetched in batches. What is asked for last comes first, and what nobody wants any more is not
// fetched: call want(ids) with what is on the screen, again whenever that changes.
export class Thumbs {
  // arrived: is called when there are new ones.
  constructor(side, arrived) {
    this.side = side;
    this.arrived = arrived;
    this.kept = new Map();
    this.wanted = [];
    this.calls = new Map();
  }

  // undefined: not here yet; null: there is no picture.
  get(id) {
    return this.kept.get(id);
  }

  want(ids) {
    this.wanted = ids.filter(id => !this.kept.has(id));
    const on = new Set(ids);
    for (const [call, asked] of this.calls) {
      if (!asked.some(id => on.has(id))) call.abort();
    }
    this.fetchMore();
  }

  forget() {
    for (const call of this.calls.keys()) call.abort();
    for (const bitmap of this.kept.values()) bitmap?.close();
    this.kept.clear();
  }

  fetchMore() {
    while (this.calls.size < CALLS) {
      const asked = new Set([...this.calls.values()].flat());
      const batch = this.wanted.filter(id => !asked.has(id) && !this.kept.has(id)).slice(0, AT_ONCE);
      if (!batch.length) return;
      this.fetch(batch);
    }
  }

  async fetch(batch) {
    const call = new AbortController();
    this.calls.set(call, batch);
    try {
      const ask = () => bytes(`${this.side}/thumbs?ids=${batch.map(hexadecimal).join(",")}`, {signal: call.signal});
      const buffer = await insist(ask, () => !call.signal.aborted);
      await this.take(batch, buffer);
    } catch (error) {
      if (error.name !== "AbortError") for (const id of batch) this.kept.set(id, null);
    } finally {
      this.calls.delete(call);
      this.fetchMore();
    }
  }

  async take(batch, buffer) {
    const numbers = new DataView(buffer);
    let place = 4 + 4 * batch.length;
    await Promise.all(batch.map(async (id, index) => {
      const length = numbers.getUint32(4 + 4 * index, true);
      const jpeg = new Blob([new Uint8Array(buffer, place, length)], {type: "image/jpeg"});
      place += length;
      this.kept.set(id, length ? await createImageBitmap(jpeg).catch(() => null) : null);
    }));
    for (const id of this.kept.keys()) {
      if (this.kept.size <= KEPT) break;
      this.kept.get(id)?.close();
      this.kept.delete(id);
    }
    this.arrived();
  }
}
