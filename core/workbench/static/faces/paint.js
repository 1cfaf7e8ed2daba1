// How a cell of the grid looks.

import {color} from "../lib/ui.js";

const NAMES = ["--bg", "--surface", "--sunken", "--line", "--text", "--muted", "--accent", "--on-accent", "--good", "--warn", "--bad"];
const BADGE = {keep: ["--good", "M-4 0l3 3l5 -6"], trash: ["--bad", "M-3.5 -3.5l7 7M3.5 -3.5l-7 7"], unsure: ["--warn", ""]};

// The colours of the theme, read once; again when it changes.
export const readPalette = () => Object.fromEntries(NAMES.map(name => [name, color(name)]));

const mean = value => `rgb(${(value >> 16) & 255} ${(value >> 8) & 255} ${value & 255})`;

// cell: {bitmap, color, mark, out, stale, chosen, focused, caption}. bitmap: undefined for not here yet, null for none.
export function paintCell(context, palette, cell, x, y, size) {
  const dimmed = cell.mark === "trash" || cell.out;
  context.globalAlpha = dimmed ? 0.35 : 1;
  if (cell.bitmap) {
    context.drawImage(cell.bitmap, x, y, size, size);
  } else {
    context.fillStyle = Number.isNaN(cell.color) || cell.color === undefined ? palette["--sunken"] : mean(cell.color);
    context.fillRect(x, y, size, size);
    if (cell.bitmap === null) paintWords(context, palette["--muted"], "no picture", x + size / 2, y + size / 2, "center");
  }
  context.globalAlpha = 1;
  if (cell.stale) paintStale(context, palette, x, y, size);
  if (cell.mark === "trash") paintStroke(context, palette["--bad"], 2, [[x + 4, y + size - 4], [x + size - 4, y + 4]]);
  if (cell.mark) paintMark(context, palette, cell.mark, x + size - 13, y + 13, size);
  if (cell.caption && size >= 72) paintCaption(context, palette, cell.caption, x, y, size);
  if (cell.chosen) paintChosen(context, palette, x, y, size);
  if (cell.focused) {
    context.strokeStyle = palette["--text"];
    context.lineWidth = 2;
    context.setLineDash(cell.chosen ? [4, 3] : []);
    context.strokeRect(x - 1.5, y - 1.5, size + 3, size + 3);
    context.setLineDash([]);
  }
}

function paintChosen(context, palette, x, y, size) {
  context.globalAlpha = 0.22;
  context.fillStyle = palette["--accent"];
  context.fillRect(x, y, size, size);
  context.globalAlpha = 1;
  context.strokeStyle = palette["--accent"];
  context.lineWidth = 3;
  context.strokeRect(x + 1, y + 1, size - 2, size - 2);
}

function paintMark(context, palette, mark, x, y, size) {
  const [name, path] = BADGE[mark];
  const radius = size < 60 ? 6 : 9;
  context.fillStyle = palette[name];
  context.beginPath();
  context.arc(x, y, radius, 0, 7);
  context.fill();
  if (radius < 9) return;
  context.strokeStyle = context.fillStyle = palette["--surface"];
  context.lineWidth = 2;
  if (path) {
    context.translate(x, y);
    context.stroke(new Path2D(path));
    context.translate(-x, -y);
  } else {
    context.font = "700 12px system-ui, sans-serif";
    context.textAlign = "center";
    context.fillText("?", x, y + 4.5);
  }
}

// Hatched: the picture shows the face as it was before somebody moved its points.
function paintStale(context, palette, x, y, size) {
  for (let offset = 6; offset < size; offset += 12) {
    paintStroke(context, palette["--warn"], 1, [[x, y + offset], [x + offset, y]]);
  }
}

function paintStroke(context, style, width, [[x1, y1], [x2, y2]]) {
  context.strokeStyle = style;
  context.lineWidth = width;
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

function paintCaption(context, palette, caption, x, y, size) {
  context.globalAlpha = 0.86;
  context.fillStyle = palette["--surface"];
  context.font = "11px system-ui, sans-serif";
  const width = Math.min(size, context.measureText(caption).width + 10);
  context.fillRect(x, y + size - 17, width, 17);
  context.globalAlpha = 1;
  context.fillStyle = palette["--text"];
  context.textAlign = "left";
  context.fillText(caption, x + 5, y + size - 5, size - 10);
}

function paintWords(context, style, words, x, y, align) {
  context.fillStyle = style;
  context.font = "11px system-ui, sans-serif";
  context.textAlign = align;
  context.fillText(words, x, y + 4);
}

export function paintHead(context, palette, name, size, y, width) {
  context.fillStyle = palette["--bg"];
  context.fillRect(0, y, width, 32);
  context.font = "620 13.5px system-ui, sans-serif";
  context.textAlign = "left";
  context.fillStyle = palette["--text"];
  context.fillText(name, 12, y + 21);
  const shift = context.measureText(name).width;
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = palette["--muted"];
  context.fillText(size.toLocaleString("en"), 12 + shift + 10, y + 21);
}

// The rubber band or the lasso: [[x, y], ...], closed.
export function paintBand(context, palette, points) {
  context.beginPath();
  points.forEach(([x, y], number) => (number ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.closePath();
  context.globalAlpha = 0.15;
  context.fillStyle = palette["--accent"];
  context.fill();
  context.globalAlpha = 1;
  context.strokeStyle = palette["--accent"];
  context.lineWidth = 1.5;
  context.stroke();
}
