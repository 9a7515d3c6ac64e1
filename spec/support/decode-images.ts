/** A child process of the bomb specs: decodes files, and prints each one's error message, or null, as JSON. */
import { readFileSync } from "node:fs";
import { InputError } from "../../lib/errors/input-error.ts";
import { decodeImage } from "../../lib/image/decode.ts";
import { nodeCodecs } from "../../lib/node/images/codecs.ts";

const outcomes: (string | null)[] = [];
for (const path of process.argv.slice(2)) {
  try {
    await decodeImage(new Uint8Array(readFileSync(path)), "bomb", nodeCodecs());
    outcomes.push(null);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    outcomes.push(error.message);
  }
}
console.log(JSON.stringify(outcomes));
