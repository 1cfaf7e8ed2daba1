// Keeps the grid like the server: the view of the query, its counts, and what has to be computed for it.

import {useEffect, useRef, useState} from "preact/hooks";
import {get, insist, post} from "../lib/api.js";
import {fail, toast} from "../lib/dialogs.js";
import {onEvent} from "../lib/live.js";
import {go} from "../lib/router.js";
import {read, useStore} from "../lib/store.js";
import {onTakenBack, settled} from "../lib/undo.js";
import {loadView} from "../lib/view.js";
import {columnsOfQueue, needed, sortName, toServer} from "./query.js";
import {titleOf} from "./names.js";

const COLUMNS = ["mark", "status", "person", "frame", "stale", "color"];
const SOON = 400; // milliseconds after a change until the counts are asked for

export function useFaces(side, query, grid) {
  const [state, set] = useState({loading: true, loaded: false, missing: false, error: null, summary: null, shown: "", ranges: {}, outdated: false});
  const [sorting, setSorting] = useState({methods: [], verdicts: []});
  const [computing, setComputing] = useState(null);
  const [there, setThere] = useState([]);
  const [version, setVersion] = useState(0);
  const revision = useStore(store => store.revisions[side]);
  const memory = useRef({own: new Set(), call: null, reveal: null, waiting: [], sending: 0, alive: true, timer: 0}).current;
  const change = part => memory.alive && set(before => ({...before, ...part}));
  memory.query = query;

  const load = async () => {
    memory.call?.abort();
    const call = memory.call = new AbortController();
    change({loading: true, error: null});
    try {
      const wanted = memory.query;
      memory.waiting = [];
      for (const what of needed(wanted)) {
        const answer = await post(`${side}/computing`, {what, count: Number(wanted.get("count") ?? 2000)});
        if (!answer.there) memory.waiting.push(what);
      }
      if (call.signal.aborted || memory.waiting.length) return;
      await settled(); // a view that was asked for earlier would lack the newest marks
      const asked = ask => insist(ask, () => !call.signal.aborted);
      const summary = await asked(() => get(`${side}/faces`, {signal: call.signal}));
      const view = await asked(() => loadView(side, toServer(wanted), columnsFor(wanted, summary.columns), {signal: call.signal}));
      if (call.signal.aborted) return;
      grid.show(view);
      memory.missing = memory.behind = false;
      change({summary, shown: wanted.toString(), loading: false, loaded: true, missing: false, outdated: false});
      reveal(memory, grid, side);
      setVersion(count => count + 1);
      get(`${side}/ranges`).then(ranges => change({ranges}), () => {});
    } catch (error) {
      if (error.name === "AbortError") return;
      memory.missing = error.status === 400; // there is no database of this side
      change({loading: false, error: memory.missing ? null : error, missing: memory.missing});
    }
  };

  // A revision that our own marks have made is on the screen already.
  const own = async (work, depends) => {
    memory.sending += 1;
    try {
      for (const answer of await work()) {
        // What somebody else has changed before ours is not on the screen, though the newest revision is ours.
        memory.behind ||= answer.repeated || (answer.before !== grid.view.revision && !memory.own.has(answer.before));
        memory.own.add(answer.revision);
      }
      if (depends) change({outdated: true});
      recount();
    } finally {
      memory.sending -= 1;
      follow();
    }
  };
  // Loads what others have changed. While we change something, nobody knows whose a revision is.
  const follow = () => {
    const now = read().revisions[side];
    const {revision: known} = grid.view;
    if (memory.sending || !now || !memory.alive) return;
    if ((known !== undefined && now !== known && (memory.behind || !memory.own.has(now))) || (known === undefined && memory.missing)) load();
  };
  const recount = () => {
    clearTimeout(memory.timer);
    memory.timer = setTimeout(() => {
      get(`${side}/faces`).then(summary => change({summary}), () => {});
      setVersion(count => count + 1);
    }, SOON);
  };
  // then: is called when it is there.
  const compute = (what, then = null) => {
    memory.then = then && {what, act: then};
    post(`${side}/computing`, {what}).then(answer => answer.there && load(), fail);
  };

  useEffect(() => () => {
    memory.alive = false;
    memory.call?.abort();
    clearTimeout(memory.timer);
  }, []);
  useEffect(() => { load(); }, [query.toString(), side]);
  useEffect(() => {
    get("sorting").then(setSorting, fail);
    get(`${side}/computing`).then(found => setThere(found.there), () => {});
  }, [side]);
  useEffect(follow, [revision]);
  useEffect(() => onTakenBack(done => {
    if (done.side !== side) {
      go("faces", [done.side]);
      return;
    }
    memory.reveal = done.face ? BigInt(`0x${done.face}`) : null;
    load();
  }), [side]);
  useEffect(() => onEvent("computing", said => {
    if (said.side !== side) return;
    setComputing(said.state === "running" ? said : null);
    if (said.state === "failed") toast(`${titleOf(said.what)} could not be computed`, "bad", said.error);
    if (said.state === "running") return;
    get(`${side}/computing`).then(found => setThere(found.there), () => {});
    if (said.state === "done" && memory.then?.what === said.what) {
      memory.then.act();
      memory.then = null;
    }
    if (said.state !== "done" && memory.waiting.includes(said.what)) change({loading: false});
    else load();
  }), [side]);

  const marks = state.summary?.counts.mark ?? {};
  return {
    ...state, ...sorting, computing, there, version, own, compute, reload: load,
    marked: (marks.trash ?? 0) + (marks.keep ?? 0),
    stop: () => post(`${side}/computing/stop`).catch(fail),
  };
}

function columnsFor(query, known) {
  const sort = sortName(query);
  const more = [sort, sort.replace(/^by\./, "score.")].filter(name => known.includes(name) || name.startsWith("like."));
  return [...new Set([...COLUMNS, ...more, ...columnsOfQueue(query, known)])];
}

// Goes to the face that an undo has brought back; a filter that hides it goes away.
function reveal(memory, grid, side) {
  const id = memory.reveal;
  memory.reveal = null;
  if (id === null || grid.go(id)) return;
  const query = new URLSearchParams({status: "any"});
  if (memory.query.get("status") === "any") return;
  for (const name of ["sort", "group"]) if (memory.query.has(name)) query.set(name, memory.query.get(name));
  memory.reveal = id;
  go("faces", [side], query);
}
