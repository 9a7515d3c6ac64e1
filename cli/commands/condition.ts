/** `clipscope condition`: the tensors that image generators take. */
import type { Tensor } from "@tensorflow/tfjs-core";
import { Option, type Command } from "commander";
import type { Clip } from "../../lib/clip/clip.ts";
import { conditionOnImages, conditionOnTokens, type Conditioning } from "../../lib/condition/condition.ts";
import { consumerNames, consumers, type Consumer, type ConsumerName } from "../../lib/condition/consumers.ts";
import { preparations, prepareImage, type Preparation } from "../../lib/condition/prepare-image.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { placeFor } from "../../lib/node/files/output-path.ts";
import { writeTogether } from "../../lib/node/files/write-file.ts";
import { readImages } from "../../lib/node/images/read-images.ts";
import { disposing } from "../../lib/tensor/disposing.ts";
import { encodeNpy } from "../../lib/tensor/npy.ts";
import { encodeSafetensors } from "../../lib/tensor/safetensors.ts";
import { collect, examples } from "../options/option-values.ts";
import { assertOneStandardInput, exifOption, standardInputImage } from "../options/with-images.ts";
import { precisionOption, weightsOption, withModel, type ModelOptions } from "../options/with-model.ts";
import { packageInfo } from "../package-info.ts";
import { printable } from "../terminal/format.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends ModelOptions {
  readonly for: ConsumerName;
  readonly text?: string[];
  readonly negative?: string[];
  readonly preprocess?: Preparation;
  readonly out: string;
  readonly exif?: boolean;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("condition")
    .description(
      "Write the tensors that image generators take, under the names of their pipelines' arguments.\n" +
        consumerNames.map((name) => `${name}: ${consumers[name].title}.`).join(" "),
    )
    .usage(
      "[options] --for <generator> --out <file> <image...>\n" +
        "       clipscope condition [options] --for sd2 --out <file> --text <text>",
    )
    .argument("[image...]", "image files (- for standard input)")
    .addOption(new Option("--for <generator>", "the generator").choices(consumerNames).makeOptionMandatory())
    .option("--text <text>", "of sd2: a prompt; may be repeated", collect)
    .option(
      "--negative <text>",
      "of sd2: the negative prompt; one for all prompts, or repeated, one for each (default: empty)",
      collect,
    )
    .addOption(
      new Option(
        "--preprocess <how>",
        "how images are resized and cropped (default: as the generator's pipeline in diffusers does)",
      ).choices(preparations),
    )
    .requiredOption(
      "--out <file>",
      "file to write: .safetensors, or .npy; for .npy files of several tensors, {tensor} is replaced by the name",
    )
    .addOption(exifOption())
    .addOption(weightsOption())
    .addOption(precisionOption())
    .addHelpText(
      "after",
      examples(
        "clipscope condition --for wan start.jpg --out wan.safetensors",
        "clipscope condition --for ip-adapter-plus style.jpg --out style.safetensors",
        "clipscope condition --for sd2 --model hf:laion/CLIP-ViT-H-14-laion2B-s32B-b79K \\",
        "  --text 'a red bicycle' --negative 'blurred' --out '{tensor}.npy'",
      ),
    )
    .action(async (images: string[], _options: unknown, self: Command) => {
      await condition(images, self.optsWithGlobals(), terminal);
    });
}

async function condition(images: readonly string[], options: Options, terminal: Terminal): Promise<void> {
  const { out, json = false } = options;
  const consumer: Consumer = consumers[options.for];
  checkInputs(images, consumer, options);
  const paths = new Set(consumer.tensors.map((name) => pathOf(out, name, consumer.tensors.length)));
  for (const path of paths) await placeFor(path, images);
  await withModel(options, terminal, async (model) => {
    const found =
      consumer.input === "text"
        ? await ofTexts(model, options)
        : await ofImages(model, images, options, terminal);
    try {
      const written = await write(found, options, consumer);
      const width = written.tensors[0]!.shape.at(-1)!;
      const fits = width === consumer.width;
      if (!fits) {
        terminal.warn(
          `${consumer.title} takes tensors of width ${consumer.width}, this model gives ${width}; it was trained with ${consumer.weights}`,
        );
      }
      const preprocess = consumer.input === "text" ? null : preparationOf(consumer, options);
      if (json) terminal.printJson({ for: options.for, preprocess, fits, ...written });
      else {
        for (const { name, shape, file } of written.tensors) {
          terminal.print(`${printable(file)}: ${name} [${shape.join(", ")}]`);
        }
        if (preprocess !== null) terminal.print(`images prepared as ${preprocess}`);
      }
    } finally {
      for (const tensor of found.values()) tensor.dispose();
    }
  });
}

