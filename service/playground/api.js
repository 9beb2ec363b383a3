// The service as functions: models, one answer, an answer as it is made. Knows nothing of the page.

export class Refused extends Error {
  constructor(problem) {
    super(problem.detail ?? problem.title ?? "The service cannot be reached.");
    this.problem = problem;
  }
}

const KEPT = "heed-key"; // in this tab alone, until it is closed

// The key that goes with every request, if one was given.
export function useKey(key) {
  if (key) sessionStorage.setItem(KEPT, key);
  else sessionStorage.removeItem(KEPT);
}

function headers(more) {
  const key = sessionStorage.getItem(KEPT);
  return key ? { ...more, Authorization: `Bearer ${key}` } : more;
}

export async function models() {
  const answer = await fetch("/v1/models", { headers: headers({}) });
  if (!answer.ok) throw await refusal(answer);
  return answer.json();
}

async function refusal(answer) {
  try {
    return new Refused(await answer.json());
  } catch {
    return new Refused({ title: `The service answered ${answer.status}.` });
  }
}

// A request is {task, fields}; a picture is among the fields, in base64.
function sent({ task, fields }, accept, signal) {
  const told = headers({ Accept: accept, "Content-Type": "application/json" });
  return fetch(`/v1/${task}`, { method: "POST", headers: told, body: JSON.stringify(fields), signal });
}

// A file's bytes in base64.
export function encoded(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

// The same answer, drawn by the service: a Blob of that media type.
export async function drawing(request, media) {
  const answer = await sent(request, media);
  if (!answer.ok) throw await refusal(answer);
  return answer.blob();
}

// Calls hear(event, data) for each server-sent event, until the end. An `error` event is thrown.
export async function listen(request, hear, signal) {
  const answer = await sent(request, "text/event-stream", signal);
  if (!answer.ok) throw await refusal(answer);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) told(part, hear);
  }
}

function told(part, hear) {
  const lines = part.split("\n").filter((line) => !line.startsWith(":"));
  const field = (name) => lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2));
  const [event] = field("event");
  if (!event) return;
  const data = JSON.parse(field("data").join("\n"));
  if (event === "error") throw new Refused(data);
  hear(event, data);
}
