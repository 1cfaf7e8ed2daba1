// Keeps the store like the server: one WebSocket of numbered events, and the state anew when too much was missed.

import {ApiError, get} from "./api.js";
import {read, update} from "./store.js";

const SLOWEST = 8000;
const listeners = new Set();
let known = {run: "", number: 0};
let pause = 500;
let reading = null;
let again = null; // the reading after that one
let socket = null;

export const currentSocket = () => socket;

// Calls back with every event of a kind: {number, kind, data}. Returns what ends it.
export function onEvent(kind, callback) {
  const listener = event => event.kind === kind && callback(event.data);
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function refresh() {
  if (reading) {
    // What is being read may be older than what has changed.
    again ??= reading.then(() => { again = null; return refresh(); });
    return again;
  }
  reading = readState().finally(() => { reading = null; });
  return reading;
}

async function readState() {
  try {
    const server = await get("state");
    update({server, jobs: server.jobs, machine: server.machine, revisions: server.revisions, lost: null});
    return server;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) update({lost: error});
    return null;
  }
}

function take(event) {
  known.number = event.number;
  if (event.kind === "job") takeJob(event.data);
  if (event.kind === "faces") {
    update({revisions: {...read().revisions, [event.data.side]: event.data.revision}});
  }
  if (event.kind === "training") update({training: read().training + 1});
  for (const listener of [...listeners]) listener(event);
}

function takeJob(job) {
  const before = read().jobs.find(other => other.id === job.id);
  const others = read().jobs.filter(other => other.id !== job.id);
  update({jobs: [...others, job].sort((one, two) => (one.id < two.id ? 1 : -1))});
  if (before?.state !== job.state) refresh();
}

function connect() {
  const query = new URLSearchParams({run: known.run, after: known.number});
  socket = new WebSocket(`ws://${location.host}/api/v1/events?${query}`);
  socket.onmessage = message => {
    const said = JSON.parse(message.data);
    if (said.kind) {
      take(said);
      return;
    }
    pause = 500;
    known = {run: said.run, number: said.number};
    update({connected: true});
    if (said.reset) refresh();
  };
  socket.onclose = () => {
    update({connected: false});
    // A refused socket does not say why: asking for the state does.
    refresh();
    setTimeout(connect, pause);
    pause = Math.min(pause * 2, SLOWEST);
  };
}

export async function keepLive() {
  const server = await refresh();
  if (server) known = {run: server.run, number: server.event};
  connect();
  setInterval(async () => {
    if (document.hidden || read().lost) return;
    const machine = await get("machine").catch(() => null);
    if (machine) update({machine});
    if (read().jobs.some(job => job.state === "running")) refresh();
  }, 5000);
}
