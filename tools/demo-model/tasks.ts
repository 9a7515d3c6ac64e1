/** What the demo model is measured on: zero-shot tasks over generated scenes, in every language. */
import { LANGUAGES, labelTemplates, phrase } from "./captions.ts";
import type { Language, Parts } from "./captions.ts";
import { BACKGROUNDS, COLOURS, COUNTS, PATTERNS, POSITIONS, SHAPES, SIZES } from "./scene.ts";
import type { Scene } from "./scene.ts";

export interface Task {
  readonly name: string;
  /** What a prompt of each class says. */
  readonly classes: readonly Parts[];
  /** The right class of a scene; undefined where the task does not ask about it (the place of several shapes). */
  label(scene: Scene): number | undefined;
}

export const TASKS: readonly Task[] = [
  {
    // The task of the 95 %: which of all 64 pairs, those of training among them.
    name: "colour and shape",
    classes: COLOURS.flatMap((colour) => SHAPES.map((shape) => ({ colour, shape }))),
    label: ({ colour, shape }) => COLOURS.indexOf(colour) * SHAPES.length + SHAPES.indexOf(shape),
  },
  {
    name: "colour",
    classes: COLOURS.map((colour) => ({ colour })),
    label: ({ colour }) => COLOURS.indexOf(colour),
  },
  {
    name: "shape",
    classes: SHAPES.map((shape) => ({ shape })),
    label: ({ shape }) => SHAPES.indexOf(shape),
  },
  {
    name: "count",
    classes: COUNTS.map((count) => ({ count })),
    label: ({ count }) => COUNTS.indexOf(count),
  },
  {
    name: "position",
    classes: POSITIONS.map((position) => ({ count: 1, position })),
    label: ({ count, position }) => (count === 1 ? POSITIONS.indexOf(position) : undefined),
  },
  {
    name: "size",
    classes: SIZES.map((size) => ({ count: 1, size })),
    label: ({ count, size }) => (count === 1 ? SIZES.indexOf(size) : undefined),
  },
  {
    name: "background",
    classes: BACKGROUNDS.map((background) => ({ background })),
    label: ({ background }) => BACKGROUNDS.indexOf(background),
  },
  {
    name: "background and pattern",
    classes: BACKGROUNDS.flatMap((background) => PATTERNS.map((pattern) => ({ background, pattern }))),
    label: ({ background, pattern }) =>
      BACKGROUNDS.indexOf(background) * PATTERNS.length + PATTERNS.indexOf(pattern),
  },
];

/** The class names of a task in a language. */
export function classNames(task: Task, language: Language): string[] {
  return task.classes.map((parts) => phrase(language, parts));
}

/** The sentences that a task's class names stand in: labels in those of the captions, all else as it is. */
export function templates(task: Task, language: Language): readonly string[] {
  return task.classes.every(({ colour, shape }) => colour !== undefined && shape !== undefined)
    ? labelTemplates(language)
    : ["{}"];
}

/** Task → index of the right class. */
export function labelsOf(scene: Scene): Record<string, number> {
  return Object.fromEntries(
    TASKS.flatMap((task) => {
      const label = task.label(scene);
      return label === undefined ? [] : [[task.name, label]];
    }),
  );
}

/** Language → task → the prompts of each class. */
export function allPrompts(): Record<string, Record<string, string[][]>> {
  return Object.fromEntries(
    LANGUAGES.map((language) => [
      language,
      Object.fromEntries(
        TASKS.map((task) => [
          task.name,
          classNames(task, language).map((name) =>
            templates(task, language).map((template) => template.replace("{}", name)),
          ),
        ]),
      ),
    ]),
  );
}
