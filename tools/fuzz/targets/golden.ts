/** Goldens: the reference's inputs and activations. */
import { encodeSafetensors } from "../../../lib/tensor/safetensors.ts";
import { Golden } from "../../../lib/parity/golden.ts";
import { startNodeBackend } from "../../../lib/node/backends/backends.ts";
import { elementCount } from "../../../lib/tensor/dtype.ts";
import { safetensorsMutations } from "../formats/safetensors.ts";
import { MemoryFile } from "../memory-file.ts";
import type { CreateTarget } from "../target.ts";

const image = { name: "input.image", dtype: "F32", shape: [1, 3, 2, 2], bytes: new Uint8Array(48) } as const;
const text = { name: "input.text", dtype: "I64", shape: [2, 3], bytes: new Uint8Array(48) } as const;
const tap = { name: "visual.conv1", dtype: "F32", shape: [1, 2, 1, 1], bytes: new Uint8Array(8) } as const;
const samples = { name: "visual", dtype: "F32", shape: [6], bytes: new Uint8Array(24) } as const;

export const create: CreateTarget = async () => {
  await startNodeBackend();
  return {
    seeds: [
      encodeSafetensors([image, text, tap], { float32_error: '{"visual.conv1":1e-7}' }),
      encodeSafetensors([text, tap]),
      encodeSafetensors([samples], {
        weights: "synthetic",
        arch: "ViT-B-32",
        samples: "4",
        image_shape: "[1,3,2,2]",
      }),
    ],
    mutations: safetensorsMutations,
    async run(input) {
      const source = new MemoryFile(input, "golden.safetensors");
      const golden = await Golden.open(source).catch((error: unknown) => {
        source.assertClosed();
        throw error;
      });
      for (const [name, shape] of golden.taps) {
        if (golden.readTap(name).length !== elementCount(shape)) throw new Error(`${name}: another size`);
      }
      golden.readImage()?.dispose();
      await golden.close();
      return `image ${golden.imageShape !== null}, text ${golden.text !== null}, samples ${golden.samples !== null}`;
    },
    usesCoverage: false,
    maxSize: 4096,
  };
};
