// docs/dump.schema.json, held against a dump of a tree of processes.
//
//     node tests/extra/dump.mjs [PROGRAM]      build/run-matrix, when nothing is said

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { Trial } from "./schemas/trial.mjs";

const trial = new Trial("dump");

// A shell that waits for a pipeline of two that wait for us: threads, pipes and findings.
async function dumpOfTree() {
  const child = spawn("sh", ["-c", "echo ready; cat | cat; :"], { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout, "data");
  try {
    return execFileSync(trial.program, ["dump", "--json", String(child.pid)], { encoding: "utf8", maxBuffer: 1 << 28 });
  } finally {
    child.stdin.end();
    await once(child, "exit");
  }
}

const dump = trial.take(JSON.parse(await dumpOfTree()), "a dump");
const optional = new Set(["line", "address", "to"]);

trial.spoil(dump, { mayMiss: (holder, key) => optional.has(key) || (key === "pid" && "words" in holder), most: 2000 });
trial.end(`a dump of ${dump.processes.length} processes`);
