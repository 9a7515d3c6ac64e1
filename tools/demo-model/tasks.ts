/** The zero-shot tasks that the demo model is measured on, in every language. */
import { languages, labelTemplates, phrase } from "./captions.ts";
import type { Language, Parts } from "./captions.ts";
import { backgrounds, colours, counts, patterns, positions, shapes, sizes } from "./scene.ts";
import type { Scene } from "./scene.ts";

export interface Task {
  readonly name: string;
  /** The content of each class's prompts. */
  readonly classes: readonly Parts[];
  /** The class of a scene; undefined if the task does not apply to it (the position of several shapes). */
  label(scene: Scene): number | undefined;
}

export const demoTasks: readonly Task[] = [
  {
    // All 64 pairs are classes, including those of the training images.
    name: "colour and shape",
    classes: colours.flatMap((colour) => shapes.map((shape) => ({ colour, shape }))),
    label: ({ colour, shape }) => colours.indexOf(colour) * shapes.length + shapes.indexOf(shape),
  },
  {
    name: "colour",
    classes: colours.map((colour) => ({ colour })),
    label: ({ colour }) => colours.indexOf(colour),
  },
  {
    name: "shape",
    classes: shapes.map((shape) => ({ shape })),
    label: ({ shape }) => shapes.indexOf(shape),
  },
  {
    name: "count",
    classes: counts.map((count) => ({ count })),
    label: ({ count }) => counts.indexOf(count),
  },
  {
    name: "position",
    classes: positions.map((position) => ({ count: 1, position })),
    label: ({ count, position }) => (count === 1 ? positions.indexOf(position) : undefined),
  },
  {
    name: "size",
    classes: sizes.map((size) => ({ count: 1, size })),
    label: ({ count, size }) => (count === 1 ? sizes.indexOf(size) : undefined),
  },
  {
    name: "background",
    classes: backgrounds.map((background) => ({ background })),
    label: ({ background }) => backgrounds.indexOf(background),
  },
  {
    name: "background and pattern",
    classes: backgrounds.flatMap((background) => patterns.map((pattern) => ({ background, pattern }))),
    label: ({ background, pattern }) =>
      backgrounds.indexOf(background) * patterns.length + patterns.indexOf(pattern),
  },
];

/** The class names of a task in a language. */
export function classNames(task: Task, language: Language): string[] {
  return task.classes.map((parts) => phrase(language, parts));
}

/** The templates of a task: the captions' label sentences for labels, else the plain class name. */
export function templates(task: Task, language: Language): readonly string[] {
  return task.classes.every(({ colour, shape }) => colour !== undefined && shape !== undefined)
    ? labelTemplates(language)
    : ["{}"];
}

/** Task → index of the scene's class. */
export function labelsOf(scene: Scene): Record<string, number> {
  return Object.fromEntries(
    demoTasks.flatMap((task) => {
      const label = task.label(scene);
      return label === undefined ? [] : [[task.name, label]];
    }),
  );
}

/** Language → task → the prompts of each class. */
export function allPrompts(): Record<string, Record<string, string[][]>> {
  return Object.fromEntries(
    languages.map((language) => [
      language,
      Object.fromEntries(
        demoTasks.map((task) => [
          task.name,
          classNames(task, language).map((name) =>
            templates(task, language).map((template) => template.replace("{}", name)),
          ),
        ]),
      ),
    ]),
  );
}
