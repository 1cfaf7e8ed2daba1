// Requests to the server. Every failure is an ApiError with the server's own words.

const ROOT = "/api/v1/";
const [SHORTEST, LONGEST] = [300, 3000]; // milliseconds between two attempts

export class ApiError extends Error {
  // status: of HTTP, 0 where no answer came. what, where, why, hint: for people. fields: faults of a form, by field.
  constructor(status, words, fields = {}) {
    super(words.what);
    Object.assign(this, {status, fields, where: "", why: "", hint: "", ...words});
  }
}

export const address = (path, query = {}) => {
  const text = new URLSearchParams(query).toString();
  return ROOT + path + (text ? `?${text}` : "");
};

async function answer(path, options) {
  let response;
  try {
    response = await fetch(ROOT + path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, {what: "The program does not answer.", hint: "Is it running, and is the tunnel open?"});
  }
  if (response.ok) return response;
  if (response.status === 401) {
    throw new ApiError(401, {what: "This page has lost its key.", hint: "Open the link that the program printed last."});
  }
  const said = await response.json().catch(() => null);
  throw new ApiError(response.status, said?.error ?? {what: `The program answered with ${response.status}.`}, said?.fields);
}

export const get = async (path, options) => (await answer(path, options)).json();

export const bytes = async (path, options) => (await answer(path, options)).arrayBuffer();

export const post = async (path, body = {}, options = {}) => (await answer(path, {method: "POST", body: JSON.stringify(body), ...options})).json();

// Asks until an answer comes, also one that refuses: for what must not be lost while the tunnel is down. Asking twice
// has to be harmless. wanted: says whether it still matters; once it does not, the failure is passed on.
export async function insist(ask, wanted = () => true) {
  for (let pause = SHORTEST; ; pause = Math.min(2 * pause, LONGEST)) {
    try {
      return await ask();
    } catch (error) {
      if (error.status !== 0 || !wanted()) throw error;
    }
    await new Promise(resolve => setTimeout(resolve, pause));
  }
}

// What answers.headed wrote: {head, data}, where data is a DataView of what follows the head.
export function headed(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  return {head, buffer, start: 4 + length};
}
