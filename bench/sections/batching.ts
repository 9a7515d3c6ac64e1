/** Single images and texts of concurrent callers through the demo model: each in its own pass, and in joint passes. */
import { tensor4d } from "@tensorflow/tfjs-core";
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import { loadModel } from "../../lib/node/models/load-model.ts";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { BatchedEncoder } from "../../lib/tasks/batched-encoder.ts";
import { disposing } from "../../lib/tensor/disposing.ts";
import { naturalCaptions } from "../captions.ts";
import type { Context } from "../context.ts";
import { inTurn, timed, type Runner } from "../rounds.ts";
import type { Row, Table } from "../table.ts";

/** Callers that wait for an answer at any time, and the calls of each. */
const callers = 32;
const callsPerCaller = 8;

type Call = (caller: number) => Promise<unknown>;

export async function measureBatching({ options, programs, showStatus }: Context): Promise<Table[]> {
  const rows: Row[] = [];
  for (const backend of options.backend) {
    const model = await loadModel(demoModel, { backend });
    const { name, description } = await startNodeBackend(backend);
    programs.set(`clipscope, ${name}`, description);
    showStatus(`batching on ${name}`);
    const [height, width] = model.config.vision.imageSize;
    const image = Float32Array.from({ length: 3 * height * width }, (_, i) => Math.sin(i));
    const texts = naturalCaptions("xlm-roberta").map(({ text }) => text);
    const textOf = (caller: number): string => texts[caller % texts.length]!;
    const encoder = new BatchedEncoder(model);
    const calls: Readonly<Record<string, Call>> = {
      "images, a pass each": async () => {
        const pixels = tensor4d(image, [1, 3, height, width]);
        const embedding = await disposing(pixels, (held) => model.encodeImage(held));
        await disposing(embedding, (held) => held.data());
      },
      "images, joint passes": () => encoder.encodeImages([image]),
      "texts, a pass each": async (caller) => {
        const embedding = await model.encodeText([textOf(caller)]);
        await disposing(embedding, (held) => held.data());
      },
      "texts, joint passes": (caller) => encoder.encodeTexts([textOf(caller)]),
    };
    const runners: Runner<{ seconds: number }>[] = Object.entries(calls).map(([name, call]) => ({
      name,
      run: () => timed(() => fromAllCallers(call)),
    }));
    const measured = await inTurn(runners, { ...options, atLeast: 2 });
    for (const [at, { seconds }] of measured.entries()) {
      const alone = measured[at - (at % 2)]!.seconds;
      rows.push({
        program: `clipscope, ${name}`,
        variant: runners[at]!.name,
        perSecond: (callers * callsPerCaller) / seconds,
        ratio: at % 2 === 0 ? null : alone / seconds,
      });
    }
    await encoder.close();
    await model.dispose();
  }
  return [
    {
      id: "batching",
      title: `${callers} concurrent callers of the demo model, one image or text a call`,
      columns: [
        { key: "program", title: "program" },
        { key: "variant", title: "variant" },
        { key: "perSecond", title: "calls/s" },
        { key: "ratio", title: "faster by ×" },
      ],
      rows,
    },
  ];
}

/** Every caller makes its next call when it has the answer to the last. */
async function fromAllCallers(call: Call): Promise<void> {
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      for (let i = 0; i < callsPerCaller; i++) await call(caller);
    }),
  );
}
