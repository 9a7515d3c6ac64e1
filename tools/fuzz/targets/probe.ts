/** Probe files, and scores with the probe. */
import { encodeSafetensors } from "../../../lib/tensor/safetensors.ts";
import { decodeProbe, encodeProbe } from "../../../lib/probe/probe-file.ts";
import { startNodeBackend } from "../../../lib/node/backends/backends.ts";
import { safetensorsMutations } from "../formats/safetensors.ts";
import { MemoryFile } from "../memory-file.ts";
import type { CreateTarget } from "../target.ts";

function probe(classes: number, metadata: Record<string, string>): Uint8Array {
  return encodeSafetensors(
    [
      { name: "weight", dtype: "F32", shape: [classes, 3], bytes: new Uint8Array(12 * classes).fill(1) },
      { name: "bias", dtype: "F32", shape: [classes], bytes: new Uint8Array(4 * classes) },
    ],
    metadata,
  );
}

export const create: CreateTarget = async () => {
  await startNodeBackend();
  return {
    seeds: [
      probe(2, {}),
      probe(3, {
        class_names: '["a","b","c"]',
        model: "demo",
        tap: "visual",
        normalized: "true",
        recipe: "x",
        settings: "{}",
      }),
    ],
    mutations: safetensorsMutations,
    async run(input) {
      const source = new MemoryFile(input, "probe.safetensors");
      const decoded = await decodeProbe(source).catch((error: unknown) => {
        source.assertClosed();
        throw error;
      });
      const { width } = decoded;
      decoded.logits({ values: new Float32Array(2 * width).fill(0.5), rows: 2, width });
      encodeProbe(decoded);
      return `${decoded.hasNames ? "named" : "numbered"} classes`;
    },
    usesCoverage: false,
    maxSize: 4096,
  };
};
