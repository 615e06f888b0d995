// Compiles the sequence evaluator to WebAssembly and writes it as a TypeScript module, so that every way of running the
// program (sources, bundle, tests) finds it without a path.
import { writeFileSync } from "node:fs";
import asc from "assemblyscript/asc";

const source = "src/insights/sequence/evaluator.as.ts";
const target = "src/insights/sequence/evaluator.wasm.ts";
const { error, binary } = await compile();
if (error || !binary) {
  console.error(error?.message ?? "the evaluator did not compile");
  process.exit(1);
}
const text = Buffer.from(binary).toString("base64");
writeFileSync(
  target,
  `// Made by scripts/build-wasm.js from evaluator.as.ts. Do not edit.\nexport const evaluatorWasm =\n  "${text}";\n`,
);
console.log(`${target}: ${binary.length} bytes`);

async function compile() {
  let made;
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
      if (name.endsWith(".wasm")) made = contents;
    },
  });
  return { ...result, binary: made };
}
