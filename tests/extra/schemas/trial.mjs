// A schema of docs/ on trial with ajv: it is one by ajv's strict rules, it takes what the program writes, and it refuses one of
// which anything is missing, is of another kind, or is too much.
//
// A script ends with 0: all is as it should be, 1: it is not, 77: the package ajv is not there.

import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), "../../..");
const require = createRequire(path.join(process.cwd(), "x.js"));

function loadAjv(name) {
  try {
    return require("ajv/dist/2020").default;
  } catch (error) {
    if (error.code !== "MODULE_NOT_FOUND") throw error;
    console.log(`${name}: npm package ajv is not installed`);
    process.exit(77);
  }
}

// Every object in it, and the key that leads there.
function* holders(node, key = "") {
  if (node === null || typeof node !== "object") return;
  if (!Array.isArray(node)) yield [node, key];
  for (const [inner, value] of Object.entries(node)) yield* holders(value, Array.isArray(node) ? key : inner);
}

export class Trial {
  constructor(name) {
    const Ajv2020 = loadAjv(name);

    this.program = process.argv[2] ?? path.join(root, "build/run-matrix");
    this.failed = this.tried = 0;
    // What may be null is a union of types.
    this.validate = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true }).compile(
      JSON.parse(fs.readFileSync(path.join(root, `docs/${name}.schema.json`), "utf8")),
    );
  }

  complain(text) {
    this.failed++;
    console.log(text);
  }

  take(value, what) {
    if (!this.validate(value))
      this.complain(`${what} is refused: ${this.validate.errors.map((e) => `${e.instancePath} ${e.message}`).join("; ")}`);
    return value;
  }

  // Every key of every object once: left out, and of a kind that nothing is; and one more. `anyKeys`: of an object that is there by
  // this key. `mayMiss`: of a key that need not be there.
  spoil(value, { anyKeys = () => false, mayMiss = () => false, most = Infinity }) {
    const refuse = (what) => {
      this.tried++;
      if (this.validate(value)) this.complain(`accepted ${what}`);
    };

    for (const [holder, by] of holders(value)) {
      for (const key of Object.keys(holder)) {
        const kept = holder[key];

        delete holder[key];
        if (!anyKeys(by) && !mayMiss(holder, key)) refuse(`without '${key}'`);
        holder[key] = { strange: true };
        refuse(`with a strange '${key}'`);
        holder[key] = kept;
      }
      if (!anyKeys(by)) {
        holder.strange = 1;
        refuse("with a key that is not in the schema");
        delete holder.strange;
      }
      if (this.tried > most) break;
    }
    this.take(value, "what was put together again");
  }

  end(what) {
    console.log(`${what}, ${this.tried} times made wrong, ${this.failed} not as they should be`);
    process.exit(this.failed ? 1 : 0);
  }
}
