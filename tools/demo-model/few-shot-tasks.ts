/**
 * Labelled scenes of tasks for few-shot methods. `fill` and `arrangement` are never named in the captions that the demo
 * model was trained on; the other tasks are, on images whose combination of colour, shape and background never occurred
 * in its training.
 */
import { sceneOf } from "./dataset.ts";
import type { Scene } from "./scene.ts";
import { classNames, demoTasks, templates } from "./tasks.ts";
import { unseenScene, unseenTasks } from "./unseen-images.ts";

export interface LabelledScene {
  readonly scene: Scene;
  readonly label: number;
}

export interface FewShotTask {
  readonly classNames: readonly string[];
  readonly templates: readonly string[];
  /** About `count` scenes of a seed, each with its number, which seeds its image. */
  examples(seed: number, count: number): LabelledScene[];
}

export function fewShotTask(name: string): FewShotTask {
  if (name === "fill" || name === "arrangement") {
    const classes = unseenTasks[name];
    return {
      classNames: classes.map((one) => one.name),
      templates: ["{}"],
      examples: (seed, count) =>
        Array.from({ length: count }, (_, index) => {
          const label = index % classes.length;
          return { scene: unseenScene(classes[label]!.change, seed, index), label };
        }),
    };
  }
  const task = demoTasks.find((one) => one.name === name);
  if (task === undefined) {
    const known = [...Object.keys(unseenTasks), ...demoTasks.map((one) => one.name)];
    throw new Error(`unknown task ${name}; known: ${known.join(", ")}`);
  }
  return {
    classNames: classNames(task, "en"),
    templates: templates(task, "en"),
    examples: (seed, count) =>
      Array.from({ length: count }, (_, index) => sceneOf(seed, index, "test")).flatMap((scene) => {
        const label = task.label(scene);
        return label === undefined ? [] : [{ scene, label }];
      }),
  };
}
