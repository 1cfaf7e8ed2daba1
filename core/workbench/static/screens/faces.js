// The faces of a side: a grid to look through, choose and mark them, beside it all about one, poses, and a queue of what
// automatic cleaning found.

import {useEffect, useMemo, useRef, useState} from "preact/hooks";
import {post} from "../lib/api.js";
import {fail, toast} from "../lib/dialogs.js";
import {useActions} from "../lib/keys.js";
import {go, route} from "../lib/router.js";
import {read} from "../lib/store.js";
import {Button, Empty, Heading, Problem, SIDES, Sides, ToNextStep, count, html, sideName} from "../lib/ui.js";
import {workOn} from "../lib/undo.js";
import {hexadecimal} from "../lib/view.js";
import {askApply, askPerson, chooseAlike, decide, findSimilar, setMark, setPerson} from "../faces/acts.js";
import {Chips, Filters} from "../faces/filters.js";
import {Grid} from "../faces/grid.js";
import {useFaces} from "../faces/load.js";
import {groupTitle, shown, wordOf} from "../faces/names.js";
import {FacePanel} from "../faces/panel.js";
import {chooseGroup} from "../faces/pointer.js";
import {Poses} from "../faces/poses.js";
import {dependsOn, queueOf, sortName, verdictsAt} from "../faces/query.js";
import {Review} from "../faces/review.js";
import {CELLS, CellSize, Computing, Similar, Sorting} from "../faces/toolbar.js";
import {GridView} from "../faces/view.js";

const TABS = [["face", "Face"], ["poses", "Poses"], ["review", "Review"]];
const WIDE = 1500; // pixels of a window from which on the filters are open at first

export function Faces({route: {parts, query}}) {
  const side = parts[0] === "dst" ? "dst" : "src";
  useEffect(() => workOn(side), [side]);
  return html`<${Heading} title="Faces"><${Sides} screen="faces" side=${side} /><//>
    <${Side} key=${side} side=${side} query=${query} />`;
}

const kept = (name, otherwise) => localStorage.getItem(`faces-${name}`) ?? String(otherwise);

function useKept(name, otherwise) {
  const [value, set] = useState(kept(name, otherwise));
  return [value, next => {
    localStorage.setItem(`faces-${name}`, next);
    set(String(next));
  }];
}

function Side({side, query}) {
  const [, again] = useState(0);
  const scroller = useRef(() => {});
  const grid = useMemo(() => new Grid(side, what => (what === "scroll" ? scroller.current() : again(count => count + 1))), [side]);
  useEffect(() => () => grid.close(), [grid]);
  const faces = useFaces(side, query, grid);
  const [tab, setTab] = useKept("tab", "face");
  const [filters, setFilters] = useKept("filters", innerWidth >= WIDE);
  const [goOn, setGoOn] = useKept("go-on", true);
  const [cell, setCell] = useKept("cell", 112);
  const [like, setLike] = useState(null);
  const change = next => go("faces", [side], next);
  useEffect(() => { grid.setCell(Number(cell)); }, [cell, grid]);
  grid.onZoom = direction => setCell(Math.min(Math.max(Number(cell) + 12 * direction, CELLS[0]), CELLS[1]));
  const actions = useFaceActions({side, grid, query, faces, goOn: goOn === "true", like, setLike, change, tab});
  useActions(actions.keys);
  caption(grid, query);
  window.forge.faces = stateOf(side, grid, faces);
  if (faces.missing || (faces.loaded && grid.view.total === 0)) {
    return html`<${Empty} icon="faces" title="No ${sideName(side)} faces yet">Find the faces of this side; then they are here.<//><${ToNextStep} />`;
  }
  return html`
    <div class="faces-bar">
      <${Button} aria-pressed=${filters} onClick=${() => setFilters(filters !== "true")}>Filter<//>
      <${Sorting} query=${query} columns=${faces.summary?.columns ?? []} methods=${faces.methods} change=${change} />
      <${CellSize} cell=${cell} change=${setCell} />
      <span class="grow"></span>
      <${Button} action="similar" onClick=${() => actions.similar()}>Select similar<//>
      <${Button} kind=${faces.marked ? "main" : ""} title="Carry out the marks (Ctrl+Enter)" onClick=${() => askApply(side)}>
        Apply${faces.marked ? ` ${count(faces.marked)} mark${faces.marked === 1 ? "" : "s"}` : ""}<//></div>
    <${Chips} query=${query} change=${change} />
    ${faces.computing && html`<${Computing} said=${faces.computing} stop=${faces.stop} />`}
    ${like && html`<${Similar} like=${like} chosen=${grid.selection.count} close=${() => setLike(null)} change=${actions.alikeFrom}
      sort=${() => change(new URLSearchParams({sort: `-like.${like.only}`}))} compute=${() => faces.compute("identity")} />`}
    ${faces.error && html`<${Problem} error=${faces.error} />`}
    <div class="faces-body ${filters === "true" ? "with-filters" : ""} ${tab === "poses" ? "wide" : ""}">
      ${filters === "true" && html`<${Filters} query=${query} counts=${faces.summary?.counts ?? {}} ranges=${faces.ranges} change=${change} />`}
      <section class="faces-middle" aria-label="Grid">
        <${Counts} side=${side} grid=${grid} faces=${faces} goOn=${goOn === "true"} setGoOn=${setGoOn} />
        <${GridView} grid=${grid} label="${SIDES[side]} faces" open=${() => setTab("face")} said=${place => said(grid, place)} scroller=${scroller} /></section>
      <aside class="faces-side card" aria-label="Beside the grid">
        <div class="tabs" role="tablist">${TABS.map(([name, title]) => html`<button type="button" role="tab" id="tab-${name}" key=${name}
          aria-selected=${tab === name ? "true" : "false"} aria-controls="faces-tab" onClick=${() => setTab(name)}>${title}</button>`)}</div>
        <div class="tab" id="faces-tab" role="tabpanel" aria-labelledby="tab-${tab}" tabindex="0">
          <${Tab} tab=${tab} side=${side} grid=${grid} query=${query} faces=${faces} actions=${actions} change=${change} /></div></aside></div>`;
}

