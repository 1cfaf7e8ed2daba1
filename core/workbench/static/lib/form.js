// The form of a stage, made from what the server says of its options.

import {useEffect, useState} from "preact/hooks";
import {get, post} from "./api.js";
import {openDialog, toast} from "./dialogs.js";
import {go} from "./router.js";
import {read} from "./store.js";
import {Button, Problem, html} from "./ui.js";

// values: what is filled in already. started: is called with the job. takesOver: a job that is stopped for this one.
export function openForm(stage, values = {}, {started = toJob, takesOver = null} = {}) {
  openDialog(stage, close => html`<${StageForm} ...${{stage, values, started, takesOver, close}} />`, {wide: true});
}

function toJob(job) {
  toast(`${job.stage} ${job.state === "waiting" ? "waits for its turn" : "was started"}`, "good");
  go("jobs", [job.id]);
}

function StageForm({stage, values: first, started, takesOver, close}) {
  const [form, setForm] = useState(null);
  const [values, setValues] = useState(first);
  const [faults, setFaults] = useState({});
  const [error, setError] = useState(null);
  const [sending, setSending] = useState(false);
  const [wanted, setWanted] = useState("");
  useEffect(() => { get(`form?stage=${encodeURIComponent(stage)}`).then(setForm, setError); }, [stage]);
  const before = read().jobs.find(job => ["running", "waiting"].includes(job.state));
  const send = async after => {
    setSending(true);
    setError(null);
    setFaults({});
    try {
      const job = await post("jobs", {stage, values: cleaned(values), after, takes_over: takesOver !== null});
      close();
      started(job);
    } catch (problem) {
      setFaults(problem.fields ?? {});
      setError(problem);
      setSending(false);
      requestAnimationFrame(() => document.querySelector("[aria-invalid=true]")?.focus());
    }
  };
  if (!form) return error ? html`<${Problem} error=${error} />` : html`<p class="muted">Loading ...</p>`;
  const change = (name, value) => setValues({...values, [name]: value});
  const submit = event => {
    event.preventDefault();
    if (!sending) send(takesOver?.id ?? "");
  };
  const hit = field => !wanted || `${field.label} ${field.help}`.toLowerCase().includes(wanted.toLowerCase());
  const faulty = name => Object.hasOwn(faults, name);
  return html`<form class="stage-form" onSubmit=${submit} novalidate>
    <p class="muted">${form.summary}</p>
    <label class="search"><span class="unseen">Find an option</span>
      <input type="search" placeholder="Find an option" value=${wanted} onInput=${event => setWanted(event.target.value)} /></label>
    <div class="form-groups">${form.groups.map(group => html`<${Group} key=${group.heading} group=${group} hit=${hit}
      open=${group.usual || wanted || group.fields.some(field => faulty(field.name) || field.name in first)}>
      ${group.fields.filter(hit).map(field => html`<${Field} key=${field.name} field=${field} value=${values[field.name]}
        fault=${faults[field.name]} change=${value => change(field.name, value)} />`)}<//>`)}</div>
    ${error && !Object.keys(faults).length && html`<${Problem} error=${error} />`}
    <footer class="dialog-foot">${Object.keys(faults).length ? html`<p class="fault grow" role="alert">${Object.keys(faults).length === 1 ? "One option needs" : `${Object.keys(faults).length} options need`} another value</p>`
        : html`<code class="command">${commandLine(form, values)}</code>`}
      ${before && !takesOver && html`<${Button} disabled=${sending} title="When ${before.stage} has ended well"
        onClick=${() => send(before.id)}>Start after ${before.stage}<//>`}
      <button class="button main" disabled=${sending}>${takesOver ? "Save, stop and go on so" : "Start"}</button></footer></form>`;
}

function Group({group, hit, open, children}) {
  if (!group.fields.some(hit)) return null;
  const fields = html`<div class="fields">${children}</div>`;
  if (!group.heading) return html`<fieldset><legend class="unseen">what</legend>${fields}</fieldset>`;
  if (group.usual) return html`<fieldset><legend>${group.heading}</legend>${fields}</fieldset>`;
  return html`<details open=${open}><summary>${group.heading} (${group.fields.length})</summary>${fields}</details>`;
}

function Field({field, value, fault, change}) {
  const id = `field-${field.name}`;
  const common = {
    id,
    "aria-invalid": fault ? "true" : undefined,
    "aria-describedby": `${id}-help${fault ? ` ${id}-fault` : ""}`,
    "aria-required": field.required ? "true" : undefined,
  };
  return html`<div class="field ${fault ? "faulty" : ""} ${field.kind}">
    <label for=${id}>${field.label}${field.fixed && html`<span class="muted" title="belongs to the model once it exists"> fixed</span>`}</label>
    <${Input} field=${field} value=${value} change=${change} common=${common} />
    ${fault && html`<p class="fault" id="${id}-fault">${fault}</p>`}
    <p class="help" id="${id}-help">${field.help}</p></div>`;
}

function Input({field, value, change, common}) {
  const typed = event => change(event.target.value);
  if (field.kind === "switch" && field.default !== null) {
    return html`<input type="checkbox" ...${common} checked=${value ?? field.default} onChange=${event => change(event.target.checked)} />`;
  }
  if (field.kind === "switch" || (field.kind === "choice" && !field.several)) {
    const choices = field.kind === "switch" ? ["true", "false"] : field.choices;
    return html`<select ...${common} value=${value ?? ""} onChange=${typed}>
      <option value="">${field.default === null || field.required ? placeholder(field) : `${field.default} (by default)`}</option>
      ${choices.map(choice => html`<option value=${choice}>${choice}</option>`)}</select>`;
  }
  const numeric = {whole: "numeric", number: "decimal"}[field.kind];
  const shown = Array.isArray(value) ? value.join("\n") : value ?? "";
  if (field.several) {
    return html`<textarea ...${common} rows="2" value=${shown} placeholder="one a line"
      onInput=${event => change(event.target.value.split("\n"))}></textarea>`;
  }
  return html`<input type="text" ...${common} inputmode=${numeric} value=${shown} placeholder=${placeholder(field)} onInput=${typed} />`;
}

function placeholder(field) {
  if (field.required) return "choose";
  return field.default === null || field.default === "" ? "not set" : String(field.default);
}

// What was filled in: empty fields are not chosen.
function cleaned(values) {
  const kept = Object.entries(values).map(([name, value]) => [name, Array.isArray(value) ? value.filter(text => text.trim()) : value]);
  return Object.fromEntries(kept.filter(([, value]) => value !== "" && value?.length !== 0));
}

function commandLine(form, values) {
  const fields = form.groups.flatMap(group => group.fields);
  const words = fields.filter(field => Object.hasOwn(cleaned(values), field.name)).flatMap(field => {
    const value = values[field.name];
    if (field.kind === "switch") return [String(value) === "true" ? field.flag : field.flag.replace("--", "--no-")];
    return [value].flat().map(item => (field.required ? item : `${field.flag}=${item}`));
  });
  return ["python -m core", form.stage, ...words].join(" ");
}
