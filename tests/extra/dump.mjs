// docs/dump.schema.json, tried with ajv: it is one by ajv's strict rules, it takes a dump of a tree of processes, and it
// refuses one of which anything is missing, is of another kind, or is too much.
//
//     node tests/extra/dump.mjs [PROGRAM]      build/run-matrix, when nothing is said
//
// Exit 0: all is as it should be, 1: it is not, 77: the package ajv is not there.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");
const program = process.argv[2] ?? path.join(root, "build/run-matrix");
const require = createRequire(path.join(process.cwd(), "x.js"));

let Ajv2020;
try {
  Ajv2020 = require("ajv/dist/2020").default;
} catch (error) {
  if (error.code !== "MODULE_NOT_FOUND") throw error;
  console.log("dump: npm package ajv is not installed");
  process.exit(77);
}

let failed = 0;
function complain(text) {
  failed++;
  console.log(text);
}

// What may be null is a union of types.
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
const validate = ajv.compile(JSON.parse(fs.readFileSync(path.join(root, "docs/dump.schema.json"), "utf8")));

// A shell that waits for a pipeline of two that wait for us: threads, pipes and findings.
async function dumpOfTree() {
  const child = spawn("sh", ["-c", "echo ready; cat | cat; :"], { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout, "data");
  try {
    return execFileSync(program, ["dump", "--json", String(child.pid)], { encoding: "utf8", maxBuffer: 1 << 28 });
  } finally {
    child.stdin.end();
    await once(child, "exit");
  }
}

const text = await dumpOfTree();
if (!validate(JSON.parse(text)))
  complain(`a dump is refused: ${validate.errors.map((e) => `${e.instancePath} ${e.message}`).join("; ")}`);

// Every key of every object once: left out, and of a kind that nothing is.
let tried = 0;
function* holders(node) {
  if (node === null || typeof node !== "object") return;
  if (!Array.isArray(node)) yield node;
  for (const value of Object.values(node)) yield* holders(value);
}
const dump = JSON.parse(text);
const optional = new Set(["line", "address", "to"]);
for (const holder of holders(dump)) {
  for (const key of Object.keys(holder)) {
    const value = holder[key];
    tried += 2;
    delete holder[key];
    if (!optional.has(key) && !(key === "pid" && "words" in holder) && validate(dump)) complain(`accepted without '${key}'`);
    holder[key] = { strange: true };
    if (validate(dump)) complain(`accepted with a strange '${key}'`);
    holder[key] = value;
  }
  holder.strange = 1;
  if (validate(dump)) complain("accepted with a key that is not in the schema");
  delete holder.strange;
  if (tried > 2000) break;
}
if (!validate(dump)) complain("it was not put together again");

console.log(`a dump of ${dump.processes.length} processes, ${tried} times made wrong, ${failed} not as they should be`);
process.exit(failed ? 1 : 0);
