/** Pickles alone, in the smallest archive: changed opcode by opcode. */
import { readFixtures } from "../fixtures.ts";
import { mutatePickle, newPickle } from "../formats/pickle.ts";
import { readTorch } from "../formats/torch.ts";
import { unzip } from "../formats/zip.ts";
import { zip } from "../../../spec/support/zip.ts";
import type { CreateTarget } from "../target.ts";

const storage = new Uint8Array(256);

export const create: CreateTarget = () => ({
  seeds: readFixtures("checkpoints", /\.pt$/).flatMap((archive) =>
    Object.entries(unzip(archive) ?? {}).flatMap(([name, bytes]) =>
      name.endsWith("/data.pkl") ? [bytes] : [],
    ),
  ),
  mutations: [mutatePickle, mutatePickle, mutatePickle, (_input, random) => newPickle(random)],
  run(pickle) {
    const storages = Object.fromEntries(Array.from({ length: 4 }, (_, key) => [`a/data/${key}`, storage]));
    return readTorch(zip({ "a/data.pkl": pickle, "a/byteorder": "little", ...storages }));
  },
  maxSize: 16_384,
});
