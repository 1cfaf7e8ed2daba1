// What columns are called, and their numbers for people.

const ANGLE = {scale: 180 / Math.PI, digits: 0, unit: "°"};
const SHARE = {scale: 100, digits: 0, unit: " %"};

export const COLUMNS = {
  frame: {title: "Frame", digits: 0, shift: 1},
  yaw: {title: "Yaw", ...ANGLE, help: "negative looks to the right of the picture"},
  pitch: {title: "Pitch", ...ANGLE, help: "positive looks up"},
  roll: {title: "Roll", ...ANGLE},
  size: {title: "Size in the frame", digits: 0, unit: " px"},
  sharpness: {title: "Sharpness", digits: 2},
  confidence: {title: "Confidence of the detector", ...SHARE},
  landmark_confidence: {title: "Confidence of the landmarks", ...SHARE},
  track: {title: "Track", digits: 0},
  exposure: {title: "Exposure", digits: 0, help: "brightness of the face, 0 to 255"},
  contrast: {title: "Contrast", digits: 0},
  hidden: {title: "Hidden by the mask", ...SHARE},
  cut_off: {title: "Beyond the frame", ...SHARE},
  misaligned: {title: "Alignment error", digits: 2, help: "1 is where people throw faces out"},
  stale: {title: "Picture out of date", digits: 0},
  status: {title: "Status"},
  reason: {title: "Reason"},
  person: {title: "Person"},
  origin: {title: "Origin"},
  mark: {title: "Mark"},
  verdict: {title: "Verdict"},
  rejected: {title: "Rejected verdict"},
  "score.persons": {title: "Likely person", digits: 0},
};
const EMPTY = {person: "nobody", mark: "no mark", reason: "no reason", verdict: "fine", rejected: "none rejected", origin: "unknown", status: "unknown"};

export function titleOf(name) {
  if (COLUMNS[name]) return COLUMNS[name].title;
  if (name.startsWith("like.")) return "Likeness";
  const plain = name.replace(/^(by|score|out|verdict|rejected)\./, "").replace(/[-_]/g, " ");
  return plain[0].toUpperCase() + plain.slice(1);
}

export const wordOf = (name, word) => word || EMPTY[name] || "none";

// A number of a column as people read it. scored: angles in degrees already.
export function shown(name, value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "unknown";
  const {scale = 1, shift = 0, unit = "", digits} = COLUMNS[name] ?? (name.startsWith("like.") ? SHARE : {});
  const number = value * scale + shift;
  const places = digits ?? (Math.abs(number) >= 100 ? 0 : 2);
  return `${number.toLocaleString("en", {minimumFractionDigits: 0, maximumFractionDigits: places})}${unit}`;
}

// The name of a group.
export function groupTitle(column, name) {
  if (column === "frame") return `Frame ${Number(name) + 1}`;
  if (column === "track") return name === "0" ? "No track" : `Track ${name}`;
  if (column === "score.persons") return ["nan", "-1"].includes(name) ? "Unknown" : `Likely person ${Number(name) + 1}`;
  return wordOf(column, name);
}
