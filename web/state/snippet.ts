/** What reproduces a value outside of the page. */
import { towerOf } from "./cards.ts";
import { model, runsInServer } from "./network.ts";
import { currentImage, currentText } from "./tray.ts";

/** The path of an image: that of a sample in the package, or the file's name. */
export function imagePath(root: string, image = currentImage.value): string {
  const { name = "image.png", url = "", isSample = false } = image ?? {};
  return isSample ? `${root}/${url.replace(/^demo\//, "")}` : name;
}

/** A command that prints a tap's statistics. */
export function commandFor(tap: string): string {
  const image = `--image ${quoted(imagePath("fixtures/demo-model"))}`;
  const text = `--text ${quoted(currentText.value.text)}`;
  const inputs = { image, text, joint: `${image} ${text}` }[towerOf(tap)];
  return command(`trace ${inputs} --taps ${quoted(tap)} --stats`);
}

/** The program with the model that the page shows. */
export function command(words: string): string {
  const state = model.value;
  const own = runsInServer.value && "info" in state ? ` --model ${quoted(state.info.name)}` : "";
  return `node bin/clipscope.js ${words}${own}`;
}

/** A word of a shell command. */
export function quoted(text: string): string {
  return /^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** A program that prints a tap's shape and statistics; null for inputs, which are not taps of a module. */
export function snippetFor(tap: string): string | null {
  if (tap.startsWith("input.")) return null;
  const image = imagePath("${demoModel}");
  const path = image.startsWith("${") ? `\`${image}\`` : JSON.stringify(image);
  const embedImage = `const { features } = (await embedImages(model, [${path}], { normalize: true }).next()).value!;`;
  const embedText = `const texts = await model.encodeText([${JSON.stringify(currentText.value.text)}], { normalize: true });`;
  const run = {
    image: [embedImage],
    text: [embedText],
    joint: [embedImage, embedText, "await model.logits(features, texts);"],
  }[towerOf(tap)];
  return `import { demoModel, embedImages, loadModel, withTaps } from "clipscope";
import { readTap, statistics } from "clipscope/tensor";

const model = await loadModel(demoModel);
await withTaps(
  async (name, value) => {
    if (name === ${JSON.stringify(tap)}) console.log(value.shape, statistics(await readTap(value)));
  },
  async () => {
    ${run.join("\n    ")}
  },
);
await model.dispose();
`;
}
