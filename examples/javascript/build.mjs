// Makes a component of the module.js beside it: node build.mjs WIT_FOLDER FILE

import { componentize } from "@bytecodealliance/componentize-js";
import { readFile, writeFile } from "node:fs/promises";

const [witPath, file] = process.argv.slice(2);
if (file === undefined) {
  console.error("usage: node build.mjs WIT_FOLDER FILE");
  process.exit(2);
}

const source = await readFile(new URL("module.js", import.meta.url), "utf8");
const { component } = await componentize(source, {
  witPath,
  worldName: "module",
  // A workflow sees nothing but its journal, and these steps need nothing of the world: the module imports no WASI at all.
  disableFeatures: ["random", "stdio", "clocks", "http", "fetch-event"],
});
await writeFile(file, component);
