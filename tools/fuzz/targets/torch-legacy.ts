/** PyTorch's legacy files: five pickles and the storages. */
import { readFixtures } from "../fixtures.ts";
import { mutatePickle } from "../formats/pickle.ts";
import { readTorch } from "../formats/torch.ts";
import type { CreateTarget } from "../target.ts";

export const create: CreateTarget = () => ({
  seeds: readFixtures("checkpoints", /-legacy\.pt$/, 12_000),
  mutations: [mutatePickle],
  run: readTorch,
  maxSize: 16_384,
});
