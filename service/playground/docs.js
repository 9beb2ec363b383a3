// The list of routes, drawn from /openapi.json: no library, nothing from elsewhere.
"use strict";

function element(name, text, ...children) {
  const made = document.createElement(name);
  made.textContent = text;
  made.append(...children);
  return made;
}

function fields(schemas, content) {
  const reference = content?.["application/json"]?.schema?.$ref;
  const schema = reference && schemas[reference.split("/").pop()];
  const rows = Object.entries(schema?.properties ?? {}).map(([name, field]) =>
    element("tr", "", element("th", "", element("code", name)), element("td", field.description ?? "")));
  return element("table", "", ...rows);
}

function route(schemas, path, method, told) {
  const section = element("section", "", element("h2", `${method.toUpperCase()} ${path}`), element("p", told.summary ?? ""));
  const content = told.requestBody?.content;
  if (content) {
    section.append(element("p", `Body: ${Object.keys(content).join(", ")}`), fields(schemas, content));
    const data = JSON.stringify(content["application/json"].example);
    const command = `curl ${location.origin}${path} -H 'Content-Type: application/json' -H 'Accept: text/plain' -d '${data}'`;
    section.append(element("pre", command));
  }
  return section;
}

fetch("/openapi.json").then((answer) => answer.json()).then((document_) => {
  const drawn = Object.entries(document_.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, told]) => route(document_.components.schemas, path, method, told)));
  document.getElementById("routes").append(...drawn);
});
