/** Features files. */
import { encodeSafetensors } from "../../../lib/tensor/safetensors.ts";
import { encodeFeatures } from "../../../lib/features/features-file.ts";
import { decodeFeatures } from "../../../lib/features/read-features.ts";
import { safetensorsMutations } from "../formats/safetensors.ts";
import { MemoryFile } from "../memory-file.ts";
import type { CreateTarget } from "../target.ts";

const features = { name: "features", dtype: "F32", shape: [3, 2], bytes: new Uint8Array(24) } as const;
const half = { name: "features", dtype: "F16", shape: [2, 4], bytes: new Uint8Array(16) } as const;
const labels = { name: "labels", dtype: "I64", shape: [3], bytes: new Uint8Array(24) } as const;

export const create: CreateTarget = () => ({
  seeds: [
    encodeSafetensors([features]),
    encodeSafetensors([half], { normalized: "true", paths: '["a.jpg","b.jpg"]' }),
    encodeSafetensors([labels, features], { class_names: '["a","b"]', model: "demo", tap: "visual" }),
  ],
  mutations: safetensorsMutations,
  async run(input) {
    const source = new MemoryFile(input, "features.safetensors");
    const decoded = await decodeFeatures(source).catch((error: unknown) => {
      source.assertClosed();
      throw error;
    });
    encodeFeatures(decoded);
    const { labels: found, classNames, paths } = decoded;
    return `labels ${found !== null}, names ${classNames !== null}, paths ${paths !== null}`;
  },
  maxSize: 4096,
});
