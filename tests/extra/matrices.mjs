// The answers to the matrices in tests/unit/data/matrices.txt and public-matrices.txt, worked out by other means than ours: cell
// by cell, with GitHub's own npm package for `==`, for coercion and for indexing. The second are those of public workflows, with
// what they say in `runs-on` in a first line; cells for Windows and macOS are elsewhere.
//
//     node tests/extra/matrices.mjs            compare with the answers in the file
//     node tests/extra/matrices.mjs --write    write them anew
//
// Another file of matrices may be named after that.
// Exit 0: all agree, 1: some do not, 77: the packages @actions/expressions and yaml are not there.
// They are looked for from the current directory and from $NODE_PATH.

import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

const write = process.argv[2] === "--write";
const here = path.dirname(fileURLToPath(import.meta.url));
const named = process.argv[write ? 3 : 2];
const files = named ? [named] : ["matrices.txt", "public-matrices.txt"].map((name) => path.join(here, "../unit/data", name));
const places = [process.cwd(), ...(process.env.NODE_PATH ?? "").split(path.delimiter).filter(Boolean)];

async function load(name, entry) {
  for (const place of places) {
    for (const dir of createRequire(path.join(place, "x.js")).resolve.paths(name)) {
      const file = path.join(dir, name, entry);
      if (fs.existsSync(file)) return import(pathToFileURL(file));
    }
  }
  console.log(`matrices: npm package ${name} is not installed`);
  process.exit(77);
}

const { Lexer, Parser, Evaluator, data } = await load("@actions/expressions", "dist/index.js");
const YAML = (await load("yaml", "dist/index.js")).default;

// ---- .NET, where it is not JavaScript ----

// Letter by letter, and no letter beyond ASCII becomes one of ASCII.
const upper = (text) =>
  [...text].map((c) => (c.toUpperCase().length === c.length && !"ıſ".includes(c) ? c.toUpperCase() : c)).join("");

function parseNumber(text) {
  text = text.trim();
  if (text === "") return 0;
  if (/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)) return Number(text);
  const prefixed = /^0x([0-9a-fA-F]+)$|^0o([0-7]+)$/.exec(text);
  if (prefixed) {
    const n = prefixed[1] ? BigInt("0x" + prefixed[1]) : BigInt("0o" + prefixed[2]);
    return n > 0xffffffffn ? NaN : Number(BigInt.asIntN(32, n));
  }
  if (/^\+?infinity$/i.test(text)) return Infinity;
  return /^-infinity$/i.test(text) ? -Infinity : NaN;
}

function g15(n) {
  if (!Number.isFinite(n)) return String(n);
  if (n === 0) return Object.is(n, -0) ? "-0" : "0";
  const [mantissa, e] = n.toExponential(14).split("e");
  const exponent = Number(e);
  if (exponent > -5 && exponent < 15) return String(Number(n.toPrecision(15)));
  const sign = exponent < 0 ? "-" : "+";
  return mantissa.replace(/\.?0+$/, "") + "E" + sign + String(Math.abs(exponent)).padStart(2, "0");
}

// The package upper-cases strings as JavaScript does (ß becomes SS); equal codes are what .NET finds equal.
class Text extends data.StringData {
  constructor(raw) {
    super([...upper(raw)].map((c) => c.codePointAt(0).toString(16).toUpperCase()).join("."));
    this.raw = raw;
  }
  number() {
    return parseNumber(this.raw);
  }
  coerceString() {
    return this.raw;
  }
}

class Mapping extends data.Dictionary {
  constructor(pairs) {
    super();
    this.found = new Map(pairs.map(([key, value]) => [upper(key), value]));
  }
  get(key) {
    return this.found.get(upper(key));
  }
}

