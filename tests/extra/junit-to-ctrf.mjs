// Our JUnit, as somebody else's converter reads it: every outcome there is, run for real, told by us as JSON and by
// junit-to-ctrf out of the JUnit of the same run. Names, statuses, flakiness, attempts and places must agree.
//
//     node tests/extra/junit-to-ctrf.mjs [PROGRAM]
//
// Exit 0: they agree, 1: they do not, 77: the package junit-to-ctrf is not there.
// It is looked for from the current directory.

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "../..");
const program = path.resolve(process.argv[2] ?? path.join(root, "build/run-matrix"));

async function converter() {
  const entry = path.join(process.cwd(), "node_modules/junit-to-ctrf/dist/index.js");
  if (!fs.existsSync(entry)) {
    console.log("junit-to-ctrf: the npm package is not installed");
    process.exit(77);
  }
  return (await import(pathToFileURL(entry))).convertJUnitToCTRFReport;
}

// Bytes that no XML may hold, a CDATA end and a long line among what the failing ones print.
const suite = String.raw`
strategy: {matrix: {os: [linux, "a&b <c>"]}}
defaults: {retries: 1}
tests:
  - {name: passes, run: [sh, -c, "echo fine"]}
  - {name: fails, run: [sh, -c, "printf 'a\\033[31mb\\000c\\377d ]]> <e> &amp;\\n'; head -c 1000000 /dev/zero | tr '\\0' x; exit 3"]}
  - {name: crashes, axes: [], run: [sh, -c, "kill -SEGV $$"]}
  - {name: hangs, axes: [], run: [sleep, "60"], timeout: 300ms, stop: [KILL], retries: 0}
  - {name: flakes, run: [sh, -c, "echo try; test $RUN_MATRIX_ATTEMPT = 2"]}
  - {name: skips, run: [sh, -c, "echo not today; exit 77"]}
  - {name: expected, axes: [], run: ["false"], xfail: {reason: "#451"}, retries: 0}
  - {name: missing, axes: [], run: [./no-such-program]}
`;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "run-matrix-ctrf-"));
process.on("exit", () => fs.rmSync(folder, { recursive: true, force: true }));
const at = (name) => path.join(folder, name);

function run() {
  fs.writeFileSync(at("run-matrix.yaml"), suite);
  const { status, stderr } = spawnSync(
    program,
    ["run", "--report", `junit=${at("junit.xml")}`, "--report", `json=${at("results.json")}`],
    { cwd: folder, encoding: "utf8" },
  );
  if (status === 1) return JSON.parse(fs.readFileSync(at("results.json"), "utf8"));
  console.log(`run-matrix ended with ${status}: ${stderr}`);
  process.exit(1);
}

// What a case is in CTRF, by our own account of it.
const statuses = { passed: "passed", flaky: "passed", xpassed: "passed", skipped: "skipped", unsupported: "skipped", xfailed: "skipped", "not run": "skipped" };

function expected({ id, test, verdict, file, duration, attempts, quarantined }) {
  const failures = attempts.filter(({ verdict }) => !Object.hasOwn(statuses, verdict)).length;
  const status = quarantined ? "skipped" : (statuses[verdict] ?? "failed");
  return {
    suite: test,
    name: id.split("@")[0].replace(/^.*?::/, ""),
    status,
    flaky: verdict === "flaky",
    retries: verdict === "flaky" ? failures : status === "failed" ? failures - 1 : 0,
    file,
    duration: Math.round(duration * 1000),
  };
}

function found({ suite, name, status, flaky, retries, filePath, duration }) {
  return { suite: suite.at(-1), name, status, flaky: flaky ?? false, retries: retries ?? 0, file: filePath, duration };
}

const rows = (list) => list.map((row) => JSON.stringify(row)).sort();

const convert = await converter();
const ours = run();
const theirs = await convert(at("junit.xml"));
const wanted = rows(ours.cases.map(expected));
const got = rows(theirs.results.tests.map(found));
const missing = wanted.filter((row, i) => row !== got[i]);
const summary = theirs.results.summary;
const failed = ours.counts.failed;

missing.forEach((row) => console.log(`not read as we have it: ${row}`));
if (missing.length) got.forEach((row) => console.log(`they read: ${row}`));
if (summary.failed !== failed) console.log(`${failed} failed, they count ${summary.failed}`);
console.log(`${wanted.length} cases, ${got.length} read, ${missing.length} of them differently`);
process.exit(missing.length || wanted.length !== got.length || summary.failed !== failed ? 1 : 0);
