// All screens, in the order of the navigation. A new one is a file and a line here.

import {Overview} from "./overview.js";
import {Frames} from "./frames.js";
import {Faces} from "./faces.js";
import {Jobs} from "./jobs.js";
import {Live} from "./live.js";
import {Masks} from "./masks.js";
import {Merge} from "./merge.js";
import {Training} from "./training.js";

export const SCREENS = [
  {name: "overview", title: "Overview", icon: "overview", draw: Overview},
  {name: "frames", title: "Frames", icon: "frames", draw: Frames},
  {name: "faces", title: "Faces", icon: "faces", draw: Faces},
  {name: "masks", title: "Masks", icon: "masks", draw: Masks},
  {name: "training", title: "Training", icon: "training", draw: Training},
  {name: "merge", title: "Merge", icon: "merge", draw: Merge},
  {name: "live", title: "Live", icon: "live", draw: Live},
  {name: "jobs", title: "Jobs", icon: "jobs", draw: Jobs},
];