function toData(value) {
  switch (value.kind) {
    case "null": return new data.Null();
    case "boolean": return new data.BooleanData(value.value);
    case "number": return new data.NumberData(value.value);
    case "string": return new Text(value.value);
    case "list": return new data.Array(...value.items.map(toData));
    default: return new Mapping(value.pairs.map((p) => [p.key, toData(p.value)]));
  }
}

// ---- reading ----

let lineOf;

function keyText(node) {
  const value = fromYaml(node);
  return value.kind === "number" ? g15(value.value) : value.kind === "null" ? "" : String(value.value);
}

function fromYaml(node) {
  const line = node.range ? lineOf(node.range[0]) : 0;
  if (YAML.isAlias(node)) return fromYaml(node.resolve(fromYaml.document));
  if (YAML.isSeq(node)) return { kind: "list", line, items: node.items.map(fromYaml) };
  if (YAML.isMap(node)) {
    const pairs = node.items.map((p) => ({
      key: keyText(p.key),
      line: lineOf(p.key.range[0]),
      value: p.value ? fromYaml(p.value) : { kind: "null", line: lineOf(p.key.range[0]) },
    }));
    return { kind: "mapping", line, pairs };
  }
  if (node.value === null) return { kind: "null", line };
  return { kind: typeof node.value, line, value: node.value };
}

function read(text) {
  const counter = new YAML.LineCounter();
  const document = YAML.parseDocument(text, { version: "1.2", schema: "core", lineCounter: counter, uniqueKeys: false });
  if (document.errors.length) throw document.errors[0];
  lineOf = (offset) => counter.linePos(offset).line;
  fromYaml.document = document;
  return document.contents ? fromYaml(document.contents) : { kind: "null", line: 1 };
}

// ---- what GitHub refuses ----

class Refusals {
  list = [];
  add(line, github) {
    this.list.push({ line, github });
  }
}

const same = (a, b) => upper(a) === upper(b);

function checkKeys(mapping, refusals, mayBeEmpty) {
  mapping.pairs.forEach((pair, i) => {
    if (mapping.pairs.slice(0, i).some((p) => same(p.key, pair.key)))
      refusals.add(pair.line, `'${pair.key}' is already defined`);
    else if (pair.key === "" && !mayBeEmpty) refusals.add(pair.line, "Unexpected value ''");
  });
}

function checkValue(value, refusals) {
  if (value.kind === "list") value.items.forEach((item) => checkValue(item, refusals));
  if (value.kind !== "mapping") return;
  checkKeys(value, refusals, true);
  value.pairs.forEach((pair) => checkValue(pair.value, refusals));
}

function expect(kind, value, refusals) {
  if (value.kind === kind) return true;
  const found = { list: "A sequence was not expected", mapping: "A mapping was not expected" };
  refusals.add(value.line, found[value.kind] ?? `Unexpected value '${value.value ?? ""}'`);
  return false;
}

function checkItems(list, refusals) {
  if (!list || !expect("list", list, refusals)) return [];
  return list.items.filter((item) => {
    if (!expect("mapping", item, refusals)) return false;
    checkKeys(item, refusals, false);
    item.pairs.forEach((pair) => checkValue(pair.value, refusals));
    return true;
  });
}

function split(matrix, refusals) {
  const of = (name) => matrix.pairs.find((pair) => pair.key === name)?.value;
  const parts = { axes: matrix.pairs.filter((pair) => pair.key !== "include" && pair.key !== "exclude") };
  checkKeys(matrix, refusals, false);
  for (const axis of parts.axes) {
    if (expect("list", axis.value, refusals) && axis.value.items.length === 0)
      refusals.add(axis.value.line, `Matrix vector '${axis.key}' does not contain any values`);
    checkValue(axis.value, refusals);
  }
  parts.include = checkItems(of("include"), refusals);
  parts.exclude = checkItems(of("exclude"), refusals);
  const noInclude = !of("include") || (of("include").kind === "list" && of("include").items.length === 0);
  if (parts.axes.length === 0 && noInclude) refusals.add(matrix.line, "Matrix must define at least one vector");
  for (const item of parts.include)
    if (item.pairs.length === 0) refusals.add(item.line, "Matrix include mapping does not contain any values");
  for (const item of parts.exclude) {
    if (item.pairs.length === 0) refusals.add(item.line, "Matrix exclude filter must not be empty");
    for (const pair of item.pairs)
      if (!parts.axes.some((axis) => same(axis.key, pair.key)))
        refusals.add(pair.line, `Matrix exclude key '${pair.key}' does not match any key within the matrix`);
  }
  return parts;
}

