/** SugarCrepe: an image, its caption, and the caption with one change that makes it wrong. */
import { phrase, type Parts } from "../../demo-model/captions.ts";
import { colours, positions, shapes, type Scene } from "../../demo-model/scene.ts";
import { json, type GeneratedDataset, type GeneratedFile } from "../generated-dataset.ts";

/** A caption and its wrong counterpart. */
type Captions = readonly [caption: string, negative: string];

const describe = (parts: Parts): string => phrase("en", parts);

const other = <T>(values: readonly T[], value: T): T => values[(values.indexOf(value) + 1) % values.length]!;

const tasks: Readonly<Record<string, (scene: Scene) => Captions>> = {
  add_att: ({ colour, shape, count, size }) => [
    describe({ colour, shape, count }),
    describe({ colour, shape, count, size: size === "small" ? "large" : "small" }),
  ],
  add_obj: ({ colour, shape, count }) => [
    describe({ colour, shape, count }),
    `${describe({ colour, shape, count })} and ${describe({ colour: other(colours, colour), shape: other(shapes, shape), count: 1 })}`,
  ],
  replace_att: ({ colour, shape, count }) => [
    describe({ colour, shape, count }),
    describe({ colour: other(colours, colour), shape, count }),
  ],
  replace_obj: ({ colour, shape, count }) => [
    describe({ colour, shape, count }),
    describe({ colour, shape: other(shapes, shape), count }),
  ],
  replace_rel: ({ shape, position }) => [
    describe({ shape, count: 1, position }),
    describe({ shape, count: 1, position: other(positions, position) }),
  ],
  swap_att: ({ colour, shape, count, background }) => [
    describe({ colour, shape, count, background }),
    swapped(describe({ colour, shape, count, background }), colour, groundWord(background)),
  ],
  swap_obj: ({ colour, shape, background }) => [
    `${describe({ colour, shape })} on a ${describe({ background })}`,
    `${describe({ background })} on a ${describe({ colour, shape })}`,
  ],
};

/** The word for the colour of a background. */
function groundWord(background: Scene["background"]): string {
  return describe({ background }).replace(/ background$/, "");
}

function swapped(text: string, first: string, second: string): string {
  return text.replace(first, "\0").replace(second, first).replace("\0", second);
}

const fileOf = (index: number): string => `${`${index * 31 + 139}`.padStart(12, "0")}.jpg`;

export const sugarCrepe: GeneratedDataset = {
  name: "sugar_crepe",
  folder: "sugar_crepe",
  layout: "SugarCrepe's JSON, seven tasks",
  async *files(world): AsyncGenerator<GeneratedFile, void, undefined> {
    for (const index of world.indices) {
      // Images of other modes than RGB, which SugarCrepe's reader passes to the transform as they are.
      const content = await world.image(index, index % 9 === 8 ? "palette-png" : "jpg");
      yield { path: `val2017/${fileOf(index)}`, content };
    }
    for (const [task, captionsOf] of Object.entries(tasks)) {
      const items = world.indices.flatMap((index): [string, object][] => {
        const scene = world.scene(index);
        // A position is that of a single shape. The ids of the others have gaps then, as the published ones do.
        if (task === "replace_rel" && scene.count !== 1) return [];
        const [caption, negative] = captionsOf(scene);
        return [[`${index}`, { filename: fileOf(index), caption, negative_caption: negative }]];
      });
      yield { path: `${task}.json`, content: json(Object.fromEntries(items)) };
    }
  },
};

/** The tasks, as in `sugar_crepe/TASK`. */
export const sugarCrepeTasks: readonly string[] = Object.keys(tasks);

/** For specs: the captions of a task. */
export function sugarCrepeCaptions(task: string, scene: Scene): Captions {
  return tasks[task]!(scene);
}
