// Compiles the sequence evaluator to WebAssembly and writes it as a TypeScript module, so that every way of running the
// program (sources, bundle, tests) finds it without a path. With --check it only says whether that module is up to date.
import { readFileSync, writeFileSync } from "node:fs";
import asc from "assemblyscript/asc";

const source = "src/insights/sequence/evaluator.as.ts";
const target = "src/insights/sequence/evaluator.wasm.ts";
const { error, binary } = await compile();
if (error || !binary) {
  console.error(error?.message ?? "the evaluator did not compile");
  process.exit(1);
}
const text = Buffer.from(binary).toString("base64");
const made = `// Made by scripts/build-wasm.js from evaluator.as.ts. Do not edit.\nexport const evaluatorWasm =\n  "${text}";\n`;
if (process.argv.includes("--check")) {
  if (readFileSync(target, "utf8") === made) process.exit(0);
  console.error(`${target} is not what ${source} compiles to. Run npm run build:wasm.`);
  process.exit(1);
}
writeFileSync(target, made);
console.log(`${target}: ${binary.length} bytes`);

async function compile() {
  let compiled;
  const options = [
    source,
    "--outFile",
    "evaluator.wasm",
    "-O3",
    "--runtime",
    "stub",
    "--noAssert",
    "--use",
    "abort=",
    "--initialMemory",
    "2",
  ];
  const result = await asc.main(options, {
    writeFile: (name, contents) => {
      if (name.endsWith(".wasm")) compiled = contents;
    },
  });
  return { ...result, binary: compiled };
}
