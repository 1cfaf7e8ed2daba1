// Which screen the address shows: #/faces/src?status=kept is the screen "faces" with its parts and its query.

import {useEffect, useState} from "preact/hooks";

export function route() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [screen, ...parts] = path.split("/").map(decodeURIComponent);
  return {screen: screen || "overview", parts, query: new URLSearchParams(query ?? "")};
}

export const href = (screen, parts = [], query = {}) => {
  const text = new URLSearchParams(query).toString();
  return `#/${[screen, ...parts].map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
};

export const go = (screen, parts, query) => { location.hash = href(screen, parts, query); };

export function useRoute() {
  const [now, set] = useState(route);
  useEffect(() => {
    const changed = () => set(route());
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return now;
}