// ---- filters: one expression per leaf ----

function* leaves(value, at) {
  if (value.kind === "mapping") for (const p of value.pairs) yield* leaves(p.value, [...at, new Text(p.key)]);
  else if (value.kind === "list") for (const [i, v] of value.items.entries()) yield* leaves(v, [...at, g15(i)]);
  else yield { at, value };
}

// Strings come by way of a second context: the package takes only the first of several '' for a quote.
function condition({ at, value }) {
  const texts = [];
  const token = (part) => (part instanceof Text ? `text[${texts.push(part) - 1}]` : part);
  const literal = value.kind === "string" ? new Text(value.value) : value.kind === "number" ? g15(value.value) : String(value.value ?? null);
  const expression = `matrix${at.map((part) => `[${token(part)}]`).join("")} == ${token(literal)}`;
  const tree = new Parser(new Lexer(expression).lex().tokens, ["matrix", "text"], []).parse();
  return { tree, text: new data.Array(...texts) };
}

const conditions = (pairs) => [...leaves({ kind: "mapping", pairs }, [])].map(condition);

function matches(filter, cell) {
  const matrix = new Mapping(cell.map((field) => [field.key, toData(field.value)]));
  return filter.every(({ tree, text }) => {
    const context = new Mapping([["matrix", matrix], ["text", text]]);
    return new Evaluator(tree, context).evaluate().value;
  });
}

// ---- expansion ----

function product(axes) {
  if (axes.length === 0) return [];
  return axes.reduce(
    (cells, axis) => cells.flatMap((cell) => axis.value.items.map((value) => [...cell, { key: axis.key, value }])),
    [[]],
  );
}

function expand({ axes, include, exclude }) {
  const isAxis = (pair) => axes.some((axis) => same(axis.key, pair.key));
  const excludes = exclude.map((item) => conditions(item.pairs));
  const includes = include.map((item) => {
    const filter = item.pairs.filter(isAxis);
    return { filter, extras: item.pairs.filter((p) => !isAxis(p)), conditions: conditions(filter), matched: false };
  });
  const cells = [];
  for (const cell of product(axes)) {
    if (excludes.some((filter) => matches(filter, cell))) continue;
    const extras = [];
    for (const rule of includes) {
      if (!matches(rule.conditions, cell)) continue;
      rule.matched = true;
      for (const { key, value } of rule.extras) {
        const before = extras.find((extra) => same(extra.key, key));
        if (before) before.value = value;
        else extras.push({ key, value });
      }
    }
    cells.push({ fields: [...cell, ...extras], named: cell.length });
  }
  for (const { filter, extras, matched } of includes)
    if (!matched) cells.push({ fields: [...filter, ...extras], named: filter.length + extras.length });
  return cells;
}

// ---- names and ids ----

function* scalars(value) {
  if (value.kind === "list") for (const item of value.items) yield* scalars(item);
  else if (value.kind === "mapping") for (const pair of value.pairs) yield* scalars(pair.value);
  else if (value.kind === "number") yield g15(value.value);
  else if (value.kind !== "null" && value.value !== "") yield String(value.value);
}

function jobName(job, segments) {
  const name = segments.length ? `${job} (${segments.join(", ")})` : job;
  return name.length > 100 ? name.substring(0, 97).toWellFormed() + "..." : name;
}

