// docs/soak.schema.json, tried with ajv: it is one by ajv's strict rules, it takes what soaks have come to, and it refuses one
// of which anything is missing, is of another kind, or is too much.
//
//     node tests/extra/soak.mjs [PROGRAM]      build/run-matrix, when nothing is said
//
// Exit 0: all is as it should be, 1: it is not, 77: the package ajv is not there.

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
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
  console.log("soak: npm package ajv is not installed");
  process.exit(77);
}

let failed = 0;
function complain(text) {
  failed++;
  console.log(text);
}

// What may be null is a union of types.
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
const validate = ajv.compile(JSON.parse(fs.readFileSync(path.join(root, "docs/soak.schema.json"), "utf8")));

// One value of an axis fails each time, in one of two tests.
const suite = `
strategy: {matrix: {speed: [slow, fast], colour: [red, blue]}}
tests:
  - {name: race, run: 'test $RUN_MATRIX_AXIS_SPEED = slow'}
  - {name: fine, run: 'true'}
`;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "soak-"));
function soak(...more) {
  spawnSync(program, ["soak", ...more], { cwd: folder });
  const result = JSON.parse(fs.readFileSync(path.join(folder, ".run-matrix/latest/soak.json"), "utf8"));
  if (!validate(result))
    complain(`a soak is refused: ${validate.errors.map((e) => `${e.instancePath} ${e.message}`).join("; ")}`);
  return result;
}

let result;
try {
  soak("--below", "30%", "--", "true");
  soak("--below", "30%", "--count", "3", "--", "true");
  soak("--until-fail", "--", "false");
  fs.writeFileSync(path.join(folder, "run-matrix.yaml"), suite);
  result = soak("--count", "12", "--seed", "5");
} finally {
  fs.rmSync(folder, { recursive: true });
}
if (!result.carried_by.length || !result.kinds.length) complain("a soak has not found what is there");

// Every key of every object once: left out, and of a kind that nothing is. Cells and verdicts have whatever keys there are.
let tried = 0;
function* holders(node, free) {
  if (node === null || typeof node !== "object") return;
  if (!Array.isArray(node)) yield [node, free];
  for (const [key, value] of Object.entries(node)) yield* holders(value, key === "cell" || key === "verdicts");
}
for (const [holder, free] of holders(result, false)) {
  for (const key of Object.keys(holder)) {
    const value = holder[key];
    tried += 2;
    delete holder[key];
    if (!free && validate(result)) complain(`accepted without '${key}'`);
    holder[key] = { strange: true };
    if (validate(result)) complain(`accepted with a strange '${key}'`);
    holder[key] = value;
  }
  if (!free) {
    holder.strange = 1;
    if (validate(result)) complain("accepted with a key that is not in the schema");
    delete holder.strange;
  }
}
if (!validate(result)) complain("it was not put together again");

console.log(`a soak of ${result.cases.length} cases, ${tried} times made wrong, ${failed} not as they should be`);
process.exit(failed ? 1 : 0);
