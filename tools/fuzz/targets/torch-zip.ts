/** PyTorch's zip files: members, directory and pickle. */
import { readFixtures } from "../fixtures.ts";
import { mutatePickle } from "../formats/pickle.ts";
import { readTorch } from "../formats/torch.ts";
import { zipMutations } from "../formats/zip.ts";
import type { CreateTarget } from "../target.ts";

export const create: CreateTarget = () => ({
  seeds: readFixtures("checkpoints", /(?<!-legacy)\.pt$/, 12_000),
  mutations: zipMutations(/\/data\.pkl$/, mutatePickle),
  run: readTorch,
  maxSize: 16_384,
});
