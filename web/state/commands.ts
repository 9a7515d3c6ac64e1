/** What computes a view's figures outside of the page: a command, or a program where there is no command. */
import { place as attentionPlace } from "./attention.ts";
import { labels } from "./matching.ts";
import { route } from "./navigation.ts";
import { imagePass, modelInfo, textPass } from "./session.ts";
import { command, imagePath, quoted } from "./snippet.ts";
import { place as textPlace } from "./text.ts";
import { currentText, trayImages } from "./tray.ts";
import type { ViewName } from "./views.ts";
import { label as explained, occluded } from "./why.ts";

/** Views that have one; the others copy what they compare. */
export type CopiedView = Exclude<ViewName, "compare" | "parity" | "probe" | "search">;

export function commandOf(view: CopiedView): string {
  return makers[view]();
}

const image = (): string => `--image ${quoted(imagePath("fixtures/demo-model"))}`;
const text = (): string => `--text ${quoted(currentText.value.text)}`;

const makers: Readonly<Record<CopiedView, () => string>> = {
  pass: () => command(`trace ${image()} ${text()} --stats`),
  attention: () => {
    const { layer, head } = attentionPlace.value;
    const options = [
      `--layer ${layer}`,
      ...(head === null ? [] : [`--head ${head}`]),
      ...(route.value.absolute ? ["--absolute-scale"] : []),
    ];
    return command(`trace ${image()} --figures figures ${options.join(" ")}`);
  },
  text: () => {
    const tap =
      tapsOf(textPass.value?.value.taps, /#probabilities$/)[textPlace.value.layer] ?? "*#probabilities";
    return command(`trace ${text()} --taps ${quoted(tap)} --out attention.safetensors`);
  },
  stream: () => {
    const [input, taps] =
      route.value.tower === "image"
        ? [image(), imagePass.value?.value.taps]
        : [text(), textPass.value?.value.taps];
    const states = tapsOf(taps, /(resblocks|layer)\.\d+$/).map((name) => `--taps ${quoted(name)}`);
    return command(`trace ${input} ${states.join(" ")} --out stream.safetensors`);
  },
  weights: () => command(`trace ${image()} --figures figures`),
  match: () => {
    const images = trayImages.value.map((one) => quoted(imagePath("fixtures/demo-model", one)));
    const templates = route.value.templates.map((template) => `--template ${quoted(template)}`);
    return withLabels(["classify", ...images, ...templates].join(" "));
  },
  lens: () => withLabels(`trace ${image()} --figures figures`),
  why: whyCommand,
  intervene: sweepProgram,
};

function tapsOf(taps: readonly { readonly name: string }[] = [], pattern: RegExp): readonly string[] {
  return taps.map(({ name }) => name).filter((name) => pattern.test(name));
}

/** Labels with a comma come from standard input. */
function withLabels(words: string): string {
  if (!labels.value.some((label) => label.includes(","))) {
    return command(`${words} --labels ${quoted(labels.value.join(","))}`);
  }
  return `printf '%s\\n' ${labels.value.map(quoted).join(" ")} | ${command(`${words} --labels-file -`)}`;
}

function whyCommand(): string {
  const { method, startLayer, steps, against, templates } = route.value;
  const prompt = (name: string): string => (templates[0] ?? "{}").replaceAll("{}", name);
  const name = labels.value[explained.value]!;
  const others = labels.value.filter((other) => other !== name).map(prompt);
  const options = {
    gradient: [],
    integrated: [`--steps ${steps}`],
    relevance: [`--start-layer ${startLayer}`],
    occlusion: [`--window ${occluded.value.window}`, `--stride ${occluded.value.stride}`],
  }[method];
  return command(
    [
      `explain ${quoted(imagePath("fixtures/demo-model"))} --text ${quoted(prompt(name))}`,
      ...(against && others.length > 0 ? [`--against ${quoted(others.join(","))}`] : []),
      `--method ${method}`,
      ...options,
      "--out maps",
    ].join(" "),
  );
}

/** A program that prints the score, and its change without each head. */
function sweepProgram(): string {
  const path = imagePath("${demoModel}");
  const label = Math.max(labels.value.indexOf(route.value.label ?? ""), 0);
  const { templates } = route.value;
  return `import { transpose } from "@tensorflow/tfjs-core";
import { demoModel, loadModel, readImages, zeroShotClassifier } from "clipscope";
import { labelDirection, sweepHeads } from "clipscope/study";

const model = await loadModel(demoModel);
const pixels = await readImages([${path.startsWith("${") ? `\`${path}\`` : JSON.stringify(path)}], model.preprocess);
const labels = ${JSON.stringify(labels.value)};
const classifier = await zeroShotClassifier(model, labels, ${JSON.stringify(templates)});
const direction = labelDirection(transpose(classifier.weight), ${label}, labels.length > 1);
const { score, changes } = await sweepHeads(model, { pixels }, direction);
const scale = ${modelInfo.value?.scale ?? 1}; // exp(logit_scale)
console.log("score", scale * score);
console.table(changes.map((layer) => Array.from(layer, (change) => scale * change)));
`;
}
