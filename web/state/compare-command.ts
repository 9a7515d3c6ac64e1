/** Commands that print the comparison outside of the page. */
import { route } from "./navigation.ts";
import { pinnedPair } from "./sides.ts";
import { command, imagePath, quoted } from "./snippet.ts";
import { currentImage, currentText, type TrayImage } from "./tray.ts";

export function compareCommand(): string {
  const { sideA, sideB } = route.value;
  const [a, b] = [traceOf(sideA, "a"), traceOf(sideB, "b")];
  const commands = [a, b].flatMap(({ command }) => (command === null ? [] : [command]));
  return [...commands, `node bin/clipscope.js diff ${a.file} ${b.file}`].join(" && ");
}

/** The file of a side, and the command that writes it; null if it is there. */
function traceOf(side: string, slot: string): { readonly file: string; readonly command: string | null } {
  if (side.startsWith("file:")) return { file: quoted(side.slice("file:".length)), command: null };
  const pair = side === "pinned" ? pinnedPair.value : null;
  const image: TrayImage | null = pair?.image ?? currentImage.value;
  const inputs =
    `--image ${quoted(imagePath("fixtures/demo-model", image))} ` +
    `--text ${quoted(pair?.text ?? currentText.value.text)}`;
  const file = `${slot}.safetensors`;
  const words = `${inputs} --taps '*' --taps '*#*' --out ${file}`;
  return {
    file,
    command:
      side === "model"
        ? `node bin/clipscope.js trace --model PATH/TO/THE/OTHER/MODEL ${words}`
        : command(`trace ${words}`),
  };
}