function Tab({tab, side, grid, query, faces, actions, change}) {
  const {focus} = grid.selection;
  const id = focus >= 0 && grid.view.count ? hexadecimal(grid.view.ids[focus]) : null;
  const mark = id ? grid.word("mark", focus) : "";
  if (tab === "poses") {
    return html`<${Poses} side=${side} query=${query} version=${faces.version} measure=${name => post(`${name}/computing`, {what: "clean"}).catch(fail)}
      show=${(where, next) => go("faces", [where], next)} />`;
  }
  const panel = html`<${FacePanel} side=${side} id=${id} version="${faces.version} ${mark}" marks=${mark} actions=${actions} />`;
  if (tab !== "review") return panel;
  return html`<${Review} side=${side} query=${query} verdicts=${faces.verdicts} there=${faces.there.includes("clean")} version=${faces.version}
      judge=${() => faces.compute("clean")} change=${change} actions=${actions} decided=${decided(grid)}>${panel}<//>`;
}

function decided(grid) {
  const marks = grid.view.columns.mark ?? [];
  return {all: grid.view.count, done: marks.reduce((sum, mark) => sum + (mark ? 1 : 0), 0)};
}

function Counts({side, grid, faces, goOn, setGoOn}) {
  const {view, selection} = grid;
  const all = view.count === view.total ? `${count(view.count)} faces` : `${count(view.count)} of ${count(view.total ?? 0)} faces`;
  return html`<div class="counts"><p role="status" aria-live="polite"><strong class="number">${faces.loading ? "Loading" : all}</strong>
      ${selection.count > 0 && html`<span class="number">, ${count(selection.count)} chosen</span>`}</p>
    ${faces.outdated && html`<span class="muted">Some belong elsewhere by now.</span>
      <${Button} kind="quiet" icon="again" onClick=${faces.reload}>Look again<//>`}
    <span class="grow"></span>
    ${grid.layout.head > 0 && selection.focus >= 0 && html`<${Button} kind="quiet" title="All faces of the group that has the focus; a click on a heading does that, too"
      onClick=${() => chooseGroup(grid, grid.layout.groupOf(selection.focus))}>Select group<//>`}
    <label class="inline muted"><input type="checkbox" checked=${goOn} onChange=${event => setGoOn(event.target.checked)} />
      <span>Go on after a mark</span></label></div>`;
}

function said(grid, place) {
  const {view, selection} = grid;
  const words = [`Face ${count(place + 1)} of ${count(view.count)}`, `frame ${view.columns.frame[place] + 1}`, wordOf("mark", grid.word("mark", place))];
  const person = grid.word("person", place);
  if (person) words.push(person);
  const value = grid.caption(place);
  if (value) words.push(value);
  if (selection.has(place)) words.push("chosen");
  return words.join(", ");
}

// What stands at the foot of the cells and beside the scroll bar: the number that the faces are sorted by.
function caption(grid, query) {
  const group = query.get("group");
  const sort = sortName(query);
  const column = ["frame", ""].includes(sort) ? "" : sort.startsWith("by.") ? `score.${sort.slice(3)}` : sort;
  grid.caption = place => {
    const value = grid.view.columns[column]?.[place];
    return value === undefined ? "" : shown(column, value);
  };
  grid.heading = name => groupTitle(group, name);
  grid.hint = place => {
    if (!grid.view.count) return "";
    if (grid.view.groups.length) return grid.heading(grid.layout.names[grid.layout.groupOf(place)]);
    return grid.caption(place) || `frame ${count(grid.view.columns.frame[place] + 1)}`;
  };
}

function useFaceActions({side, grid, query, faces, goOn, like, setLike, change, tab}) {
  const act = (work, names) => faces.own(work, dependsOn(query, names)).catch(fail);
  const move = places => {
    const next = Math.min(Math.max(grid.selection.focus + places, 0), grid.view.count - 1);
    if (next < 0) return;
    grid.selection.only(next);
    grid.reveal(next);
    grid.touch();
  };
  const mark = word => {
    const one = grid.selection.meant().length === 1;
    const queue = tab === "review" ? queueOf(query, faces.verdicts) : null;
    const verdictsOf = place => verdictsAt(grid.view, queue, faces.verdicts, place);
    act(() => (queue ? decide(side, grid, word, verdictsOf) : setMark(side, grid, word)), ["mark"]);
    if (one && goOn && word) move(1);
  };
  const person = () => {
    const places = grid.selection.meant();
    if (!places.length) return;
    const known = (grid.view.words.person ?? []).filter(Boolean);
    askPerson(places.length, known, grid.word("person", places[0]), name => act(() => setPerson(side, grid, name), ["person"]));
  };
  const similar = async (ids = grid.chosenIds(), again = false) => {
    if (!ids.length) return;
    const found = await findSimilar(side, ids).catch(fail);
    if (!found) return;
    if (!found.ids.length && !again) {
      faces.compute("identity", () => similar(ids, true));
      return;
    }
    if (!found.ids.length) toast("Nobody can say who this is", "", "These pictures have no face that can be compared.");
    chooseAlike(grid, found);
    setLike(found);
  };
  const alikeFrom = least => {
    const next = {...like, least};
    chooseAlike(grid, next);
    setLike(next);
  };
  const nextOpen = () => {
    const marks = grid.view.columns.mark;
    const place = marks.findIndex((code, number) => code === 0 && number > grid.selection.focus);
    const found = place < 0 ? marks.indexOf(0) : place;
    if (found >= 0) move(found - grid.selection.focus);
  };
  const all = () => {
    grid.selection.all();
    grid.touch();
  };
  return {
    mark, person, similar, alikeFrom, nextOpen,
    keys: {
      trash: () => mark("trash"), keep: () => mark("keep"), unsure: () => mark("unsure"), unmark: () => mark(""), person, similar: () => similar(), all,
      next: () => move(1), previous: () => move(-1), next10: () => move(10), previous10: () => move(-10),
      first: () => move(-grid.view.count), last: () => move(grid.view.count), apply: () => askApply(side), nextOpen,
    },
  };
}

// For tests: what is shown and chosen.
function stateOf(side, grid, faces) {
  return {
    side,
    grid,
    get ready() { return !faces.loading && faces.loaded && faces.shown === route().query.toString(); },
    ids: () => Array.from(grid.view.ids, hexadecimal),
    chosen: () => grid.selection.places().map(place => hexadecimal(grid.view.ids[place])),
    focus: () => (grid.selection.focus < 0 ? null : hexadecimal(grid.view.ids[grid.selection.focus])),
    marks: () => Array.from(grid.view.columns.mark ?? [], (_, place) => grid.word("mark", place)),
    revision: () => read().revisions[side],
  };
}
