// The curves of the losses: means with their range, held-out losses dashed, phases shaded.

import {useEffect, useRef, useState} from "preact/hooks";
import uPlot from "uplot";
import {Button, color, count, html} from "../lib/ui.js";

const SIDES = [["src", "Source", "--src"], ["dst", "Target", "--dst"]];
const HEIGHT = 320;

export function LossChart({found}) {
  const place = useRef(null);
  const [logarithmic, setLogarithmic] = useState(false);
  const [theme, setTheme] = useState(0);
  const {curve} = found;
  useEffect(() => {
    const again = () => setTheme(number => number + 1);
    const query = matchMedia("(prefers-color-scheme: dark)");
    addEventListener("theme", again);
    query.addEventListener("change", again);
    return () => {
      removeEventListener("theme", again);
      query.removeEventListener("change", again);
    };
  }, []);
  useEffect(() => {
    if (curve.x.length < 2) return undefined;
    const element = place.current;
    const chart = new uPlot(options(found, logarithmic, element.clientWidth), columns(curve), element);
    const observer = new ResizeObserver(() => chart.setSize({width: element.clientWidth, height: HEIGHT}));
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
    };
  }, [found, logarithmic, theme]);
  if (curve.x.length < 2) return html`<p class="muted">No curve yet: it begins with the second iteration.</p>`;
  return html`<div class="chart" ref=${place} role="img" aria-label=${inWords(found)}></div>
    <div class="buttons"><${Button} aria-pressed=${logarithmic} onClick=${() => setLogarithmic(!logarithmic)}>Logarithmic<//>
      <span class="muted">Drag to look closer, double click to see all.</span></div>`;
}

function inWords({latest, curve}) {
  const held = curve.held[0].length ? `, of held-out faces ${latest.held_src} and ${latest.held_dst}` : "";
  return `Losses over ${count(latest.iter)} iterations: source ${latest.src}, target ${latest.dst}${held}`;
}

// Held-out losses have iterations of their own: uPlot joins them with the others.
function columns(curve) {
  const losses = [curve.x, ...SIDES.flatMap(([side]) => [curve[side], curve[`${side}_low`], curve[`${side}_high`]])];
  return uPlot.join([losses, curve.held], [losses.map(() => 2), [0, 2, 2]]);
}

function options(found, logarithmic, width) {
  const [text, line, phase] = ["--muted", "--line", "--sunken"].map(color);
  const digits = (chart, value) => (value === null || value === undefined ? "" : value.toFixed(4));
  const series = [{label: "Iteration", value: (chart, value) => (value ? count(value) : "")}];
  for (const [, name, tone] of SIDES) {
    const stroke = color(tone);
    series.push({label: name, stroke, width: 2, value: digits, points: {show: false}});
    series.push({show: true, points: {show: false}, stroke: "transparent", class: "range"}, {show: true, points: {show: false}, stroke: "transparent", class: "range"});
  }
  for (const [, name, tone] of SIDES) {
    // Where no faces are held out there is no line, and none in the legend.
    const none = found.curve.held[0].length ? {} : {class: "range"};
    series.push({...none, label: `${name}, held out`, stroke: color(tone), width: 2, dash: [7, 5], value: digits, spanGaps: true, points: {show: false}});
  }
  const fill = tone => color(tone).replace("rgb(", "rgba(").replace(")", ", 0.14)");
  const axis = {stroke: text, grid: {stroke: line, width: 1}, ticks: {stroke: line, width: 1}, font: "12px system-ui, sans-serif"};
  return {
    width,
    height: HEIGHT,
    series,
    bands: SIDES.map(([, , tone], place) => ({series: [3 * place + 3, 3 * place + 2], fill: fill(tone)})),
    scales: {x: {time: false}, y: {distr: logarithmic ? 3 : 1}},
    axes: [{...axis, values: (chart, ticks) => ticks.map(tick => (tick >= 1000 ? `${tick / 1000}k` : tick))}, {...axis, size: 56}],
    cursor: {points: {size: 7}},
    hooks: {ready: [chart => chart.setLegend({idx: chart.data[0].length - 1})], drawClear: [chart => shade(chart, found.phases, phase, text)]},
  };
}

function shade(chart, phases, background, text) {
  const {ctx, bbox} = chart;
  ctx.save();
  phases.forEach(({start, end, name}, number) => {
    const left = Math.max(chart.valToPos(start, "x", true), bbox.left);
    const right = Math.min(end === null ? Infinity : chart.valToPos(end, "x", true), bbox.left + bbox.width);
    if (right <= left) return;
    if (number % 2) {
      ctx.fillStyle = background;
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
    }
    ctx.fillStyle = text;
    ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.fillText(name, left + 6 * devicePixelRatio, bbox.top + 16 * devicePixelRatio, right - left - 12 * devicePixelRatio);
  });
  ctx.restore();
}
