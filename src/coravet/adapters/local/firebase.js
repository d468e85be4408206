// The Auth emulator of firebase-tools, alone: the command line around it takes three times as long to start.
// node firebase.js <folder of firebase-tools> <project> <port> [file that keeps the accounts]
// Ends, accounts saved, at SIGTERM or when its standard input closes, as it does when the parent dies.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { createRequire } = require("node:module");

const [tools, project, port, file] = process.argv.slice(2);
const host = "127.0.0.1";
const api = `http://${host}:${port}/identitytoolkit.googleapis.com/v1/projects/${project}/accounts`;

async function call(url, body) {
  const answer = await fetch(url, {
    method: body ? "POST" : "GET",
    headers: { Authorization: "Bearer owner", "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${new URL(url).pathname} answered ${answer.status}`);
  return answer.json();
}

function kept() {
  if (!file || !fs.existsSync(file)) return [];
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")).users.map((user) => ({ ...user }));
  } catch {
    throw new Error(`${file} is damaged; move it away, and the demo's accounts are made anew`);
  }
}

async function load(users) {
  if (users.length === 0) return;
  const { error } = await call(`${api}:batchCreate`, { users });
  if (error?.length) throw new Error(`${error.length} accounts of ${file} were refused, the first: ${error[0].message}`);
  // An import counts as a change of password, which would end every session that began before it.
  for (const { localId, validSince } of users) await call(`${api}:update`, { localId, validSince });
}

let saved;
async function save() {
  const users = [];
  let page;
  do {
    const next = page ? `&nextPageToken=${encodeURIComponent(page)}` : "";
    const answer = await call(`${api}:batchGet?maxResults=1000${next}`);
    users.push(...answer.users);
    page = answer.nextPageToken;
  } while (page);
  const text = JSON.stringify({ users }, null, 1);
  if (text === saved) return;
  fs.writeFileSync(`${file}.new`, text, { mode: 0o600 });
  fs.renameSync(`${file}.new`, file);
  saved = text;
}

let ending = false;
async function end() {
  if (ending) return;
  ending = true;
  try {
    if (file && loaded) await save();
  } finally {
    process.exit();
  }
}

let loaded = false;
process.stdin.on("end", end).resume();

async function main() {
  const users = kept();
  const fromTools = createRequire(path.join(tools, "package.json"));
  // The emulator checks requests by an OpenAPI document of a thousand schemas, of which few are ever asked for: compiled
  // when they are, it starts after a second instead of six.
  const checks = fromTools("exegesis-express");
  const { middleware } = checks;
  checks.middleware = (document, options) => middleware(document, { ...options, lazyCompileValidationSchemas: true });
  const { createApp } = fromTools("firebase-tools/lib/emulator/auth/server");
  const app = await createApp(project, 1);
  const server = app.listen(Number(port), host);
  await new Promise((resolve, reject) => server.once("listening", resolve).once("error", reject));
  if (file) {
    await load(users);
    loaded = true;
    setInterval(() => save().catch((error) => console.error(`accounts were not saved: ${error.message}`)), 5000).unref();
  }
  // Not before: while the emulator loads, for seconds, no handler would run, and there is nothing to save.
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  console.log("ready");
}

main().catch((error) => {
  console.error(`error: ${error.message}`);
  process.exit(1);
});
