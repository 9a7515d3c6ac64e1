/**
 * Draws the diagrams of docs/diagrams.
 *
 *     node dist/tools/docs/diagrams.js
 */
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { forwardPassDiagram } from "./forward-pass-diagram.ts";
import { roomsDiagram } from "./rooms-diagram.ts";

const folder = new URL("../../../docs/diagrams/", import.meta.url);

await writeFile(fileURLToPath(new URL("forward-pass.svg", folder)), forwardPassDiagram());
await writeFile(fileURLToPath(new URL("rooms.svg", folder)), await roomsDiagram());