/** @throws InputError for inputs that the generator does not take */
function checkInputs(
  images: readonly string[],
  { input, title }: Consumer,
  { text = [], negative = [], preprocess, exif, out }: Options,
): void {
  if (!/\.(safetensors|npy)$/.test(out)) {
    throw new InputError(`--out ${out}: expected a name that ends with .safetensors or .npy`);
  }
  if (input === "text") {
    if (images.length > 0) throw new InputError(`${title} takes texts; give --text, and no images`);
    if (text.length === 0) throw new InputError(`${title} takes texts; expected --text`);
    if (preprocess !== undefined || exif !== undefined) {
      throw new InputError(`${preprocess === undefined ? "--exif" : "--preprocess"} requires images`);
    }
    if (negative.length > 1 && negative.length !== text.length) {
      throw new InputError(`--negative: expected 1 or ${text.length}, found ${negative.length}`);
    }
    return;
  }
  if (text.length > 0 || negative.length > 0) {
    throw new InputError(`${title} takes images; ${text.length > 0 ? "--text" : "--negative"} is of sd2`);
  }
  if (images.length === 0) throw new InputError(`${title} takes images; expected at least one`);
  assertOneStandardInput(images);
}

const preparationOf = (consumer: Consumer, { preprocess }: Options): Preparation =>
  preprocess ?? consumer.preparation ?? "open_clip";

async function ofTexts(
  model: Clip,
  { for: consumer, text = [], negative = [""] }: Options,
): Promise<Conditioning> {
  if (model.config.text.kind !== "clip") return conditionOnTokens(model, [], [], consumer); // throws
  const tokenizer = await model.tokenizer();
  const encode = (texts: readonly string[]): number[][] => texts.map((one) => tokenizer.encode(one));
  return conditionOnTokens(model, encode(text), encode(negative), consumer);
}

async function ofImages(
  model: Clip,
  images: readonly string[],
  options: Options,
  terminal: Terminal,
): Promise<Conditioning> {
  const preparation = preparationOf(consumers[options.for], options);
  const pixels = await readImages(
    images.map((path) => (path === "-" ? standardInputImage(terminal) : path)),
    model.preprocess,
    {
      exifOrientation: options.exif ?? false,
      transform: (image, config) => prepareImage(image, config, preparation),
    },
  );
  return terminal.progress((show) =>
    disposing(pixels, () =>
      conditionOnImages(model, pixels, options.for, {
        onBlock: (done, total) => {
          show({ done, total, unit: "blocks" });
        },
      }),
    ),
  );
}

/** @throws InputError if several tensors would be written to one .npy file */
function pathOf(out: string, name: string, count: number): string {
  if (out.endsWith(".safetensors")) return out;
  if (count > 1 && !out.includes("{tensor}")) {
    throw new InputError(
      `--out ${out}: a .npy file holds one tensor, this generator takes ${count}; put {tensor} in it`,
    );
  }
  return out.replaceAll("{tensor}", name);
}

interface Written {
  readonly tensors: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly file: string;
  }[];
}

async function write(
  found: Conditioning,
  { out, for: consumer }: Options,
  { weights }: Consumer,
): Promise<Written> {
  const values = await Promise.all(
    Array.from(found, async ([name, tensor]: [string, Tensor]) => ({
      name,
      shape: tensor.shape,
      file: pathOf(out, name, found.size),
      values: await tensor.data<"float32">(),
    })),
  );
  const files = [...new Set(values.map(({ file }) => file))];
  await writeTogether(files, async (opened) => {
    if (out.endsWith(".npy")) {
      for (const [i, one] of values.entries()) await opened[i]!.write(encodeNpy(one.shape, one.values));
      return;
    }
    const tensors = values.map(({ name, shape, values: { buffer, byteOffset, byteLength } }) => ({
      name,
      shape,
      dtype: "F32" as const,
      bytes: new Uint8Array(buffer, byteOffset, byteLength),
    }));
    const metadata = { for: consumer, weights, clipscope: packageInfo().version };
    await opened[0]!.write(encodeSafetensors(tensors, metadata));
  });
  return { tensors: values.map(({ name, shape, file }) => ({ name, shape, file })) };
}