function jobId(segments, taken) {
  let id = "";
  for (const segment of segments) id += (id || /^[-0-9]/.test(segment) ? "_" : "") + segment.replace(/[^A-Za-z0-9_-]/g, "_");
  id = (id || "job").replace(/^__+/, "_");
  for (let attempt = 1; attempt < 1000; attempt++) {
    const suffix = attempt === 1 ? "" : id === "_" ? `${attempt}` : `_${attempt}`;
    const candidate = id.substring(0, 100 - suffix.length) + suffix;
    if (taken.has(candidate.toLowerCase())) continue;
    taken.add(candidate.toLowerCase());
    return candidate;
  }
  throw new Error("no unique id");
}

// ---- answers ----

function json(value) {
  switch (value.kind) {
    case "list": return `[${value.items.map(json).join(",")}]`;
    case "mapping": return `{${value.pairs.map((p) => `${JSON.stringify(p.key)}:${json(p.value)}`).join(",")}}`;
    case "number": return Number.isFinite(value.value) ? JSON.stringify(value.value) : `"${value.value}"`;
    default: return JSON.stringify(value.value ?? null);
  }
}

// "${{ matrix.os }}-latest" of a cell: is that another system than Linux?
function isElsewhere(runsOn, fields) {
  const context = new Mapping([["matrix", new Mapping(fields.map((field) => [field.key, toData(field.value)]))]]);
  const label = runsOn.replace(/\$\{\{(.*?)\}\}/g, (_, expression) => {
    const tree = new Parser(new Lexer(expression.trim()).lex().tokens, ["matrix"], []).parse();
    return new Evaluator(tree, context).evaluate().coerceString();
  });
  return /^(windows|macos)/i.test(label);
}

function answer(text) {
  const matrix = read(text);
  const runsOn = /^# runs-on: (.*)$/m.exec(text)?.[1];
  const refusals = new Refusals();
  const parts = expect("mapping", matrix, refusals) ? split(matrix, refusals) : null;
  if (refusals.list.length) {
    refusals.list.sort((a, b) => a.line - b.line);
    return `{"errors":[\n${refusals.list.map((r) => JSON.stringify(r)).join(",\n")}\n]}\n`;
  }
  const taken = new Set();
  const cells = expand(parts).map(({ fields, named }) => {
    const segments = fields.slice(0, named).flatMap((field) => [...scalars(field.value)]);
    const values = json({ kind: "mapping", pairs: fields });
    const [name, job, id] = [segments.join(", "), jobName("test", segments), jobId(segments, taken)].map((t) => JSON.stringify(t));
    const elsewhere = runsOn && isElsewhere(runsOn, fields) ? ',"elsewhere":true' : "";
    return `{"name":${name},"job":${job},"id":${id},"values":${values}${elsewhere}}`;
  });
  return cells.length ? `{"cells":[\n${cells.join(",\n")}\n]}\n` : `{"cells":[]}\n`;
}

// "=== name", the matrix, "=>", the answer.
let differ = 0;
let count = 0;
for (const file of files) {
  const entries = fs.readFileSync(file, "utf8").split(/^=== /m).slice(1).map((entry) => {
    const [, name, matrix, ours] = /^(.*)\n([^]*?)^=>\n([^]*)$/m.exec(entry);
    let theirs;
    try {
      theirs = answer(matrix);
    } catch (error) {
      theirs = `${error}\n`;
    }
    if (theirs === ours) return entry;
    differ++;
    if (write && theirs.startsWith("{")) return `${name}\n${matrix}=>\n${theirs}`;
    console.log(`${name}: the answer should be\n${theirs}`);
    return entry;
  });
  count += entries.length;
  if (write) fs.writeFileSync(file, entries.map((entry) => `=== ${entry}`).join(""));
}
console.log(`${count} matrices, ${differ} ${write ? "written" : "differ"}`);
process.exit(differ && !write ? 1 : 0);
