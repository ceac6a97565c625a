// docs/soak.schema.json, held against what soaks have come to.
//
//     node tests/extra/soak.mjs [PROGRAM]      build/run-matrix, when nothing is said

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Trial } from "./schemas/trial.mjs";

// One value of an axis fails each time, in one of two tests.
const suite = `
strategy: {matrix: {speed: [slow, fast], colour: [red, blue]}}
tests:
  - {name: race, run: 'test $RUN_MATRIX_AXIS_SPEED = slow'}
  - {name: fine, run: 'true'}
`;
const trial = new Trial("soak");
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "soak-"));

function soak(...more) {
  spawnSync(trial.program, ["soak", ...more], { cwd: folder });
  return trial.take(JSON.parse(fs.readFileSync(path.join(folder, ".run-matrix/latest/soak.json"), "utf8")), "a soak");
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
if (!result.carried_by.length || !result.kinds.length) trial.complain("a soak has not found what is there");

trial.spoil(result, { anyKeys: (by) => by === "cell" || by === "verdicts" });
trial.end(`a soak of ${result.cases.length} cases`);
